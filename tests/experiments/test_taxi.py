"""Forecasts of a demand in small: what enters them, that none knows the future, and the report."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.taxi import DAY, WEEK, Config, Lstm, later, lstm_forecast, made_up, rows_of
from jaxneuro.launch.config import ConfigError
from jaxneuro.measure import forecasts
from tests.experiments.small import run


def test_hours_and_days_of_times():
    # The first of July 2014 was a Tuesday.
    times = np.datetime64("2014-07-01T00:00:00") + np.timedelta64(1800, "s") * np.asarray(
        [0, 1, 47, 48, 5 * 48, 6 * 48]
    )
    rows = rows_of(times, np.arange(6.0))
    assert rows.hour.tolist() == [0, 0.5, 23.5, 0, 0, 0]
    assert rows.day.tolist() == [1, 1, 1, 2, 6, 0]


def test_made_up_demand_has_days_and_weeks_and_its_seed():
    times, values = made_up(3, 2000)
    assert values[:WEEK][: 5 * DAY].mean() > 1.3 * values[:WEEK][5 * DAY :].mean()
    assert forecasts.relative_error(values[WEEK:], values[:-WEEK]) < 0.06
    assert np.array_equal(values, made_up(3, 2000)[1])
    assert not np.array_equal(values, made_up(4, 2000)[1])
    assert str(times[48]) == "2026-01-06T00:00:00"


def test_a_forecast_stands_at_the_row_that_it_is_for():
    np.testing.assert_array_equal(later(jnp.arange(5.0), 2), [np.nan, np.nan, 0, 1, 2])


@pytest.mark.slow
@pytest.mark.computing
def test_the_lstm_learns_a_rhythm_and_does_not_know_the_future():
    times, values = made_up(0, 1000)
    config = Config(experiment="taxi", start=600, lstm=Lstm(units=8, past=48, batch=8, steps=120))
    predicted = lstm_forecast(config, values, rows_of(times, values), jax.random.key(0))
    assert np.isnan(predicted[:5]).all()
    error = forecasts.relative_error(values[600:], predicted[600:])
    assert error < 0.6 * forecasts.relative_error(values[600:], forecasts.as_before(values, 5)[600:])
    changed = values.copy()
    changed[800:] = 0
    again = lstm_forecast(config, changed, rows_of(times, changed), jax.random.key(0))
    np.testing.assert_allclose(again[5:805], predicted[5:805])
    assert np.abs(again[805] - predicted[805]) > 5


@pytest.mark.slow
@pytest.mark.computing
def test_a_small_run_has_all_forecasts_and_a_page(tmp_path):
    small = ("seeds=1", "series.rows=900", "start=600", "chunk=300", "pooler.columns=128", "pooler.winners=10")
    results, sections = run("taxi/quickstart.yaml", tmp_path / "run", *small, "lstm.steps=50", "neighbours=2")
    errors = {row["name"]: row["relative_error"] for row in results["forecasts"]}
    assert list(errors) == [
        "temporal memory, likeliest", "temporal memory, expected", "LSTM", "nearest neighbours", "a week before",
        "a day before", "the last value",
    ]  # fmt: skip
    assert errors["a week before"][0] < errors["a day before"][0]
    assert errors["a week before"][0] < errors["temporal memory, expected"][0] < errors["the last value"][0]
    assert (results["rows"], results["start"], results["published"]) == (900, 600, False)
    assert [bool(section.figure) for section in sections] == [False, True, True]
    assert (tmp_path / "run" / "report.html").stat().st_size < 1_000_000


def test_rows_that_count_must_have_others_before_and_after(tmp_path):
    for start in (300, 2450):
        with pytest.raises(ConfigError, match=f"start: {start} leaves too few rows of 2500"):
            run("taxi/quickstart.yaml", tmp_path / f"{start}", f"start={start}")
