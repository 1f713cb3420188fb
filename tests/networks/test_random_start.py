"""Random starts against their distributions; populations of neurons that differ."""

import jax
import numpy as np
import pytest
from scipy import stats

import jaxneuro as jn
from jaxneuro.networks import RandomStart, various


@pytest.mark.parametrize(("normal", "law"), [(False, stats.uniform(-60, 10)), (True, stats.norm(-55, 5))])
def test_a_variable_starts_at_random(normal, law, key):
    start = RandomStart(jn.LIF(), "voltage_mv", -55.0, 5.0, normal)
    voltages = np.asarray(jn.Population(start, 2000, shared=True).init(key).voltage_mv)
    assert stats.kstest(voltages, law.cdf).pvalue > 1e-3
    np.testing.assert_array_equal(jn.Population(start, 3, shared=True).init(key).refractory_ms, 0)


def test_a_variable_that_is_not_there_is_named(key):
    with pytest.raises(ValueError, match="variable='v'; the state of LIF has voltage_mv, refractory_ms"):
        RandomStart(jn.LIF(), "v", 0.0, 1.0).init(key)


@pytest.mark.parametrize("wrapped", [False, True])
def test_chosen_parameters_differ_from_neuron_to_neuron(wrapped, key):
    neuron = RandomStart(jn.LIF(), "voltage_mv", 0.0, 1.0) if wrapped else jn.LIF()
    population = various(neuron, 1000, {"tau_ms": 0.2, "threshold_mv": 0.1}, key=key)
    lif = population.machine.machine if wrapped else population.machine
    assert stats.kstest(np.asarray(lif.tau_ms), stats.uniform(16, 8).cdf).pvalue > 1e-3
    assert stats.kstest(np.asarray(lif.threshold_mv), stats.uniform(13.5, 3).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(lif.tau_ms, lif.threshold_mv)[0, 1]) < 0.13
    np.testing.assert_array_equal(lif.refractory_ms, 2.0)


def test_equal_neurons_share_their_parameters(key):
    assert various(jn.LIF(), 7, {}, key=key).shared
    with pytest.raises(ValueError, match="spread got 'tau'; LIF has tau_ms, resistance_mohm"):
        various(jn.LIF(), 7, {"tau": 0.1}, key=key)


def test_another_key_draws_others():
    draws = [np.asarray(various(jn.LIF(), 5, {"tau_ms": 0.2}, key=jax.random.key(k)).machine.tau_ms) for k in (1, 2)]
    assert (draws[0] != draws[1]).all()
