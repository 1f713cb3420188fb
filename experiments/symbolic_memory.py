"""What can a temporal memory do of the battery's symbolic tasks, which networks learn by gradient?

A task becomes a stream of symbols: what is shown, and after each step that counts its answer. A temporal memory reads
the stream once, a sequence after the other, and learns by its own rule; a classifier of its active cells says how
likely every answer is, before it is told. In the test, on sequences that ask for what was not trained where the task
has such, nothing is learned. It is done twice: the right answer is told after it was asked, as in the training; or the
memory hears its own answer, the likeliest, and so learns as little of the truth as a network. Beside it stand tables
of the last one to four symbols of the same stream. The skill is that of the battery:

    skill = (baseline - loss) / (baseline - optimum)

Where chance reigns, as in reversal, answers that are told say more than the optimum knows: it is of who hears none.
"""

import functools
import time
from typing import Annotated, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import symbolic_page
from jaxneuro.launch.config import ConfigError, ConfigPart, Count, ExperimentConfig, LearningRate, Name, Within
from jaxneuro.launch.directory import Run
from jaxneuro.launch.kinds import Kind, MachineSpec, build
from jaxneuro.launch.report import Section
from jaxneuro.launch.symbolic_page import MEMORY
from jaxneuro.measure.interval import holm, mean_interval, paired_p_value
from jaxneuro.measure.ngrams import Table
from jaxneuro.tasks.interleaved import Stream, interleaved

LEAST = 1e-6  # a probability below counts as this
POINTS = 20  # of a learning curve
COUNTERS = ("winners", "learning", "punished", "evicted", "synapses")
MODES = ("told", "own")  # which answers are heard in the test


class SymbolTask(ConfigPart):
    """A task of the battery whose inputs are few."""

    name: Name
    ability: Name
    task: Annotated[MachineSpec, Kind(jn.tasks.Task, supplied=("codes", "images", "labels"))]


class Config(ExperimentConfig):
    """See configs/symbolic_memory/.

    Fields:
        seeds: for each its own sequences, codes and memory.
        training: sequences that are read once.
        evaluation: sequences of the test.
        active: minicolumns of a symbol's code; no two codes share any.
        memory: the temporal memory.
        learning_rates: of the classifier; the one is taken that foretold the last quarter of the training best.
        orders: symbols that tables look back.
        chunk: elements of a compiled stretch.
        tasks: what is to be learnt.
    """

    seeds: Annotated[int, Within(at_least=2, at_most=1000)] = 5
    training: Count = 1000
    evaluation: Count = 200
    active: Count = Field(default=16, le=1000)
    memory: MachineSpec
    learning_rates: tuple[LearningRate, ...] = Field(min_length=1)
    orders: tuple[Count, ...] = Field(min_length=1)
    chunk: Count = 1000
    tasks: tuple[SymbolTask, ...] = Field(min_length=1)


class Hearing(eqx.Module):
    """The states of the memory and of the classifiers, one for each learning rate; and the answers these gave last."""

    memory: Any
    classifiers: Any
    own: Int[Array, "rates"]
    overflow: Int[Array, "counters"]


class Heard(eqx.Module):
    """Symbols with what belongs to them, as `Stream` has it; a symbol beyond all codes is none."""

    symbols: Int[Array, "*elements"]
    first: Bool[Array, "*elements"]
    asks: Bool[Array, "*elements"]
    told: Bool[Array, "*elements"]
    answers: Int[Array, "*elements"]


class Parts(eqx.Module):
    """What stays the same: the memory, a classifier for each learning rate, codes of symbols, the first answer's."""

    memory: jn.htm.TemporalMemory
    classifiers: jn.htm.SDRClassifier
    codes: Int[Array, "symbols active"]
    shown: Int[Array, ""]

    def start(self, key: PRNGKeyArray) -> Hearing:
        """Nothing is known."""
        rates = self.classifiers.rate.shape[0]
        classifiers = jax.vmap(lambda classifier: classifier.init(key))(self.classifiers)
        return Hearing(
            self.memory.init(key), classifiers, jnp.zeros(rates, jnp.int32), jnp.zeros(len(COUNTERS), jnp.int32)
        )


@functools.partial(jax.jit, donate_argnames="state")
def hear(
    parts: Parts, state: Hearing, heard: Heard, learn: Bool[Array, ""], tell: Bool[Array, ""], chosen: Int[Array, ""]
) -> tuple[Hearing, tuple[Float[Array, "elements rates"], Bool[Array, "elements rates"]]]:
    """A stretch of a stream.

    Args:
        parts: memory, classifiers, codes.
        state: before; it is used up.
        heard: the stretch.
        learn: whether to learn.
        tell: whether right answers are heard; else the own ones in their place.
        chosen: whose own answers, a place among the learning rates.

    Returns:
        The state after it; for each element and learning rate the loss if the answer is asked here (nats), and whether
        the likeliest answer is right.
    """
    memory, cells = parts.memory, parts.memory.cells

    def step(state: Hearing, heard: Heard) -> tuple[Hearing, tuple[Array, Array]]:
        own = parts.shown + state.own[chosen]
        symbol = jnp.where(heard.told & ~tell, own, heard.symbols)
        columns = parts.codes.at[symbol].get(mode="fill", fill_value=memory.columns)
        held, output = memory.step(state.memory, jn.htm.Columns(columns, learn, heard.first))
        active = jn.htm.unpack(output.active.at[columns].get(mode="fill", fill_value=0), cells)
        numbered = columns[:, None] * cells + jnp.arange(cells, dtype=columns.dtype)[None]
        pattern = jnp.where(active, numbered, memory.columns * cells).ravel()
        labelled = jn.htm.Labelled(pattern, heard.answers, jnp.zeros(()), heard.asks & learn)
        classifiers, said = jax.vmap(lambda one, state: one.step(state, labelled))(parts.classifiers, state.classifiers)
        odds = said.probabilities[:, 0]
        loss = -jnp.log(jnp.maximum(odds[:, heard.answers], LEAST))
        likeliest = jnp.argmax(odds, axis=-1).astype(jnp.int32)
        overflow = state.overflow + jnp.stack([getattr(output.overflow, name) for name in COUNTERS])
        return Hearing(held, classifiers, likeliest, overflow), (loss, likeliest == heard.answers)

    return jax.lax.scan(step, state, heard)


class Told(NamedTuple):
    """Loss (nats) and whether the likeliest answer was right, of each answer that was asked for."""

    loss: Float[np.ndarray, "asked *rates"]
    right: Bool[np.ndarray, "asked *rates"]


def listen(
    config: Config, parts: Parts, state: Hearing, stream: Stream, learn: bool, tell: bool = True, chosen: int = 0
) -> tuple[Hearing, Told]:
    """A whole stream, in stretches of equal length."""
    nothing, missing = len(parts.codes), -len(stream.symbols) % config.chunk
    padded = Stream(
        np.pad(stream.symbols, (0, missing), constant_values=nothing).astype(np.int32),
        np.pad(stream.first, (0, missing)),
        np.pad(stream.asks, (0, missing)),
        np.pad(stream.told, (0, missing)),
        np.pad(stream.answers, (0, missing)).astype(np.int32),
    )
    found = []
    for begin in range(0, len(padded.symbols), config.chunk):
        stretch = Heard(*jax.tree.map(lambda array, at=begin: jnp.asarray(array[at : at + config.chunk]), padded))
        state, told = hear(parts, state, stretch, jnp.asarray(learn), jnp.asarray(tell), jnp.asarray(chosen))
        found.append(jax.device_get(told))
    loss, right = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return state, Told(loss[padded.asks], right[padded.asks])


def consult(table: Table, stream: Stream, shown: int, learn: bool, tell: bool = True) -> Told:
    """The same stream, with a table of the last symbols."""
    loss, right, past, own = [], [], [], 0
    for symbol, first, asks, told, answer in zip(*(array.tolist() for array in stream), strict=True):
        past = [] if first else past
        past.append(shown + own if told and not tell else symbol)
        if asks:
            odds = table.probabilities(past)
            own = int(odds.argmax())
            loss.append(-np.log(max(odds[answer], LEAST)))
            right.append(own == answer)
            if learn:
                table.learn(past, answer)
    return Told(np.asarray(loss), np.asarray(right))


def one_seed(config: Config, wanted: SymbolTask, seed: int) -> dict[str, Any]:
    """Everybody on a task with the sequences of a seed: loss and share of right answers of each in the test."""
    task = build(wanted.task)
    keys = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), seed), 3)
    batches = [task.batch(keys[0], config.training), task.transfer().batch(keys[1], config.evaluation)]
    (training, test), shown = interleaved(batches)
    memory: jn.htm.TemporalMemory = build(config.memory)
    symbols = shown + task.outputs
    if symbols * config.active > memory.columns:
        raise ConfigError(
            f"{wanted.name} has {symbols} symbols of active={config.active} minicolumns; the memory has "
            f"{memory.columns}, it needs {symbols * config.active}."
        )
    drawn = np.random.default_rng([config.seed, seed]).permutation(memory.columns)[: symbols * config.active]
    codes = np.sort(drawn.reshape(symbols, config.active), axis=1).astype(np.int32)

    def classifier(rate: Array) -> jn.htm.SDRClassifier:
        bits, on = memory.columns * memory.cells, config.active * memory.cells
        return jn.htm.SDRClassifier(bits, task.outputs, on, (0,), rate=rate)

    classifiers = jax.vmap(classifier)(jnp.asarray(config.learning_rates))
    parts = Parts(memory, classifiers, jnp.asarray(codes), jnp.asarray(shown))
    state, learnt = listen(config, parts, parts.start(keys[2]), training, True)
    latest = learnt.loss[-(len(learnt.loss) // 4) :].mean(axis=0)
    chosen = int(latest.argmin())
    found: dict[str, dict[str, Told]] = {MEMORY: {}}
    for mode in MODES:
        state, tested = listen(config, parts, state, test, False, mode == "told", chosen)
        found[MEMORY][mode] = Told(tested.loss[:, chosen], tested.right[:, chosen])
    for order in config.orders:
        table = Table(order, task.outputs)
        consult(table, training, shown, True)
        found[f"table of {order}"] = {mode: consult(table, test, shown, False, mode == "told") for mode in MODES}
    curve = np.asarray([part.mean() for part in np.array_split(learnt.loss[:, chosen], POINTS)])
    return {
        "found": found,
        "rate": config.learning_rates[chosen],
        "curve": curve,
        "overflow": np.asarray(state.overflow).tolist(),
        "elements": len(training.symbols),
    }


def main(config: Config, run: Run) -> dict[str, Any]:
    """Everybody on all tasks."""
    if config.memory.kind != "TemporalMemory":
        raise ConfigError(f"memory.kind is {config.memory.kind}; it must be TemporalMemory.")
    began, rows, curves, overflow = time.monotonic(), [], {}, np.zeros(len(COUNTERS), int)
    for wanted in config.tasks:
        tested = build(wanted.task).transfer()
        baseline, optimum = tested.baseline, tested.optimum
        if optimum is None:
            raise ConfigError(f"{wanted.name}: the optimum of {wanted.task.kind} is not known; a skill needs it.")
        seeds = [one_seed(config, wanted, seed) for seed in range(config.seeds)]
        for name in seeds[0]["found"]:
            tests = [one["found"][name] for one in seeds]
            losses = {mode: [float(test[mode].loss.mean()) for test in tests] for mode in MODES}
            rows.append(
                {
                    "task": wanted.name,
                    "ability": wanted.ability,
                    "name": name,
                    "loss": losses,
                    "right": {mode: [float(test[mode].right.mean()) for test in tests] for mode in MODES},
                    "skills": {
                        mode: [max(-1.0, (baseline - loss) / (baseline - optimum)) for loss in losses[mode]]
                        for mode in MODES
                    },
                    "rates": [one["rate"] for one in seeds] if name == MEMORY else None,
                }
            )
            means = ", ".join(f"{mode} {np.mean(rows[-1]['skills'][mode]):.2f}" for mode in MODES)
            run.say(f"{wanted.name}, {name}: skill {means}")
        overflow += np.sum([one["overflow"] for one in seeds], axis=0)
        curves[wanted.name] = np.stack([(baseline - one["curve"]) / (baseline - optimum) for one in seeds])
    run.save_arrays(curves)
    return {
        "rows": rows,
        "differences": differences(rows),
        "overflow": dict(zip(COUNTERS, overflow.tolist(), strict=True)),
        "seconds": round(time.monotonic() - began, 1),
    }


def differences(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The memory's skill less that of the table that is best in the test, on each task and both ways, seed by seed.

    P-values are corrected together.
    """
    pairs = []
    for task, mode in ((task, mode) for mode in MODES for task in dict.fromkeys(row["task"] for row in rows)):
        skills = {row["name"]: row["skills"][mode] for row in rows if row["task"] == task}
        ours = skills.pop(MEMORY)
        best = max(skills, key=lambda name, skills=skills: float(np.mean(skills[name])))
        pairs.append(({"task": task, "mode": mode, "table": best}, ours, skills[best]))
    values = holm([paired_p_value(ours, theirs) for _, ours, theirs in pairs])
    return [
        named | {"p": p} | mean_interval(np.subtract(ours, theirs))._asdict()
        for (named, ours, theirs), p in zip(pairs, values, strict=True)
    ]


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return symbolic_page.sections(results, arrays, config.training)
