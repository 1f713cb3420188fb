"""A delta synapse and a membrane: the voltage is the sum of decayed jumps."""

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from jaxneuro.synapses import Delta
from tests.synapses.kinetics import DT, SPIKES, summed


def test_the_membrane_sums_decayed_jumps(float64):
    membrane = jn.LIF(tau_ms=20.0, threshold_mv=1e3, dt_ms=DT)
    _, _, voltage = jn.run(jn.Chain(Delta(weight_mv=1.7), membrane), jnp.asarray(SPIKES), observe="states.1.voltage_mv")
    # The voltage is seen at the end of the step.
    np.testing.assert_allclose(voltage, summed(lambda t: 1.7 * np.exp(-(t + DT) / 20)), rtol=0, atol=1e-12)


def test_a_jump_is_in_mv():
    jump = Delta(weight_mv=-3.0).respond(jnp.asarray([0.0, 1.0, 2.0]))
    assert isinstance(jump, jn.VoltageJump)
    np.testing.assert_array_equal(jump.mv, [0, -3, -6])
    assert jax.tree.leaves(jump)[0].dtype == jnp.float32
