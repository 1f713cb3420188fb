"""The minimal gated unit against torchrecurrent's cell and its paper's equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_equations, rows, sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against

MGU = jn.gated.MGU


def test_equals_torchrecurrents_cell_with_the_same_weights():
    def build(found):
        return with_weights(
            MGU(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
        )

    check_against("MGUCell", build, "hidden")


@pytest.mark.parametrize("reset_after", [False, True])
def test_follows_the_equations(reset_after):
    def step(m, state, x):
        (h,) = state
        wf, wn = rows(m.input_weights, UNITS)
        uf, un = rows(m.recurrent_weights, UNITS)
        bf, bn = rows(m.bias, UNITS)
        f = sigmoid(wf @ x + uf @ h + bf)
        past = f * (un @ h + m.recurrent_bias) if reset_after else un @ (f * h)
        return [(1 - f) * h + f * np.tanh(wn @ x + past + bn)]

    check_equations(lambda key: MGU(INPUTS, UNITS, reset_after=reset_after, key=key), step, "hidden")


def test_with_an_open_gate_is_a_simple_recurrent_neuron(key):
    mgu = MGU(3, 4, key=key)
    open_gate = jnp.concatenate([jnp.full(4, 100.0), jnp.zeros(4)])
    rnn = with_weights(
        jn.gated.RNN(3, 4, key=key), input_weights=mgu.input_weights[4:], recurrent_weights=mgu.recurrent_weights[4:]
    )
    sequence = jax.random.normal(key, (20, 3))
    outputs = jn.run(with_weights(mgu, bias=open_gate), sequence)[1]
    np.testing.assert_allclose(outputs, jn.run(rnn, sequence)[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("reset_after", [False, True])
@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (49, 100)])
def test_the_number_of_parameters(inputs, units, reset_after):
    machine = jax.eval_shape(lambda key: MGU(inputs, units, reset_after=reset_after, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 2 * units * (inputs + units + 1) + units * reset_after


def test_starts_orthogonal_in_each_gate(key):
    machine = MGU(3, 40, key=key)
    for gate in np.split(np.asarray(machine.recurrent_weights), 2):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0, 0.0], 40))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(ValueError, match=f"MGU got inputs={inputs}, units={units}; both must be at least 1"):
        MGU(inputs, units, key=key)
