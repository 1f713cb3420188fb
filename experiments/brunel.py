"""Do the states of Brunel's network come out as in the paper, and as mean-field theory says?

One network of integrate-and-fire neurons has four states, by the strength g of inhibition and the drive eta. Each is
simulated with several drawings of its synapses, at several sizes with the same number of synapses on a neuron, for
which theory is the same. A network counts as synchronous if its synchrony does not shrink as it grows; without
synchrony it shrinks as one over the square root of the size. It counts as irregular if intervals vary more as those of
a Poisson process do than as those of a clock: by a coefficient of variation above one half.
"""

import functools
import math
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field
from scipy.integrate import quad
from scipy.special import erfcx

import jaxneuro as jn
from jaxneuro.launch import brunel_page
from jaxneuro.launch.config import ConfigPart, Count, ExperimentConfig, Name, NonNegative, Positive
from jaxneuro.launch.directory import Run, read_arrays
from jaxneuro.launch.report import Section
from jaxneuro.measure.firing import windows
from jaxneuro.measure.spectrum import Spectrum
from jaxneuro.networks import Network, brunel, brunel_rate, unpack

QUANTILES = (5, 25, 50, 75, 95)
BAND_HZ = (10.0, 1000.0)
BLOCK = 1000


class State(ConfigPart):
    """A place in the plane of inhibition and drive."""

    name: Name
    relative_inhibition: Positive
    relative_drive: Positive
    milliseconds: Annotated[Positive, Field(description="that are measured, after the start")] = 1000.0


class Curve(ConfigPart):
    """Rates against the drive, each from one network of the largest size."""

    relative_inhibition: tuple[Positive, ...] = ()
    relative_drive: tuple[Positive, ...] = Field(default=(1.0, 2.0, 4.0), min_length=1)
    milliseconds: Positive = 500.0


class Config(ExperimentConfig):
    """See configs/brunel/."""

    seeds: Count = Field(default=5, ge=2, le=1000, description="drawings of the synapses")
    sizes: tuple[Count, ...] = Field(default=(12_500,), min_length=1, description="in rising order")
    start_ms: NonNegative = Field(default=300.0, description="that are left out")
    dt_ms: Positive = 0.1
    window_ms: Positive = Field(default=1.0, description="in which spikes are counted for synchrony")
    segment_ms: Positive = Field(default=200.0, description="of the spectrum")
    sample: Count = Field(default=1000, description="neurons whose intervals are looked at")
    intervals: Count = Field(default=5, ge=2, description="that a neuron of the sample must have")
    shown_ms: Positive = 100.0
    shown: Count = Field(default=50, description="neurons")
    states: tuple[State, ...] = Field(min_length=1)
    curve: Curve = Curve()


def built(config: Config, size: int, inhibition: float, drive: float, seed: int) -> tuple[Network, jax.Array]:
    """A network, and the key of its start and its noise: a seed has the same synapses in all states."""
    wiring, noise = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), seed))
    return brunel(
        size, relative_inhibition=inhibition, relative_drive=drive, dt_ms=config.dt_ms, packed=True, key=wiring
    ), noise


def simulated(config: Config, network: Network, milliseconds: float, key: jax.Array) -> dict[str, jax.Array]:
    """The spikes of both populations after the start, as bits."""
    skipped = round(config.start_ms / config.dt_ms)
    _, words = jn.run(network, jnp.zeros(skipped + round(milliseconds / config.dt_ms)), key=key)
    return {name: part[skipped:] for name, part in words.items()}


def spikes_of(words: dict[str, jax.Array], sizes: dict[str, int]) -> jax.Array:
    """The spikes of all populations one after the other, `[steps, neurons]`."""
    return jnp.concatenate([unpack(part, sizes[name]) for name, part in words.items()], axis=1)


@functools.partial(jax.jit, static_argnames=("sizes", "window", "stride"))
def counted(
    words: dict[str, jax.Array], sizes: tuple[tuple[str, int], ...], window: int, stride: int
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """Of some steps: spikes of each neuron, the share of neurons that spike, counts in windows, trains of a sample."""
    spikes = spikes_of(words, dict(sizes))
    return spikes.sum(axis=0), spikes.mean(axis=1), windows(spikes, window).sum(axis=1), spikes[:, ::stride]


@functools.partial(jax.jit, static_argnames="segment")
def judged(
    shares: jax.Array, activity: jax.Array, trains: jax.Array, dt_ms: float, segment: int
) -> tuple[Spectrum, jax.Array, jax.Array]:
    """Spectrum of the population's rate, synchrony of counts, and variation of intervals of each train."""
    # A train of one neuron that fires by shares of a spike has the population's rate.
    spectrum = jn.measure.rate_spectrum(shares[:, None], dt_ms, segment=segment)
    return spectrum, jn.measure.synchrony(activity), jn.measure.interval_variation(trains)


def measured(config: Config, network: Network, words: dict[str, jax.Array]) -> tuple[dict[str, Any], np.ndarray]:
    """What there is to say of a run, and the population's rate in each step (Hz), `[steps]`."""
    sizes, dt_ms = tuple((name, network.size(name)) for name in words), config.dt_ms
    size, window = network.size(*words), round(config.window_ms / dt_ms)
    block, stride = max(1, BLOCK // window) * window, max(1, size // config.sample)
    steps = len(next(iter(words.values()))) // window * window
    totals, *parts = zip(
        *(
            map(np.asarray, counted(cut(words, begin, min(begin + block, steps)), sizes, window, stride))
            for begin in range(0, steps, block)
        ),
        strict=True,
    )
    shares, activity, trains = map(np.concatenate, parts)
    segment = min(round(config.segment_ms / dt_ms), steps)
    spectrum, synchrony, variations = judged(shares, activity, trains, dt_ms, segment)
    enough = trains.sum(axis=0) > config.intervals
    variation = np.asarray(variations)[enough]
    frequency, power = spectrum.peak(*BAND_HZ)
    each = 1000 * np.sum(totals, axis=0) / (steps * dt_ms)
    return {
        "rate_hz": float(each.mean()),
        "variation": float(variation.mean()) if enough.any() else None,
        "synchrony": float(synchrony),
        "peak_hz": float(frequency),
        # Independent neurons would have this density at all frequencies far above their rate.
        "peak_over_independent": float(power * size / (2 * each.mean())) if each.any() else None,
        "silent": float((each == 0).mean()),
        "rates_hz": np.percentile(each, QUANTILES).tolist(),
        "variations": np.percentile(variation, QUANTILES).tolist() if enough.any() else None,
    }, 1000 * shares / dt_ms


def cut(words: dict[str, jax.Array], begin: int, end: int) -> dict[str, jax.Array]:
    """Some of the steps."""
    return {name: part[begin:end] for name, part in words.items()}


def theory(inhibition: float, drive: float) -> dict[str, float]:
    """Rate and variation of intervals where the network agrees with its own input."""
    rate = float(brunel_rate(inhibition, drive))
    # Spikes that arrive in a time constant: 20 mV / 0.1 mV bring the mean to threshold.
    outside, excitation, inhibited = 200 * drive, 1000 * rate * 0.02, 250 * rate * 0.02
    mean = 0.1 * (outside + excitation - inhibition * inhibited)
    deviation = 0.1 * math.sqrt(outside + excitation + inhibition**2 * inhibited)
    return {"rate_hz": rate, "variation": variation_of_theory(mean, deviation, rate)}


def variation_of_theory(
    mean_mv: float,
    deviation_mv: float,
    rate_hz: float,
    tau_ms: float = 20.0,
    threshold_mv: float = 20.0,
    reset_mv: float = 10.0,
) -> float:
    """The coefficient of variation of the intervals of a leaky integrate-and-fire neuron in white noise.

    `CV^2 = 2 pi (rate tau)^2 integral of exp(x^2) [integral of exp(y^2) (1 + erf y)^2 dy below x] dx` from
    `(V_r - mean) / deviation` to `(theta - mean) / deviation`.

    Args:
        mean_mv: of the voltage without threshold (mV).
        deviation_mv: `sqrt(2)` times the standard deviation it would have (mV).
        rate_hz: of the neuron (Hz), of `siegert_rate`.
        tau_ms: membrane time constant (ms).
        threshold_mv: theta (mV).
        reset_mv: V_r (mV).

    Returns:
        CV.

    Reference: Brunel 2000, Journal of Computational Neuroscience 8:183, appendix A.1; Tuckwell 1988, Introduction to
    Theoretical Neurobiology, volume 2, section 9.
    """

    def inner(x: float) -> float:
        # With y = x - s, and 1 + erf y = exp(-y^2) erfcx(-y), nothing overflows.
        return quad(lambda s: math.exp(2 * x * s - s * s) * erfcx(s - x) ** 2, 0, math.inf)[0]

    low, high = ((level - mean_mv) / deviation_mv for level in (reset_mv, threshold_mv))
    return rate_hz * tau_ms / 1000 * math.sqrt(2 * math.pi * quad(inner, low, high)[0])


def growth(synchrony: dict[int, list[float]]) -> list[float] | None:
    """How synchrony goes with size, `chi ~ size^x`: x of each seed by least squares; None of a single size.

    Args:
        synchrony: chi of all seeds, by size.
    """
    if len(synchrony) < 2:
        return None
    return np.polyfit(np.log(list(synchrony)), np.log(list(synchrony.values())), 1)[0].tolist()


def once(
    config: Config, run: Run, name: str, size: int, place: tuple[float, float], milliseconds: float, seed: int
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a network does, as this run measured it before it was interrupted, or as it is measured now.

    Returns:
        What `measured` says; and of a network that is simulated now, what is shown.
    """
    if known := run.records(name):
        return known[0], {}
    network, key = built(config, size, *place, seed)
    words = simulated(config, network, milliseconds, key)
    told, rate = measured(config, network, words)
    steps = round(config.shown_ms / config.dt_ms)
    spikes = np.asarray(spikes_of(cut(words, 0, steps), {name: network.size(name) for name in words}))
    shown = spikes[:, :: max(1, size // config.shown)][:, : config.shown] > 0
    return told, {"spikes": shown, "rate": rate[:steps].astype(np.float32)}


def main(config: Config, run: Run) -> dict[str, Any]:
    """Simulate all states at all sizes, then the curves; what an interrupted run has measured is not measured again."""
    rows, arrays = [], read_arrays(run.path)
    for state in config.states:
        place = state.relative_inhibition, state.relative_drive
        found: dict[int, list[dict[str, Any]]] = {size: [] for size in config.sizes}
        for size in config.sizes:
            for seed in range(config.seeds):
                name = f"{state.name}/{size}/{seed}"
                told, shown = once(config, run, name, size, place, state.milliseconds, seed)
                found[size].append(told)
                if shown and seed == 0 and size == config.sizes[-1]:
                    arrays |= {f"{state.name}/{what}": values for what, values in shown.items()}
                    run.save_arrays(arrays)
                keep(run, name, told)
            rates = ", ".join(f"{told['rate_hz']:.1f}" for told in found[size])
            run.say(f"{state.name}, {size:,} neurons: {rates} Hz")
        rows.append(
            {
                "state": state.name,
                "g": state.relative_inhibition,
                "eta": state.relative_drive,
                "theory": theory(*place),
                "sizes": [{"size": size} | gathered(told) for size, told in found.items()],
                "growth": growth({size: [told["synchrony"] for told in each] for size, each in found.items()}),
            }
        )
    curves = [curve(config, run, inhibition) for inhibition in config.curve.relative_inhibition]
    return {"quantiles": list(QUANTILES), "dt_ms": config.dt_ms, "states": rows, "curves": curves}


def keep(run: Run, name: str, told: dict[str, Any]) -> None:
    """Note what was measured."""
    run.log(0, told, name=name)
    run.sync()


def gathered(told: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """By what was measured, the values of all seeds."""
    return {what: [each[what] for each in told] for what in told[0]}


def curve(config: Config, run: Run, inhibition: float) -> dict[str, Any]:
    """Rates against the drive, of networks and of theory."""
    drives, rates = config.curve.relative_drive, []
    for drive in drives:
        name, place = f"curve/{inhibition:g}/{drive:g}", (inhibition, drive)
        told, _ = once(config, run, name, config.sizes[-1], place, config.curve.milliseconds, 0)
        rates.append(told["rate_hz"])
        keep(run, name, told)
    fine = np.linspace(min(drives), max(drives), 41)
    line = jax.vmap(lambda drive: brunel_rate(inhibition, drive))(jnp.asarray(fine))
    return {"g": inhibition, "eta": drives, "rate_hz": rates, "fine_eta": fine, "theory_hz": np.asarray(line)}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return brunel_page.sections(results, arrays)
