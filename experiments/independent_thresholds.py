"""Do experiments with electrodes tell which model a neuron follows: one threshold, springs, or many thresholds?

Three experiments that were done on living neurons are done on many random cells of each of three models, blind: cells
differ in thresholds, time constants, resistances and waveforms, and stimuli, cells and recordings are noisy. From 50
trials each cell is taken for one of the models. The same experiments then go to cells that are none of the three: a
membrane with channels, and cells of many compartments, whose dendrites are short and passive, or long and active.
"""

import functools
import time
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import electrodes_page
from jaxneuro.launch.config import Count, ExperimentConfig, NonNegative, Positive
from jaxneuro.launch.directory import Run
from jaxneuro.launch.report import Section
from jaxneuro.measure import electrodes
from jaxneuro.measure.electrodes import ELECTRODES, MODELS, Bench, Findings

# How each model is the one family.
GATING, INDEPENDENCE = (0.0, 1.0, 1.0), (0.0, 0.0, 1.0)
STEP_MS = 0.1
KERNEL_MS = 20.0


class Config(ExperimentConfig):
    """See configs/independent_thresholds/."""

    cells: Count = Field(default=400, le=100_000, description="of each model")
    noise: tuple[Positive, ...] = Field(
        default=(0.5, 1.0, 2.0, 3.0), min_length=1, description="in units of the three noises below; 1 is the test"
    )
    jitter: NonNegative = Field(default=0.03, description="of a stimulus, relative to it")
    background_na: NonNegative = Field(default=0.05, description="of currents into each site, in a mean over 1 ms")
    recording_mv: NonNegative = 1.0
    membranes: Count = Field(default=50, le=10_000, description="examinations of each other cell")


class Membrane(jn.StateMachine[Any, Float[Array, "electrodes"], Float[Array, ""]]):
    """A patch of squid axon that all electrodes reach: `V = HodgkinHuxley(gain sum_i I_i)`.

    Fields:
        membrane: the patch, as a machine.
        gain: area and resistance, in uA/cm2 per nA.

    Input: currents (nA), `[electrodes]`. Output: the voltage (mV).
    """

    membrane: jn.StateMachine
    gain: Float[Array, ""] = jn.parameter(6.0, above=0.0)

    def init(self, key: PRNGKeyArray) -> Any:
        """At rest."""
        return self.membrane.init(key)

    def step(self, state: Any, input: Float[Array, "electrodes"]) -> tuple[Any, Float[Array, ""]]:
        """The sum of all currents through the membrane."""
        state, _ = self.membrane.step(state, self.gain * input.sum())
        return state, state.voltage_mv


class Placed(jn.StateMachine[Any, Float[Array, "electrodes"], Float[Array, ""]]):
    """A cell of many compartments with electrodes in some of them: `V = Cable(gain I)`, recorded in the soma.

    Fields:
        cable: the cell; compartment 0 is its soma.
        gain: the current (nA) in the cell for 1 nA of an electrode: what is lost outside of it.
        places: numbers of the electrodes' compartments.

    Input: currents (nA), `[electrodes]`. Output: the voltage (mV).
    """

    cable: jn.StateMachine
    gain: Float[Array, ""] = jn.parameter(0.1, above=0.0)
    places: tuple[int, ...] = eqx.field(static=True, default=(0, 1, 2))

    def init(self, key: PRNGKeyArray) -> Any:
        """At rest."""
        return self.cable.init(key)

    def step(self, state: Any, input: Float[Array, "electrodes"]) -> tuple[Any, Float[Array, ""]]:
        """Every electrode's current into its own compartment."""
        currents = jnp.zeros_like(state.voltage_mv).at[jnp.asarray(self.places)].set(self.gain * input)
        state, _ = self.cable.step(state, currents)
        return state, state.voltage_mv[0]


def cable(first_um: float, second_um: float, active: float) -> Placed:
    """A soma with two dendrites of this length, electrodes in it and in their ends.

    Args:
        first_um: length of the thinner one.
        second_um: of the thicker one.
        active: the density of sodium and potassium channels in the dendrites, as a share of that of the soma.
    """
    pieces, dendritic = 6, jn.dendritic
    shape = dendritic.tree(
        [
            dendritic.Branch(-1, 20.0, 20.0),
            dendritic.Branch(0, first_um, 2.0, pieces, "middle"),
            dendritic.Branch(0, second_um, 3.0, pieces, "middle"),
        ]
    )
    density = np.asarray([1.0] + [active] * (2 * pieces))
    channels = [dendritic.Inserted(kind(), density) for kind in (jn.spiking.SquidSodium, jn.spiking.SquidPotassium)]
    cell = dendritic.Cable(shape, (*channels, dendritic.Inserted(jn.spiking.Leak())), dt_ms=STEP_MS)
    return Placed(cell, places=(0, pieces, 2 * pieces))


def random_cell(model: Int[Array, ""], key: PRNGKeyArray) -> jn.Chain:
    """A cell of the model of this number with two dendrites, as an electrode in its soma sees it."""
    # One draw for all numbers compiles in a fraction of the time of several.
    drawn = iter(jax.random.uniform(key, (10, ELECTRODES)))

    def each(low: float, high: float) -> Float[Array, "electrodes"]:
        return low + (high - low) * next(drawn)

    def column(low: float, high: float) -> Float[Array, "electrodes 1"]:
        return each(low, high)[:, None]

    gating, independence = jnp.asarray(GATING)[model], jnp.asarray(INDEPENDENCE)[model]
    central = each(12.0, 20.0)[:1]
    # A spring that gives way before the weak stimulus, or not before the strong one, would be none to these electrodes.
    springs = jnp.where(gating > independence, central * each(0.55, 0.7), each(10.0, 20.0))
    neuron = jn.dendritic.MultiThreshold(
        ELECTRODES - 1,
        threshold_mv=jnp.concatenate([central, springs[1:]]),
        tau_ms=each(10.0, 30.0),
        resistance_mohm=each(70.0, 150.0),
        gating=gating,
        independence=independence,
        sharpness_per_mv=each(2.0, 5.0)[0],
        dt_ms=STEP_MS,
    )
    rise, height, dip, slow = column(0.25, 0.5), column(70.0, 110.0), column(5.0, 15.0), column(3.0, 10.0)
    time_ms = STEP_MS * jnp.arange(KERNEL_MS / STEP_MS)[None]
    peak = height * (time_ms / rise) * jnp.exp(1 - time_ms / rise)
    kernels = peak - dip * -jnp.expm1(-time_ms / rise) * jnp.exp(-time_ms / slow)
    return jn.Chain(neuron, jn.dendritic.SpikeWaveform(kernels))


def bench(config: Config, noise: float) -> Bench:
    """The electrodes, with so many times the noise of the config."""
    return Bench(
        dt_ms=STEP_MS,
        jitter=noise * config.jitter,
        background_na=noise * config.background_na,
        recording_mv=noise * config.recording_mv,
    )


@functools.partial(jax.jit, static_argnames="count")
def examined(model: Int[Array, ""], bench: Bench, count: int, key: PRNGKeyArray) -> Findings:
    """Findings on random cells."""

    def one(key: PRNGKeyArray) -> Findings:
        born, noise = jax.random.split(key)
        return electrodes.examine(random_cell(model, born), bench, noise)

    return jax.vmap(one)(jax.random.split(key, count))


@functools.partial(jax.jit, static_argnames="count")
def examined_again(cell: jn.StateMachine, bench: Bench, count: int, key: PRNGKeyArray) -> Findings:
    """Findings on one cell, which is examined many times."""
    return jax.vmap(lambda key: electrodes.examine(cell, bench, key))(jax.random.split(key, count))


def others() -> dict[str, jn.StateMachine]:
    """Cells that are none of the models."""
    return {
        "membrane": Membrane(jn.SplitExponentialEuler(jn.spiking.HodgkinHuxley(), STEP_MS)),
        "short passive dendrites": cable(300.0, 400.0, active=0.0),
        "long active dendrites": cable(2000.0, 3000.0, active=1.0),
    }


def row(cell: str, found: Findings) -> dict[str, Any]:
    """What was found on cells of one kind."""
    code = np.asarray(found.code)
    return {
        "cell": cell,
        "examined": len(code),
        "taken for": np.bincount(np.asarray(found.model), minlength=len(MODELS)).tolist(),
        "code": code.mean(axis=0).tolist(),
        "yes": (code > 0.5).mean(axis=0).tolist(),
    }


def main(config: Config, run: Run) -> dict[str, Any]:
    """Examine all cells at every level of noise, and the others at the first level of 1 or above."""
    began, key, levels, arrays = time.monotonic(), jax.random.key(config.seed), [], {}
    for number, noise in enumerate(config.noise):
        rows = []
        for place, model in enumerate(MODELS):
            own = jax.random.fold_in(jax.random.fold_in(key, number), place)
            found = jax.device_get(examined(jnp.asarray(place), bench(config, noise), config.cells, own))
            rows.append(row(model, found))
            arrays |= {f"{noise:g}/{model}/waveforms": found.waveforms_mv[0], f"{noise:g}/{model}/code": found.code}
        right = sum(each["taken for"][place] for place, each in enumerate(rows))
        levels.append({"noise": noise, "recovered": right / (len(MODELS) * config.cells), "cells": rows})
        run.say(f"noise {noise:g}: {100 * levels[-1]['recovered']:.2f} % of the cells are taken for what they are")
    test = bench(config, 1.0)
    more = []
    for name, cell in others().items():
        found = jax.device_get(examined_again(cell, test, config.membranes, jax.random.fold_in(key, 2**20)))
        more.append(row(name, found))
        arrays[f"other/{name}/waveforms"] = found.waveforms_mv[0]
    run.save_arrays(arrays)
    return {
        "trials": electrodes.trials(test),
        "levels": levels,
        "others": more,
        "seconds": round(time.monotonic() - began, 1),
    }


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return electrodes_page.sections(results, arrays)
