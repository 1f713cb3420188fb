"""Escape noise: rescaled intervals are exponential, counts binomial, and the likelihood finds the parameters."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.signal import lfilter
from scipy.stats import binomtest, kstest

import jaxneuro as jn
from jaxneuro.neurons.spiking import SpikeResponse


def potentials(neuron, currents, spikes):
    """The potential at the end of each step, before its own spike: both filters by SciPy."""
    p = {name: float(getattr(neuron, name)) for name in neuron.__dataclass_fields__ if name != "spike"}
    decay, after = np.exp(-p["dt_ms"] / p["tau_ms"]), np.exp(-p["dt_ms"] / p["tau_after_ms"])
    filtered = lfilter([1 - decay], [1, -decay], p["resistance_mohm"] * np.asarray(currents))
    fed_back = lfilter([0, after * p["after_step_mv"]], [1, -after], np.asarray(spikes))
    return p["rest_mv"] + filtered + fed_back


def expected_counts(neuron, currents, spikes):
    """`rho dt` of each step."""
    u = potentials(neuron, currents, spikes)
    exponent = (u - float(neuron.threshold_mv)) / float(neuron.softness_mv)
    return float(neuron.rate_per_ms * neuron.dt_ms) * np.exp(exponent)


def wandering(steps, seed=0, mean=11.0, size=10.0):
    noise = np.random.default_rng(seed).normal(size=steps)
    return mean + size * lfilter([0.3], [1, -0.95], noise)


def test_time_rescaled_intervals_are_exponential(float64):
    neuron, currents = SpikeResponse(rest_mv=-1.0), wandering(130_000, mean=20.0)
    _, spikes = jn.run(neuron, jnp.asarray(currents), key=jax.random.key(1))
    expected, steps = expected_counts(neuron, currents, spikes), np.flatnonzero(spikes)
    assert len(steps) > 2001
    # Where in its step a spike would have been is drawn, given that it was there: so no step size is too long.
    chance = np.random.default_rng(2).uniform(size=len(steps))
    inside = -np.log1p(chance * np.expm1(-expected[steps]))
    # An interval begins after the step of a spike, which holds no second one.
    before = np.cumsum(expected) - expected
    intervals = (before[steps[1:]] + inside[1:] - before[steps[:-1] + 1])[:2000]
    assert kstest(intervals, "expon").pvalue > 0.01
    # The test can fail: with a threshold that is 0.5 mV off it does.
    assert kstest(intervals * np.exp(0.5 / 2), "expon").pvalue < 0.01


def test_without_memory_spikes_are_independent_with_the_probability_of_the_rate(float64):
    neuron = SpikeResponse(after_step_mv=0.0, tau_ms=0.01, rate_per_ms=0.04)
    _, spikes = jn.run(neuron, jnp.full(40_000, 17.0))
    probability = -np.expm1(-0.04 * 0.5 * np.exp((17 - 15) / 2))
    assert binomtest(int(spikes.sum()), 40_000, probability).pvalue > 0.01
    pairs = int((spikes[1:] * spikes[:-1]).sum())
    assert binomtest(pairs, 39_999, probability**2).pvalue > 0.01


def test_potential_is_that_of_both_filters(float64):
    neuron, currents = SpikeResponse(), wandering(4000, mean=16.0)
    _, spikes, record = jn.run(neuron, jnp.asarray(currents), observe=lambda state: state.input_mv + state.after_mv)
    assert spikes.sum() > 40
    after_spikes = potentials(neuron, currents, spikes) + np.asarray(spikes) * -10
    np.testing.assert_allclose(record, after_spikes, rtol=0, atol=1e-9)


def test_log_likelihood_is_that_of_the_steps(float64):
    neuron, currents = SpikeResponse(), wandering(3000, seed=3)
    _, spikes = jn.run(neuron, jnp.asarray(currents))
    expected = expected_counts(neuron, currents, spikes)
    fired = np.asarray(spikes) > 0
    by_hand = np.log(-np.expm1(-expected[fired])).sum() - expected[~fired].sum()
    found = jax.jit(SpikeResponse.log_likelihood)(neuron, jnp.asarray(currents), spikes)
    assert found == pytest.approx(by_hand, rel=1e-10)


@pytest.mark.parametrize("softness", [0.05, 2.0])
def test_log_likelihood_of_what_cannot_be_is_finite_and_so_is_its_gradient(softness):
    neuron = SpikeResponse(softness_mv=softness)
    currents, spikes = jnp.zeros(50), jnp.zeros(50).at[20].set(1)
    value, slopes = jax.jit(jax.value_and_grad(SpikeResponse.log_likelihood))(neuron, currents, spikes)
    assert value < -7
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((value, slopes)))


FITTED = ("tau_ms", "tau_after_ms", "threshold_mv", "softness_mv", "after_step_mv")


def test_likelihood_finds_the_parameters_that_made_the_spikes(float64):
    # R and rho_0 are given: they only set the scale of the potential and the zero of the threshold.
    true = SpikeResponse(tau_ms=12.0, tau_after_ms=40.0, threshold_mv=13.0, softness_mv=1.5, after_step_mv=-8.0)
    currents = jnp.asarray(wandering(150_000, seed=4, mean=16.0))
    _, spikes = jn.run(true, currents, key=jax.random.key(5))
    assert spikes.sum() > 2000

    @jax.jit
    @jax.value_and_grad
    def loss(numbers):
        neuron = eqx.tree_at(lambda cell: [getattr(cell, name) for name in FITTED], true, list(numbers * scale))
        return -neuron.log_likelihood(currents, spikes) / spikes.sum()

    scale = jnp.asarray([10.0, 30.0, 15.0, 2.0, -10.0])
    fit = minimize(lambda numbers: tuple(map(np.asarray, loss(jnp.asarray(numbers)))), np.ones(5), jac=True,
                   method="L-BFGS-B", bounds=[(0.1, 10.0)] * 5)  # fmt: skip
    expected = [float(getattr(true, name)) for name in FITTED]
    np.testing.assert_allclose(fit.x * np.asarray(scale), expected, rtol=0.05)


def test_a_current_alone_is_taken():
    neuron = SpikeResponse()
    with pytest.raises(TypeError, match="SpikeResponse got a jump of the voltage"):
        neuron.step(neuron.init(jax.random.key(0)), jn.VoltageJump(jnp.asarray(1.0)))
