"""Firing rates and spike times."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxneuro.machine import StateMachine
from jaxneuro.run import run


def rate(spikes: Float[Array, "*batch time"], dt_ms: Float[Array, ""] | float) -> Float[Array, "*batch"]:
    """The mean firing rate: `1000 sum(spikes) / (T dt_ms)`.

    Args:
        spikes: 1 on a spike, else 0; time last.
        dt_ms: step size (ms).

    Returns:
        The rate (Hz).
    """
    return 1000 * spikes.mean(axis=-1) / dt_ms


def population_rate(
    spikes: Float[Array, "steps neurons"], dt_ms: Float[Array, ""] | float, *, window: int = 1
) -> Float[Array, "windows"]:
    """The rate of a population in each window of time: `1000 sum(spikes) / (neurons window dt_ms)`.

    Args:
        spikes: 1 on a spike, else 0.
        dt_ms: step size (ms).
        window: its length in steps; steps that fill no window at the end are left out.

    Returns:
        The rate per neuron (Hz).

    Reference: Gerstner et al. 2014, Neuronal Dynamics, eq. 7.11 (population activity).
    """
    return 1000 * windows(spikes, window).mean(axis=(1, 2)) / jnp.asarray(dt_ms, spikes.dtype)


def windows(spikes: Float[Array, "steps neurons"], window: int) -> Float[Array, "windows window neurons"]:
    """The train cut in windows of so many steps; what is left over at the end is dropped.

    Args:
        spikes: 1 on a spike, else 0.
        window: length of a window in steps.

    Returns:
        `[windows, window, neurons]`.

    Raises:
        ValueError: there is not one window.
    """
    steps, neurons = spikes.shape
    if not 1 <= window <= steps:
        raise ValueError(f"window is {window} steps; it must be from 1 to the {steps} steps of the train.")
    count = steps // window
    return spikes[: count * window].reshape(count, window, neurons)


def crossing_times(
    voltage_mv: Float[Array, "time"] | Float[np.ndarray, "time"], level_mv: float, dt_ms: float
) -> Float[np.ndarray, "crossings"]:
    """When a voltage rises through a level, between the samples: on the straight line from one to the next.

    Args:
        voltage_mv: after each step (mV).
        level_mv: the level (mV), reached when V is at it or above.
        dt_ms: step size (ms).

    Returns:
        The times (ms) since the start of the first step.
    """
    voltage = np.asarray(voltage_mv, float)
    before = np.flatnonzero((voltage[:-1] < level_mv) & (voltage[1:] >= level_mv))
    share = (level_mv - voltage[before]) / (voltage[before + 1] - voltage[before])
    return (before + 1 + share) * dt_ms


def f_i_curve(
    machine: StateMachine, currents: Float[Array, "currents"], duration_ms: float, skip_ms: float = 0.0
) -> Float[Array, "currents"]:
    """The firing rate of a neuron under each of several constant currents, all in one program.

    Args:
        machine: takes a current, puts out 1 on a spike, or a `TimedSpike`; its step size is its `dt_ms`.
        currents: in the neuron's unit.
        duration_ms: how long each is given, from the neuron's start on (ms).
        skip_ms: what is left out of the count at the beginning (ms).

    Returns:
        The rates (Hz).
    """
    dt_ms: Array = getattr(machine, "dt_ms")  # noqa: B009 - not every machine has one
    steps, skip = round(duration_ms / float(dt_ms)), round(skip_ms / float(dt_ms))
    outputs = jax.vmap(lambda current: run(machine, jnp.full(steps, current))[1])(currents)
    return rate(getattr(outputs, "spike", outputs)[:, skip:], dt_ms)
