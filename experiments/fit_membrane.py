"""Can the channels of a membrane be read off its voltage? Conductances fitted by gradient through spikes.

The data are voltages of a Hodgkin-Huxley membrane under fluctuating currents. The guesses are all eight in which each
of the three conductances is too large or too small by the same share; they are lanes of one program. Spikes that come
at other times make the error of the voltage a landscape of many valleys: so the model is tied to the data by a
conductance, a weak voltage clamp, which is let go during the first four fifths of training (synchronisation: Abarbanel
et al. 2009, SIAM Journal on Applied Dynamical Systems 8:1341).
"""

import functools
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import figures
from jaxneuro.launch.config import Count, ExperimentConfig, Fraction, LearningRate, NonNegative, Positive
from jaxneuro.launch.devices import lane_by_lane, place_lanes
from jaxneuro.launch.directory import Run
from jaxneuro.launch.loop import train_in_chunks
from jaxneuro.launch.report import Section
from jaxneuro.learning import train
from jaxneuro.learning.optimizer import cosine_adam

NAMES = ("sodium", "potassium", "leak")
TRUE = (120.0, 36.0, 0.3)
FREE_FROM = 0.8  # the share of training after which the clamp is gone


class Config(ExperimentConfig):
    """See configs/membrane/quickstart.yaml."""

    steps: Count = 300
    chunk: Count = 50
    protocols: Count = Field(default=4, le=1000)
    duration_ms: Positive = 30.0
    dt_ms: Positive = 0.025
    off: Fraction = 0.5
    learning_rate: LearningRate = 1e-1
    clamp_ms_per_cm2: NonNegative = 1.0


class Guess(eqx.Module):
    """The logarithms of the three conductances (of mS/cm2): steps in them are relative."""

    log_conductances: Float[Array, "3"]


class Data(NamedTuple):
    """Currents (uA/cm2) and voltages (mV), and how tightly the model is tied to the latter (mS/cm2)."""

    currents: Float[Array, "protocols time"]
    voltages_mv: Float[Array, "protocols time"]
    clamp: Float[Array, ""]


def voltage(guess: Guess, data: Data, dt_ms: float) -> Float[Array, "protocols time"]:
    """The membrane's voltage under every current, tied to the data by the clamp."""
    sodium, potassium, leak = jnp.exp(guess.log_conductances)
    flow = jn.spiking.HodgkinHuxley(sodium_ms_per_cm2=sodium, potassium_ms_per_cm2=potassium, leak_ms_per_cm2=leak)
    machine = jn.SplitExponentialEuler(flow, dt_ms=dt_ms)

    def one(current: Array, measured: Array) -> Array:
        clamp = jn.Conductance(jnp.full_like(measured, data.clamp), data.clamp * measured)
        return jn.run(machine, jn.Stimulus(current=current, channels=clamp), observe="voltage_mv")[2]

    return jax.vmap(one)(data.currents, data.voltages_mv)


def loss(dt_ms: float, guess: Guess, data: Data, key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean squared error of the voltage (mV^2)."""
    return jnp.mean((voltage(guess, data, dt_ms) - data.voltages_mv) ** 2)


def sample(steps: int, data: Data, key: PRNGKeyArray, step: Int[Array, ""]) -> Data:
    """All data, with the clamp of this training step."""
    left = jnp.maximum(0, 1 - step.astype(data.clamp.dtype) / (FREE_FROM * steps))
    return data._replace(clamp=data.clamp * left)


def measured(config: Config) -> Data:
    """What the true membrane does under currents that change every 2 ms."""
    generator, steps = np.random.default_rng(config.seed), round(config.duration_ms / config.dt_ms)
    t = config.dt_ms * np.arange(steps)
    knots = np.arange(0.0, config.duration_ms + 2, 2.0)
    levels = 8 + 6 * generator.normal(size=(config.protocols, len(knots)))
    currents = jnp.asarray(np.stack([np.interp(t, knots, level) for level in levels]), jnp.float32)
    free = Data(currents, jnp.zeros_like(currents), jnp.zeros(()))
    truth = Guess(jnp.log(jnp.asarray(TRUE)))
    voltages = jax.jit(functools.partial(voltage, dt_ms=config.dt_ms))(truth, free)
    return Data(currents, voltages, jnp.asarray(config.clamp_ms_per_cm2, jnp.float32))


def main(config: Config, run: Run) -> dict[str, Any]:
    """Fit from all guesses."""
    data = measured(config)
    corners = np.array(list(itertools.product((1 - config.off, 1 + config.off), repeat=3)))
    optimizer = cosine_adam(config.learning_rate, config.steps)
    guesses = Guess(jnp.asarray(np.log(corners * TRUE), jnp.float32))
    keys = jax.random.split(jax.random.key(config.seed), len(corners))
    trained = ("log_conductances",)
    state = jax.vmap(lambda guess, key: train.start(guess, optimizer, key, trained))(guesses, keys)
    options = {
        "loss": functools.partial(loss, config.dt_ms),
        "sample": functools.partial(sample, config.steps),
        "optimizer": optimizer,
        "trained": trained,
    }

    def lane(state: train.TrainState, steps: int) -> tuple[train.TrainState, Any]:
        return train.advance(state, data, steps, **options)

    state = place_lanes(state, config.devices)
    every = lane_by_lane(lane, state, config.devices, donate=True)

    def advance(state: train.TrainState, steps: int) -> tuple[train.TrainState, Any]:
        state, metrics = every(state, steps)
        return state, jax.tree.map(np.transpose, jax.device_get(metrics))

    state, history = train_in_chunks(run, "guesses", advance, state, steps=config.steps, chunk=config.chunk)
    found = np.exp(np.asarray(state.machine.log_conductances, float))
    free = data._replace(clamp=jnp.zeros(()))
    fitted = jax.jit(functools.partial(voltage, dt_ms=config.dt_ms))
    first, last = (
        fitted(Guess(jnp.asarray(np.log(values), jnp.float32)), free) for values in (corners[0] * TRUE, found[0])
    )
    run.save_arrays(
        {"step": history["step"], "loss": history["loss"], "measured": data.voltages_mv[0]}
        | {"before": first[0], "after": last[0]}
    )
    rows = [
        {"start": (corner * TRUE).tolist(), "found": values.tolist(), "error": (values / TRUE - 1).tolist()}
        for corner, values in zip(corners, found, strict=True)
    ]
    return {"true": list(TRUE), "guesses": rows, "largest_error": float(np.abs(found / TRUE - 1).max())}


def traces(arrays: dict[str, np.ndarray], dt_ms: float) -> Callable[[Any], None]:
    """The voltage that was measured, and those of the first guess before and after."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        t = dt_ms * np.arange(1, len(arrays["measured"]) + 1)
        for name, colour, width in (("measured", figures.FAINT, 3), ("before", "#d55e00", 1), ("after", "#0072b2", 1)):
            axes.plot(t, arrays[name], color=colour, linewidth=width, label=name)
        axes.set(xlabel="time (ms)", ylabel="voltage (mV)")
        axes.legend()

    return draw


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report: what was found, the loss, and the voltage before and after."""
    rows = [
        [*(f"{value:.3g}" for value in row["start"]), *(f"{100 * error:+.2f} %" for error in row["error"])]
        for row in results["guesses"]
    ]
    curves = {"root of the mean squared error": np.sqrt(arrays["loss"].T)}
    return [
        Section(
            title="Conductances",
            text=f"Guesses that are {100 * config.off:g} % off (mS/cm2), and how far off they are after "
            f"{config.steps} steps of training; true are {', '.join(f'{value:g}' for value in results['true'])}.",
            columns=[*(f"{name}, first" for name in NAMES), *(f"{name}, error at last" for name in NAMES)],
            rows=rows,
        ),
        Section(
            title="Learning curve",
            text="The line is the mean of all guesses, the band their range; the clamp is let go on the way.",
            figure=figures.svg(figures.learning_curves(curves, arrays["step"], "voltage (mV)")),
        ),
        Section(
            title="Voltage",
            text="Under the first current, without clamp: measured, and of the first guess before and after.",
            figure=figures.svg(traces(arrays, config.dt_ms)),
        ),
    ]
