"""What would a brain compute, and what would it cost, if all its neurons were of one kind?

A neuron of each kind gets as many synapses as a human one has. What one step of it does is counted in the program that
JAX traces for it, at two numbers of synapses, so that the part that every synapse adds and the part that the neuron
does by itself come apart. From these:

    all synapses:    neurons * steps per second * (own part + synapses * part of a synapse)
    arriving spikes: neurons * (steps per second * own part + synapses * spikes per second * part of a synapse)

in operations per second. The second holds for neurons that take spikes alone, for which a synapse without one has
nothing to do; an arriving spike adds its weight, and does not multiply by it.
"""

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import brain_page
from jaxneuro.launch.config import ConfigPart, Count, ExperimentConfig, Positive, Within
from jaxneuro.launch.directory import Run
from jaxneuro.launch.report import Section
from jaxneuro.measure.energy import TABLES, OperationTable, Work
from jaxneuro.measure.ledger import ledger

Rate = Annotated[float, Within(above=0, at_most=1e40)]
Made = tuple[jn.StateMachine, Any, float]


def joined(neuron: jn.StateMachine, synapses: int, key: Any) -> jn.StateMachine:
    """A neuron that takes one number, with synapses onto it."""
    return jn.Chain(jn.Dense(synapses, 1, bias=False, key=key), jn.Population(neuron, 1, shared=True))


def vector(machine: Callable[[int, Any], jn.StateMachine]) -> Callable[[int], Made]:
    """One neuron with a number for each synapse."""

    def make(synapses: int) -> Made:
        made = jax.eval_shape(lambda key: machine(synapses, key), jax.random.key(0))
        return made, jax.ShapeDtypeStruct((synapses,), jnp.float32), 1.0

    return make


def temporal_memory(synapses: int) -> Made:
    """2,048 minicolumns of 32 cells, 2 % of them active; segments of 32 synapses, in no lists."""
    columns, cells = 2048, 32
    # As many segments in a minicolumn as synapses of a cell: a segment has as many synapses as a minicolumn has cells.
    made = jax.eval_shape(
        lambda: jn.htm.TemporalMemory(columns, cells, segments=synapses, synapses=cells, fan_out=None)
    )
    return made, jax.ShapeDtypeStruct((40,), jnp.int32), columns * cells


class Kind(NamedTuple):
    """A kind of neuron.

    Attributes:
        make: from the number of synapses the shapes of a machine and of its input, and how many neurons it is.
        spikes: whether its inputs are spikes, so that a synapse without one has nothing to do.
    """

    make: Callable[[int], Made]
    spikes: bool


KINDS = {
    "threshold unit": Kind(vector(lambda synapses, key: jn.Perceptron(synapses, key=key)), True),
    "LIF": Kind(vector(lambda synapses, key: joined(jn.LIF(), synapses, key)), True),
    "Hodgkin-Huxley": Kind(
        vector(
            lambda synapses, key: joined(
                jn.SplitExponentialEuler(jn.spiking.HodgkinHuxley(), dt_ms=0.025), synapses, key
            )
        ),
        True,
    ),
    "HTM cell": Kind(temporal_memory, False),
    "LSTM": Kind(vector(lambda synapses, key: jn.LSTM(synapses, 1, key=key)), False),
    "ELM": Kind(vector(lambda synapses, key: jn.dendritic.ELM(synapses, 1, 20, branches=45, key=key)), False),
}


class Model(ConfigPart):
    """A kind of neuron, and how often it steps: an assumption, as the model does not say."""

    kind: Literal["threshold unit", "LIF", "Hodgkin-Huxley", "HTM cell", "LSTM", "ELM"]
    step_ms: Positive


class Estimate(ConfigPart):
    """What somebody else said that a brain, or a machine, does.

    Fields:
        name: whose.
        low, high: operations per second.
        source: where it is said.
    """

    name: str
    low: Rate
    high: Rate
    source: str


class Config(ExperimentConfig):
    """See configs/brain_compute.yaml."""

    neurons: Positive = 86e9
    synapses: Count = Field(default=7000, ge=64, le=100_000)
    rate_hz: Positive = 1.0
    brain_watts: Positive = 20.0
    models: Annotated[tuple[Model, ...], Field(min_length=1)]
    essay: Estimate
    estimates: tuple[Estimate, ...] = ()


def difference(more: Work, less: Work) -> Work:
    """What one has and the other has not."""
    return more + less * -1


def operations(work: Work) -> float:
    """All operations; a multiply-add is two."""
    kinds = ("accumulates", "additions", "multiplications", "comparisons", "transcendentals")
    return float(2 * work.macs + sum(getattr(work, kind) for kind in kinds))


class Parts(NamedTuple):
    """What a neuron does in a step by itself, and what each of its synapses adds."""

    own: Work
    synapse: Work


def parts(kind: Kind, synapses: int) -> Parts:
    """Both parts, from the ledgers of a neuron with all and with half of its synapses."""

    def counted(synapses: int) -> Work:
        machine, input, neurons = kind.make(synapses)
        return Work.of(ledger(machine, input)) * (1 / neurons)

    whole, half = counted(synapses), counted(synapses // 2)
    synapse = difference(whole, half) * (1 / (synapses - synapses // 2))
    return Parts(difference(whole, synapse * synapses), synapse)


def of_spike(work: Work) -> Work:
    """The part of a synapse when a spike arrives: its weight is added, not multiplied by."""
    return dataclasses.replace(work, macs=0, accumulates=work.accumulates + work.macs)


def whole_brain(config: Config, model: Model) -> dict[str, Any]:
    """A brain of one kind of neuron: what it does in a second, and the power that this takes."""
    kind = KINDS[model.kind]
    found, steps = parts(kind, config.synapses), 1000 / model.step_ms
    own = found.own * steps
    every = {"all synapses": own + found.synapse * (steps * config.synapses)}
    if kind.spikes:
        every["arriving spikes"] = own + of_spike(found.synapse) * (config.rate_hz * config.synapses)
    ways = []
    for way, work in every.items():
        second = operations(work) * config.neurons
        power = {
            f"{table.name}, {told}": table.energy_pj(work, memory=memory) * 1e-12 * config.neurons
            for table in TABLES
            if isinstance(table, OperationTable)
            for told, memory in (("arithmetic", False), ("with memory", True))
        }
        ways.append(
            {
                "way": way,
                "operations_per_second": second,
                "of_the_essay": second / config.essay.low,
                "watts": power,
            }
        )
    return {
        "kind": model.kind,
        "step_ms": model.step_ms,
        "own_operations_per_step": operations(found.own),
        "operations_per_synapse": operations(found.synapse),
        "ways": ways,
    }


def main(config: Config, run: Run) -> dict[str, Any]:
    """All kinds, and what the essay's figure would leave for each neuron."""
    models = [whole_brain(config, model) for model in config.models]
    cheapest, dearest = (
        extreme(way["operations_per_second"] for model in models for way in model["ways"]) for extreme in (min, max)
    )
    return {
        "models": models,
        "essay_per_neuron_and_second": config.essay.low / config.neurons,
        "essay_per_synapse_and_second": config.essay.low / config.neurons / config.synapses,
        "cheapest": cheapest,
        "dearest": dearest,
    }


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    stated = [(one.name, one.low, one.high, one.source) for one in (config.essay, *config.estimates)]
    assumed = (
        f"{config.neurons:.3g} neurons with {config.synapses:,} synapses each, {config.rate_hz:g} spikes per second."
    )
    return brain_page.sections(results, stated, assumed, config.brain_watts)
