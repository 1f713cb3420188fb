"""How many kernels does a time step launch on a GPU that nobody here has?

Machines and training steps are compiled by NVIDIA's and Google's own compilers, which run on a CPU
(jaxneuro/launch/ahead.py), for an H100 and for four TPU v5e chips that share the batch. On the GPU the number of
kernels launched per time step is what decides the speed of a small network; memory and FLOPs are as the compilers give
them. Nothing is timed.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import PartitionSpec
from jaxtyping import Array, Float, PyTree
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch.ahead import INSTALL, Platform, Program, compile_in
from jaxneuro.launch.config import ConfigError, Count, ExperimentConfig
from jaxneuro.launch.directory import Run
from jaxneuro.launch.report import Section
from jaxneuro.learning import train
from jaxneuro.networks.recurrent import recurrent_network

PYTHONS: dict[Platform, str] = {"cuda": "JAXNEURO_CUDA_PYTHON", "tpu": "JAXNEURO_TPU_PYTHON"}
TRAINED = ("weights", "bias", "input_weights", "recurrent_weights")
OUTPUTS = 10
# Inputs are [time, batch, ...]: the chips share the batch.
SHARED_BATCH = PartitionSpec(None, "population")

Name = Literal[
    "LIF",
    "LeakyReadout",
    "LSTM",
    "LSTM train",
    "LIF network",
    "LIF network train",
    "Rate network",
    "LSTM network",
]


class Config(ExperimentConfig):
    """See configs/benchmark/kernels.yaml."""

    steps: Count = Field(default=100, le=10_000)
    batch: Count = Field(default=128, le=100_000, multiple_of=4)
    units: Count = Field(default=256, le=100_000)
    programs: tuple[Name, ...] = Field(min_length=1)


def build(name: str, units: int) -> jn.StateMachine:
    """The machine of a program: from `units` inputs to `units` outputs, or to `OUTPUTS` for a network."""
    key = jax.random.key(0)
    lif, readout = jn.LIF(dt_ms=1.0), jn.LeakyReadout()

    def network(neuron: Callable[..., jn.StateMachine], layer: bool) -> jn.StateMachine:
        return recurrent_network(neuron, layer, units, units, OUTPUTS, readout=None if layer else readout, key=key)

    builders: dict[str, Callable[[], jn.StateMachine]] = {
        "LIF": lambda: jn.Population(lif, units, shared=True),
        "LeakyReadout": lambda: jn.Population(readout, units, shared=True),
        "LSTM": lambda: jn.LSTM(units, units, key=key),
        "LIF network": lambda: network(lambda: lif, False),
        "Rate network": lambda: network(jn.Rate, False),
        "LSTM network": lambda: network(jn.LSTM, True),
    }
    return builders[name.removesuffix(" train")]()


def programs(config: Config, platform: Platform) -> Iterator[Program]:
    """What is compiled: `run` over a batch, or a step of Adam on the weights of a machine."""
    inputs = jax.ShapeDtypeStruct((config.steps, config.batch, config.units), jnp.float32)

    def forward(machine: jn.StateMachine, inputs: Float[Array, "time batch units"]) -> tuple[PyTree, Array]:
        # Time first in memory: with the batch first, XLA transposes inputs and outputs around the loop.
        each = jax.vmap(lambda sequence: jn.run(machine, sequence), in_axes=1, out_axes=(0, 1))
        return each(inputs)

    optimizer = optax.adam(1e-3)

    def step(machine: jn.StateMachine, moments: PyTree, inputs: Array) -> tuple[Any, PyTree, Array]:
        weights, fixed = eqx.partition(machine, train.mask(machine, TRAINED))

        def loss(weights: PyTree) -> Float[Array, ""]:
            return (forward(eqx.combine(weights, fixed), inputs)[1] ** 2).mean()

        value, gradient = jax.value_and_grad(loss)(weights)
        updates, moments = optimizer.update(gradient, moments, weights)
        return eqx.combine(optax.apply_updates(weights, updates), fixed), moments, value

    for name in config.programs:
        machine = jax.eval_shape(lambda name=name: build(name, config.units))
        if name.endswith(" train"):
            weights, _ = eqx.partition(machine, train.mask(machine, TRAINED))
            moments = jax.eval_shape(optimizer.init, weights)
            specs = (None, None, SHARED_BATCH)
            yield Program(name, step, (machine, moments, inputs), config.steps, specs)
        else:
            yield Program(name, forward, (machine, inputs), config.steps, (None, SHARED_BATCH))


def main(config: Config, run: Run) -> dict[str, Any]:
    """Compile everything for every platform whose interpreter is known."""
    pythons: dict[Platform, str] = {
        platform: os.environ[name] for platform, name in PYTHONS.items() if os.environ.get(name)
    }
    if not pythons:
        advice = "; ".join(f"{PYTHONS[p]} (there: {INSTALL[p].format(jax.__version__)})" for p in PYTHONS)
        raise ConfigError(f"no interpreter with an accelerator's compiler is known. Set one or both of {advice}.")
    reports: dict[str, list[dict[str, Any]]] = {}
    for platform, python in pythons.items():
        reports[platform] = []
        for report in compile_in(python, platform, Path(__file__), config.model_dump_json()):
            reports[platform].append(report)
            kernels = _told(report["kernels_per_step"], 1, ", {:.2f} kernels per step")
            run.say(f"{platform}: {report['name']} compiles{kernels}")
    return {"reports": reports, "missing": [platform for platform in PYTHONS if platform not in pythons]}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report: a table for each platform."""
    sections = []
    workload = f"{config.steps} time steps, batch {config.batch}, {config.units} units."
    if "cuda" in results["reports"]:
        sections.append(
            Section(
                title="NVIDIA H100",
                text=f"Kernels launched per time step, those before and after the loops shared out. {workload}",
                columns=["program", "kernels per step", "outside of loops", "temporary MB"],
                rows=[
                    [
                        report["name"],
                        _told(report["kernels_per_step"], 1, "{:.2f}"),
                        _told(report["kernels_outside"], 1, "{:.0f}"),
                        _told(report["temp_bytes"], 1e6, "{:.1f}"),
                    ]
                    for report in results["reports"]["cuda"]
                ],
            )
        )
    if "tpu" in results["reports"]:
        sections.append(
            Section(
                title="TPU v5e, 2 x 2",
                text=f"Per chip; the four share the batch. MFLOP counts the body of a loop once; the time is the "
                f"compiler's own estimate, without the start of loops and the wait for memory. {workload}",
                columns=["program", "MFLOP", "estimated us per step", "temporary MB"],
                rows=[
                    [
                        report["name"],
                        _told(report["flops"], 1e6, "{:,.1f}"),
                        _told(report["seconds_estimate"], 1e-6 * config.steps, "{:.2f}"),
                        _told(report["temp_bytes"], 1e6, "{:.1f}"),
                    ]
                    for report in results["reports"]["tpu"]
                ],
            )
        )
    return sections


def _told(number: float | None, unit: float, form: str) -> str:
    return "" if number is None else form.format(number / unit)
