"""The update gate neuron against torchrecurrent's cell and its paper's equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_equations, rows, sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against

UGRNN = jn.gated.UGRNN


def test_equals_torchrecurrents_cell_with_the_same_weights():
    def build(found):
        return with_weights(
            UGRNN(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
        )

    check_against("UGRNNCell", build, "hidden")


def test_follows_the_equations_of_the_paper():
    def step(m, state, x):
        (h,) = state
        wn, wg = rows(m.input_weights, UNITS)
        un, ug = rows(m.recurrent_weights, UNITS)
        bn, bg = rows(m.bias, UNITS)
        g = sigmoid(wg @ x + ug @ h + bg)
        return [g * h + (1 - g) * np.tanh(wn @ x + un @ h + bn)]

    check_equations(lambda key: UGRNN(INPUTS, UNITS, key=key), step, "hidden")


def test_keeps_everything_behind_a_closed_gate(key):
    ugrnn = with_weights(UGRNN(3, 4, key=key), bias=jnp.repeat(jnp.asarray([0.0, 100.0]), 4))
    start = type(ugrnn.init(key))(jnp.linspace(-0.9, 0.9, 4))
    state, _ = jn.run(ugrnn, jax.random.normal(key, (100, 3)), state=start)
    np.testing.assert_array_equal(state.hidden, start.hidden)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (49, 100)])
def test_the_number_of_parameters(inputs, units):
    machine = jax.eval_shape(lambda key: UGRNN(inputs, units, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 2 * units * (inputs + units + 1)


def test_starts_orthogonal_in_each_gate_and_by_remembering(key):
    machine = UGRNN(3, 40, key=key)
    for gate in np.split(np.asarray(machine.recurrent_weights), 2):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0, 1.0], 40))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(ValueError, match=f"UGRNN got inputs={inputs}, units={units}; both must be at least 1"):
        UGRNN(inputs, units, key=key)
