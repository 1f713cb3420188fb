"""Siegert's rate against quadrature and gold numbers, its gradients, and a simulation that sees only steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erfcx

import jaxneuro as jn
from jaxneuro.networks import brunel_rate, siegert_rate

# (mean, deviation) -> Hz, for tau 20 ms, t_ref 2 ms, theta 20 mV, V_r 10 mV, from a quadrature of erfcx in SciPy.
GOLD = {(10, 5): 0.88192, (13, 5): 4.55771, (15, 5): 9.46080, (18, 3): 12.51153, (25, 5): 47.21744}
pytestmark = pytest.mark.usefixtures("float64")


def by_quadrature(mean, deviation):
    low, high = (10 - mean) / deviation, (20 - mean) / deviation
    return 1000 / (2 + 20 * np.sqrt(np.pi) * quad(lambda u: erfcx(-u), low, high, epsabs=0, epsrel=1e-11)[0])


@pytest.mark.parametrize(("point", "rate"), GOLD.items())
def test_rates_are_the_known_ones(point, rate):
    assert siegert_rate(*map(float, point)) == pytest.approx(rate, abs=6e-6)


@pytest.mark.parametrize(("mean", "deviation"), [(-20, 4), (5, 1.0), (19.9, 0.05), (60, 1), (15, 80), (500, 0.5)])
def test_rates_are_those_of_an_adaptive_quadrature(mean, deviation):
    with np.errstate(over="ignore"):
        expected = by_quadrature(mean, deviation)
    assert siegert_rate(float(mean), float(deviation)) == pytest.approx(expected, rel=1e-9)


def test_without_noise_it_is_the_rate_of_the_deterministic_neuron():
    expected = 1000 / (2 + 20 * np.log((30 - 10) / (30 - 20)))
    assert siegert_rate(30.0, 1e-3) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("mean", "deviation"), [*GOLD, (-20, 4), (60, 1), (19.9, 0.5)])
def test_gradients_are_those_of_finite_differences(mean, deviation):
    point, step = np.array([mean, deviation], float), 1e-5
    slopes = jax.grad(siegert_rate, (0, 1))(*point)
    for axis, slope in enumerate(slopes):
        offset = step * np.eye(2)[axis]
        difference = (siegert_rate(*(point + offset)) - siegert_rate(*(point - offset))) / (2 * step)
        assert slope == pytest.approx(float(difference), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", ["tau_ms", "threshold_mv", "reset_mv", "refractory_ms", "dt_ms"])
def test_the_other_gradients_are_too(name):
    start, step = {"tau_ms": 20.0, "threshold_mv": 20.0, "reset_mv": 10.0, "refractory_ms": 2.0, "dt_ms": 0.1}, 1e-5

    def rate(value):
        return siegert_rate(14.0, 5.0, **(start | {name: value}))

    difference = (rate(start[name] + step) - rate(start[name] - step)) / (2 * step)
    assert jax.grad(rate)(start[name]) == pytest.approx(float(difference), rel=1e-6)


def test_rates_too_small_to_write_are_0_and_so_are_their_gradients():
    with jax.enable_x64(False):
        rate, slopes = jax.value_and_grad(siegert_rate, (0, 1))(jnp.float32(-100.0), jnp.float32(1.0))
        assert (rate, *slopes) == (0, 0, 0)
        assert siegert_rate(15.0, 5.0) == pytest.approx(9.46080, rel=2e-5)


# Theory column of the paper's table: Brunel 2000, Journal of Computational Neuroscience 8:183.
@pytest.mark.parametrize(("g", "eta", "rate"), [(6, 4, 55.8), (5, 2, 38.0), (4.5, 0.9, 6.5)])
def test_brunels_network_agrees_with_itself_at_the_rates_of_the_paper(g, eta, rate):
    found = brunel_rate(float(g), float(eta))
    assert found == pytest.approx(rate, abs=0.06)
    assert jax.grad(brunel_rate)(float(g), float(eta)) < 0
    step = 1e-5
    difference = (brunel_rate(g + step, float(eta)) - brunel_rate(g - step, float(eta))) / (2 * step)
    assert jax.grad(brunel_rate)(float(g), float(eta)) == pytest.approx(float(difference), rel=1e-5)


@pytest.mark.slow
def test_a_simulation_in_steps_fires_at_the_rate_with_the_corrected_threshold():
    """White noise of mean 15 and deviation 5 mV, 4000 neurons for 2.5 s in steps of 0.1 ms after 25 times tau."""
    neurons, tau, dt, mean, deviation = 4000, 20.0, 0.1, 15.0, 5.0
    decay = np.exp(-dt / tau)
    # The neuron integrates a current held over the step: this one gives the voltage the variance of white noise.
    current_deviation = deviation / np.sqrt(2) * np.sqrt(1 - decay**2) / (1 - decay)
    neuron = jn.LIF(tau_ms=tau, threshold_mv=20.0, reset_mv=10.0, refractory_ms=2.0, dt_ms=dt)
    population = jn.Population(neuron, neurons, shared=True)

    @jax.jit
    def count(key):
        def step(carry, index):
            state, total = carry
            noise = jax.random.normal(jax.random.fold_in(key, index), (neurons,))
            state, spikes = population.step(state, mean + current_deviation * noise)
            return (state, total + jnp.where(index >= 5_000, spikes.sum(), 0)), None

        start = population.init(key), jnp.zeros(())
        return jax.lax.scan(step, start, jnp.arange(30_000))[0][1]

    rate = float(count(jax.random.key(0))) / neurons / 2.5
    corrected = float(siegert_rate(mean, deviation, dt_ms=dt))
    assert corrected == pytest.approx(8.82, abs=0.01)
    assert rate == pytest.approx(corrected, rel=0.01)
    assert rate < 0.95 * float(siegert_rate(mean, deviation))  # the formula of continuous time would be refused
