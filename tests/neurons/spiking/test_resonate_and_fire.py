"""The resonate-and-fire neuron against complex arithmetic, and its preference for its own frequency."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.spiking import ResonateAndFire

RATE = -0.1 + 1.0j


@pytest.mark.parametrize("dt", [0.01, 0.3])
def test_is_exact_between_spikes(dt, float64):
    inputs = np.random.default_rng(0).normal(size=400)
    neuron = ResonateAndFire(threshold=1e6, dt_ms=dt)
    read = lambda state: (state.current, state.voltage)  # noqa: E731
    _, spikes, (x, y) = jn.run(neuron, jnp.asarray(inputs), observe=read)
    z, expected, factor = 0.0, [], np.exp(RATE * dt)
    for value in inputs:
        z = z * factor + value * (factor - 1) / RATE
        expected.append(z)
    assert spikes.sum() == 0
    np.testing.assert_allclose(np.asarray(x) + 1j * np.asarray(y), expected, rtol=0, atol=1e-12)


def test_single_precision_keeps_its_digits_at_small_steps():
    neuron = ResonateAndFire(dt_ms=1e-4)
    _, _, voltage = jn.run(neuron, jnp.full(2000, 0.5), observe="voltage")
    assert voltage[-1] == pytest.approx(((np.exp(RATE * 0.2) - 1) / RATE * 0.5).imag, rel=1e-3)


def responds(neuron, amplitude, interval):
    """Whether two pulses at a distance (ms) make a spike."""
    dt = float(neuron.dt_ms)
    inputs = jnp.zeros(round(30 / dt)).at[jnp.asarray([20, 20 + round(interval / dt)])].set(amplitude / dt)
    return bool(jn.run(neuron, inputs)[1].sum())


def test_two_pulses_make_a_spike_if_they_are_a_period_apart(float64):
    # One pulse of A swings to y = A e^(b t) sin(omega t), at most .86 A; a second one adds to it in phase only.
    neuron, amplitude, period = ResonateAndFire(dt_ms=0.01), 0.8, 2 * np.pi
    found = [responds(neuron, amplitude, interval) for interval in (0.25 * period, 0.5 * period, period, 1.5 * period)]
    assert found == [False, False, True, False]

    def highest(interval):
        times = np.linspace(0, 15, 20_001)
        after = amplitude * (np.exp(RATE * interval) + 1)
        return max((after * np.exp(RATE * times)).imag)

    intervals = np.linspace(0.3, 2.2, 20) * period
    by_theory = [highest(interval) >= 1 for interval in intervals]
    assert [responds(neuron, amplitude, interval) for interval in intervals] == by_theory
    assert 0 < sum(by_theory) < 20


def test_after_a_spike_it_is_at_its_reset_and_swings_from_there(float64):
    neuron = ResonateAndFire(dt_ms=0.1)
    inputs = jnp.zeros(60).at[0].set(30.0)
    read = lambda state: (state.current, state.voltage)  # noqa: E731
    _, spikes, (x, y) = jn.run(neuron, inputs, observe=read)
    first = np.flatnonzero(spikes)[0]
    assert spikes.sum() == 1
    after = np.exp(RATE * 0.1 * np.arange(60 - first)) * 1j
    np.testing.assert_allclose((np.asarray(x) + 1j * np.asarray(y))[first:], after, rtol=0, atol=1e-12)


def test_as_a_flow_it_is_the_same_neuron_to_fourth_order(float64):
    inputs = jnp.asarray(np.random.default_rng(1).normal(0.3, 4, 600))
    own = jn.run(ResonateAndFire(dt_ms=0.1), inputs, observe="voltage")
    flow = jn.run(jn.RungeKutta4(ResonateAndFire(), dt_ms=0.1), inputs, observe="voltage")
    assert own[1].sum() > 3
    np.testing.assert_array_equal(own[1], flow[1])
    np.testing.assert_allclose(own[2], flow[2], rtol=0, atol=1e-5)


def test_a_current_alone_is_taken():
    neuron = ResonateAndFire()
    with pytest.raises(TypeError, match="ResonateAndFire got a conductance"):
        neuron.step(neuron.init(jax.random.key(0)), jn.Conductance(jnp.asarray(1.0), jnp.asarray(0.0)))
