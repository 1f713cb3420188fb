"""Does a temporal memory learn sequences as its papers say? High-order prediction, change, several endings, dead cells.

A stream of sequences that share their middles, with elements of noise between them, goes through a temporal memory one
element at a time, and never comes again. What it predicts are the elements whose codes overlap most with the
minicolumns that have predicted cells. Right is a prediction of the last element of a sequence, made just before it.
Beside that stands what Hawkins and Ahmad measure: which share of the predicted minicolumns becomes active, at every
element, those included that nobody can predict.
"""

import functools
import time
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt8
from pydantic import Field, model_validator

import jaxneuro as jn
from jaxneuro.launch import sequence_page
from jaxneuro.launch.config import ConfigPart, Count, ExperimentConfig, Fraction, Name, Whole, refusal
from jaxneuro.launch.directory import Run
from jaxneuro.launch.explain import Problem
from jaxneuro.launch.kinds import MachineSpec, build
from jaxneuro.launch.report import Section
from jaxneuro.tasks import sequences

WINDOW = 100  # ends of sequences over which accuracy is a mean
LEARNT = 0.95
COUNTERS = ("winners", "learning", "punished", "evicted", "synapses")


class Trial(ConfigPart):
    """A memory and the stream it learns.

    Fields:
        name: of the trial.
        memory: the temporal memory.
        endings: how many elements may follow the same beginning, and how many predictions are allowed.
        before, after: the sequences, of symbols from 0; drawn for every seed by `overlapping` unless given.
        elements: of the stream.
        change_at: from which element on other sequences come; elements if none do.
        noise: how many elements of noise there are; 0 for always new ones.
        gap: elements of noise after each sequence.
        apart: whether the codes of symbols have no minicolumns in common; else they are drawn.
        deaths: shares of cells that die at `change_at`, each in a copy of the memory that learns no more.
        elements_after_death: length of another stream of the first sequences, which these copies are tested on.
    """

    name: Name
    memory: MachineSpec
    endings: Annotated[int, Field(ge=1, le=4)] = 1
    before: tuple[tuple[Whole, ...], ...] = ()
    after: tuple[tuple[Whole, ...], ...] = ()
    elements: Count
    change_at: Count
    noise: Whole = 5000
    gap: Count = 1
    apart: bool = False
    deaths: tuple[Fraction, ...] = ()
    elements_after_death: Whole = 0


class Config(ExperimentConfig):
    """See configs/sequence_memory/.

    Fields:
        seeds: for each its own sequences, stream, codes and memory.
        active: minicolumns of an element's code.
        chunk: elements between two reports of progress; lengths must be multiples of it.
        every: elements between two points of the curves.
        trials: what is run.
    """

    seeds: Count = Field(default=10, le=1000)
    active: Count = Field(default=40, le=1000)
    chunk: Count = 500
    every: Count = 50
    trials: tuple[Trial, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _lengths_fit(self) -> "Config":
        machines = [trial.memory.kind for trial in self.trials]
        wrong = [
            Problem(("trials", number, "memory", "kind"), f"is {kind}; it must be TemporalMemory.")
            for number, kind in enumerate(machines)
            if kind != "TemporalMemory"
        ]
        wrong += [
            Problem(("trials", number, name), f"is {value}; it must be a multiple of chunk, {self.chunk}.")
            for number, trial in enumerate(self.trials)
            for name in ("elements", "change_at", "elements_after_death")
            if (value := getattr(trial, name)) % self.chunk
        ]
        if wrong:
            raise refusal(wrong)
        return self


class Trace(eqx.Module):
    """What is kept of every element.

    Attributes:
        rank: how many symbols are predicted more than the one that comes next.
        hits: minicolumns that were predicted for this element and are active.
        predicted: minicolumns that were predicted for this element.
    """

    rank: Int[Array, "*time"]
    hits: Int[Array, "*time"]
    predicted: Int[Array, "*time"]


class Progress(eqx.Module):
    """The memory's state, the minicolumns that it expects, and how much had no room so far."""

    state: Any
    expected: Bool[Array, "columns"]
    overflow: Int[Array, "counters"]


class Material(eqx.Module):
    """What a memory gets in a seed.

    Attributes:
        codes: the active minicolumns of each element, ascending.
        elements: which element comes when.
        ends: whether it is the last of its sequence.
    """

    codes: np.ndarray
    elements: np.ndarray
    ends: np.ndarray


def start(memory: jn.htm.TemporalMemory, key: PRNGKeyArray) -> Progress:
    """A memory that knows nothing."""
    return Progress(memory.init(key), jnp.zeros(memory.columns, bool), jnp.zeros(len(COUNTERS), jnp.int32))


@functools.partial(jax.jit, donate_argnames="progress")
def advance(
    memory: jn.htm.TemporalMemory,
    progress: Progress,
    active: Int[Array, "time active"],
    following: Int[Array, "time"],
    learn: Bool[Array, ""],
    symbols: Int[Array, "symbols active"],
    lots: UInt8[Array, "time symbols"],
) -> tuple[Progress, Trace]:
    """A stretch of the stream.

    Args:
        memory: the memory.
        progress: before.
        active: codes of the elements.
        following: the number of the next element; it need not be a symbol.
        learn: whether the memory learns.
        symbols: codes of the symbols, filled up with numbers that are no minicolumn.
        lots: decide between symbols that are predicted equally.
    """
    real = symbols[:, 0] < memory.columns

    def step(progress: Progress, given: tuple[Array, Array, Array]) -> tuple[Progress, Trace]:
        columns, following, lots = given
        hits = jnp.sum(progress.expected[columns], dtype=jnp.int32)
        predicted = jnp.sum(progress.expected, dtype=jnp.int32)
        state, output = memory.step(progress.state, jn.htm.Columns(columns, learn))
        expected = jnp.any(output.predicted > 0, axis=1)
        overlap = jnp.sum(expected.at[symbols].get(mode="fill", fill_value=False), axis=1, dtype=jnp.int32)
        score = jnp.where(real, overlap * 256 + lots.astype(jnp.int32), -1)
        rank = jnp.sum(score > score[jnp.minimum(following, score.shape[0] - 1)], dtype=jnp.int32)
        overflow = jnp.stack([getattr(output.overflow, name) for name in COUNTERS])
        return Progress(state, expected, progress.overflow + overflow), Trace(rank, hits, predicted)

    return jax.lax.scan(step, progress, (active, following, lots))


@jax.jit
def killed(memory: jn.htm.TemporalMemory, progress: Progress, dead: Bool[Array, "columns cells"]) -> Progress:
    """A copy in which cells are dead."""
    state = progress.state
    left = jn.htm.without_cells(memory.segments, state.pool, state.active, dead)
    return eqx.tree_at(lambda part: (part.state.pool, part.state.active), progress, left)


def sets(trial: Trial, key: PRNGKeyArray) -> tuple[Array, Array]:
    """The sequences before and after the change."""
    if not trial.before:
        before, after = sequences.overlapping(key, trial.endings)
        return before, after
    longest = max(map(len, (*trial.before, *trial.after)))
    return sequences.padded(trial.before, longest), sequences.padded(trial.after or trial.before, longest)


def material(config: Config, trial: Trial, columns: int, seed: int) -> tuple[Material, Material, int]:
    """The stream, another one of the first sequences for the time after cells died, and the number of symbols."""
    set_key, *keys = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), seed), 3)
    before, after = sets(trial, set_key)
    symbols = int(max(before.max(), after.max())) + 1
    lengths = (trial.elements, trial.elements_after_death)
    changes = (trial.change_at, None)
    made = [
        sequences.stream(
            key, before, after, length + 1, symbols=symbols, noise=trial.noise, gap=trial.gap, change_at=change
        )
        for key, length, change in zip(keys, lengths, changes, strict=True)
    ]
    count = symbols + (trial.noise or max(lengths) + 1)
    codes = drawn_codes(np.random.default_rng([config.seed, seed]), count, columns, config.active)
    if trial.apart:
        codes[:symbols] = np.arange(symbols * config.active).reshape(symbols, -1)
    found = [Material(codes, np.asarray(part.elements), np.asarray(part.ends)) for part in made]
    return found[0], found[1], symbols


def drawn_codes(random: np.random.Generator, count: int, columns: int, active: int) -> np.ndarray:
    """Sets of minicolumns, each drawn evenly."""
    chances = random.random((count, columns), np.float32)
    return np.sort(np.argpartition(chances, active, axis=1)[:, :active], axis=1).astype(np.int32)


class Reader:
    """Leads a memory through streams, and keeps what it says."""

    def __init__(self, config: Config, memory: jn.htm.TemporalMemory, symbols: np.ndarray, seed: int) -> None:
        """Codes of symbols as one array, of the same size whatever their number is."""
        self.config, self.memory = config, memory
        most = -(-len(symbols) // 16) * 16
        self.symbols = np.full((most, config.active), memory.columns, np.int32)
        self.symbols[: len(symbols)] = symbols
        self.random = np.random.default_rng([config.seed, seed, 1])

    def read(self, progress: Progress, given: Material, first: int, last: int, learn: bool) -> tuple[Progress, Trace]:
        """The elements from `first` to before `last`; the given progress is used up."""
        traces = []
        for begin in range(first, last, self.config.chunk):
            end = begin + self.config.chunk
            lots = self.random.integers(0, 256, (self.config.chunk, len(self.symbols)), np.uint8)
            progress, trace = advance(
                self.memory,
                progress,
                given.codes[given.elements[begin:end]],
                given.elements[begin + 1 : end + 1],
                jnp.asarray(learn),
                self.symbols,
                lots,
            )
            traces.append(jax.device_get(trace))
        return progress, jax.tree.map(lambda *parts: np.concatenate(parts), *traces)


def answers(trace: Trace, given: Material, endings: int, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """At which elements an end was to be predicted, counted from the beginning of the stream, and whether it was."""
    due = np.flatnonzero(given.ends[first + 1 : first + 1 + len(trace.rank)])
    return due + first, np.asarray(trace.rank)[due] < endings


def sliding(right: np.ndarray) -> np.ndarray:
    """Means over the last `WINDOW` answers, or as many as there are."""
    total = np.concatenate([[0], np.cumsum(right)])
    last = np.arange(1, len(right) + 1)
    first = np.maximum(last - WINDOW, 0)
    return (total[last] - total[first]) / (last - first)


def learnt_at(due: np.ndarray, right: np.ndarray) -> int | None:
    """The element at which `LEARNT` of the last `WINDOW` answers were right for the first time."""
    reached = np.flatnonzero(sliding(right)[WINDOW - 1 :] >= LEARNT)
    return int(due[reached[0] + WINDOW - 1]) if len(reached) else None


def smoothed_hits(trace: Trace) -> Float[np.ndarray, "time"]:
    """Share of predicted minicolumns that become active, as Hawkins and Ahmad smooth it.

    An exponential mean with a rate of 0.01, which starts at 0, and then the mean of its last 60 values.
    """
    shares = trace.hits / np.maximum(trace.predicted, 1)
    slow = np.empty(len(shares))
    mean = 0.0
    for place, share in enumerate(shares[1:], start=1):
        mean = 0.99 * mean + 0.01 * share
        slow[place] = mean
    slow[0] = 0.0
    total = np.concatenate([[0.0], np.cumsum(slow)])
    last = np.arange(1, len(slow) + 1)
    first = np.maximum(last - 60, 0)
    return (total[last] - total[first]) / (last - first)


def one_seed(config: Config, trial: Trial, memory: jn.htm.TemporalMemory, seed: int) -> dict[str, Any]:
    """Everything that is asked of a memory in one seed."""
    given, later, symbols = material(config, trial, memory.columns, seed)
    reader = Reader(config, memory, given.codes[:symbols], seed)
    memory_key, death_key = jax.random.split(jax.random.fold_in(jax.random.key(config.seed + 1), seed))
    progress = jax.jit(start)(memory, memory_key)
    change = min(trial.change_at, trial.elements)
    progress, trace = reader.read(progress, given, 0, change, True)
    died, overflow = [], np.zeros(len(COUNTERS), int)
    for place, share in enumerate(trial.deaths):
        chances = jax.random.uniform(jax.random.fold_in(death_key, place), (memory.columns, memory.cells))
        # Exactly this share of all cells.
        dead = chances < jnp.quantile(chances, share) if share < 1 else jnp.ones_like(chances, bool)
        tested, told = reader.read(killed(memory, progress, dead), later, 0, trial.elements_after_death, False)
        died.append(answers(told, later, trial.endings)[1])
        overflow += np.asarray(tested.overflow) - np.asarray(progress.overflow)
    due, right = answers(trace, given, trial.endings)
    found = {"final": float(sliding(right)[-1]), "learnt_at": learnt_at(due, right), "right": right, "due": due}
    if trial.elements > change:
        progress, more = reader.read(progress, given, change, trial.elements, True)
        due, right = answers(more, given, trial.endings, change)
        found["final_after"] = float(sliding(right)[-1])
        again = learnt_at(due, right)
        found["relearnt_after"] = None if again is None else again - change
        trace = jax.tree.map(lambda *parts: np.concatenate(parts), trace, more)
        found |= {name: np.concatenate([found[name], new]) for name, new in (("due", due), ("right", right))}
    sizes = np.asarray(progress.state.pool.sizes)
    return {
        **found,
        "died": [float(values.mean()) for values in died],
        "hits": smoothed_hits(trace),
        "overflow": (overflow + np.asarray(progress.overflow)).tolist(),
        "segments": int((sizes > 0).sum()),
        "synapses": int(sizes.sum(dtype=np.int64)),
    }


def main(config: Config, run: Run) -> dict[str, Any]:
    """Run every trial."""
    rows, arrays = [], {}
    for trial in config.trials:
        began = time.monotonic()
        memory = build(trial.memory)
        found = []
        for seed in range(config.seeds):
            found.append(one_seed(config, trial, memory, seed))
            told = {name: found[-1].get(name) for name in ("final", "learnt_at", "relearnt_after", "died", "overflow")}
            run.say(f"{trial.name}, seed {seed}: {told}")
        places = np.arange(config.every, trial.elements + 1, config.every)
        curves = [np.interp(places, row["due"], sliding(row["right"])) for row in found]
        arrays |= {
            f"{trial.name}/elements": places,
            f"{trial.name}/accuracy": np.stack(curves),
            f"{trial.name}/hits": np.stack([row["hits"][places - 1] for row in found]),
        }
        kept = ("final", "learnt_at", "final_after", "relearnt_after", "segments", "synapses")
        rows.append(
            {
                "trial": trial.name,
                **{name: [row[name] for row in found] for name in kept if name in found[0]},
                "deaths": {str(share): [row["died"][n] for row in found] for n, share in enumerate(trial.deaths)},
                "hits": {
                    str(place): [float(row["hits"][place - 1]) for row in found]
                    for place in sequence_page.HITS_AT
                    if place <= trial.elements
                },
                "overflow": dict(zip(COUNTERS, np.sum([row["overflow"] for row in found], 0).tolist(), strict=True)),
                "seconds": round(time.monotonic() - began, 1),
            }
        )
    run.save_arrays(arrays)
    return {"trials": rows}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    changes = {trial.name: trial.change_at for trial in config.trials}
    endings = {trial.endings for trial in config.trials}
    always_new = all(trial.noise == 0 for trial in config.trials)
    return sequence_page.sections(results, arrays, changes, config.seeds, endings, always_new)
