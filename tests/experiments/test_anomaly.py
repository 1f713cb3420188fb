"""Detectors of anomalies in small: what enters them, what they learn, and the report."""

import jax
import numpy as np
import pytest

from experiments.anomaly import Code, Memory, Model, Pooler, detect, rows_of
from jaxneuro.launch.config import ConfigError
from jaxneuro.tasks import anomalies
from tests.experiments.small import run

SMALL = Model(
    name="small",
    pooler=Pooler(columns=128, winners=8),
    memory=Memory(
        cells=4, segments=16, synapses=8, fan_out=128, winners=32, learning_rows=32, punished_rows=32,
        activation_threshold=4.0, min_threshold=3.0, new_synapses=6.0,
    ),
)  # fmt: skip


def series(values, start="2026-01-01T22:00:00"):
    times = np.datetime64(start) + np.timedelta64(3600, "s") * np.arange(len(values))
    return anomalies.Series("a/b.csv", times, np.asarray(values, float), np.zeros((0, 2), int))


def test_values_are_in_steps_of_the_padded_range_and_hours_of_the_day():
    rows = rows_of(series([10.0, 20.0, 0.0, 30.0]), Code(buckets=42, padding=0.2))
    # A range of 30, padded to 42: steps of 1.
    np.testing.assert_allclose(rows.place, [0, 10, -10, 20], rtol=1e-6)
    assert rows.value.tolist() == [10, 20, 0, 30]
    assert rows.hour.tolist() == [22, 23, 0, 1]


def test_a_small_range_of_large_values_keeps_its_steps_and_none_is_no_fault():
    rows = rows_of(series(1e9 + np.asarray([0.0, 1.0, 2.0])), Code(buckets=28, padding=0.2))
    np.testing.assert_allclose(rows.place, [0, 10, 20], rtol=1e-6)
    assert rows_of(series([7.0, 7.0]), Code()).place.tolist() == [0, 0]
    # No step is finer than 0.001.
    np.testing.assert_allclose(rows_of(series([0.0, 0.01]), Code()).place, [0, 10], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.computing
def test_a_rhythm_is_learnt_and_the_end_of_a_stream_changes_nothing_before():
    values = np.tile(np.sin(2 * np.pi * np.arange(24) / 24), 20)
    found = detect(SMALL, series(values), jax.random.key(0), 160)
    shorter = detect(SMALL, series(values[:390]), jax.random.key(0), 160)
    np.testing.assert_allclose(shorter.raw, found.raw[:390], atol=1e-6)
    assert (found.raw.shape, found.overflow.shape, shorter.score.shape) == ((480,), (480, 5), (390,))
    assert found.raw[:24].mean() > 0.9
    assert found.raw[300:].mean() < 0.3
    assert 0 <= found.score.min() <= found.score.max() <= 1


@pytest.mark.slow
@pytest.mark.computing
def test_a_small_run_has_all_detectors_all_profiles_and_a_page(tmp_path):
    small = ("streams.streams=2", "streams.rows=600", "chunk=300", "shown=madeUp/stream_01.csv")
    pool = ("models.0.pooler.columns=128", "models.0.pooler.winners=8", "models.0.memory.segments=16")
    results, sections = run("anomaly/quickstart.yaml", tmp_path / "run", *small, *pool)
    rows = {row["name"]: row for row in results["detectors"]}
    assert list(rows) == ["htm", "htm, raw", "silent", "random", "out of range", "windowed Gaussian"]
    for row in rows.values():
        assert list(row["final"]) == ["standard", "reward low FP rate", "reward low FN rate"]
        for profile, finals in row["final"].items():
            for final, left_out in zip(finals, row["final_left_out"][profile], strict=True):
                assert left_out <= final <= 100
                assert final >= 0
    assert [len(row["final"]["standard"]) for row in rows.values()] == [2, 2, 1, 2, 1, 1]
    assert (rows["silent"]["final"]["standard"], rows["silent"]["threshold"]["standard"]) == ([0.0], [None])
    assert rows["htm"]["rows_per_second"] > 0
    assert (results["windows"], results["kinds"], results["published"]) == (4, ["madeUp"], False)
    assert [bool(section.figure) for section in sections] == [True, False, True, False]
    assert (tmp_path / "run" / "report.html").stat().st_size < 1_000_000


def test_streams_are_chosen_by_name(tmp_path):
    with pytest.raises(
        ConfigError, match=r"shown: madeUp/stream_0.csv is not a known stream. Did you mean madeUp/stream"
    ):
        run("anomaly/quickstart.yaml", tmp_path / "run", "streams.rows=400", "shown=madeUp/stream_0.csv")
