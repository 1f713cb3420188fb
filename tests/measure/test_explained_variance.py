import numpy as np
import pytest

from jaxneuro.measure import explained, explained_variance, reliability, smoothed


def test_a_smoothed_spike_is_a_gaussian_and_trains_do_not_run_into_each_other():
    spikes = np.zeros((2, 200))
    spikes[0, 100], spikes[1, 0] = 1, 1
    rates = smoothed(spikes, 0.5, width_ms=5.0)
    distance_ms = 0.5 * (np.arange(200) - 100)
    bell = 0.5 * np.exp(-0.5 * (distance_ms / 5) ** 2) / (5 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(rates[:200], bell, atol=2e-5)
    assert rates[199] < 1e-6 < 0.03 < rates[200]


def test_explained_is_1_of_itself_0_of_what_is_unrelated_and_known_in_between():
    angle = 2 * np.pi * np.arange(1000) / 1000
    sine, cosine = np.sin(angle), np.cos(angle)
    assert explained(sine, 3 + sine) == pytest.approx(1)
    assert explained(sine, cosine) == pytest.approx(0, abs=1e-12)
    # var a = 1/2, var b = 2, var(a - b) = 1/2.
    assert explained(sine, 2 * sine) == pytest.approx(0.8)
    assert explained(sine, -sine) == pytest.approx(-1)
    np.testing.assert_array_equal(explained(np.zeros((2, 4)), np.ones((2, 4))), [0, 0])


def test_a_model_is_measured_by_what_the_repetitions_explain_of_each_other():
    random = np.random.default_rng(0)
    common = random.standard_normal(200_000)
    data = common + 0.5 * random.standard_normal((5, 200_000))
    # Repetitions share a variance of 1 out of 1.25; the common part and a repetition share 2 of 2.25.
    assert reliability(data) == pytest.approx(0.8, abs=0.01)
    assert explained_variance(data, common) == pytest.approx(2 / 2.25 / 0.8, abs=0.01)
    assert explained_variance(data, data[0]) > 1
    another = common + 0.5 * random.standard_normal(200_000)
    assert explained_variance(data, another) == pytest.approx(1, abs=0.01)
