"""The light gated recurrent unit against torchrecurrent's cell and its paper's equations."""

import jax
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_equations, rows, sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against

LiGRU = jn.gated.LiGRU


def test_equals_torchrecurrents_cell_with_the_same_weights():
    def build(found):
        return with_weights(
            LiGRU(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
        )

    check_against("LiGRUCell", build, "hidden")


def test_follows_the_equations_of_the_paper():
    def step(m, state, x):
        (h,) = state
        wz, wn = rows(m.input_weights, UNITS)
        uz, un = rows(m.recurrent_weights, UNITS)
        bz, bn = rows(m.bias, UNITS)
        z = sigmoid(wz @ x + uz @ h + bz)
        return [z * h + (1 - z) * np.maximum(wn @ x + un @ h + bn, 0)]

    check_equations(lambda key: LiGRU(INPUTS, UNITS, key=key), step, "hidden")


def test_grows_by_no_more_than_the_input_adds(key):
    ligru = LiGRU(3, 20, key=key)
    sequence = jax.random.normal(key, (200, 3))
    lengths = np.linalg.norm(jn.run(ligru, sequence)[1], axis=1)
    added = np.linalg.norm(np.asarray(sequence) @ np.asarray(ligru.input_weights)[20:].T, axis=1)
    assert (lengths <= added.cumsum() * (1 + 1e-5)).all()
    assert lengths.max() > 1


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (49, 100)])
def test_the_number_of_parameters(inputs, units):
    machine = jax.eval_shape(lambda key: LiGRU(inputs, units, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 2 * units * (inputs + units + 1)


def test_starts_orthogonal_in_each_gate(key):
    machine = LiGRU(3, 40, key=key)
    for gate in np.split(np.asarray(machine.recurrent_weights), 2):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0, 0.0], 40))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(ValueError, match=f"LiGRU got inputs={inputs}, units={units}; both must be at least 1"):
        LiGRU(inputs, units, key=key)
