"""The stackable cell against a recorded cell of the same weights; its two limits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against


def test_equals_the_recorded_cell():
    def build(found):
        return with_weights(
            jn.gated.STAR(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + np.concatenate([np.zeros(UNITS), found["bias_hh"]]),
        )

    check_against("STARCell", build, "hidden")


def test_the_gate_lets_either_the_input_or_the_past_through(key):
    machine = jn.gated.STAR(INPUTS, UNITS, key=key)
    state, x = type(machine.init(key))(jnp.linspace(-1.0, 1.0, UNITS)), jnp.ones(INPUTS)
    for bias, expected in ((60.0, np.tanh(machine.input_weights[:UNITS] @ x)), (-60.0, state.hidden)):
        shut = with_weights(machine, bias=np.repeat([0.0, bias], UNITS))
        np.testing.assert_allclose(shut.step(state, x)[1], np.tanh(expected), atol=1e-6)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_the_parameters_of_the_equations(inputs, units, key):
    machine = jax.eval_shape(lambda key: jn.gated.STAR(inputs, units, key=key), key)
    assert jn.count_parameters(machine) == units * (2 * inputs + units + 2)


def test_starts_orthogonal_and_by_remembering(key):
    machine = jn.gated.STAR(5, 40, key=key)
    np.testing.assert_allclose(machine.recurrent_weights @ machine.recurrent_weights.T, np.eye(40), atol=1e-5)
    np.testing.assert_array_equal(machine.bias, np.repeat([0, -1], 40))


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="STAR got inputs=3, units=0; both must be at least 1"):
        jn.gated.STAR(3, 0, key=key)
