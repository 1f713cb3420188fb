"""The addition-subtraction twin-gated network against a recorded cell of the same weights; a closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import InputOfOne, sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against


def test_equals_the_recorded_cell():
    def build(found):
        # The recorded cell has a bias of the input too.
        input_weights = np.column_stack([found["weight_ih"], found["bias_ih"]])
        machine = jn.gated.ATR(INPUTS + 1, UNITS, key=jax.random.key(0))
        return InputOfOne(
            with_weights(
                machine,
                input_weights=input_weights,
                recurrent_weights=found["weight_hh"],
                bias=found["bias_hh"],
            )
        )

    check_against("ATRCell", build, "hidden")


def test_without_recurrence_it_is_a_geometric_sum(key):
    machine = with_weights(jn.gated.ATR(1, 1, key=key), input_weights=[[1.0]], recurrent_weights=[[0.0]])
    _, outputs = jn.run(machine, jnp.full((20, 1), 0.8))
    expected = 0.8 * np.cumsum(sigmoid(0.8) ** np.arange(1, 21))
    np.testing.assert_allclose(outputs[:, 0], expected, rtol=1e-5)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_no_parameters_of_the_gates(inputs, units, key):
    machine = jax.eval_shape(lambda key: jn.gated.ATR(inputs, units, key=key), key)
    assert jn.count_parameters(machine) == units * (inputs + units + 1)


def test_starts_orthogonal_and_without_bias(key):
    machine = jn.gated.ATR(5, 40, key=key)
    np.testing.assert_allclose(machine.recurrent_weights @ machine.recurrent_weights.T, np.eye(40), atol=1e-5)
    assert np.abs(machine.input_weights).max() <= (6 / 45) ** 0.5
    assert not np.any(machine.bias)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="ATR got inputs=3, units=0; both must be at least 1"):
        jn.gated.ATR(3, 0, key=key)
