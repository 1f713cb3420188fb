"""How fast are thousands of different cells trained in one program, beside compiling each of them?

Candidates have four gates of the input and one state, and twelve live nodes of one operation each. One program trains
all of them, of which nothing is static; beside it each cell of a sample is compiled by itself, as straight-line code
with plain automatic differentiation. Both take the same gradient steps on the same data: in a process of one core, for
the cost of not knowing the graph, and on all cores, for candidates per minute.
"""

import dataclasses
import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch.config import ConfigPart, Count, ExperimentConfig, Name
from jaxneuro.launch.directory import Run
from jaxneuro.launch.report import Section
from jaxneuro.measure.timing import clock
from jaxneuro.search.canonical import canonical
from jaxneuro.search.genome import ACTIVATIONS, COMBINES, FIRST_STATE, SIGMOID, TANH, Genome, Space, empty, live_wires
from jaxneuro.search.population import Weights, run_population
from jaxneuro.search.straight import StraightCell
from jaxneuro.search.tape import Tape, tape_of

SPACE = Space(stages=1, slots=4, nodes=12, states=2)
OPERATIONS = [("add", "identity"), ("multiply", "identity"), ("subtract", "identity")]
OPERATIONS += [("first", name) for name in ("tanh", "sigmoid", "relu", "complement")]
BINARY = 3  # of these, how many come first and read two wires
RATE = 1e-3
LOOP = 5  # gradient steps of one timed call, in one compiled loop for both


class Size(ConfigPart):
    """How large cells and data are, and how many cells a device takes at once."""

    name: Name
    steps: Count
    batch: Count
    units: Count
    inputs: Count
    population: Count
    chunk: Count


class Config(ExperimentConfig):
    """See configs/benchmark/search.yaml."""

    rounds: Count = Field(default=7, le=1000)
    sample: Count = Field(default=8, description="cells that are compiled by themselves")
    gradient_steps: tuple[Count, ...] = (20, 100, 300)
    rungs: tuple[Count, ...] = (20, 60, 300)
    whole: Count = Field(default=1000, description="candidates of the whole run, compilation included")
    sizes: tuple[Size, ...] = Field(min_length=1)


def draw(generator: np.random.Generator) -> Genome:
    """A random cell all of whose twelve nodes are live."""
    start, genome, unread = SPACE.node(0), empty(SPACE), []
    genome.source[0] = 3
    genome.input[:] = genome.recurrent[:] = genome.bias[:] = 1
    genome.squash[0] = [SIGMOID, SIGMOID, SIGMOID, TANH]
    for node in range(SPACE.nodes):
        # The last nodes must read what is left, but for what becomes the output and a state.
        forced = len(unread) > SPACE.nodes - node
        combine, activation = OPERATIONS[generator.integers(BINARY if forced else len(OPERATIONS))]
        genome.combine[0, node] = list(COMBINES).index(combine)
        genome.activation[0, node] = list(ACTIVATIONS).index(activation)
        for operand in (genome.first, genome.second)[: 1 if combine == "first" else 2]:
            if unread and (forced or generator.random() < 0.5):
                operand[0, node] = unread.pop(generator.integers(len(unread)))
            else:
                operand[0, node] = generator.integers(FIRST_STATE, start + node)
                unread = [wire for wire in unread if wire != operand[0, node]]
        unread.append(start + node)
    kept = unread[0] if len(unread) == 2 else start + generator.integers(SPACE.nodes // 2, SPACE.nodes - 1)
    genome.next[:] = [kept, SPACE.wires - 1]
    genome = dataclasses.replace(genome, output=np.asarray(SPACE.wires - 1, np.int32))
    live = live_wires(genome)
    # A state that nothing reads keeps nothing alive.
    return genome if all(start + node in live for node in range(SPACE.nodes)) else draw(generator)


def drawn(count: int, seed: int) -> Genome:
    """So many different cells, in canonical form, those with as many nodes side by side."""
    generator, found = np.random.default_rng(seed), {}
    while len(found) < count:
        form = canonical(draw(generator))
        found.setdefault(form.digest, form.genome)
    ordered = sorted(found.values(), key=lambda genome: int((genome.first > 0).sum()))
    return jax.tree.map(lambda *leaves: np.stack(leaves), *ordered)


def weights(size: Size, seed: int) -> Weights:
    """The weights of the population."""
    generator, slots = np.random.default_rng(seed), (size.population, 1, SPACE.slots, size.units)
    return Weights(
        jnp.asarray(generator.normal(size=(*slots, size.inputs)) / size.inputs**0.5, jnp.float32),
        jnp.asarray(generator.normal(size=(*slots, size.units)) / (2 * size.units**0.5), jnp.float32),
        jnp.zeros(slots),
    )


def trainer(size: Size, devices: int) -> Any:
    """`(weights, tape, data, steps) -> weights`: all cells, chunk after chunk, on some devices."""

    def loss(weights: Weights, tape: Tape, data: Array) -> Array:
        return jnp.square(run_population(weights, tape, data, False)).sum()

    def local(data: Array, steps: Array, weights: Weights, tape: Tape) -> Weights:
        def one_chunk(chunk: tuple[Weights, Tape]) -> Weights:
            def step(_: Array, now: Weights) -> Weights:
                return jax.tree.map(lambda w, d: w - RATE * d, now, jax.grad(loss)(now, chunk[1], data))

            return jax.lax.fori_loop(0, steps, step, chunk[0])

        chunks = jax.tree.map(lambda leaf: leaf.reshape(-1, size.chunk, *leaf.shape[1:]), (weights, tape))
        return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), jax.lax.map(one_chunk, chunks))

    if devices > 1:
        mesh, lanes = Mesh(np.asarray(jax.devices()[:devices]), ("lanes",)), PartitionSpec("lanes")
        specs = (PartitionSpec(), PartitionSpec(), lanes, lanes)
        local = jax.shard_map(local, mesh=mesh, in_specs=specs, out_specs=lanes, check_vma=False)
    return jax.jit(lambda weights, tape, data, steps: local(data, steps, weights, tape))


def alone(genome: Genome, size: Size) -> tuple[Callable[..., Any], jn.StateMachine]:
    """`(cell, data, steps) -> cell` for one cell as straight-line code under a plain scan, and the cell."""
    cell = StraightCell(size.inputs, size.units, genome, key=jax.random.key(0))

    def loss(cell: Any, data: Array) -> Array:
        def one(sequence: Array) -> Array:
            return jax.lax.scan(cell.step, cell.init(jax.random.key(0)), sequence)[1]

        outputs = jax.vmap(one, in_axes=1, out_axes=1)(data)
        return (outputs * outputs).sum()

    def descend(cell: jn.StateMachine, data: Array, steps: Array) -> jn.StateMachine:
        def step(_: Array, now: jn.StateMachine) -> jn.StateMachine:
            return jax.tree.map(lambda w, d: w - RATE * d, now, jax.grad(loss)(now, data))

        return jax.lax.fori_loop(0, steps, step, cell)

    return jax.jit(descend), cell


def seconds(function: Callable[..., Any], *arguments: Any) -> float:
    """Seconds of one call."""
    return clock(functools.partial(function, *arguments)) / 1000


def on_one_core(size: Size, rounds: int, sample: int, seed: int) -> list[float]:
    """Time of the population over that of straight-line code, in a process that has one core only."""
    told = json.dumps({"size": size.model_dump(), "rounds": rounds, "sample": sample, "seed": seed})
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "XLA_FLAGS": ""}
    command = [sys.executable, __file__, told]
    answer = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(answer.splitlines()[-1])


def child(told: dict[str, Any]) -> list[float]:
    """What `on_one_core` asks for; the core is chosen before JAX starts its threads."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    size = Size(**told["size"])
    setting = prepared(size, told["sample"], told["seed"])
    spread, many = trainer(size, 1), jnp.asarray(LOOP, jnp.int32)
    return [ours / theirs for ours, theirs in timed(setting, spread, size, many, told["rounds"])]


class Setting(NamedTuple):
    """What both ways are timed on."""

    tape: Tape
    start: Weights
    data: Array
    sample: list[tuple[Callable[..., Any], jn.StateMachine]]


def prepared(size: Size, sample: int, seed: int) -> Setting:
    """A population, and a few of its cells as straight-line code."""
    genomes = drawn(size.population, seed)
    data = jnp.asarray(np.random.default_rng(1).normal(size=(size.steps, size.inputs, size.batch)), jnp.float32)
    places = np.linspace(0, size.population - 1, sample).astype(int)
    chosen = [alone(jax.tree.map(lambda leaf, at=at: leaf[at], genomes), size) for at in places]
    return Setting(jax.jit(tape_of)(genomes), weights(size, 2), data, chosen)


def timed(setting: Setting, spread: Any, size: Size, many: Array, rounds: int) -> list[tuple[float, float]]:
    """Seconds per gradient step of a candidate in the population, and alone, in turn; the first round only warms."""
    sequences, found = jnp.swapaxes(setting.data, 1, 2), []
    for _ in range(rounds + 1):
        ours = seconds(spread, setting.start, setting.tape, setting.data, many) / size.population / LOOP
        theirs = np.mean([seconds(step, cell, sequences, many) for step, cell in setting.sample]) / LOOP
        found.append((ours, float(theirs)))
    return found[1:]


def measure(size: Size, config: Config) -> dict[str, Any]:
    """One size."""
    ratios = on_one_core(size, config.rounds, config.sample, config.seed)
    setting = prepared(size, config.sample, config.seed)
    one, many = jnp.asarray(1, jnp.int32), jnp.asarray(LOOP, jnp.int32)
    sequences, spread = jnp.swapaxes(setting.data, 1, 2), trainer(size, config.devices)
    compiled = seconds(spread, setting.start, setting.tape, setting.data, one)
    each = [seconds(step, cell, sequences, one) for step, cell in setting.sample]
    wall = timed(setting, spread, size, many, config.rounds)
    ours, theirs = (float(np.median(values)) for values in zip(*wall, strict=True))
    compile_each, before = float(np.median(each)) - theirs, spread._cache_size()
    for seed in (config.seed + 1, config.seed):
        tape = jax.jit(tape_of)(drawn(size.population, seed))
        jax.block_until_ready(spread(setting.start, tape, setting.data, one))
    return {
        "size": size.name,
        "population": size.population,
        "nodes": float(np.asarray(setting.tape.count).mean()),
        "first_call_seconds": compiled,
        "compile_each_seconds": compile_each,
        "milliseconds": {"population": 1e3 * ours, "alone": 1e3 * theirs},
        "one_core": {"median": float(np.median(ratios)), "min": min(ratios), "max": max(ratios)},
        "new_programs": spread._cache_size() - before,
        "candidates_per_minute": {str(n): 60 / (n * ours) for n in config.gradient_steps},
        "times_faster": {str(n): (compile_each + n * theirs) / (n * ours) for n in config.gradient_steps},
        "halving_times_faster": halving(config, compile_each, theirs, ours),
        "whole_run": whole(size, config, compile_each, theirs),
    }


def halving(config: Config, compile_each: float, theirs: float, ours: float) -> float:
    """Three rungs, a quarter going on at each: compiling every candidate, against the population's steps."""
    alive, last, steps = 64.0, 0, 0.0
    for rung in config.rungs:
        steps += alive * (rung - last)
        alive, last = alive / 4, rung
    return (64 * compile_each + steps * theirs) / (steps * ours)


def whole(size: Size, config: Config, compile_each: float, theirs: float) -> dict[str, float]:
    """So many candidates of 20 gradient steps, from drawing genomes on, in a new program."""
    jax.clear_caches()
    began, steps = time.perf_counter(), jnp.asarray(20, jnp.int32)
    data = jnp.asarray(np.random.default_rng(1).normal(size=(size.steps, size.inputs, size.batch)), jnp.float32)
    spread, start, count = trainer(size, config.devices), weights(size, 2), 0
    while count < config.whole:
        tape = jax.jit(tape_of)(drawn(size.population, count))
        jax.block_until_ready(spread(start, tape, data, steps))
        count += size.population
    spent = time.perf_counter() - began
    return {"candidates": count, "seconds": spent, "times_faster": count * (compile_each + 20 * theirs) / spent}


def main(config: Config, run: Run) -> dict[str, Any]:
    """Measure all sizes."""
    # What has been compiled before would make the first call look short.
    jax.config.update("jax_enable_compilation_cache", False)
    rows = []
    for size in config.sizes:
        rows.append(measure(size, config))
        row = rows[-1]
        run.say(
            f"{size.name}: one core {row['one_core']['median']:.2f} x straight-line code, first call "
            f"{row['first_call_seconds']:.1f} s, times faster than compiling each {row['times_faster']}"
        )
    return {"sizes": rows}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    columns = ["size", "ms per candidate and step", "straight-line code (ms)", "on one core", "first call (s)"]
    columns += ["compile each (s)", *(f"faster at {n} steps" for n in config.gradient_steps), "halving", "whole run"]
    rows = []
    for row in results["sizes"]:
        cells = [row["milliseconds"]["population"], row["milliseconds"]["alone"], row["one_core"]["median"]]
        cells += [row["first_call_seconds"], row["compile_each_seconds"]]
        cells += [row["times_faster"][str(n)] for n in config.gradient_steps]
        cells += [row["halving_times_faster"], row["whole_run"]["times_faster"]]
        rows.append([row["size"], *(f"{value:.3g}" for value in cells)])
    note = (
        f"Medians of {config.rounds} interleaved rounds on {config.devices} devices. On one core: time of the "
        "population over time of straight-line code, in a process of one core. Faster: candidates per time, once the "
        "population's program is compiled, against compiling each; the whole run includes its compilation and the "
        "drawing of cells."
    )
    return [Section("A population in one program, and each cell compiled", note, columns=columns, rows=rows)]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(child(json.loads(sys.argv[1]))) + "\n")
