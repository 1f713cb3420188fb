"""The neuron of architecture search against its equations, written out leaf by leaf."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_equations, rows, sigmoid, with_weights

NAS = jn.gated.NAS

INPUTS, UNITS = 3, 4


def relu(z):
    return np.maximum(z, 0)


def test_follows_the_equations_of_the_paper():
    def step(m, state, x):
        h, c = state
        pairs = zip(*(rows(part, UNITS) for part in (m.input_weights, m.bias, m.recurrent_weights)), strict=True)
        seen = [(w @ x + b, u @ h) for w, b, u in pairs]
        outer = [sigmoid, relu, sigmoid, relu, np.tanh, sigmoid, np.tanh, sigmoid]
        joined = [a * b if k == 3 else a + b for k, (a, b) in enumerate(seen)]
        o1, o2, o3, o4, o5, o6, o7, o8 = (function(z) for function, z in zip(outer, joined, strict=True))
        l1, l2, l3, l4 = np.tanh(o1 * o2), np.tanh(o3 + o4), np.tanh(o5 * o6), sigmoid(o7 + o8)
        l1 = np.tanh(l1 + c)
        c = l1 * l2
        return [np.tanh(c * np.tanh(l3 + l4)), c]

    check_equations(lambda key: NAS(INPUTS, UNITS, key=key), step, "hidden", "cell")


def test_the_fourth_leaf_multiplies_so_that_it_is_shut_without_a_past(key):
    nas = NAS(INPUTS, UNITS, key=key)
    fourth = jnp.zeros(32).at[12:16].set(5.0)
    x = jnp.ones(INPUTS)
    start = nas.init(key)
    np.testing.assert_array_equal(nas.step(start, x)[1], with_weights(nas, bias=fourth).step(start, x)[1])
    later, _ = nas.step(start, x)
    assert np.any(nas.step(later, x)[1] != with_weights(nas, bias=fourth).step(later, x)[1])


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (49, 100)])
def test_the_number_of_parameters(inputs, units):
    machine = jax.eval_shape(lambda key: NAS(inputs, units, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 8 * units * (inputs + units + 1)


def test_starts_orthogonal_in_each_gate(key):
    machine = NAS(3, 40, key=key)
    for gate in np.split(np.asarray(machine.recurrent_weights), 8):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0] * 8, 40))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(ValueError, match=f"NAS got inputs={inputs}, units={units}; both must be at least 1"):
        NAS(inputs, units, key=key)
