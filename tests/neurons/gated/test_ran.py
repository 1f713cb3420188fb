"""The recurrent additive network against torchrecurrent's cell, its paper's equations and a closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_equations, rows, sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against

RAN = jn.gated.RAN


def test_equals_torchrecurrents_cell_with_the_same_weights():
    def build(found):
        # There the content comes first.
        return with_weights(
            RAN(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=np.roll(found["weight_ih"], -UNITS, axis=0),
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
        )

    check_against("RANCell", build, "hidden", "cell")


@pytest.mark.parametrize(("activation", "function"), [("tanh", np.tanh), ("identity", lambda c: c)])
def test_follows_the_equations_of_the_paper(activation, function):
    def step(m, state, x):
        h, c = state
        wi, wf, wg = rows(m.input_weights, UNITS)
        ui, uf = rows(m.recurrent_weights, UNITS)
        bi, bf = rows(m.bias, UNITS)
        c = sigmoid(wi @ x + ui @ h + bi) * (wg @ x) + sigmoid(wf @ x + uf @ h + bf) * c
        return [function(c), c]

    check_equations(lambda key: RAN(INPUTS, UNITS, activation=activation, key=key), step, "hidden", "cell")


def test_with_constant_gates_its_memory_is_a_weighted_sum_of_its_inputs(key):
    ran = RAN(3, 4, activation="identity", key=key)
    ran = with_weights(
        ran, input_weights=ran.input_weights.at[:8].set(0), recurrent_weights=jnp.zeros((8, 4)), bias=jnp.arange(8) / 8
    )
    sequence = np.asarray(jax.random.normal(key, (20, 3)))
    write, keep = np.split(sigmoid(np.arange(8) / 8), 2)
    contents = sequence @ np.asarray(ran.input_weights)[8:].T
    expected = sum(keep ** (19 - t) * write * contents[t] for t in range(20))
    np.testing.assert_allclose(jn.run(ran, jnp.asarray(sequence))[1][-1], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (49, 100)])
def test_the_number_of_parameters(inputs, units):
    machine = jax.eval_shape(lambda key: RAN(inputs, units, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == units * (3 * inputs + 2 * units + 2)


def test_starts_orthogonal_in_each_gate(key):
    machine = RAN(3, 40, key=key)
    for gate in np.split(np.asarray(machine.recurrent_weights), 2):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0, 0.0], 40))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(ValueError, match=f"RAN got inputs={inputs}, units={units}; both must be at least 1"):
        RAN(inputs, units, key=key)
