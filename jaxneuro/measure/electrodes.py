"""Does a neuron sum what reaches it from several directions? Three experiments with electrodes, on any cell.

A cell is a machine that takes the currents at its electrodes, `[electrodes]` (nA), and puts out the voltage that is
recorded in the soma (mV). Electrode 0 is in the cell, 1 and 2 stimulate from outside, from two directions. Nothing
else is known of the cell. In 50 trials, each of them noisy, the strength that each electrode needs alone is found by
halving, and then:

| experiment | trials | stimuli, in units of what is needed alone |
|---|---|---|
| calibration | 18 | 6 steps of halving for each electrode |
| i: waveform | 10 | 1.5 from outside, the two electrodes in turn |
| ii: two directions | 8 | 0.8 and 0.8, at eight lags |
| ii: strong and weak | 6 | 0.8 and 0.45 at once |
| iii: inside and outside | 4 | 0.8 and 0.8 at once |
| iii: subtraction | 4 | -0.8 inside and 1.2 from outside |

What a cell does is a code of five numbers, from 0 to 1: how well a single waveform tells the electrode (by the nearest
mean of all other waveforms; 0 is chance), and the shares of trials in which the stimuli added up. The three models of a
neuron have codes of their own, and a cell is taken for the model with the nearest one.

Reference: Sardi et al. 2017, Scientific Reports 7:18036, figures 1 and 3 to 6.
"""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from jaxneuro.machine import Parameterised, Scalar, StateMachine, parameter
from jaxneuro.run import run

ELECTRODES = 3
MODELS = ("I", "II", "III")
QUESTIONS = (
    "does the waveform depend on the electrode?",
    "do near-threshold stimuli from two directions add up?",
    "do a strong and a weak one add up?",
    "do stimuli from inside and outside add up?",
    "does one from inside subtract?",
)
# Model I: one spring. Model II: a dendrite passes on nothing below a threshold of its own. Model III: no sums at all.
CODES = np.asarray([[0.0, 1, 1, 1, 1], [0, 1, 0, 1, 1], [1, 0, 0, 0, 0]])


class Bench(Parameterised):
    """What stands on the table, and how noisy it is; noises are array leaves, so that other noises compile nothing.

    Attributes:
        jitter: standard deviation of a stimulus, relative to it.
        background_na: of the current that flows at every electrode anyway, in a mean over 1 ms.
        recording_mv: of the recorded voltage.
        weakest_na, strongest_na: between these the calibration looks for thresholds.
        crossing_mv: a spike is where the recorded voltage rises through this; waveforms are aligned there.
        dt_ms: a step of the cell.
        quiet_ms, listen_ms: before the stimuli and after them.
        pulse_ms: how long a stimulus is.
        before_ms, after_ms: the window of a waveform around the crossing.
        halvings: of the calibration, for each electrode.
    """

    jitter: Scalar = parameter(0.03, at_least=0.0)
    background_na: Scalar = parameter(0.05, at_least=0.0, unit="nA")
    recording_mv: Scalar = parameter(1.0, at_least=0.0, unit="mV")
    weakest_na: Scalar = parameter(0.3, above=0.0, unit="nA")
    strongest_na: Scalar = parameter(10.0, above=0.0, unit="nA")
    crossing_mv: Scalar = parameter(-50.0, unit="mV")
    dt_ms: float = eqx.field(static=True, default=0.1)
    quiet_ms: float = eqx.field(static=True, default=10.0)
    listen_ms: float = eqx.field(static=True, default=20.0)
    pulse_ms: float = eqx.field(static=True, default=2.0)
    before_ms: float = eqx.field(static=True, default=5.0)
    after_ms: float = eqx.field(static=True, default=8.0)
    halvings: int = eqx.field(static=True, default=6)

    def steps(self, duration_ms: float) -> int:
        """As a number of steps."""
        return round(duration_ms / self.dt_ms)


class Trials(NamedTuple):
    """Stimuli of many trials: their strengths in units of what is needed alone, and when they begin (ms)."""

    strength: Float[np.ndarray, "trials electrodes"]
    onset_ms: Float[np.ndarray, "trials electrodes"]


class Findings(NamedTuple):
    """What the experiments say of a cell.

    Attributes:
        thresholds_na: the strength that each electrode needs alone, `[electrodes]`.
        code: `[5]`, see `QUESTIONS`.
        waveforms_mv: of the first experiment, `[trials, samples]`; electrodes 1 and 2 in turn.
        model: the number of the nearest model in `MODELS`.
    """

    thresholds_na: Float[Array, "electrodes"]
    code: Float[Array, "5"]
    waveforms_mv: Float[Array, "trials samples"]
    model: Array


def _together(*rows: tuple[float, float, float], lags_ms: tuple[float, ...] = (0.0,)) -> Trials:
    """Every row of strengths at every lag of electrode 2 behind the others."""
    strength = np.repeat(np.asarray(rows), len(lags_ms), axis=0)
    lags = np.tile(np.asarray(lags_ms), len(rows))
    onset = np.maximum(np.stack([np.zeros_like(lags), -lags, lags], axis=1), 0.0)
    return Trials(strength, onset)


WAVEFORM = _together(*[(0.0, 1.5, 0.0), (0.0, 0.0, 1.5)] * 5)
EXPERIMENTS = (
    _together((0.0, 0.8, 0.8), lags_ms=(-4.0, -2.0, -1.0, 0.0, 0.0, 1.0, 2.0, 4.0)),
    _together(*[(0.0, 0.8, 0.45), (0.0, 0.45, 0.8)] * 3),
    _together(*[(0.8, 0.8, 0.0), (0.8, 0.0, 0.8)] * 2),
    _together(*[(-0.8, 1.2, 0.0), (-0.8, 0.0, 1.2)] * 2),
)


def trials(bench: Bench) -> int:
    """How many trials `examine` makes."""
    return ELECTRODES * bench.halvings + sum(len(each.strength) for each in (WAVEFORM, *EXPERIMENTS))


def examine(cell: StateMachine[Any, Any, Any], bench: Bench, key: PRNGKeyArray) -> Findings:
    """All experiments on one cell; `jax.vmap` examines many.

    Args:
        cell: takes `[electrodes]` (nA), puts out the recorded voltage (mV).
        bench: electrodes and noise.
        key: of the noise, in the cell too.

    Returns:
        The findings.
    """
    calibration, experiments = jax.random.split(key)
    needed = calibrate(cell, bench, calibration)
    planned = Trials(*(np.concatenate(parts) for parts in zip(WAVEFORM, *EXPERIMENTS, strict=True)))
    traces = record(cell, bench, planned, needed, experiments)
    first, *rest = jnp.split(traces, np.cumsum([len(each.strength) for each in (WAVEFORM, *EXPERIMENTS[:-1])]))
    fired, waveforms = jax.vmap(lambda trace: aligned(trace, bench))(first)
    told = told_apart(waveforms, fired, jnp.arange(len(first)) % 2 == 0)
    *sums, spared = [(each >= bench.crossing_mv).any(axis=1).astype(needed.dtype).mean() for each in rest]
    # A stimulus that subtracts keeps a spike away.
    code = jnp.stack([told, *sums, 1 - spared])
    distances = ((code[None] - jnp.asarray(CODES, code.dtype)) ** 2).sum(axis=1)
    return Findings(needed, code, waveforms, distances.argmin())


def record(
    cell: StateMachine[Any, Any, Any],
    bench: Bench,
    planned: Trials,
    needed_na: Float[Array, "electrodes"],
    key: PRNGKeyArray,
) -> Float[Array, "trials time"]:
    """The voltages that are recorded in trials, each from a cell at rest.

    Args:
        cell: the cell.
        bench: electrodes and noise.
        planned: what to do in each trial.
        needed_na: the unit of the strengths, for each electrode.
        key: of the noise.
    """
    time_ms = bench.dt_ms * jnp.arange(float(bench.steps(bench.quiet_ms + bench.listen_ms))) - bench.quiet_ms
    drawing, own = jax.random.split(key)
    # All that is random in one draw, which compiles in a fraction of the time of several.
    drawn = jax.random.normal(drawing, (len(planned.strength), len(time_ms) + 1, ELECTRODES + 1))

    def one(strength: Array, onset_ms: Array, drawn: Array, key: PRNGKeyArray) -> Float[Array, "time"]:
        size = needed_na * strength * (1 + bench.jitter * drawn[0, :ELECTRODES])
        since = time_ms[:, None] - onset_ms[None]
        during = (since >= -bench.dt_ms / 2) & (since < bench.pulse_ms - bench.dt_ms / 2)
        background = bench.background_na / bench.dt_ms**0.5 * drawn[1:, :ELECTRODES]
        _, voltage = run(cell, jnp.where(during, size[None], 0) + background, key=key)
        return voltage + bench.recording_mv * drawn[1:, ELECTRODES]

    strength, onset = (jnp.asarray(part, needed_na.dtype) for part in planned)
    return jax.vmap(one)(strength, onset, drawn, jax.random.split(own, len(planned.strength)))


def calibrate(cell: StateMachine[Any, Any, Any], bench: Bench, key: PRNGKeyArray) -> Float[Array, "electrodes"]:
    """The strength (nA) that each electrode needs to evoke a spike alone, by halving an interval of its logarithm."""
    alone = _together((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

    def halve(interval: Array, key: PRNGKeyArray) -> tuple[Array, None]:
        middle = interval.mean(axis=0)
        spikes = (record(cell, bench, alone, jnp.exp(middle), key) >= bench.crossing_mv).any(axis=1)
        low, high = interval
        return jnp.stack([jnp.where(spikes, low, middle), jnp.where(spikes, middle, high)]), None

    ends = jnp.log(jnp.stack([bench.weakest_na, bench.strongest_na]))[:, None]
    interval, _ = jax.lax.scan(halve, jnp.broadcast_to(ends, (2, ELECTRODES)), jax.random.split(key, bench.halvings))
    return jnp.exp(interval.mean(axis=0))


def aligned(trace: Float[Array, "time"], bench: Bench) -> tuple[Bool[Array, ""], Float[Array, "samples"]]:
    """Whether there is a spike, and the voltage around the first crossing."""
    above = trace >= bench.crossing_mv
    before, after = bench.steps(bench.before_ms), bench.steps(bench.after_ms)
    start = jnp.clip(above.argmax() - before, 0, trace.shape[0] - before - after)
    return above.any(), jax.lax.dynamic_slice_in_dim(trace, start, before + after)


def told_apart(
    waveforms: Float[Array, "trials samples"], fired: Bool[Array, "trials"], first: Bool[Array, "trials"]
) -> Float[Array, ""]:
    """How well a waveform tells which of two electrodes it comes from: 1 is always, 0 is chance or worse.

    Each is given to the electrode with the nearer mean of all waveforms but itself.

    Args:
        waveforms: aligned.
        fired: which trials have one.
        first: which trials are of the first electrode.
    """
    own = fired.astype(waveforms.dtype)

    def mean_of_others(members: Array) -> Array:
        weights = own * members.astype(own.dtype)
        total, count = (weights @ waveforms)[None] - weights[:, None] * waveforms, weights.sum() - weights
        return total / jnp.maximum(count, 1)[:, None]

    to_first, to_second = (((waveforms - mean_of_others(members)) ** 2).sum(axis=1) for members in (first, ~first))
    right = own * ((to_first < to_second) == first).astype(own.dtype)
    share = right.sum() / jnp.maximum(own.sum(), 1)
    return jnp.maximum(2 * share - 1, 0)
