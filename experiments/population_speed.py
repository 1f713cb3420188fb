"""How fast are populations and networks of spiking neurons, beside what their neurons alone cost, and beside Brian2?

CUBA, with spikes handed on one by one, by the lists of those that spike, and by all synapses; its neurons without
synapses; and its arithmetic written by hand. A population of LIF neurons without synapses, in blocks and as a whole,
beside eight multiplications and additions of one number each. And neurons with several thresholds beside LIF neurons
that sum as many inputs.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.config import Count, ExperimentConfig
from jaxneuro.launch.directory import Run
from jaxneuro.launch.report import Section
from jaxneuro.machine import Stateless
from jaxneuro.measure.timing import Timer, Worker, WorkerError, clock, compare
from jaxneuro.networks import Network, Projection, cuba, run_in_blocks

Call = Callable[[], Any]


class Config(ExperimentConfig):
    """See configs/benchmark/populations.yaml."""

    rounds: Count = Field(default=7, le=1000)
    neurons: Count = Field(default=4000, ge=100, description="of the network")
    steps: Count = Field(default=10_000, ge=100, description="of 0.1 ms")
    population: Count = Field(default=1_000_000, description="of neurons without synapses")
    population_steps: Count = 1000
    block: Count = 4096
    cells: Count = Field(default=10_000, description="neurons with several thresholds")
    sites: int = Field(default=4, ge=2, le=1000, description="of each: the soma and its dendrites")
    cell_steps: Count = 200
    brian_python: str | None = Field(default=None, description="an interpreter that has Brian2")


class Severed(Stateless[Float[Array, "sources"], Float[Array, "targets"]]):
    """No synapses: sums of 0."""

    size: int = eqx.field(static=True)

    def respond(self, input: Float[Array, "sources"]) -> Float[Array, "targets"]:
        """Zeros."""
        return jnp.zeros(self.size, input.dtype)


def joined_by(network: Network, connections: Callable[[Projection], jn.StateMachine]) -> Network:
    """The same network with other connections."""
    projections = [Projection(p.source, p.target, connections(p), p.kinetics, p.delay) for p in network.projections]
    return Network(zip(network.names, network.populations, strict=True), projections, packed=True)


def as_lists(projection: Projection) -> jn.StateMachine:
    """The same synapses, found by a list of the neurons that spike."""
    events = projection.connections
    assert isinstance(events, jn.synapses.EventSynapses)
    sources = len(events.targets)
    made = jn.synapses.Sparse(sources, events.size, fan_out=1, events=min(64, sources), key=jax.random.key(0))
    weights = jnp.broadcast_to(events.weights, events.targets.shape)
    return eqx.tree_at(lambda sparse: (sparse.weights, sparse.targets), made, (weights, events.targets))


def running(network: Network, steps: int) -> Call:
    """A run of the network from one start."""
    state, alone = network.init(jax.random.key(1)), jnp.zeros(steps)
    return lambda: jn.run(network, alone, state=state)


def by_hand(neurons: int, steps: int) -> Call:
    """What a neuron of CUBA computes, without parameters that could be others."""

    def step(carry: tuple[Array, ...], _: None) -> tuple[tuple[Array, ...], Array]:
        voltage, excitation, inhibition, left = carry
        excitation, inhibition = 0.9802 * excitation, 0.99 * inhibition
        target = -49 + excitation + inhibition
        voltage = jnp.where(left > 0.05, voltage, target + 0.995 * (voltage - target))
        spike = voltage >= -50
        return (
            jnp.where(spike, -60, voltage),
            excitation,
            inhibition,
            jnp.where(spike, 5, jnp.maximum(left - 0.1, 0)),
        ), spike.any()

    voltage = jax.random.uniform(jax.random.key(0), (neurons,), minval=-60, maxval=-50)
    start = (voltage, *jnp.zeros((3, neurons)))
    return functools.partial(jax.jit(lambda start: jax.lax.scan(step, start, None, length=steps)), start)


def slower(call: Call, times: int) -> Timer:
    """The milliseconds of a call that is so many times as long as the one that is timed."""
    return lambda: times * clock(call)


def network_timers(config: Config) -> dict[str, Timer]:
    """CUBA in all ways; slow ways run a tenth of the steps."""
    network = cuba(config.neurons, packed=True, key=jax.random.key(config.seed))
    everything = cuba(config.neurons, events=False, packed=True, key=jax.random.key(config.seed))
    alone = joined_by(network, lambda projection: Severed(network.size(*projection.target)))
    calls = {
        "spike by spike": running(network, config.steps),
        "neurons only": running(alone, config.steps),
        "by hand": by_hand(config.neurons, config.steps),
    }
    slow = {"by lists": joined_by(network, as_lists), "all synapses": everything}
    timers: dict[str, Timer] = {name: functools.partial(clock, call) for name, call in calls.items()}
    return timers | {name: slower(running(way, config.steps // 10), 10) for name, way in slow.items()}


def population_timers(config: Config) -> dict[str, Timer]:
    """LIF neurons without synapses."""
    neurons = jn.Population(jn.LIF(), config.population, shared=True)
    state = neurons.init(jax.random.key(config.seed))
    voltage = 15 * jax.random.uniform(jax.random.key(config.seed), (config.population,))
    state = eqx.tree_at(lambda state: state.voltage_mv, state, voltage)
    currents = jnp.full(config.population_steps, 20.0)

    @jax.jit
    def whole(state: Any) -> Any:
        def step(carry: tuple[Any, Array], current: Array) -> tuple[tuple[Any, Array], None]:
            state, spikes = neurons.step(carry[0], jnp.broadcast_to(current, voltage.shape))
            return (state, carry[1] + spikes), None

        return jax.lax.scan(step, (state, jnp.zeros_like(voltage)), currents)[0]

    @jax.jit
    def multiplications(numbers: Array) -> Array:
        def some(numbers: Array) -> Array:
            def step(numbers: Array, _: None) -> tuple[Array, None]:
                for factor in range(8):
                    numbers = numbers * (0.9 + 0.01 * factor) + 0.1
                return numbers, None

            return jax.lax.scan(step, numbers, None, length=config.population_steps)[0]

        block = min(config.block, config.population)
        return jax.lax.map(some, numbers[: len(numbers) // block * block].reshape(-1, block))

    calls: dict[str, Call] = {
        "blocks": lambda: run_in_blocks(neurons, currents, state=state, block=config.block, counted=True),
        "whole": lambda: whole(state),
        "eight multiplications": lambda: multiplications(voltage),
    }
    return {name: functools.partial(clock, call) for name, call in calls.items()}


class Sum(Stateless[Float[Array, "inputs"], Float[Array, ""]]):
    """The weighted sum of a neuron's inputs."""

    weights: Float[Array, "inputs"]

    def respond(self, input: Float[Array, "inputs"]) -> Float[Array, ""]:
        """`w . x`."""
        return self.weights @ input


def threshold_timers(config: Config) -> dict[str, Timer]:
    """Neurons with a threshold on each input, and with one on the sum of all; no two neurons share parameters."""
    inputs = 30 * jax.random.uniform(jax.random.key(config.seed), (config.cell_steps, config.cells, config.sites))
    neurons = {
        "one threshold": jn.Chain(Sum(jnp.full(config.sites, 1 / config.sites)), jn.LIF()),
        "several thresholds": jn.dendritic.MultiThreshold(config.sites - 1),
    }

    def running(neuron: jn.StateMachine) -> Call:
        population = jn.Population(jn.stack(neuron, config.cells), config.cells)
        state = population.init(jax.random.key(config.seed))
        return lambda: jn.run(population, inputs, state=state)

    return {name: functools.partial(clock, running(neuron)) for name, neuron in neurons.items()}


def main(config: Config, run: Run) -> dict[str, Any]:
    """Time everything."""
    timers, brian = network_timers(config), None
    if config.brian_python is not None:
        script = Path(__file__).with_name("speed_peers.py")
        try:
            brian = Worker([config.brian_python, str(script), "brian", str(config.neurons), str(config.steps)])
        except WorkerError as error:
            raise ConfigError(f"brian_python: {error}") from error
        timers["Brian2 standalone"] = functools.partial(brian.time, "cuba")
    try:
        results = {"network": compare(timers, config.rounds)}
    finally:
        if brian is not None:
            brian.close()
    run.say(f"network: {results['network']['milliseconds']} ms")
    results["population"] = compare(population_timers(config), config.rounds, warm=1)
    run.say(f"population: {results['population']['milliseconds']} ms")
    results["thresholds"] = compare(threshold_timers(config), config.rounds, warm=1)
    run.say(f"thresholds: {results['thresholds']['milliseconds']} ms")
    return results


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    works = {
        "network": f"CUBA, {config.neurons:,} neurons, {config.steps:,} steps",
        "population": f"{config.population:,} LIF neurons, {config.population_steps:,} steps",
        "thresholds": f"{config.cells:,} neurons of {config.sites} inputs each, {config.cell_steps:,} steps",
    }
    sections = []
    for name, title in works.items():
        measured = results[name]
        ours, *others = measured["milliseconds"]
        rows = [[ours, f"{measured['milliseconds'][ours]:.0f}", "1", ""]]
        for other in others:
            ratio = measured["peer_over_ours"][other]
            spread = f"{ratio['min']:.2f} to {ratio['max']:.2f}"
            rows.append([other, f"{measured['milliseconds'][other]:.0f}", f"{ratio['median']:.2f}", spread])
        text = f"Median of {config.rounds} interleaved rounds; what needs less time than '{ours}' has a ratio below 1."
        sections.append(Section(title=title, text=text, columns=["way", "ms", f"times '{ours}'", "rounds"], rows=rows))
    return sections
