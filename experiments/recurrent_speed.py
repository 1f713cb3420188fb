"""How fast are the machines beside their peers? Ratios from interleaved rounds of one run, never absolute times.

Every workload is timed in turn with its peers, round after round, and compared by the median of the ratios within a
round. Equinox and Flax run in the same process. PyTorch, Spyx, snnTorch and SpikingJelly run in a worker process each,
with the interpreter that the config names, and are left out where it is not given.
"""

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch.config import Count, ExperimentConfig
from jaxneuro.launch.directory import Run
from jaxneuro.launch.peers import started
from jaxneuro.launch.report import Section
from jaxneuro.learning import train
from jaxneuro.measure.timing import Worker, clock, compare

Call = Callable[[], object]

SPIKING = ("spyx", "snntorch", "spikingjelly")


class Config(ExperimentConfig):
    """See configs/benchmark/recurrent.yaml."""

    rounds: Count = Field(default=7, le=1000)
    steps: Count = 128
    batch: Count = 64
    inputs: Count = 256
    units: Count = 256
    spiking_steps: Count = 100
    spiking_batch: Count = 128
    spiking_sizes: tuple[Count, Count, Count] = (700, 256, 20)
    spiking_repeat: Count = 5
    memory_steps: Count = 10_000
    memory_units: Count = 256
    memory_batch: Count = 16
    torch_python: str | None = Field(default=None, description="an interpreter that has PyTorch")
    spyx_python: str | None = Field(default=None, description="an interpreter that has Spyx")
    snntorch_python: str | None = Field(default=None, description="an interpreter that has snnTorch")
    spikingjelly_python: str | None = Field(default=None, description="an interpreter that has SpikingJelly")


def lstm_calls(config: Config) -> dict[str, dict[str, Call]]:
    """Forward and train step of ours, Equinox's and Flax's LSTM, each the usual way in its library."""
    from flax import linen

    shape = (config.batch, config.steps, config.inputs)
    data = jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.float32)
    key = jax.random.key(0)
    ours = jn.LSTM(config.inputs, config.units, key=key)
    theirs = eqx.nn.LSTMCell(config.inputs, config.units, key=key)
    flax = linen.RNN(linen.OptimizedLSTMCell(config.units))
    variables = jax.jit(flax.init)(key, data)

    def run_ours(machine: jn.LSTM, data: Array) -> Array:
        return jax.vmap(lambda sequence: jn.run(machine, sequence)[1])(data)

    def run_equinox(cell: eqx.nn.LSTMCell, data: Array) -> Array:
        def one(sequence: Array) -> Array:
            def step(state: tuple[Array, Array], x: Array) -> tuple[tuple[Array, Array], Array]:
                state = cell(x, state)
                return state, state[0]

            zero = jnp.zeros(config.units)
            return jax.lax.scan(step, (zero, zero), sequence)[1]

        return jax.vmap(one)(data)

    def calls(run: Callable[..., Any], parameters: Any) -> dict[str, Call]:
        arrays, rest = eqx.partition(parameters, eqx.is_array)

        def loss(arrays: Any, data: Array) -> Array:
            return (run(eqx.combine(arrays, rest), data) ** 2).sum()

        forward = jax.jit(lambda arrays, data: run(eqx.combine(arrays, rest), data))
        gradient = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
        return {"lstm forward": lambda: forward(arrays, data), "lstm train": lambda: gradient(arrays, data)}

    return {
        "jaxneuro": calls(run_ours, ours),
        "equinox": calls(run_equinox, theirs),
        "flax": calls(lambda variables, data: flax.apply(variables, data), variables),
    }


def products_call(config: Config) -> Call:
    """The matrix products of the LSTM and nothing else, in the same loop: what no LSTM can be faster than."""
    generator = np.random.default_rng(0)
    shapes = (4 * config.units, config.inputs), (4 * config.units, config.units)
    weights, recurrent = (jnp.asarray(generator.normal(size=shape), jnp.float32) for shape in shapes)
    data = jnp.asarray(generator.normal(size=(config.steps, config.batch, config.inputs)), jnp.float32)

    @jax.jit
    def products(data: Array, weights: Array, recurrent: Array) -> Array:
        def step(hidden: Array, x: Array) -> tuple[Array, None]:
            return 1e-3 * (x @ weights.T + hidden @ recurrent.T)[:, : config.units], None

        return jax.lax.scan(step, jnp.zeros((config.batch, config.units)), data)[0]

    return lambda: products(data, weights, recurrent)


def lif_calls(config: Config) -> tuple[dict[str, Call], float]:
    """Surrogate-gradient steps of SGD in one compiled loop: synapses, LIF neurons, synapses, leaky readout.

    The input goes through the first synapses by lists of its spikes, or by products with all of it. And the
    milliseconds that the lists took, which are made once for all steps with the same batch.
    """
    inputs, units, outputs = config.spiking_sizes
    first, second = jax.random.split(jax.random.key(0))
    network = jn.Chain(
        jn.Dense(inputs, units, gain=4.0, key=first),
        jn.Population(jn.LIF(threshold_mv=1.0, tau_ms=10.0, refractory_ms=0.0, dt_ms=1.0), units, shared=True),
        jn.Dense(units, outputs, key=second),
        jn.Population(jn.LeakyReadout(tau_ms=10.0, dt_ms=1.0), outputs, shared=True),
    )
    generator = np.random.default_rng(0)
    spikes = generator.random((config.spiking_steps, config.spiking_batch, inputs)) < 0.03
    labels = jnp.asarray(generator.integers(0, outputs, config.spiking_batch))
    began = time.perf_counter()
    lists = jn.synapses.list_spikes(spikes)
    listing_ms = 1000 * (time.perf_counter() - began)
    dense = jnp.asarray(spikes, float)

    def means(network: jn.Chain, inputs: Float[Array, "time batch _"]) -> Float[Array, "batch outputs"]:
        return jax.vmap(lambda sequence: jn.run(network, sequence)[1].mean(axis=0), in_axes=1)(inputs)

    def by_lists(network: jn.Chain, lists: jn.synapses.SpikeLists) -> Float[Array, "batch outputs"]:
        synapses, *rest = network.machines
        assert isinstance(synapses, jn.Dense)
        return means(jn.Chain(*rest), jn.synapses.dense_of_lists(synapses, lists))

    # What Spyx trains too: the weights, and the time constants of the membranes.
    trained, fixed = eqx.partition(network, train.mask(network, ("weights", "bias", "tau_ms")))

    def steps(forward: Callable[[jn.Chain, Any], Float[Array, "batch outputs"]], inputs: Any) -> Call:
        def loss(trained: jn.Chain, inputs: Any) -> Array:
            traces = forward(eqx.combine(trained, fixed), inputs)
            return optax.softmax_cross_entropy_with_integer_labels(traces, labels).mean()

        @jax.jit
        def loop(trained: jn.Chain, inputs: Any) -> tuple[jn.Chain, Array]:
            def step(trained: jn.Chain, _: None) -> tuple[jn.Chain, Array]:
                value, gradient = jax.value_and_grad(loss)(trained, inputs)
                return jax.tree.map(lambda p, g: p - 1e-3 * g, trained, gradient), value

            return jax.lax.scan(step, trained, None, length=config.spiking_repeat)

        return functools.partial(loop, trained, inputs)

    return {"jaxneuro": steps(by_lists, lists), "jaxneuro, products": steps(means, dense)}, listing_ms


def memory(config: Config) -> dict[str, Any]:
    """Temporary memory and time of the gradient of a long recurrent spiking run: checkpoints against a plain scan."""
    key, units, steps = jax.random.key(0), config.memory_units, config.memory_steps
    neurons = jn.Population(jn.LIF(threshold_mv=1.0, tau_ms=10.0, refractory_ms=0.0, dt_ms=1.0), units, shared=True)
    network = jn.Feedback(neurons, jn.Dense(units, units, gain=0.5, key=key), jnp.zeros(units))
    # One drive per sequence, constant in time: the inputs themselves should not be what fills the memory.
    drives = jnp.asarray(np.random.default_rng(0).normal(size=(config.memory_batch, units)), jnp.float32)

    def plain(machine: Totalled, inputs: Array) -> Any:
        return jax.lax.scan(machine.step, machine.init(key), inputs)

    def loss(network: jn.Feedback, drives: Array, program: Callable[..., Any]) -> Array:
        def one(drive: Float[Array, "units"]) -> Float[Array, ""]:
            state, _ = program(Totalled(network, drive), jnp.zeros((steps, 0)))
            return state.total.sum()

        return jax.vmap(one)(drives).sum()

    checkpointed = functools.partial(jn.run, checkpoint_every=round(steps**0.5))
    compiled = {
        name: jax.jit(jax.value_and_grad(functools.partial(loss, program=program))).lower(network, drives).compile()
        for name, program in (("checkpointed", checkpointed), ("naive", plain))
    }
    analyses: dict[str, Any] = {name: program.memory_analysis() for name, program in compiled.items()}
    bytes_ = {name: analysis.temp_size_in_bytes for name, analysis in analyses.items()}
    calls = {name: functools.partial(program, network, drives) for name, program in compiled.items()}
    gradients = {name: call()[1].path.weights for name, call in calls.items()}
    times = compare({name: functools.partial(clock, call) for name, call in calls.items()}, min(config.rounds, 5), 0)
    difference = jnp.abs(gradients["naive"] - gradients["checkpointed"]).max() / jnp.abs(gradients["naive"]).max()
    return {
        "temporary_bytes": bytes_,
        "memory_ratio": round(bytes_["naive"] / bytes_["checkpointed"], 1),
        "relative_gradient_difference": float(difference),
        **times,
    }


class TotalledState(eqx.Module):
    """The state of the network and the sum of its outputs so far."""

    network: Any
    total: Float[Array, "units"]


class Totalled(jn.StateMachine[TotalledState, Array, None]):
    """A network under a constant drive that adds up what it puts out, so that nothing has to be stored per step."""

    network: jn.Feedback
    drive: Float[Array, "units"]

    def init(self, key: Array) -> TotalledState:
        """The network's start, and zero."""
        return TotalledState(self.network.init(key), jnp.zeros_like(self.drive))

    def step(self, state: TotalledState, input: Array) -> tuple[TotalledState, None]:
        """One step, and its output added."""
        network, output = self.network.step(state.network, self.drive)
        return TotalledState(network, state.total + output), None


def peers(config: Config) -> dict[str, Worker]:
    """Those that have an interpreter."""
    script, sizes = (
        Path(__file__).with_name("speed_peers.py"),
        (config.steps, config.batch, config.inputs, config.units),
    )
    spiking_sizes = (config.spiking_steps, config.spiking_batch, *config.spiking_sizes, config.spiking_repeat)
    programs = {"torch": sizes} | dict.fromkeys(SPIKING, spiking_sizes)
    found = {name: started(config, f"{name}_python", script, name, *given) for name, given in programs.items()}
    return {name: worker for name, worker in found.items() if worker is not None}


def main(config: Config, run: Run) -> dict[str, Any]:
    """Time everything."""
    lstm, (lif, listing_ms) = lstm_calls(config), lif_calls(config)
    workers = peers(config)
    results: dict[str, Any] = {}
    for workload in ("lstm forward", "lstm train"):
        timers = {name: functools.partial(clock, calls[workload]) for name, calls in lstm.items()}
        if "torch" in workers:
            timers["torch"] = functools.partial(workers["torch"].time, workload)
        results[workload] = compare(timers, config.rounds)
        run.console.print(workload, results[workload])
    if "torch" in workers:
        timers = {"xla": functools.partial(clock, products_call(config))}
        timers["torch"] = functools.partial(workers["torch"].time, "lstm products")
        results["lstm products"] = compare(timers, config.rounds)
        run.console.print("lstm products", results["lstm products"])
    timers = {name: functools.partial(clock, call) for name, call in lif.items()}
    timers |= {name: functools.partial(workers[name].time, "lif train") for name in SPIKING if name in workers}
    results["lif train"] = compare(timers, config.rounds) | {"listing_milliseconds": round(listing_ms, 1)}
    run.console.print("lif train", results["lif train"])
    for process in workers.values():
        process.close()
    results["gradient memory"] = memory(config)
    run.console.print("gradient memory", results["gradient memory"])
    return results


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report: one table."""
    rows = [
        [
            workload,
            peer,
            f"{entry['milliseconds'][peer]:.1f}",
            f"{ratio['median']:.2f}",
            f"{ratio['min']:.2f}-{ratio['max']:.2f}",
        ]
        for workload, entry in results.items()
        for peer, ratio in entry["peer_over_ours"].items()
    ]
    memory_ratio = results["gradient memory"]["memory_ratio"]
    return [
        Section(
            title="Time of a peer over time of jaxneuro",
            text=f"Above 1 the peer is slower. Median of {config.rounds} interleaved rounds. Spikes reach the first "
            f"synapses of 'lif train' by lists, made once in {results['lif train']['listing_milliseconds']:.0f} ms, or "
            f"by products; the peers have products. Checkpointing a gradient "
            f"over {config.memory_steps:,} steps takes {memory_ratio:.0f} times less memory.",
            columns=["workload", "peer", "peer's ms", "ratio", "range"],
            rows=rows,
        )
    ]
