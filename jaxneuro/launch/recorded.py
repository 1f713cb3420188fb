"""Recorded runs of other simulators, read on our grid of steps.

A recorded run is a dictionary: `end_ms`, `every_ms` (between its samples, the first of which is at that time), the
inputs, and what came out. Step k goes from `k dt` to `(k + 1) dt`, and an array of ours holds what is true after it.
"""

from typing import Any

import numpy as np

Protocol = dict[str, Any]


def sampled(protocol: Protocol, values: Any, step_ms: float) -> np.ndarray:
    """Values after each step, at the times of the record.

    Args:
        protocol: the recorded run.
        values: after each step, along the first axis.
        step_ms: of ours.

    Returns:
        As many as the record has.
    """
    stride = round(protocol["every_ms"] / step_ms)
    return np.asarray(values)[stride - 1 :: stride]


def lasting(protocol: Protocol, pieces: list[list[float]], step_ms: float) -> np.ndarray:
    """A current in every step.

    Args:
        protocol: the recorded run.
        pieces: (start, level), each until the next.
        step_ms: of ours, of which every start is a multiple.

    Returns:
        The levels, `[steps]`; 0 before the first piece.
    """
    starts = np.arange(round(protocol["end_ms"] / step_ms)) * step_ms
    currents = np.zeros(len(starts))
    for start, level in pieces:
        currents[starts > start - step_ms / 2] = level
    return currents


def train(protocol: Protocol, arrivals_ms: list[float], step_ms: float, early: int = 0) -> np.ndarray:
    """A train of spikes.

    Args:
        protocol: the recorded run.
        arrivals_ms: when spikes arrive, at starts of steps.
        step_ms: of ours.
        early: how many steps before they are put in.

    Returns:
        1.0 for a spike, else 0.0, `[steps]`.
    """
    spikes = np.zeros(round(protocol["end_ms"] / step_ms))
    spikes[[round(time / step_ms) - early for time in arrivals_ms]] = 1
    return spikes


def times(timed: Any, step_ms: float) -> np.ndarray:
    """When the spikes of one neuron were.

    Args:
        timed: a `TimedSpike` along time.
        step_ms: of ours.

    Returns:
        Times (ms).
    """
    steps = np.flatnonzero(timed.spike)
    return steps * step_ms + np.asarray(timed.offset_ms)[steps]


def error_of_half_a_step(voltage: Any) -> float:
    """How far a voltage may be off whose synapses hand on the value at the start of each step.

    They are half a step late, so that V is off by half of its change in a step; and a tenth of that for the next order.

    Args:
        voltage: after each step (mV).

    Returns:
        The bound, from the largest change in a step (mV).
    """
    return 1.1 * float(np.abs(np.diff(np.asarray(voltage))).max()) / 2
