"""How much faster does a cell train that is linear in its own state, all of time at once, than one that is not?

Networks of equal size, the gradient of the sum of squares of all outputs for sequences of growing length. The first
network is the measure; those that are linear in their state run one step after the other, by the parallel scan, and all
at once but for the recurrence.
"""

import functools
from collections.abc import Callable
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import comparison
from jaxneuro.launch.config import Count, ExperimentConfig
from jaxneuro.launch.directory import Run
from jaxneuro.launch.network import Architecture
from jaxneuro.launch.report import Section
from jaxneuro.machine import Parallel
from jaxneuro.measure.timing import clock, compare
from jaxneuro.run import Executor


class Config(ExperimentConfig):
    """See configs/benchmark/parallel.yaml."""

    rounds: Count = Field(default=7, le=1000)
    networks: Annotated[tuple[Architecture, ...], Field(min_length=2, description="the first is the measure")]
    trained: tuple[str, ...] = ("weights", "bias", "input_weights", "recurrent_weights")
    parameters: Count = 8000
    inputs: Count = 2
    batch: Count = 8
    lengths: tuple[Count, ...] = (256, 1024, 4096)


def train_step(machine: jn.Chain, data: Array, executor: Executor | None) -> Callable[[], Any]:
    """The gradient by all parameters, compiled; the executor is that of the recurrent layer."""
    cell, readout = machine.machines
    arrays, rest = eqx.partition((cell, readout), eqx.is_inexact_array)

    def loss(arrays: Any, data: Array) -> Array:
        cell, readout = eqx.combine(arrays, rest)

        def one(sequence: Array) -> Array:
            return jn.run(readout, jn.run(cell, sequence, executor=executor)[1])[1]

        outputs = jax.vmap(one)(data)
        return (outputs * outputs).sum()

    return functools.partial(jax.jit(jax.value_and_grad(loss)), arrays, data)


def main(config: Config, run: Run) -> dict[str, Any]:
    """Time all networks at all lengths."""

    def builder(network: Architecture, units: int) -> comparison.Build:
        return lambda key: network.draw(config.inputs, units, 1, key=key)

    contenders = {network.name: functools.partial(builder, network) for network in config.networks}
    budget = comparison.Budget(
        parameters=config.parameters, parameter_tolerance=0.05, learning_rates=(1e-3,), steps=1, chunk=1, batch=1
    )
    sizes = comparison.equal_sizes(contenders, budget, config.trained)
    machines = {name: jax.jit(contenders[name](units))(jax.random.key(0)) for name, (units, _) in sizes.items()}
    rows = []
    for length in config.lengths:
        data = np.random.default_rng(config.seed).normal(size=(config.batch, length, config.inputs))
        calls = {}
        for name, machine in machines.items():
            ways: tuple[Executor | None, ...] = (None,)
            if isinstance(machine.machines[0], Parallel):
                ways = "sequential", "parallel", "recurrent"
            for executor in ways:
                label = name if executor is None else f"{name}, {executor}"
                calls[label] = train_step(machine, jnp.asarray(data, jnp.float32), executor)
        measured = compare({label: functools.partial(clock, call) for label, call in calls.items()}, config.rounds)
        rows.append({"length": length, **measured})
        run.say(f"{length} steps: {measured['milliseconds']} ms")
    return {
        "networks": [{"name": name, "units": units, "parameters": count} for name, (units, count) in sizes.items()],
        "lengths": rows,
    }


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    labels = list(results["lengths"][0]["milliseconds"])
    first = labels[0]
    rows = []
    for row in results["lengths"]:
        faster = [f"{1 / row['peer_over_ours'][label]['median']:.1f}" for label in labels[1:]]
        rows.append([f"{row['length']:,}", f"{row['milliseconds'][first]:.0f}", *faster])
    sizes = ", ".join(f"{n['name']} {n['units']} units, {n['parameters']:,} parameters" for n in results["networks"])
    return [
        Section(
            title=f"Train step: how many times faster than {first}",
            text=f"{sizes}; {config.batch} sequences. Median of {config.rounds} interleaved rounds.",
            columns=["steps", f"{first} (ms)", *labels[1:]],
            rows=rows,
        )
    ]
