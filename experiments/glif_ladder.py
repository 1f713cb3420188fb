"""What does each rule of the GLIF neuron buy? Its five levels, fitted by gradient to the spikes of richer cells.

Cells are eight adaptive exponential neurons and four membranes with channels, under a filtered noise current, and a
noise of their own that is another one in every repetition. All levels of all cells, from several starts and at several
learning rates, are one program: a level is a mask over the same 13 numbers. What is learnt is the likelihood of the
cell's spikes under a noisy threshold, while the spikes of the cell, not of the model, reset the model; no surrogate is
needed. Then the noise is taken away, and the model runs alone, without knowing any spike of the cell: what is best for
the likelihood need not be best for that, least of all where a level lacks what the cell does. So one shift of the
threshold is chosen, and then all numbers are refined by chance, both on the training stimuli. Of all fits the one that
explains most of the validation stimuli counts.
"""

import itertools
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from pydantic import Field
from scipy.signal import lfilter

import jaxneuro as jn
from jaxneuro.flow import SplitExponentialEuler
from jaxneuro.launch import glif_page
from jaxneuro.launch.config import ConfigError, Count, ExperimentConfig, Fraction, LearningRate, NonNegative, Positive
from jaxneuro.launch.devices import place_lanes
from jaxneuro.launch.directory import Run
from jaxneuro.launch.glif_page import LEVELS, PUBLISHED
from jaxneuro.launch.report import Section
from jaxneuro.learning.fit_glif import Fit, Known, Numbers, alone, fit, present, settle, starts
from jaxneuro.measure import explained, explained_variance, reliability, smoothed
from jaxneuro.neurons.spiking.patterns import adex_patterns

# Membranes are patches of 1e-4 cm2: 100 pF, and 100 pA are 1 uA/cm2.
PATCH_PF = 100.0
MEANS = (0.75, 1.0, 1.25)
SHIFTS = np.linspace(-10, 4, 29, dtype=np.float32)
PERCENT = "explained_percent", "by_gradient_percent"

CellName = Literal[
    "AdEx tonic", "AdEx adaptation", "AdEx initial burst", "AdEx regular bursting", "AdEx delayed accelerating",
    "AdEx delayed regular bursting", "AdEx transient", "AdEx irregular", "squid axon", "pyramidal",
    "pyramidal with A current", "pyramidal with M current",
]  # fmt: skip


class Config(ExperimentConfig):
    """See configs/glif_ladder/full.yaml.

    Fields:
        cells: by name; all of them unless given.
        dt_ms: step of the models, and grid of spikes (ms).
        piece_ms: how long each of the three mean currents of a stimulus lasts (ms).
        noise, noise_tau_ms: of the stimulus; sd relative to the middle mean current, time constant (ms).
        own_noise, own_noise_tau_ms: of the cell.
        rate_hz: about what the cells are made to fire, by the scale of the stimulus.
        training, validation, held_out: stimuli of each kind.
        repetitions: of each held-out stimulus, with another noise of the cell's own.
        least_reliability: a cell whose repetitions explain a smaller share of each other is shown, but not counted.
        starts: starts of each fit.
        steps: of training by gradient.
        rounds: of refinement by chance.
        learning_rates: tried for every level and cell.
    """

    cells: tuple[CellName, ...] = Field(default=get_args(CellName), min_length=1)
    dt_ms: Positive = 1.0
    piece_ms: Positive = 700.0
    noise: NonNegative = 0.6
    noise_tau_ms: Positive = 10.0
    own_noise: NonNegative = 0.05
    own_noise_tau_ms: Positive = 2.0
    rate_hz: Positive = 15.0
    training: Count = 3
    validation: Count = 6
    held_out: Count = 4
    repetitions: int = Field(default=4, ge=2)
    least_reliability: Fraction = 0.5
    starts: Count = 2
    steps: Count = 200
    rounds: Count = 100
    learning_rates: tuple[LearningRate, ...] = Field(default=(0.03, 0.1), min_length=1)


class Cell(NamedTuple):
    """A cell to be modelled: a machine, its step (ms), its input for 1 pA, its capacitance (pF) and rest (mV)."""

    name: str
    machine: Any
    dt_ms: float
    input_per_pa: float
    capacitance_pf: float
    rest_mv: float


def all_cells() -> tuple[Cell, ...]:
    """Eight of Naud et al. 2008, and four membranes."""
    spiking, found = jn.spiking, []
    for pattern in adex_patterns():
        cell = spiking.AdEx(**pattern.parameters, dt_ms=0.05)
        found.append(Cell(f"AdEx {pattern.name}", cell, 0.05, 1.0, float(cell.capacitance_pf), float(cell.rest_mv)))
    pyramidal = (spiking.PyramidalSodium(), spiking.PyramidalPotassium(), spiking.Leak(0.05, -65.0))
    membranes = {
        "squid axon": (spiking.SquidSodium(), spiking.SquidPotassium(), spiking.Leak()),
        "pyramidal": pyramidal,
        "pyramidal with A current": (*pyramidal, spiking.ACurrent(conductance_ms_per_cm2=2.0)),
        "pyramidal with M current": (*pyramidal, spiking.MCurrent()),
    }
    for name, channels in membranes.items():
        flow = spiking.Membrane(channels)
        rest = float(flow.rest().voltage_mv)
        found.append(Cell(name, SplitExponentialEuler(flow, dt_ms=0.025), 0.025, 1 / PATCH_PF, PATCH_PF, rest))
    return tuple(found)


class Trains(NamedTuple):
    """Stimuli (pA) and the spikes of a cell, 1 or 0 in every step."""

    current_pa: np.ndarray
    spikes: np.ndarray


class Record(NamedTuple):
    """A cell under its stimuli, and the scale of these (pA); held-out trains are `[repetitions, stimuli, steps]`."""

    cell: Cell
    scale_pa: float
    training: Trains
    validation: Trains
    held_out: Trains


def noise(random: np.random.Generator, shape: tuple[int, ...], tau_ms: float, dt_ms: float) -> np.ndarray:
    """Ornstein-Uhlenbeck noise of sd 1 along the last axis."""
    kept = np.exp(-dt_ms / tau_ms)
    white = random.standard_normal(shape)
    white[..., 1:] *= np.sqrt(1 - kept**2)
    return np.asarray(lfilter([1.0], [1.0, -kept], white, axis=-1))


def stimuli(config: Config, random: np.random.Generator, count: int) -> np.ndarray:
    """Three mean currents one after the other under noise, in parts of the middle one, `[count, steps]`."""
    means = np.repeat(MEANS, round(config.piece_ms / config.dt_ms))
    return means + config.noise * noise(random, (count, len(means)), config.noise_tau_ms, config.dt_ms)


@jax.jit
def fired(machine: Any, inputs: Float[Array, "lanes steps parts"]) -> Float[Array, "lanes steps"]:
    """1 where a machine spikes within a step, else 0; each step has so many parts."""

    def one(inputs: Array) -> Array:
        spikes = jn.run(machine, inputs.reshape(-1))[1]
        return spikes.reshape(inputs.shape).max(axis=1)

    return jax.vmap(one)(inputs)


def record(config: Config, cell: Cell, random: np.random.Generator) -> Record:
    """Stimulate a cell, first to find the scale at which it fires as it should."""
    parts = round(config.dt_ms / cell.dt_ms)

    def spikes(currents: np.ndarray) -> np.ndarray:
        own = config.own_noise * noise(random, currents.shape, config.own_noise_tau_ms, config.dt_ms)
        total = (currents + own * scale) * cell.input_per_pa
        lanes = np.repeat(total.reshape(-1, total.shape[-1], 1), parts, axis=2)
        return np.asarray(fired(cell.machine, jnp.asarray(lanes, jnp.float32))).reshape(currents.shape)

    scale = np.geomspace(10, 2000, 48)[:, None]
    rates = 1000 * spikes(scale * stimuli(config, random, 1)).mean(axis=1) / config.dt_ms
    scale = float(scale[np.abs(rates - config.rate_hz).argmin(), 0])
    counts = config.training, config.validation, *[config.held_out] * config.repetitions
    kinds = [scale * stimuli(config, random, count) for count in counts[:3]]
    currents = np.concatenate(kinds + kinds[2:] * (config.repetitions - 1))
    training, validation, *held_out = np.split(spikes(currents), np.cumsum(counts)[:-1])
    pairs = zip(kinds, (training, validation, np.stack(held_out)), strict=True)
    return Record(cell, scale, *(Trains(*pair) for pair in pairs))


def all_lanes(config: Config, records: list[Record], begin: Numbers) -> tuple[Fit, np.ndarray]:
    """Every level of every cell from every start at every rate, and which cell a lane is of."""
    shape = len(records), len(LEVELS), config.starts, len(config.learning_rates)
    cell, level, start, rate = (places.reshape(-1) for places in np.indices(shape))

    def numbers(values: Any) -> Array:
        return jnp.asarray(np.asarray(values), jnp.float32)

    known = Known(
        numbers([record.cell.capacitance_pf for record in records])[cell],
        numbers([record.cell.rest_mv for record in records])[cell],
        numbers([record.scale_pa for record in records])[cell],
    )
    lanes = Fit(
        jax.tree.map(lambda leaf: leaf[start], begin), numbers([present(level) for level in LEVELS])[level], known,
        numbers(config.learning_rates)[rate], numbers([record.training.current_pa for record in records])[cell],
        numbers([record.training.spikes for record in records])[cell],
    )  # fmt: skip
    return lanes, cell


def main(config: Config, run: Run) -> dict[str, Any]:
    """Stimulate, fit, choose on training and validation stimuli, and look at the held-out ones once."""
    # What is random about a cell does not depend on which others there are.
    records = [
        record(config, cell, np.random.default_rng([config.seed, place]))
        for place, cell in enumerate(all_cells())
        if cell.name in config.cells
    ]
    run.say(f"{len(records)} cells have been stimulated ({run.seconds:.0f} s)")
    lanes, cell = all_lanes(config, records, starts(np.random.default_rng(config.seed), config.starts))
    fitted, losses = fit(place_lanes(lanes, config.devices), config.steps, config.dt_ms)
    lanes = lanes._replace(numbers=jax.tree.map(np.asarray, fitted))
    run.say(f"{len(cell)} fits are done ({run.seconds:.0f} s)")

    keys = jax.random.split(jax.random.key(config.seed), len(cell))
    settled = settle(*place_lanes((lanes, keys), config.devices), jnp.asarray(SHIFTS), config.rounds, config.dt_ms)
    run.say(f"they have settled ({run.seconds:.0f} s)")

    def trains(numbers: Numbers, kind: str) -> np.ndarray:
        currents = jnp.asarray(np.stack([getattr(record, kind).current_pa for record in records])[cell], jnp.float32)
        own = jax.tree.map(np.asarray, lanes._replace(numbers=numbers))
        return np.asarray(alone(*place_lanes((own, currents), config.devices), config.dt_ms))

    shape = len(records), len(LEVELS), -1
    places = np.arange(len(cell)).reshape(shape)
    data = np.stack([smoothed(record.validation.spikes, config.dt_ms) for record in records])[cell]
    chosen, models = [], []
    for numbers in settled:
        validated = explained(smoothed(trains(numbers, "validation"), config.dt_ms), data).reshape(shape)
        chosen.append(np.take_along_axis(places, validated.argmax(axis=2)[:, :, None], 2)[:, :, 0])
        models.append(trains(numbers, "held_out")[chosen[-1]])
    run.say(f"models have run alone ({run.seconds:.0f} s)")
    rows = [row(config, *pair) for pair in zip(records, *models, strict=True)]
    for own, lane in zip(rows, chosen[-1], strict=True):
        own["learning_rate"] = [config.learning_rates[one % len(config.learning_rates)] for one in lane]
        own["nats_per_spike"] = [float(loss) for loss in np.asarray(losses)[-1, lane]]
    counted = [place for place, row in enumerate(rows) if row["counted"]]
    if not counted:
        raise ConfigError(f"own_noise is {config.own_noise:g}; no cell does the same thing twice. Make it smaller.")
    # The cell of which the upper levels explain most that the lowest does not.
    shown = max(counted, key=lambda place: rows[place]["explained_percent"][-1] - rows[place]["explained_percent"][0])
    run.save_arrays({"cell": records[shown].held_out.spikes[:, 0], "models": models[-1][shown, :, 0]})
    return {"cells": rows, "shown": rows[shown]["cell"], **ladder([rows[place] for place in counted])}


def row(config: Config, record: Record, fitted: np.ndarray, refined: np.ndarray) -> dict[str, Any]:
    """How well models, `[levels, stimuli, steps]`, foretell the held-out trains of a cell."""
    data = smoothed(record.held_out.spikes, config.dt_ms)
    own = 100 * reliability(data)
    return {
        "cell": record.cell.name,
        "scale_pa": record.scale_pa,
        "rate_hz": float(1000 * record.held_out.spikes.mean() / config.dt_ms),
        "reliability_percent": own,
        "counted": own >= 100 * config.least_reliability,
        "explained_percent": [100 * explained_variance(data, model) for model in smoothed(refined, config.dt_ms)],
        "by_gradient_percent": [100 * explained_variance(data, model) for model in smoothed(fitted, config.dt_ms)],
    }


def ladder(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The shape over cells, of what each level explains."""
    percent, by_gradient = (np.asarray([row[key] for row in rows]) for key in PERCENT)
    steps = []
    for lower, upper in (*itertools.pairwise(range(len(LEVELS))), (0, len(LEVELS) - 1)):
        gains = percent[:, upper] - percent[:, lower]
        error = float(gains.std(ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else None
        steps.append(
            {
                "from": LEVELS[lower],
                "to": LEVELS[upper],
                "mean_gain": float(gains.mean()),
                "standard_error": error,
                "median_gain": float(np.median(gains)),
                "cells_better": int((gains > 0).sum()),
                "published_gain_of_medians": round(PUBLISHED[upper] - PUBLISHED[lower], 1),
            }
        )
    return {
        "cells_counted": len(rows),
        "median_percent": [float(value) for value in np.median(percent, axis=0)],
        "by_gradient_median_percent": [float(value) for value in np.median(by_gradient, axis=0)],
        "mean_percent": [float(value) for value in percent.mean(axis=0)],
        "published_median_percent": list(PUBLISHED),
        "steps": steps,
        "monotone_within_error": all(step["mean_gain"] >= -(step["standard_error"] or 0) for step in steps[:-1]),
        "top_above_bottom_by_3": steps[-1]["mean_gain"] >= 3,
        "reset_rules_alone_hurt": steps[0]["mean_gain"] < 0,
    }


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return glif_page.sections(results, arrays, config.dt_ms)
