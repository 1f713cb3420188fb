"""The light recurrent unit against a recorded cell of the same weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import InputOfOne, check_by_hand, sigmoid, size, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against


def equations(m, sequence):
    h = np.zeros(4)
    for x in sequence:
        f = sigmoid(m.input_weights[4:] @ x + m.recurrent_weights @ h + m.bias)
        h = (1 - f) * h + f * np.tanh(m.input_weights[:4] @ x)
        yield h, h


def test_follows_the_equations():
    check_by_hand(lambda key: jn.gated.LightRU(3, 4, key=key), equations, "hidden")


def test_equals_the_recorded_cell():
    def build(found):
        # The recorded cell has a bias of the candidate too: here the weights of an input that is always 1.
        machine = with_weights(
            jn.gated.LightRU(INPUTS + 1, UNITS, key=jax.random.key(0)),
            input_weights=np.column_stack([found["weight_ih"], found["bias_ih"]]),
            recurrent_weights=found["weight_hh"],
            bias=found["bias_hh"],
        )
        return InputOfOne(machine)

    check_against("LightRUCell", build, "hidden")


def test_a_closed_gate_keeps_the_state(key):
    machine = with_weights(jn.gated.LightRU(3, 4, key=key), bias=np.full(4, -200.0))
    start = jax.tree.map(lambda leaf: leaf + 0.5, machine.init(key))
    state, _ = jn.run(machine, jnp.ones((1000, 3)), state=start)
    np.testing.assert_array_equal(state.hidden, 0.5)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (20, 12)])
def test_has_the_parameters_of_the_equations(inputs, units):
    assert size(lambda key: jn.gated.LightRU(inputs, units, key=key)) == units * (2 * inputs + units + 1)


def test_starts_orthogonal_with_half_open_gates(key):
    machine = jn.gated.LightRU(3, 20, key=key)
    recurrent = np.asarray(machine.recurrent_weights)
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(20), atol=1e-5)
    np.testing.assert_array_equal(machine.bias, 0)
    assert not np.any(machine.init(key).hidden)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="LightRU got inputs=0, units=4; both must be at least 1"):
        jn.gated.LightRU(0, 4, key=key)
