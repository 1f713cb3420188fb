"""How many taxi passengers in two and a half hours? A memory of sequences beside forecasts that any must beat.

The number of passengers in half an hour, the time of day and the day of the week become a sparse code, a spatial pooler
makes it active minicolumns, a temporal memory knows in which context, and a classifier of its active cells learns what
came five steps later. It learns from one row after the other, without looking back. Beside it: the last value, that of
a day or a week before, nearest neighbours, and an LSTM, which is trained on the rows before those that count.

The series of the Numenta Anomaly Benchmark has 10,320 rows; the published comparison used 17,520 and counted from row
10,000 on. Here it is from row 5,000 on: figures do not compare with the published ones, only with each other.
"""

import functools
from pathlib import Path
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import forecast_page
from jaxneuro.launch.config import (
    ConfigError,
    ConfigPart,
    Count,
    ExperimentConfig,
    Fraction,
    LearningRate,
    NonNegative,
    Number,
    Positive,
)
from jaxneuro.launch.directory import Run
from jaxneuro.launch.loop import train_in_chunks
from jaxneuro.launch.memory_parts import Memory, Pooler
from jaxneuro.launch.report import Section
from jaxneuro.learning import train
from jaxneuro.learning.optimizer import cosine_adam
from jaxneuro.measure import forecasts
from jaxneuro.tasks import anomalies

DAY, WEEK = 48, 336
OVERFLOW = ("winners", "learning", "punished", "evicted", "synapses")
TRAINED = ("weights", "input_weights", "recurrent_weights", "bias")


class Series(ConfigPart):
    """Which series: a file of the user, or a made-up one."""

    file: Annotated[str | None, Field(description="realKnownCause/nyc_taxi.csv of the benchmark")] = None
    rows: int = Field(default=3000, ge=2 * WEEK, le=1_000_000, description="of the made-up one, half an hour each")


class Code(ConfigPart):
    """Sparse codes: of the value between two bounds, of the time of day, and of the day of the week."""

    lowest: Number = 0.0
    highest: Number = 40_000.0
    size: Count = 109
    bits: Count = 29
    day_size: Count = 600
    week_size: Count = 100


class OwnPooler(Pooler):
    """The spatial pooler."""

    connected_permanence: Fraction = 0.5
    increment: Fraction = 0.0001


class OwnMemory(Memory):
    """The temporal memory."""

    cells: Count = Field(default=16, le=256)
    punished_rows: Count = 1024
    activation_threshold: Positive = 15.0
    min_threshold: Positive = 15.0
    new_synapses: NonNegative = 32.0
    predicted_decrement: Fraction = 0.01


class Classifier(ConfigPart):
    """The classifier of active cells."""

    buckets: Count = Field(default=22, le=10_000)
    rate: Positive = 0.01


class Lstm(ConfigPart):
    """The LSTM, trained on stretches of the rows before those that count."""

    units: Count = Field(default=20, le=10_000)
    past: Count = 96
    batch: Count = 32
    steps: Count = 1500
    learning_rate: LearningRate = 0.01


class Config(ExperimentConfig):
    """See configs/taxi/.

    Fields:
        ahead: steps of half an hour.
        start: the first row whose error counts.
        past, neighbours: of the forecast by nearest neighbours.
    """

    seeds: Count = Field(default=5, le=1000)
    series: Series = Series()
    ahead: Count = Field(default=5, le=DAY)
    start: Count = 5000
    past: Count = 48
    neighbours: Count = 5
    chunk: Count = 1024
    code: Code = Code()
    pooler: OwnPooler = OwnPooler()
    memory: OwnMemory = OwnMemory()
    classifier: Classifier = Classifier()
    lstm: Lstm = Lstm()


def made_up(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Times and values of a demand with a rhythm of days and of weeks: less on days 6 and 7, and noise of 3 %."""
    generator = np.random.default_rng(seed)
    row = np.arange(rows)
    times = np.datetime64("2026-01-05T00:00:00") + np.timedelta64(1800, "s") * row  # a Monday
    day = 2 * np.pi * (row % DAY) / DAY
    shape = 15_000 - 8000 * np.cos(day) - 3000 * np.cos(2 * day + 1)
    rest = np.where(row % WEEK >= 5 * DAY, 0.7, 1.0)
    return times, np.round(shape * rest * (1 + 0.03 * generator.standard_normal(rows)))


class Row(eqx.Module):
    """A row: the value, the hour of the day from 0 to 24, the day of the week from 0 to 7."""

    value: Float[Array, "*rows"]
    hour: Float[Array, "*rows"]
    day: Float[Array, "*rows"]


def rows_of(times: np.ndarray, values: np.ndarray) -> Row:
    """The rows of a series; Monday is day 0."""
    seconds = (times - np.datetime64("1970-01-05T00:00:00", "s")) / np.timedelta64(1, "s")  # a Monday
    arrays = values, seconds / 3600 % 24, seconds // 86_400 % 7
    return Row(*(jnp.asarray(array, jnp.float32) for array in arrays))


class Said(eqx.Module):
    """Forecasts after a row, or after rows.

    Attributes:
        expected: the mean under the probabilities of the classifier.
        likeliest: the value of its likeliest bucket.
        overflow: what the memory had no room for, by kind.
    """

    expected: Float[Array, "*rows"]
    likeliest: Float[Array, "*rows"]
    overflow: Int[Array, "*rows kinds"]


class ForecasterState(eqx.Module):
    """The states of the parts."""

    pooler: Any
    memory: Any
    classifier: Any


class Forecaster(jn.StateMachine[ForecasterState, Row, Said]):
    """Codes of value, time of day and day of the week, end to end; pooler; memory; classifier of its active cells."""

    value: Any
    hour: Any
    day: Any
    pooler: Any
    memory: Any
    classifier: Any
    low: Float[Array, ""]
    width: Float[Array, ""]

    def init(self, key: PRNGKeyArray) -> ForecasterState:
        """All parts anew."""
        keys = jax.random.split(key, 3)
        parts = (self.pooler, self.memory, self.classifier)
        return ForecasterState(*(part.init(own) for part, own in zip(parts, keys, strict=True)))

    def step(self, state: ForecasterState, input: Row) -> tuple[ForecasterState, Said]:
        """One row; what comes some steps later."""
        encoders, numbers = (self.value, self.hour, self.day), (input.value, input.hour, input.day)
        codes = [encoder.respond(number) for encoder, number in zip(encoders, numbers, strict=True)]
        pooler, columns = self.pooler.step(state.pooler, jnp.concatenate(codes))
        memory, found = self.memory.step(state.memory, columns)
        # Of each active minicolumn the numbers of its active cells; no cell has the number `inputs`.
        cells = self.memory.cells
        active = jn.htm.unpack(found.active.at[columns].get(mode="fill", fill_value=0), cells)
        numbered = columns[:, None] * cells + jnp.arange(cells, dtype=columns.dtype)[None]
        pattern = jnp.where(active, numbered, self.classifier.inputs).ravel()
        bucket = jnp.floor((input.value - self.low) / self.width).astype(jnp.int32)
        bucket = jnp.clip(bucket, 0, self.classifier.buckets - 1)
        labelled = jn.htm.Labelled(pattern, bucket, input.value, jnp.asarray(True))
        classifier, said = self.classifier.step(state.classifier, labelled)
        overflow = jnp.stack([getattr(found.overflow, kind) for kind in OVERFLOW])
        return ForecasterState(pooler, memory, classifier), Said(said.expected()[0], said.likeliest()[0], overflow)


def forecaster(config: Config) -> Forecaster:
    """The machine of a config."""
    code = config.code
    low, high = code.lowest, code.highest
    value = jn.htm.ScalarEncoder(code.size, code.bits, low=low, high=high)
    hour = jn.htm.ScalarEncoder(code.day_size, code.bits, periodic=True, high=24.0)
    day = jn.htm.ScalarEncoder(code.week_size, code.bits, periodic=True, high=7.0)
    pooler = jn.htm.SpatialPooler(code.size + code.day_size + code.week_size, **config.pooler.model_dump())
    memory = jn.htm.TemporalMemory(**config.memory.model_dump(), columns=config.pooler.columns)
    cells = config.memory.cells
    classifier = jn.htm.SDRClassifier(
        config.pooler.columns * cells,
        config.classifier.buckets,
        config.pooler.winners * cells,
        (config.ahead,),
        rate=config.classifier.rate,
    )
    width = jnp.asarray((high - low) / config.classifier.buckets)
    return Forecaster(value, hour, day, pooler, memory, classifier, jnp.asarray(low), width)


def lstm_forecast(config: Config, values: np.ndarray, rows: Row, key: PRNGKeyArray) -> np.ndarray:
    """Forecasts of all rows by a network that is trained on those before the ones that count."""
    own, before = config.lstm, values[: config.start]
    turns = [2 * jnp.pi * rows.hour / 24, 2 * jnp.pi * (rows.day + rows.hour / 24) / 7]
    scaled = jnp.asarray((values - before.mean()) / before.std(), jnp.float32)
    inputs = jnp.stack([scaled, *(wave(turn) for turn in turns for wave in (jnp.sin, jnp.cos))], axis=1)
    weight_key, readout_key, train_key = jax.random.split(key, 3)
    machine = jn.Chain(
        jn.LSTM(inputs.shape[1], own.units, key=weight_key), jn.Dense(own.units, 1, gain=0.1, key=readout_key)
    )
    optimizer = cosine_adam(own.learning_rate, own.steps)
    state = train.start(machine, optimizer, train_key, TRAINED)
    data = (inputs[: config.start - config.ahead], scaled[config.ahead : config.start])
    state, _ = train.advance(
        state,
        data,
        own.steps,
        loss=stretch_loss,
        sample=functools.partial(stretches, own.batch, min(own.past, config.start - config.ahead)),
        optimizer=optimizer,
        trained=TRAINED,
        clip=1.0,
    )
    outputs = np.asarray(jn.run(state.machine, inputs)[1][:, 0], float)
    return later(outputs * before.std() + before.mean(), config.ahead)


def stretches(batch: int, past: int, data: tuple[Array, Array], key: PRNGKeyArray, step: Int[Array, ""]) -> Any:
    """Stretches of rows and of what came later, from random places."""
    starts = jax.random.randint(jax.random.fold_in(key, step), (batch,), 0, data[0].shape[0] - past + 1)
    return jax.tree.map(lambda array: array[starts[:, None] + jnp.arange(past)[None]], data)


def stretch_loss(machine: jn.StateMachine, batch: tuple[Array, Array], key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean squared error over the second half of each stretch, when the network has seen the first."""
    inputs, targets = batch
    outputs = jax.vmap(lambda one: jn.run(machine, one)[1][:, 0])(inputs)
    return jnp.square(outputs - targets)[:, inputs.shape[1] // 2 :].mean()


@functools.partial(jax.jit, donate_argnums=1)
def advance(machine: Forecaster, state: ForecasterState, rows: Row) -> tuple[ForecasterState, Said]:
    """Some rows; compiled once for all seeds."""
    return jax.lax.scan(machine.step, state, rows)


@jax.jit
def begin(machine: Forecaster, key: PRNGKeyArray) -> ForecasterState:
    """Nothing learnt."""
    return machine.init(key)


class Done(eqx.Module):
    """What is known after some rows: the state of the machine, how many rows, and what was said after each."""

    state: ForecasterState
    rows: Int[Array, ""]
    said: Said


def memory_forecast(config: Config, run: Run, name: str, rows: Row, key: PRNGKeyArray) -> Said:
    """What the temporal memory says after every row; goes on where a run was stopped."""
    machine, total = forecaster(config), len(rows.value)

    def chunk(done: Done, count: int) -> tuple[Done, dict[str, Any]]:
        first = int(done.rows)
        places = np.minimum(np.arange(first, first + config.chunk), total - 1)
        state, new = advance(machine, done.state, jax.tree.map(lambda array: array[places], rows))
        kept = min(config.chunk, total - first)
        said = jax.tree.map(lambda all_, some: all_.at[first : first + kept].set(some[:kept]), done.said, new)
        return Done(state, done.rows + kept, said), {}

    nothing = Said(jnp.zeros(total), jnp.zeros(total), jnp.zeros((total, len(OVERFLOW)), jnp.int32))
    start = Done(begin(machine, key), jnp.zeros((), jnp.int32), nothing)
    return train_in_chunks(run, name, chunk, start, steps=-(-total // config.chunk), chunk=1)[0].said


def later(said: Array | np.ndarray, ahead: int) -> np.ndarray:
    """Forecasts at the rows that they are for."""
    return np.concatenate([np.full(ahead, np.nan), np.asarray(said, float)[:-ahead]])


def main(config: Config, run: Run) -> dict[str, Any]:
    """All forecasts."""
    if config.series.file:
        times, values = anomalies.timed_values(config.series.file)
        data = f"{Path(config.series.file).name}, {len(values):,} rows"
    else:
        times, values = made_up(config.seed, config.series.rows)
        data = f"made up: {len(values):,} rows, seed {config.seed}"
    if config.start + 2 * DAY > len(values) or config.start < WEEK + 2 * config.ahead + config.past + config.neighbours:
        raise ConfigError(f"start: {config.start} leaves too few rows of {len(values)} before or after it.")
    rows, root = rows_of(times, values), jax.random.key(config.seed)
    keys = [jax.random.fold_in(root, seed) for seed in range(config.seeds)]
    neighbours = forecasts.nearest(
        values, config.ahead, past=config.past, neighbours=config.neighbours, start=config.start
    )
    said = [memory_forecast(config, run, f"memory-{place}", rows, key) for place, key in enumerate(keys)]
    overflow = np.mean([np.asarray(one.overflow).mean(axis=0) for one in said], axis=0)
    found = {
        "temporal memory, likeliest": [later(one.likeliest, config.ahead) for one in said],
        "temporal memory, expected": [later(one.expected, config.ahead) for one in said],
        "LSTM": [lstm_forecast(config, values, rows, key) for key in keys],
        "nearest neighbours": [neighbours],
        "a week before": [forecasts.as_before(values, WEEK)],
        "a day before": [forecasts.as_before(values, DAY)],
        "the last value": [forecasts.as_before(values, config.ahead)],
    }
    run.save_arrays({"values": values} | {f"forecasts/{name}": each[0] for name, each in found.items()})
    counted = slice(config.start, None)
    return {
        "data": data,
        "published": config.series.file is not None,
        "rows": len(values),
        "start": config.start,
        "ahead": config.ahead,
        "seeds": config.seeds,
        "overflow": dict(zip(OVERFLOW, (1000 * overflow).tolist(), strict=True)),
        "forecasts": [
            {
                "name": name,
                "relative_error": [forecasts.relative_error(values[counted], one[counted]) for one in each],
                "normalised_error": [forecasts.normalised_error(values[counted], one[counted]) for one in each],
            }
            for name, each in found.items()
        ],
    }


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return forecast_page.sections(results, arrays)
