"""What passes through a reset: with the reset detached `1 - s`, attached the pretended derivative of the spike too."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons import spiking

# The field of the state with the threshold, the threshold, and the voltage that a spike at a voltage leads to.
RESETS = {
    "IntegrateAndFire": ("voltage_mv", 15.0, lambda v: 0 * v),
    "QIF": ("voltage_mv", 0.0, lambda v: -65 + 0 * v),
    "EIF": ("voltage_mv", -30.0, lambda v: -68 + 0 * v),
    "AdEx": ("voltage_mv", 0.0, lambda v: -70.6 + 0 * v),
    "Izhikevich": ("voltage_mv", 30.0, lambda v: -65 + 0 * v),
    "GLIF": ("voltage_mv", -51.68, lambda v: -78.85 + 0.2 * (v + 78.85) + 18.51),
    "ResonateAndFire": ("voltage", 1.0, lambda v: 1 + 0 * v),
}


@pytest.mark.parametrize("detach", [0.0, 1.0])
@pytest.mark.parametrize("name", RESETS)
def test_gradient_through_the_reset_is_the_declared_one(name, detach, float64):
    field, threshold, reset = RESETS[name]
    neuron = getattr(spiking, name)(detach_reset=detach, spike=jn.ArcTangent(0.3))
    start = neuron.init(jax.random.key(0))

    def after(voltage):
        state = eqx.tree_at(lambda state: getattr(state, field), start, voltage)
        state, spike = neuron.jump(state, jnp.zeros(()), neuron.dt_ms)
        return getattr(state, field), spike

    voltages = threshold + jnp.asarray([-5.0, -0.1, 0.0, 0.1, 5.0])
    (values, spikes), (slopes, spike_slopes) = jax.vmap(lambda v: jax.jvp(after, (v,), (jnp.ones(()),)))(voltages)
    np.testing.assert_array_equal(spikes, [0, 0, 1, 1, 1])
    kernel = 0.15 / (1 + (np.pi / 2 * 0.3 * (np.asarray(voltages) - threshold)) ** 2)
    np.testing.assert_allclose(spike_slopes, kernel, rtol=1e-10)
    fired, drop = np.asarray(spikes), np.asarray(reset(voltages) - voltages)
    np.testing.assert_allclose(values, voltages + fired * drop, rtol=1e-12)
    smooth = 1 + fired * (np.asarray(jax.vmap(jax.grad(reset))(voltages)) - 1)
    np.testing.assert_allclose(slopes, smooth + (1 - detach) * kernel * drop, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("detach", [0.0, 1.0])
@pytest.mark.parametrize(
    ("build", "field", "step"),
    [(spiking.AdEx, "adaptation_pa", 80.5), (spiking.Izhikevich, "recovery", 8.0), (spiking.GLIF, "slow_pa", -9.18)],
)
def test_what_a_spike_adds_to_adaptation_is_detached_with_the_reset(build, field, step, detach, float64):
    neuron = build(detach_reset=detach, spike=jn.ArcTangent(0.3))
    start = neuron.init(jax.random.key(0))
    before = float(getattr(start, field))

    def after(voltage):
        state = eqx.tree_at(lambda state: state.voltage_mv, start, voltage)
        state, spike = neuron.jump(state, jnp.zeros(()), neuron.dt_ms)
        return getattr(state, field), spike

    (value, spike), (slope, spike_slope) = jax.jvp(after, (jnp.asarray(31.0),), (jnp.ones(()),))
    assert spike == 1
    assert value == pytest.approx(before + step, rel=1e-12)
    assert slope == pytest.approx((1 - detach) * float(spike_slope) * step, rel=1e-9, abs=1e-12)
