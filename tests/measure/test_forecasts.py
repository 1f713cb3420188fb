"""Forecasts: closed forms, and a slow search for neighbours."""

import math

import numpy as np
import pytest

from jaxneuro.measure import forecasts


def test_errors_by_hand():
    values, predicted = np.asarray([1.0, 2.0, 3.0, 6.0]), np.asarray([2.0, 2.0, 1.0, 7.0])
    assert forecasts.relative_error(values, predicted) == pytest.approx(4 / 12)
    # Squares 1, 0, 4, 1; the variance of 1, 2, 3, 6 is 3.5.
    assert forecasts.normalised_error(values, predicted) == pytest.approx(math.sqrt(1.5 / 3.5))
    assert forecasts.normalised_error(values, np.full(4, values.mean())) == pytest.approx(1)


def test_as_before_is_the_value_of_a_lag_ago():
    np.testing.assert_array_equal(forecasts.as_before(np.arange(5.0), 2), [np.nan, np.nan, 0, 1, 2])
    assert np.isnan(forecasts.as_before(np.arange(3.0), 4)).all()
    week = np.tile(np.arange(7.0), 4)
    np.testing.assert_array_equal(forecasts.as_before(week, 7)[7:], week[7:])


def slowly(values, ahead, past, neighbours, row):
    """Compare with every stretch whose continuation is known at the time of the forecast."""
    last = row - ahead
    found = []
    for end in range(past - 1, last - ahead + 1):
        distance = sum((values[end - back] - values[last - back]) ** 2 for back in range(past))
        found.append((distance, values[end + ahead]))
    return np.mean([value for _, value in sorted(found)[:neighbours]])


def test_neighbours_are_those_of_a_slow_search_and_never_of_the_future():
    values = np.random.default_rng(2).normal(size=80)
    predicted = forecasts.nearest(values, 3, past=4, neighbours=5, start=30)
    assert np.isnan(predicted[:30]).all()
    for row in range(30, 80):
        assert predicted[row] == pytest.approx(slowly(values, 3, 4, 5, row))
    changed = values.copy()
    changed[58:] += 100
    np.testing.assert_array_equal(forecasts.nearest(changed, 3, past=4, neighbours=5, start=30)[:61], predicted[:61])


def test_a_periodic_series_is_forecast_exactly_by_its_neighbour():
    values = np.tile(np.random.default_rng(0).normal(size=10), 8)
    predicted = forecasts.nearest(values, 2, past=5, neighbours=1, start=20)
    np.testing.assert_allclose(predicted[20:], values[20:], atol=1e-12)
    with pytest.raises(ValueError, match="fewer than 50 known"):
        forecasts.nearest(values, 2, past=5, neighbours=50, start=20)
