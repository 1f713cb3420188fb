"""Independent neurons against a recorded cell of the same weights; that they are independent."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_transcription, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against, parameters


def build_with(activation):
    def build(found):
        return with_weights(
            jn.gated.IndRNN(INPUTS, UNITS, activation=activation, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["vector_u"],
            bias=found["bias_ih"] + found["bias_hh"],
        )

    return build


def test_equals_the_recorded_cell():
    check_against("IndRNNCell", build_with("tanh"), "hidden")


def test_rectifies_as_in_the_paper():
    found = parameters("IndRNNCell")

    def step(state, x):
        total = found["weight_ih"] @ x + found["bias_ih"] + found["bias_hh"] + found["vector_u"] * state[0]
        return (np.maximum(total, 0),)

    check_transcription(lambda: build_with("relu")(found), step, (np.zeros(UNITS),), "hidden")


def test_no_neuron_hears_another(key):
    machine = jn.gated.IndRNN(INPUTS, UNITS, key=key)
    state = machine.init(key)
    jacobian = jax.jacobian(lambda hidden: machine.step(type(state)(hidden), jnp.zeros(INPUTS))[1])(jnp.ones(UNITS))
    np.testing.assert_allclose(jacobian, np.diag(machine.recurrent_weights), atol=1e-7)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_one_recurrent_weight_per_neuron(inputs, units, key):
    machine = jax.eval_shape(lambda key: jn.gated.IndRNN(inputs, units, key=key), key)
    assert jn.count_parameters(machine) == units * (inputs + 2)


def test_starts_with_memories_of_all_lengths(key):
    machine = jn.gated.IndRNN(5, 400, key=key)
    assert machine.activation == "relu"
    assert 0 <= machine.recurrent_weights.min() < 0.02 < 0.98 < machine.recurrent_weights.max() <= 1
    assert 0.95 * (6 / 405) ** 0.5 < np.abs(machine.input_weights).max() <= (6 / 405) ** 0.5
    assert not np.any(machine.bias)


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="IndRNN got inputs=0, units=3; both must be at least 1"):
        jn.gated.IndRNN(0, 3, key=key)
