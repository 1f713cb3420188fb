"""Does a memory that predicts notice when a stream goes wrong? The score of the Numenta Anomaly Benchmark.

A value and the time of day become a sparse code, a spatial pooler makes it active minicolumns, a temporal memory says
which share of them it had not predicted, and the likelihood of its recent average is the score. All of it learns from
the stream alone, one row after the other, and is new for every stream. Beside it: detectors without any memory of
sequences, and the raw share without the likelihood.

As the benchmark allows, the code of the value knows the range of its stream beforehand.
"""

import functools
import math
import time
from typing import Annotated, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import anomaly_page
from jaxneuro.launch.advice import unknown
from jaxneuro.launch.config import (
    ConfigError,
    ConfigPart,
    Count,
    ExperimentConfig,
    Name,
    NonNegative,
    Positive,
)
from jaxneuro.launch.directory import Run
from jaxneuro.launch.loop import train_in_chunks
from jaxneuro.launch.memory_parts import Memory, Pooler
from jaxneuro.launch.report import Section
from jaxneuro.measure import nab, plain_detectors
from jaxneuro.measure.nab import PROFILES
from jaxneuro.tasks import anomalies
from jaxneuro.tasks.anomalies import Corpus, Series

# The finest step of the code of a value, whatever the range of the stream is.
FINEST = 0.001
OVERFLOW = ("winners", "learning", "punished", "evicted", "synapses")


class Streams(ConfigPart):
    """Which streams: the benchmark from a folder, or made-up ones."""

    folder: Annotated[str | None, Field(description="where data/ and labels/ of the benchmark are")] = None
    streams: Count = Field(default=6, le=1000, description="made-up ones")
    rows: int = Field(default=2000, ge=400, le=100_000, description="of each made-up one")


class Code(ConfigPart):
    """The sparse code of a row.

    Fields:
        buckets: steps of the value over its padded range.
        padding: share of the range that is added at both ends.
        size, bits: of the code of the value: how many there are, and how many are on.
        day_bits: that are on for the time of day.
        day_radius_hours: times that far apart have no bit in common.
    """

    buckets: Count = 130
    padding: NonNegative = 0.2
    size: Count = Field(default=400, le=100_000)
    bits: Count = Field(default=21, le=1000)
    day_bits: Count = Field(default=21, le=1000)
    day_radius_hours: Positive = Field(default=9.49, le=24)


class Model(ConfigPart):
    """A detector with a temporal memory."""

    name: Name
    code: Code = Code()
    pooler: Pooler = Pooler()
    memory: Memory = Memory()


class Config(ExperimentConfig):
    """See configs/anomaly/."""

    seeds: Count = Field(default=5, le=1000)
    streams: Streams = Streams()
    chunk: Count = Field(default=1024, description="rows per call of the compiled program")
    shown: Annotated[
        str | None, Field(description="the stream of the figure; the first with a window unless given")
    ] = None
    models: tuple[Model, ...] = Field(min_length=1)


class Row(eqx.Module):
    """A row of a stream, or rows: the value, also in steps of its code, and the hour of the day, from 0 to 24."""

    value: Float[Array, "*rows"]
    place: Float[Array, "*rows"]
    hour: Float[Array, "*rows"]


class Found(eqx.Module):
    """What a detector says of a row, or of rows: the unpredicted share, its score, and what had no room."""

    raw: Float[Array, "*rows"]
    score: Float[Array, "*rows"]
    overflow: Int[Array, "*rows kinds"]


class DetectorState(eqx.Module):
    """The states of the parts."""

    pooler: Any
    memory: Any
    likelihood: Any


class Detector(jn.StateMachine[DetectorState, Row, Found]):
    """Codes of value and hour, end to end; pooler; memory; likelihood."""

    value: Any
    hour: Any
    pooler: Any
    memory: Any
    likelihood: Any

    def init(self, key: PRNGKeyArray) -> DetectorState:
        """All parts anew."""
        keys = jax.random.split(key, 3)
        parts = (self.pooler, self.memory, self.likelihood)
        return DetectorState(*(part.init(own) for part, own in zip(parts, keys, strict=True)))

    def step(self, state: DetectorState, input: Row) -> tuple[DetectorState, Found]:
        """One row."""
        bits = jnp.concatenate([self.value.respond(input.place), self.hour.respond(input.hour)])
        pooler, columns = self.pooler.step(state.pooler, bits)
        memory, found = self.memory.step(state.memory, columns)
        surprise = jn.htm.Surprise(input.value, found.anomaly)
        likelihood, said = self.likelihood.step(state.likelihood, surprise)
        overflow = jnp.stack([getattr(found.overflow, kind) for kind in OVERFLOW])
        return DetectorState(pooler, memory, likelihood), Found(found.anomaly, said.log_score, overflow)


def detector(model: Model, rows: int, key: PRNGKeyArray) -> Detector:
    """The detector for a stream of so many rows."""
    code, start = model.code, nab.probation(rows)
    value = jn.htm.RandomScalarEncoder(code.size, code.bits, key=key)
    day_size = math.ceil(code.day_bits * 24 / code.day_radius_hours)
    hour = jn.htm.ScalarEncoder(day_size, code.day_bits, periodic=True, high=24.0)
    pooler = jn.htm.SpatialPooler(code.size + day_size, **model.pooler.model_dump())
    memory = jn.htm.TemporalMemory(**model.memory.model_dump(), columns=model.pooler.columns)
    likelihood = jn.htm.AnomalyLikelihood(learning_period=start // 2, estimation_samples=start - start // 2)
    return Detector(value, hour, pooler, memory, likelihood)


def rows_of(series: Series, code: Code) -> Row:
    """The rows as the detector takes them.

    The step of the code of the value is its padded range over the number of buckets; a stream without range has one of
    1. Places count from the first value. In float64, as a value of many digits may have a small range.
    """
    low, high = series.values.min(), series.values.max()
    padded = (high - low) * (1 + 2 * code.padding) or 1.0
    place = (series.values - series.values[0]) / max(FINEST, padded / code.buckets)
    seconds = (series.times - series.times.astype("datetime64[D]")) / np.timedelta64(1, "s")
    return Row(*(np.asarray(array, np.float32) for array in (series.values, place, seconds / 3600)))  # pyright: ignore[reportArgumentType]


@functools.partial(jax.jit, donate_argnums=1)
def advance(detector: Detector, state: DetectorState, rows: Row) -> tuple[DetectorState, Found]:
    """Some rows; compiled once for all streams, seeds and thresholds."""
    return jax.lax.scan(detector.step, state, rows)


@jax.jit
def begin(detector: Detector, key: PRNGKeyArray) -> DetectorState:
    """Nothing learnt."""
    return detector.init(key)


def detect(model: Model, series: Series, key: PRNGKeyArray, chunk: int) -> Found:
    """A stream from its start to its end.

    The last rows are repeated until a chunk is full, and what is said of those is left out.
    """
    code_key, state_key = jax.random.split(key)
    made, rows = detector(model, len(series.values), code_key), rows_of(series, model.code)
    state, found = begin(made, state_key), []
    for first in range(0, len(series.values), chunk):
        places = np.minimum(np.arange(first, first + chunk), len(series.values) - 1)
        part = jax.tree.map(lambda array, places=places: array[places], rows)
        state, said = advance(made, state, part)
        found.append(jax.device_get(said))
    whole = jax.tree.map(lambda *parts: np.concatenate(parts)[: len(series.values)], *found)
    ruled = plain_detectors.out_of_range(series.values) == 1.0
    return eqx.tree_at(lambda found: found.score, whole, np.where(ruled, 1.0, whole.score).astype(np.float32))


class Progress(NamedTuple):
    """What is known of all streams after the first ones; the rest is 0.

    Attributes:
        streams: how many are done.
        raw, score: of every row of the corpus.
        overflow: sums over rows, by kind.
    """

    streams: np.ndarray
    raw: np.ndarray
    score: np.ndarray
    overflow: np.ndarray


def one_seed(config: Config, run: Run, model: Model, corpus: Corpus, seed: int) -> tuple[Progress, float]:
    """All streams, each with a memory of its own, and the median rows per second; goes on where a run was stopped."""
    ends = np.cumsum([len(series.values) for series in corpus.series])
    root = jax.random.fold_in(jax.random.key(config.seed), seed)

    def next_stream(done: Progress, count: int) -> tuple[Progress, dict[str, np.ndarray]]:
        number = int(done.streams)
        series = corpus.series[number]
        began = time.monotonic()
        found = detect(model, series, jax.random.fold_in(root, number), config.chunk)
        seconds = time.monotonic() - began
        raw, score = done.raw.copy(), done.score.copy()
        own = slice(ends[number] - len(series.values), ends[number])
        raw[own], score[own] = found.raw, found.score
        after = Progress(np.asarray(number + 1), raw, score, done.overflow + found.overflow.sum(axis=0))
        return after, {"rows_per_second": np.asarray([len(series.values) / seconds])}

    nothing = np.zeros(corpus.rows, np.float32)
    start = Progress(np.asarray(0), nothing, nothing, np.zeros(len(OVERFLOW), int))
    name = f"{model.name}-{seed}"
    done, history = train_in_chunks(run, name, next_stream, start, steps=len(corpus.series), chunk=1, every=4)
    return done, float(np.median(history["rows_per_second"]))


def main(config: Config, run: Run) -> dict[str, Any]:
    """All detectors on all streams."""
    folder = config.streams.folder
    made_up = functools.partial(anomalies.made_up, config.seed, config.streams.streams, config.streams.rows)
    corpus = anomalies.nab(folder) if folder else made_up()
    streams = [nab.weigh(len(series.values), series.windows) for series in corpus.series]
    shown = the_shown(config, corpus)
    begins = np.cumsum([len(series.values) for series in corpus.series])[:-1]
    chance = [np.random.default_rng((config.seed, seed)) for seed in range(config.seeds)]
    plain = {
        "silent": [[plain_detectors.silent(series.values) for series in corpus.series]],
        "random": [[plain_detectors.uniform(series.values, own) for series in corpus.series] for own in chance],
        "out of range": [[plain_detectors.out_of_range(series.values) for series in corpus.series]],
        "windowed Gaussian": [[plain_detectors.windowed_gaussian(series.values) for series in corpus.series]],
    }
    arrays: dict[str, Any] = {"values": corpus.series[shown].values, "windows": corpus.series[shown].windows}
    detectors = []
    for model in config.models:
        done, rates = zip(*(one_seed(config, run, model, corpus, seed) for seed in range(config.seeds)), strict=True)
        split = {
            kind: [np.split(getattr(one, kind).astype(float), begins) for one in done] for kind in ("score", "raw")
        }
        arrays[f"scores/{model.name}"] = split["score"][0][shown]
        cost = {
            "rows_per_second": float(np.median(rates)),
            "overflow": {
                kind: float(np.mean([one.overflow[place] for one in done]) / corpus.rows * 1000)
                for place, kind in enumerate(OVERFLOW)
            },
        }
        detectors.append(judged(model.name, split["score"], streams, corpus) | cost)
        detectors.append(judged(f"{model.name}, raw", split["raw"], streams, corpus))
    detectors += [judged(name, scores, streams, corpus) for name, scores in plain.items()]
    run.save_arrays(arrays)
    return {
        "data": corpus.provenance,
        "published": folder is not None,
        "windows": corpus.windows,
        "kinds": list(dict.fromkeys(kind_of(series) for series in corpus.series)),
        "shown": corpus.series[shown].name,
        "detectors": detectors,
    }


def the_shown(config: Config, corpus: Corpus) -> int:
    """The stream of the figure."""
    names = [series.name for series in corpus.series]
    if config.shown is None:
        return next(place for place, series in enumerate(corpus.series) if len(series.windows))
    if config.shown not in names:
        raise ConfigError(f"shown: {config.shown} {unknown(config.shown, names, 'stream')}")
    return names.index(config.shown)


def kind_of(series: Series) -> str:
    """The folder of a stream."""
    return series.name.split("/")[0]


def judged(name: str, seeds: list[list[np.ndarray]], streams: list[nab.Weighed], corpus: Corpus) -> dict[str, Any]:
    """The scores of a detector under all profiles, by seeds, and of the standard profile by kinds of stream."""
    results = {profile.name: [nab.score(scores, streams, profile) for scores in seeds] for profile in PROFILES}
    kinds: dict[str, list[float]] = {}
    for kind in dict.fromkeys(kind_of(series) for series in corpus.series):
        own = np.asarray([kind_of(series) == kind for series in corpus.series])
        windows = sum(len(series.windows) for series in corpus.series if kind_of(series) == kind)
        sums = [float(result.scores[own].sum()) for result in results[PROFILES[0].name]]
        kinds[kind] = [100 * (value + windows) / (2 * windows) if windows else value for value in sums]
    return {
        "name": name,
        "final": {profile: [result.final for result in found] for profile, found in results.items()},
        "final_left_out": {profile: [result.final_left_out for result in found] for profile, found in results.items()},
        "threshold": {profile: [result.threshold for result in found] for profile, found in results.items()},
        "kinds": kinds,
    }


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return anomaly_page.sections(results, arrays)
