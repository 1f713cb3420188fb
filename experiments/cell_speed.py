"""How fast is each recurrent neuron beside the same equations in the usual form? A row per neuron.

The train step (gradients of weights and inputs of the sum of squares of the outputs) through `jaxneuro.run`, beside a
plain `jax.lax.scan` of the same cell, which is how Equinox and Flax run one, beside Flax's and Equinox's own cell where
there is one, and beside PyTorch's layer. Neurons that are linear in their own state are run one step after the other,
by the parallel scan, and all at once but for the recurrence, at a short and at a long sequence. Ratios of interleaved
rounds, never absolute times.
"""

import functools
import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch.config import ConfigError, Count, ExperimentConfig
from jaxneuro.launch.directory import Run
from jaxneuro.launch.kinds import Kind, build, kinds, parse, public
from jaxneuro.launch.peers import started
from jaxneuro.launch.report import Section
from jaxneuro.launch.tables import EXAMPLES, examples
from jaxneuro.machine import Parallel
from jaxneuro.measure.cost import operations, state_numbers
from jaxneuro.measure.timing import Worker, clock, compare
from jaxneuro.run import Executor

SUPPLIED = ("inputs", "units")
# Flax, Equinox and PyTorch all have the GRU whose reset gate comes after the product, and so has Flax's MGU.
OPTIONS: dict[str, dict[str, Any]] = {"GRU": {"reset_after": True}, "MGU": {"reset_after": True}}
# Real numbers in a number of the layer's own algebra.
REALS = {"AlgebraLSTM": 4, "AlgebraRNN": 4}
# Read a context beside their input.
OTHER_INPUTS = ("ActiveDendrites",)
# What a gradient keeps of a neuron's state, and what one may have of it in memory (numbers).
LARGEST_HISTORY = 150_000_000
# Operations of the forward pass of a batch, so that no row takes minutes.
LARGEST_WORK = 40_000_000_000
# Executors of linear neurons beside the sequential one.
OTHERS: tuple[Executor, ...] = ("parallel", "recurrent")


class Config(ExperimentConfig):
    """See configs/benchmark/cells.yaml."""

    rounds: Count = Field(default=5, le=1000)
    steps: Count = 128
    batch: Count = 64
    inputs: Count = 256
    units: Count = 256
    long_steps: Count = 4096
    long_batch: Count = 4
    cells: tuple[str, ...] = Field(default=(), description="kinds of neurons; all recurrent layers unless given")
    torch_python: str | None = Field(default=None, description="an interpreter that has PyTorch")


def layers() -> list[str]:
    """All recurrent layers: kinds that take a number of inputs and of neurons, have a state, and read a vector."""
    found = []
    for name, kind in public(jn.StateMachine).items():
        takes = set(SUPPLIED) <= set(inspect.signature(kind).parameters)
        if (
            takes
            and not issubclass(kind, jn.Stateless)
            and name not in OTHER_INPUTS
            and name in kinds(Kind(supplied=(*SUPPLIED, *EXAMPLES)))
        ):
            found.append(name)
    return found


def made(name: str, inputs: int, units: int) -> jn.StateMachine:
    """A layer with its default options, or those of its peers; what needs another, or a genome, gets its example."""
    needed = examples(name, public(jn.StateMachine)[name])
    given: dict[str, Any] = {"kind": name, **needed, **OPTIONS.get(name, {})}
    spec = parse(given, Kind(supplied=SUPPLIED))
    reals = REALS.get(name, 1)
    return jax.jit(lambda key: build(spec, key=key, inputs=inputs // reals, units=units // reals))(jax.random.key(0))


def train_step(run: Callable[[Any, Array], Any], parameters: Any, data: Array) -> Callable[[], Any]:
    """The sum of squares of all outputs and its gradients by parameters and data, compiled."""
    arrays, rest = eqx.partition(parameters, eqx.is_inexact_array)

    def loss(arrays: Any, data: Array) -> Array:
        outputs = run(eqx.combine(arrays, rest), data)
        return (outputs * outputs).sum()

    return functools.partial(jax.jit(jax.value_and_grad(loss, argnums=(0, 1))), arrays, data)


def with_run(executor: Any = None) -> Callable[[jn.StateMachine, Array], Array]:
    """A batch through `jaxneuro.run`."""
    return lambda machine, data: jax.vmap(lambda x: jn.run(machine, x, executor=executor)[1])(data)


def with_scan(machine: jn.StateMachine, data: Array) -> Array:
    """A batch through a plain scan of the step."""
    return jax.vmap(lambda x: jax.lax.scan(machine.step, machine.init(jax.random.key(0)), x)[1])(data)


def flax_cell(name: str, config: Config, data: Array) -> Callable[[], object] | None:
    """The train step of Flax's own cell of this kind."""
    from flax import linen

    own = {"LSTM": "OptimizedLSTMCell", "GRU": "GRUCell", "MGU": "MGUCell", "RNN": "SimpleCell"}
    if name not in own:
        return None
    layer = linen.RNN(getattr(linen, own[name])(config.units))
    variables = jax.jit(layer.init)(jax.random.key(0), data)
    return train_step(lambda variables, data: layer.apply(variables, data), variables, data)


def equinox_cell(name: str, config: Config, data: Array) -> Callable[[], object] | None:
    """The train step of Equinox's own cell of this kind."""
    own = {"LSTM": eqx.nn.LSTMCell, "GRU": eqx.nn.GRUCell}
    if name not in own:
        return None
    cell = own[name](config.inputs, config.units, key=jax.random.key(0))
    zero = jnp.zeros(config.units)

    def run(cell: Any, data: Array) -> Array:
        def step(state: Any, x: Array) -> tuple[Any, Array]:
            state = cell(x, state)
            return state, state[0] if isinstance(state, tuple) else state

        start = (zero, zero) if name == "LSTM" else zero
        return jax.vmap(lambda x: jax.lax.scan(step, start, x)[1])(data)

    return train_step(run, cell, data)


def draw(batch: int, steps: int, inputs: int) -> Array:
    """A batch of sequences."""
    return jnp.asarray(np.random.default_rng(0).normal(size=(batch, steps, inputs)), jnp.float32)


def measure(name: str, config: Config, torch: Worker | None) -> dict[str, Any]:
    """One row."""
    machine = made(name, config.inputs, config.units)
    numbers = state_numbers(machine)
    work = operations(machine, jnp.zeros(config.inputs))
    batch = min(config.batch, LARGEST_HISTORY // (numbers * config.steps), LARGEST_WORK // (work * config.steps))
    data = draw(max(1, batch), config.steps, config.inputs)
    ours = train_step(with_run(), machine, data)
    began = time.perf_counter()
    jax.block_until_ready(ours())
    first = time.perf_counter() - began
    calls: dict[str, Any] = {"jaxneuro": ours, "plain scan": train_step(with_scan, machine, data)}
    if batch == config.batch:
        for peer, made_by in (("flax", flax_cell), ("equinox", equinox_cell)):
            if (call := made_by(name, config, data)) is not None:
                calls[peer] = call
    timers = {peer: functools.partial(clock, call) for peer, call in calls.items()}
    if torch is not None and name in ("LSTM", "GRU") and batch == config.batch:
        timers["torch"] = functools.partial(torch.time, f"{name.lower()} train")
    row: dict[str, Any] = {
        "neuron": name,
        "batch": len(data),
        "states": numbers,
        "parameters": jn.count_parameters(machine),
        "operations_per_step": work,
        "first_call_seconds": round(first, 2),
        **compare(timers, config.rounds),
    }
    if isinstance(machine, Parallel):
        row["executors"] = [executors(machine, config.steps, len(data), config), long_executors(machine, config)]
    return row


def executors(machine: jn.StateMachine, steps: int, batch: int, config: Config) -> dict[str, Any]:
    """The times of the other executors over that of the sequential one, forward and train."""
    data = draw(batch, steps, config.inputs)
    row: dict[str, Any] = {"steps": steps, "batch": batch}
    for what in ("forward", "train"):
        timers = {}
        for executor in ("sequential", *OTHERS):
            run = with_run(executor)
            forward = functools.partial(jax.jit(run), machine, data)
            timers[executor] = functools.partial(
                clock, forward if what == "forward" else train_step(run, machine, data)
            )
        ratios = compare(timers, config.rounds)["peer_over_ours"]
        row |= {f"{executor} {what}": ratios[executor] for executor in OTHERS}
    return row


def long_executors(machine: jn.StateMachine, config: Config) -> dict[str, Any]:
    """The same for a long sequence."""
    numbers = state_numbers(machine)
    batch = max(1, min(config.long_batch, LARGEST_HISTORY // (8 * numbers * config.long_steps)))
    return executors(machine, config.long_steps, batch, config)


def main(config: Config, run: Run) -> dict[str, Any]:
    """Time all neurons."""
    known = layers()
    if unknown := [name for name in config.cells if name not in known]:
        raise ConfigError(f"cells: {unknown[0]} is not a recurrent layer. Allowed: {', '.join(known)}.")
    # What has been compiled before would make the first call look short.
    jax.config.update("jax_enable_compilation_cache", False)
    script, sizes = (
        Path(__file__).with_name("speed_peers.py"),
        (config.steps, config.batch, config.inputs, config.units),
    )
    torch = started(config, "torch_python", script, "torch", *sizes)
    rows = []
    for name in config.cells or known:
        rows.append(measure(name, config, torch))
        found = {peer: ratio["median"] for peer, ratio in rows[-1]["peer_over_ours"].items()}
        run.say(f"{name}: {found}, first call {rows[-1]['first_call_seconds']} s")
    if torch is not None:
        torch.close()
    return {"cells": rows}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report: a table of train steps, and one of the ways to run linear neurons."""
    peers = ("plain scan", "flax", "equinox", "torch")
    ways = [f"{executor} {what}" for executor in OTHERS for what in ("forward", "train")]
    rows, linear = [], []
    for row in results["cells"]:
        ratios = row["peer_over_ours"]
        rows.append(
            [
                row["neuron"],
                f"{row['states']:,}",
                f"{row['parameters']:,}",
                f"{row['operations_per_step']:,}",
                str(row["batch"]),
                f"{row['milliseconds']['jaxneuro']:.0f}",
                *(f"{ratios[peer]['median']:.2f}" if peer in ratios else "" for peer in peers),
                f"{row['first_call_seconds']:.1f}",
            ]
        )
        for entry in row.get("executors", ()):
            sizes = [row["neuron"], str(entry["steps"]), str(entry["batch"])]
            linear.append([*sizes, *(f"{entry[what]['median']:.2f}" for what in ways)])
    columns = ["neuron", "states", "parameters", "operations per step", "batch", "ms"]
    return [
        Section(
            title="Train step: time of a peer over time of jaxneuro",
            text=f"{config.inputs} inputs, {config.units} neurons, {config.steps} steps; above 1 the peer is slower. "
            f"Median of {config.rounds} interleaved rounds. The first call includes the compilation.",
            columns=[*columns, *peers, "first call (s)"],
            rows=rows,
        ),
        Section(
            title="Linear neurons: time of other executors over time of the sequential one",
            text="Above 1 the other executor is slower.",
            columns=["neuron", "steps", "batch", *ways],
            rows=linear,
        ),
    ]
