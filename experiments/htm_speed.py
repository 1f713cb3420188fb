"""How fast do a temporal memory and a spatial pooler learn on one core, and does what is stored slow them down?

Steps per second of processor time, learning on, of minicolumns of which few are active: a loop of patterns that is soon
known, sequences with noise between them, and patterns that are always new, so that segments pile up. The memory counts
the activity of its segments through lists of what leaves each minicolumn. Beside it what a thousand memories take that
look at every synapse instead, as one vmapped program.
"""

import functools
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch.config import ConfigPart, Count, ExperimentConfig, Name
from jaxneuro.launch.directory import Run
from jaxneuro.launch.figures import COLOURS, Panel, svg
from jaxneuro.launch.report import Section

Generator = np.random.Generator


class Workload(ConfigPart):
    """What a memory is given, for how long, and how much it has room for."""

    name: Name
    steps: Count
    segments: Count = Field(default=16, description="room per minicolumn")
    fan_out: Count = Field(default=1024, description="room for the synapses from one minicolumn")
    chunk: Count = Field(default=500, description="steps of one timed call")


class Config(ExperimentConfig):
    """See configs/benchmark/htm.yaml."""

    columns: Count = 2048
    cells: Count = 32
    active: Count = 40
    workloads: tuple[Workload, ...] = Field(min_length=1, description="loop, sequences or novel")
    stored: tuple[Count, Count] = Field(default=(4000, 64_000), description="segments at which rates are compared")
    rounds: Count = Field(default=15, description="of that comparison")
    inputs: Count = Field(default=2048, description="of the spatial pooler")
    pooler_steps: Count = 2000
    streams: Count = Field(default=1000, description="memories of one vmapped program")
    stream_segments: Count = Field(default=8, description="room per minicolumn of each of them")


def patterns(config: Config, number: int, generator: Generator) -> np.ndarray:
    """Random active minicolumns, ascending."""
    drawn = [generator.choice(config.columns, config.active, replace=False) for _ in range(number)]
    return np.sort(np.stack(drawn), axis=1).astype(np.int32)


def loop(config: Config, steps: int, generator: Generator) -> np.ndarray:
    """A hundred patterns, one after the other, again and again."""
    return patterns(config, 100, generator)[np.arange(steps) % 100]


def sequences(config: Config, steps: int, generator: Generator) -> np.ndarray:
    """One of twenty sequences of ten of sixty patterns, then two patterns of noise, and so on."""
    known, order = patterns(config, 60, generator), generator.integers(0, 60, size=(20, 10))
    parts: list[np.ndarray] = []
    for _ in range(-(-steps // 12)):
        parts += [known[order[generator.integers(20)]], patterns(config, 2, generator)]
    return np.concatenate(parts)[:steps]


def novel(config: Config, steps: int, generator: Generator) -> np.ndarray:
    """Never the same."""
    return patterns(config, steps, generator)


STREAMS: dict[str, Callable[[Config, int, Generator], np.ndarray]] = {
    "loop": loop,
    "sequences": sequences,
    "novel": novel,
}


def advanced(machine: jn.htm.TemporalMemory, state: Any, active: Array) -> tuple[Any, Any]:
    """The state after some steps, their anomalies and what had no room."""

    def step(state: Any, active: Array) -> tuple[Any, Any]:
        state, output = machine.step(state, active)
        return state, (output.anomaly, output.overflow)

    return jax.lax.scan(step, state, active)


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Processor time of a call, and what it gives."""
    began = time.process_time()
    found = jax.block_until_ready(call())
    return time.process_time() - began, found


def learning(config: Config, work: Workload) -> dict[str, Any]:
    """The rates of one workload, chunk after chunk; of patterns that are new, also at two numbers of segments."""
    generator = np.random.default_rng(config.seed)
    active = jnp.asarray(STREAMS[work.name](config, work.steps, generator))
    memory = jn.htm.TemporalMemory(
        config.columns, config.cells, segments=work.segments, fan_out=work.fan_out, winners=config.active + 24
    )
    program = jax.jit(advanced, donate_argnums=1)
    state = memory.init(jax.random.key(config.seed))
    jax.block_until_ready(program(memory, jax.tree.map(jnp.copy, state), active[: work.chunk]))
    rates, segments, anomalies, lost, kept = [], [], [], 0, {}
    for start in range(0, work.steps - work.chunk + 1, work.chunk):
        for stored in config.stored:
            if work.name == "novel" and stored not in kept and int((state.pool.sizes > 0).sum()) >= stored:
                kept[stored] = (jax.tree.map(jnp.copy, state), active[start : start + work.chunk])
        part = active[start : start + work.chunk]
        spent, (state, (anomaly, overflow)) = seconds(functools.partial(program, memory, state, part))
        rates.append(round(work.chunk / spent))
        segments.append(int((state.pool.sizes > 0).sum()))
        anomalies.append(round(float(anomaly.mean()), 4))
        lost += sum(int(leaf.sum()) for leaf in jax.tree.leaves(overflow))
    found = {"rates": rates, "segments": segments, "anomalies": anomalies, "without_room": lost}
    if len(kept) == len(config.stored):
        times: dict[int, list[float]] = {stored: [] for stored in kept}
        for _ in range(config.rounds):
            for stored, (state, part) in kept.items():
                copied = jax.block_until_ready(jax.tree.map(jnp.copy, state))
                times[stored].append(seconds(functools.partial(program, memory, copied, part))[0])
        at = {str(stored): round(work.chunk / float(np.median(spent))) for stored, spent in times.items()}
        few, many = (np.asarray(times[stored]) for stored in config.stored)
        found |= {"rate_at": at, "many_over_few": round(float(np.median(few / many)), 3)}
    return found


def pooling(config: Config) -> dict[str, Any]:
    """Steps per second of a spatial pooler on inputs of which a tenth is on."""
    generator = np.random.default_rng(config.seed)
    bits = jnp.asarray(generator.random((config.pooler_steps, config.inputs)) < 0.1)
    pooler = jn.htm.SpatialPooler(config.inputs, config.columns, winners=config.active)
    state = pooler.init(jax.random.key(config.seed))

    def run(pooler: jn.htm.SpatialPooler, state: Any, bits: Array, learn: Array) -> Any:
        return jax.lax.scan(pooler.step, state, jn.htm.Bits(bits, learn))

    program, rates = jax.jit(run, donate_argnums=1), {}
    for name, learns in (("learning", True), ("inference", False)):
        learn = jnp.full(config.pooler_steps, learns)
        jax.block_until_ready(program(pooler, jax.tree.map(jnp.copy, state), bits, learn))
        copied = jax.block_until_ready(jax.tree.map(jnp.copy, state))
        rates[name] = round(config.pooler_steps / seconds(functools.partial(program, pooler, copied, bits, learn))[0])
    return rates


def vmapped(config: Config) -> dict[str, Any]:
    """What many memories take in one program, as its compiler says; it is not run."""
    memory = jn.htm.TemporalMemory(config.columns, config.cells, segments=config.stream_segments, fan_out=None)
    keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), config.streams))
    states = jax.eval_shape(jax.vmap(memory.init), keys)
    active = jax.ShapeDtypeStruct((config.streams, config.active), jnp.int32)

    def step(states: Any, active: Array) -> Any:
        states, output = jax.vmap(memory.step)(states, active)
        return states, (output.anomaly, output.overflow)

    analysis: Any = jax.jit(step, donate_argnums=0).lower(states, active).compile().memory_analysis()
    held = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(states))
    return {
        "streams": config.streams,
        "segments_of_each": config.stream_segments * config.columns,
        "state_gigabytes": round(held / 1e9, 3),
        "program_gigabytes": round((held + analysis.temp_size_in_bytes) / 1e9, 3),
    }


def main(config: Config, run: Run) -> dict[str, Any]:
    """Time everything."""
    results: dict[str, Any] = {"workloads": {}}
    for work in config.workloads:
        results["workloads"][work.name] = found = learning(config, work)
        run.say(f"{work.name}: {found['rates'][-1]:,} steps/s at {found['segments'][-1]:,} segments")
    results["pooler"] = pooling(config)
    results["vmapped"] = vmapped(config)
    run.say(f"spatial pooler: {results['pooler']} steps/s; vmapped: {results['vmapped']}")
    return results


def rates(results: dict[str, Any]) -> Panel:
    """The rates of each workload over the segments that were stored."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for colour, (name, found) in zip(COLOURS, results["workloads"].items(), strict=False):
            axes.plot(found["segments"], found["rates"], ".-", color=colour, label=name)
        axes.set(xlabel="stored segments", ylabel="steps per second", ylim=(0, None))
        axes.legend()

    return draw


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    rows = []
    for name, found in results["workloads"].items():
        rows.append(
            [
                name,
                f"{found['rates'][0]:,}",
                f"{found['rates'][-1]:,}",
                f"{found['segments'][-1]:,}",
                f"{found['anomalies'][-1]:.3f}",
                str(found["without_room"]),
            ]
        )
    columns = ["workload", "first steps/s", "last steps/s", "segments", "last anomaly", "without room"]
    text = f"{config.columns:,} minicolumns of {config.cells} cells, {config.active} active; per second of one core."
    pooler = [[name, f"{rate:,}"] for name, rate in results["pooler"].items()]
    vmapped = [[name.replace("_", " "), f"{value:,}"] for name, value in results["vmapped"].items()]
    return [
        Section(title="Temporal memory", text=text, columns=columns, rows=rows, figure=svg(rates(results))),
        Section(title="Spatial pooler", text=f"{config.inputs:,} inputs.", columns=["", "steps/s"], rows=pooler),
        Section(title="Many streams", text="In one vmapped program.", columns=["", ""], rows=vmapped),
    ]
