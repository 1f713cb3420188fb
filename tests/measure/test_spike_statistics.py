"""Statistics of spike trains against loops over spikes, closed forms, and SciPy."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal

import jaxneuro as jn


def bernoulli(key, probability, shape):
    return (jax.random.uniform(key, shape) < probability).astype(jnp.float32)


@pytest.fixture
def poisson(key):
    """6 trains of different rates; the last but one has a single spike, the last none."""
    probability = jnp.asarray([0.02, 0.1, 0.3, 0.5, 0.0, 0.0])
    spikes = bernoulli(key, probability[None], (3000, 6))
    return spikes.at[70, 4].set(1.0)


def intervals(train):
    times = [step for step, spike in enumerate(train) if spike]
    return [later - earlier for earlier, later in itertools.pairwise(times)]


def test_variation_of_intervals_is_that_of_a_loop_over_spikes(poisson):
    found = np.asarray(jax.jit(jn.measure.interval_variation)(poisson))
    for neuron in range(4):
        gaps = intervals(np.asarray(poisson)[:, neuron])
        assert found[neuron] == pytest.approx(np.std(gaps) / np.mean(gaps), rel=1e-5)
    assert np.isnan(found[4:]).all()


def test_variation_of_a_bernoulli_process_is_the_closed_form(key):
    # The intervals are geometric: mean 1 / p, variance (1 - p) / p^2.
    p = jnp.asarray([0.05, 0.2, 0.6])
    spikes = bernoulli(key, p[None], (60_000, 3))
    np.testing.assert_allclose(jn.measure.interval_variation(spikes), np.sqrt(1 - p), rtol=0.03)
    np.testing.assert_allclose(jn.measure.fano_factor(spikes, window=50), 1 - p, rtol=0.15)


def test_a_clock_has_no_variation():
    clock = jnp.zeros((200, 2)).at[::10].set(1.0)
    np.testing.assert_array_equal(jn.measure.interval_variation(clock), 0)
    np.testing.assert_array_equal(jn.measure.fano_factor(clock, window=20), 0)


def test_lists_of_times_have_the_variation_of_their_trains(poisson):
    times = jn.measure.spike_times(poisson, 0.5, most=1600)
    np.testing.assert_allclose(
        jn.measure.interval_variation_of_times(times), jn.measure.interval_variation(poisson), rtol=1e-4
    )


def test_spike_times_are_the_ends_of_the_steps_with_a_spike():
    spikes = jnp.zeros((8, 2)).at[jnp.asarray([0, 3, 7]), 0].set(1.0)
    np.testing.assert_array_equal(jn.measure.spike_times(spikes, 0.5, most=4), [[0.5, 2.0, 4.0, np.inf], [np.inf] * 4])
    np.testing.assert_array_equal(jn.measure.spike_times(spikes, 0.5, most=2)[0], [0.5, 2.0])
    np.testing.assert_array_equal(jn.measure.spikes_dropped(spikes, most=2), [1, 0])


def test_fano_factor_is_that_of_counts_in_a_loop(poisson):
    found = np.asarray(jax.jit(lambda s: jn.measure.fano_factor(s, window=70))(poisson))
    for neuron in range(5):
        train = np.asarray(poisson)[:, neuron]
        counts = [train[start : start + 70].sum() for start in range(0, 3000 - 69, 70)]
        assert found[neuron] == pytest.approx(np.var(counts, ddof=1) / np.mean(counts), rel=1e-5)
    assert np.isnan(found[5])
    assert np.isnan(jn.measure.fano_factor(poisson, window=2000)).all()


def test_neurons_that_do_the_same_are_in_synchrony_and_independent_ones_are_not(key):
    one = jax.random.bernoulli(key, 0.1, (2000, 1)).astype(jnp.float32)
    assert jn.measure.synchrony(jnp.tile(one, (1, 9))) == pytest.approx(1.0, rel=1e-5)
    apart = jax.random.bernoulli(key, 0.1, (20_000, 25)).astype(jnp.float32)
    assert jn.measure.synchrony(apart, window=5) == pytest.approx(1 / 5, rel=0.05)
    # Two groups in antiphase: each neuron varies, their mean does not.
    half = jnp.zeros((100, 1)).at[::2].set(1.0)
    assert jn.measure.synchrony(jnp.concatenate([half, 1 - half], axis=1)) == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(jn.measure.synchrony(jnp.zeros((10, 3))))


def test_population_rate_is_spikes_per_neuron_and_second():
    spikes = jnp.zeros((10, 4)).at[jnp.asarray([0, 1, 1, 5]), jnp.asarray([0, 0, 3, 2])].set(1.0)
    # Windows of 2 ms with 3, 0 and 1 spikes of 4 neurons; the last 2 steps of 10 fill no window.
    np.testing.assert_allclose(jn.measure.population_rate(spikes, 0.5, window=4), [3 / 4 / 0.002, 1 / 4 / 0.002])
    with pytest.raises(ValueError, match="window is 11 steps; it must be from 1 to the 10 steps"):
        jn.measure.population_rate(spikes, 0.5, window=11)


@pytest.mark.parametrize("segment", [64, 100, 75])
def test_the_spectrum_is_scipys(poisson, segment):
    found = jax.jit(lambda s: jn.measure.rate_spectrum(s, 0.5, segment=segment))(poisson)
    rate = 1000 * np.asarray(poisson, float).mean(axis=1) / 0.5
    frequency, power = scipy.signal.welch(rate, 2000, "hann", segment, detrend="constant")
    np.testing.assert_allclose(found.frequency_hz, frequency, rtol=1e-5)
    np.testing.assert_allclose(found.power, power, rtol=1e-3, atol=1e-5 * power.max())


def test_the_peak_is_at_the_rhythm_of_the_population(key):
    seconds = np.arange(4000) * 0.0005
    modulation = np.sin(2 * np.pi * 40 * seconds) + 0.5 * np.sin(2 * np.pi * 170 * seconds)
    spikes = bernoulli(key, jnp.asarray(0.02 * (1 + modulation), jnp.float32)[:, None], (4000, 200))
    spectrum = jn.measure.rate_spectrum(spikes, 0.5, segment=400)
    assert spectrum.peak()[0] == pytest.approx(40.0, abs=2.6)
    assert spectrum.peak(100.0, 300.0)[0] == pytest.approx(170.0, abs=2.6)
