"""The stimuli of the published patterns, and the eight patterns that the adaptive exponential neuron makes of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.spiking import AdEx
from jaxneuro.neurons.spiking.patterns import adex_patterns, izhikevich_patterns, stacked_currents, stacked_parameters

# Spikes in 600 ms by forward Euler at 0.1 and at 0.01 ms, of a separate numpy program.
COUNTS = {
    "tonic": (60, 62), "adaptation": (12, 12), "initial burst": (12, 12), "regular bursting": (11, 11),
    "delayed accelerating": (45, 46), "delayed regular bursting": (32, 32), "transient": (1, 1), "irregular": (33, 32),
}  # fmt: skip


def intervals(dt):
    """Counts and intervals (ms) of the eight cells of one call."""
    patterns = adex_patterns()
    cells = jax.vmap(lambda parameters: AdEx(**parameters))({**stacked_parameters(patterns), "dt_ms": np.full(8, dt)})
    currents = jnp.asarray(np.stack([pattern.current(pattern.times(dt))[:-1] for pattern in patterns]))
    _, spikes = jax.vmap(jn.run)(cells, currents)
    return [np.diff(np.flatnonzero(row)) * dt for row in np.asarray(spikes)], np.asarray(spikes.sum(axis=1))


@pytest.fixture(scope="module")
def fine():
    with jax.enable_x64(True):
        found, _ = intervals(0.01)
    return dict(zip(COUNTS, found, strict=True))


def variation(intervals):
    return intervals.std() / intervals.mean()


def test_the_eight_patterns_of_adex_have_their_spike_counts_at_both_step_sizes(float64):
    assert [pattern.name for pattern in adex_patterns()] == list(COUNTS)
    for place, dt in enumerate((0.1, 0.01)):
        _, counts = intervals(dt)
        assert counts.tolist() == [counts[place] for counts in COUNTS.values()]


def test_tonic_fires_regularly(fine):
    assert fine["tonic"][[0, -1]] == pytest.approx([8.98, 9.63], abs=0.011)
    assert variation(fine["tonic"]) == pytest.approx(0.012, abs=0.002)


def test_adaptation_slows_down_monotonically(fine):
    assert fine["adaptation"][[0, -1]] == pytest.approx([11.31, 75.93], abs=0.011)
    assert np.all(np.diff(fine["adaptation"]) >= -1e-9)


def test_initial_burst_settles_after_two_short_intervals(fine):
    assert fine["initial burst"][:4] == pytest.approx([3.47, 7.37, 54.79, 64.15], abs=0.011)
    assert np.ptp(fine["initial burst"][3:]) < 0.3


def test_regular_bursting_alternates(fine):
    assert fine["regular bursting"][-2:] == pytest.approx([133.19, 5.41], abs=0.011)
    assert np.all((fine["regular bursting"][3::2] < 6) & (fine["regular bursting"][2::2] > 130))
    assert variation(fine["regular bursting"]) == pytest.approx(1.12, abs=0.01)


def test_delayed_accelerating_speeds_up_monotonically(fine):
    assert fine["delayed accelerating"][[0, -1]] == pytest.approx([20.64, 10.30], abs=0.011)
    assert np.all(np.diff(fine["delayed accelerating"]) <= 1e-9)


def test_delayed_regular_bursting_pauses_after_four_spikes(fine):
    assert fine["delayed regular bursting"][:4] == pytest.approx([3.26, 4.35, 7.37, 56.44], abs=0.011)
    assert (fine["delayed regular bursting"] > 40).sum() == 7


def test_irregular_is_irregular_and_does_not_converge_spike_by_spike(fine, float64):
    assert variation(fine["irregular"]) == pytest.approx(0.6, abs=0.05)
    finer, _ = intervals(0.005)
    both = min(len(finer[-1]), len(fine["irregular"]))
    # The first intervals agree, later ones do not at all.
    np.testing.assert_allclose(finer[-1][:3], fine["irregular"][:3], rtol=0, atol=0.1)
    assert np.abs(finer[-1][:both] - fine["irregular"][:both])[5:].max() > 5


def test_stimuli_of_the_twenty_patterns_are_those_of_the_figure():
    patterns = {pattern.name: pattern for pattern in izhikevich_patterns()}
    assert len(patterns) == 20

    def at(name, *times):
        return patterns[name].current(np.asarray(times)).tolist()

    assert at("tonic spiking", 10.0, 10.25, 99.0) == [0, 14, 14]
    assert at("class 1 excitable", 10.0, 30.0, 130.0) == [0, 0, 7.5]
    assert at("class 2 excitable", 10.0, 130.0) == [-0.5, 1.0]
    assert at("spike latency", 10.0, 10.2, 12.8, 13.0) == [0, 7.04, 7.04, 0]
    assert at("integrator", 9.0, 9.25, 11.0, 11.25, 14.25, 16.25, 71.0, 81.0) == [0, 9, 9, 0, 9, 0, 9, 9]
    assert at("threshold variability", 12.0, 72.0, 82.0, 90.0) == [1, -6, 1, 0]
    assert at("bistability", 30.0, 40.0, 100.0, 220.0, 230.0) == [0.24, 1.24, 0.24, 1.24, 0.24]
    assert at("depolarising afterpotential", 9.0, 9.1, 10.9, 11.0) == [0, 20, 20, 0]
    assert at("accommodation", 100.0, 250.0, 306.25, 312.5) == [4, 0, 2, 0]
    assert at("inhibition-induced bursting", 49.5, 50.0, 250.0, 250.5) == [80, 75, 75, 80]


def test_patterns_of_different_lengths_are_padded_with_silence():
    patterns = izhikevich_patterns()
    currents = stacked_currents(patterns)
    assert currents.shape == (20, 1601)
    np.testing.assert_array_equal(currents[7, :1201], patterns[7].current(0.25 * np.arange(1201)))
    assert not currents[7, 1201:].any()
    assert patterns[7].times(0.1)[-1] == pytest.approx(300)
    with pytest.raises(KeyError):
        stacked_parameters((patterns[0], adex_patterns()[0]))
