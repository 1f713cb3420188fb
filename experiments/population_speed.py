"""How fast are populations and networks of spiking neurons, beside what their neurons cost, and other simulators?

CUBA, with spikes handed on one by one, by the lists of those that spike, and by all synapses; its neurons without
synapses; and its arithmetic written by hand. A population of LIF neurons without synapses, as a whole and in blocks,
beside eight multiplications and additions of one number each. Hodgkin-Huxley membranes, in blocks or as a whole, beside
the exponentials that they need. And neurons with several thresholds beside LIF neurons that sum as many inputs. Brian2
does all but the last, BrainPy the population, NEST the network, and NEURON the membranes.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import populations_page
from jaxneuro.launch.config import Count, ExperimentConfig
from jaxneuro.launch.directory import Run
from jaxneuro.launch.peers import Peer, beside
from jaxneuro.launch.report import Section
from jaxneuro.machine import Stateless
from jaxneuro.measure.timing import Timer, clock, compare
from jaxneuro.networks import Network, Projection, cuba, run_in_blocks
from jaxneuro.neurons.spiking.hodgkin_huxley import HodgkinHuxleyGates, HodgkinHuxleyState
from jaxneuro.neurons.spiking.lif import LIFState

Call = Callable[[], Any]
EXPONENTIALS = 8  # in a step of a Hodgkin-Huxley membrane


class Config(ExperimentConfig):
    """See configs/benchmark/populations.yaml."""

    rounds: Count = Field(default=7, le=1000)
    neurons: Count = Field(default=4000, ge=100, description="of the network")
    steps: Count = Field(default=10_000, ge=100, description="of 0.1 ms")
    population: Count = Field(default=1_000_000, description="of neurons without synapses")
    population_steps: Count = 1000
    block: Count = Field(default=1000, description="neurons of a block; times the devices it divides the population")
    membranes: Count = 100_000
    membrane_steps: Count = Field(default=1000, description="of 0.025 ms")
    cells: Count = Field(default=10_000, description="neurons with several thresholds")
    sites: int = Field(default=4, ge=2, le=1000, description="of each: the soma and its dendrites")
    cell_steps: Count = 200
    brian_python: str | None = Field(default=None, description="an interpreter that has Brian2")
    brainpy_python: str | None = Field(default=None, description="an interpreter that has BrainPy")
    nest_python: str | None = Field(default=None, description="an interpreter that has NEST")
    neuron_python: str | None = Field(default=None, description="an interpreter that has NEURON")


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


def cuba_of(config: Config) -> Network:
    """The network, spike by spike."""
    return cuba(config.neurons, packed=True, key=jax.random.key(config.seed))


def mean_rate(config: Config) -> float:
    """Of the neurons of the network (Hz)."""
    words = jax.tree.leaves(running(cuba_of(config), config.steps)()[1])
    spikes = sum(int(jax.lax.population_count(each).sum()) for each in words)
    return spikes / config.neurons / (1e-4 * config.steps)


def network_timers(config: Config) -> dict[str, Timer]:
    """CUBA in all ways; slow ways run a tenth of the steps."""
    network = cuba_of(config)
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


def drawn(config: Config) -> tuple[jn.Population, LIFState]:
    """LIF neurons without synapses, and voltages drawn between reset and threshold."""
    neurons = jn.Population(jn.LIF(), config.population, shared=True)
    voltage = 15 * jax.random.uniform(jax.random.key(config.seed), (config.population,))
    return neurons, jax.vmap(lambda voltage: LIFState(voltage, jnp.zeros_like(voltage)))(voltage)


def population_calls(config: Config) -> dict[str, Call]:
    """The population in blocks and as a whole; both give the neurons' numbers of spikes too."""
    neurons, state = drawn(config)
    currents = jnp.full(config.population_steps, 20.0)

    @jax.jit
    def whole(state: LIFState) -> tuple[LIFState, Array]:
        def step(carry: tuple[LIFState, Array], current: Array) -> tuple[tuple[LIFState, Array], None]:
            state, spikes = neurons.step(carry[0], jnp.full_like(carry[1], current))
            return (state, carry[1] + spikes), None

        return jax.lax.scan(step, (state, jnp.zeros_like(state.voltage_mv)), currents)[0]

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

    blocks = functools.partial(run_in_blocks, neurons, currents, state=state, block=config.block, counted=True)
    calls: dict[str, Call] = {"blocks": blocks, "blocks, 1 thread": functools.partial(blocks, threads=1)}
    if config.devices > 1:
        calls[f"blocks on {config.devices} devices"] = functools.partial(blocks, devices=config.devices)
    return calls | {"whole": lambda: whole(state), "eight multiplications": lambda: multiplications(state.voltage_mv)}


class Fed(jn.StateMachine[tuple[Any, Float[Array, ""]], Float[Array, ""], Float[Array, ""]]):
    """A machine under a current of its own, which its state holds."""

    machine: jn.StateMachine

    def init(self, key: PRNGKeyArray) -> tuple[Any, Float[Array, ""]]:
        """At rest, without a current."""
        return self.machine.init(key), jnp.zeros(())

    def step(
        self, state: tuple[Any, Float[Array, ""]], input: Float[Array, ""]
    ) -> tuple[tuple[Any, Float[Array, ""]], Float[Array, ""]]:
        """`step(state, current)`, whatever the input."""
        inner, spike = self.machine.step(state[0], state[1])
        return (inner, state[1]), spike


class Exponentials(jn.StateMachine[Float[Array, ""], Float[Array, ""], Float[Array, ""]]):
    """The exponentials of a step of a Hodgkin-Huxley membrane and no more: four of rates, four of what relaxes."""

    def init(self, key: PRNGKeyArray) -> Float[Array, ""]:
        """Any number."""
        return jnp.zeros(())

    def step(self, state: Float[Array, ""], input: Float[Array, ""]) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """`x <- sum_k e^(x (k / 100 - 1.05)) / 10`."""
        total = sum((jnp.exp(state * (0.01 * k - 1.05)) for k in range(EXPONENTIALS)), jnp.zeros_like(state))
        return 0.1 * total, jnp.zeros_like(state)


def membrane_calls(config: Config) -> dict[str, Call]:
    """Hodgkin-Huxley membranes of 0 to 20 uA/cm2, by exponential Euler, and the exponentials of each, which it needs.

    Gates first, then the voltage, or all at once as in Brian2; in blocks or as a whole. They start a little off their
    rest, like Brian2's.
    """
    count, membrane = config.membranes, jn.spiking.HodgkinHuxley()
    currents = jnp.linspace(0.0, 20.0, count)
    gates = HodgkinHuxleyGates(*map(jnp.asarray, (0.05, 0.6, 0.32)))
    one = HodgkinHuxleyState(gates, jnp.asarray(-65.0), jnp.asarray(0.0))
    start = jax.tree.map(lambda leaf: jnp.full(count, leaf), one)

    def whole(machine: jn.StateMachine) -> Call:
        neurons = jn.Population(machine, count, shared=True)

        def step(state: HodgkinHuxleyState, _: None) -> tuple[HodgkinHuxleyState, None]:
            return neurons.step(state, currents)[0], None

        return functools.partial(
            jax.jit(lambda state: jax.lax.scan(step, state, None, length=config.membrane_steps)[0]), start
        )

    def blocks(machine: jn.StateMachine, state: Any) -> Any:
        neurons, time = jn.Population(machine, count, shared=True), jnp.zeros(config.membrane_steps)
        return run_in_blocks(neurons, time, state=state, block=config.block, counted=True)[0]

    split, together = jn.SplitExponentialEuler(membrane, dt_ms=0.025), jn.ExponentialEuler(membrane, dt_ms=0.025)
    return {
        "gates first": lambda: blocks(Fed(split), (start, currents))[0],
        "all at once": lambda: blocks(Fed(together), (start, currents))[0],
        "gates first, whole": whole(split),
        f"{EXPONENTIALS} exponentials": lambda: blocks(Exponentials(), currents),
    }


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


def peers(config: Config) -> dict[str, dict[str, Peer]]:
    """All programs, by the work that they do."""
    network, population = (config.neurons, config.steps), (config.population, config.population_steps)
    membranes = (config.membranes, config.membrane_steps)

    def threads(name: str, field: str, *program: str | int) -> dict[str, Peer]:
        return {f"{name}, {n} thread{'s' * (n > 1)}": Peer(field, (*program, n)) for n in (1, 2)}

    calls = {"": "run", ", steps alone": "loop", " with its build": "built"}
    return {
        "network": {"Brian2 standalone": Peer("brian_python", ("brian", *network), calls)}
        | threads("NEST", "nest_python", "nest", *network),
        "population": threads("Brian2", "brian_python", "brian_lif", *population)
        | {
            f"BrainPy, {kind}{', whole loops' * told}": Peer("brainpy_python", (program, *population, told))
            for told in range(1 + config.whole_loops)
            for kind, program in (("variables", "brainpy_lif"), ("states", "brainpy_state_lif"))
        },
        "membranes": threads("Brian2", "brian_python", "brian_membranes", *membranes)
        | threads("NEURON", "neuron_python", "neuron_membranes", *membranes),
    }


def main(config: Config, run: Run) -> dict[str, Any]:
    """Time everything."""
    # A program from the disk would make the first call look short.
    jax.config.update("jax_enable_compilation_cache", False)

    def clocked(calls: dict[str, Call]) -> dict[str, Timer]:
        return {name: functools.partial(clock, call) for name, call in calls.items()}

    results: dict[str, Any] = {}
    script, others = Path(__file__).with_name("speed_peers.py"), peers(config)

    def note(work: str, timers: dict[str, Timer], answers: dict[str, Call], warm: int) -> None:
        found = beside(config, script, others[work], timers, config.rounds, warm)
        ours = {name: float(answer()) for name, answer in answers.items()}
        results[work] = found | {"answers": ours | found["answers"]}
        run.say(f"{work}: {results[work]['milliseconds']} ms, {results[work]['answers']}")

    timers = network_timers(config)
    first_call = timers["spike by spike"]()
    note("network", timers, {"spike by spike": lambda: mean_rate(config)}, 2)
    results["network"]["first_call_milliseconds"] = round(first_call, 2)
    calls = population_calls(config)
    note("population", clocked(calls), {way: lambda way=way: calls[way]()[1].mean() for way in ("blocks", "whole")}, 1)
    membranes = membrane_calls(config)
    ways = ("gates first", "all at once")
    note("membranes", clocked(membranes), {way: lambda way=way: membranes[way]().voltage_mv.mean() for way in ways}, 1)

    results["thresholds"] = compare(threshold_timers(config), config.rounds, warm=1)
    run.say(f"thresholds: {results['thresholds']['milliseconds']} ms")
    return results


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return populations_page.sections(results, config.resolved())
