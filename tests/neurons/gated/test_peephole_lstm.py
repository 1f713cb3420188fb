"""The LSTM with peepholes against torchrecurrent's cell, its paper's equations and the LSTM."""

import jax
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_equations, rows, sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against

PeepholeLSTM = jn.gated.PeepholeLSTM


def test_equals_torchrecurrents_cell_with_the_same_weights():
    def build(found):
        return with_weights(
            PeepholeLSTM(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
            peephole_weights=found["weight_ph"],
        )

    check_against("PeepholeLSTMCell", build, "hidden", "cell")


def test_follows_the_equations_of_the_paper():
    def step(m, state, x):
        h, c = state
        wi, wf, wg, wo = rows(m.input_weights, UNITS)
        ui, uf, ug, uo = rows(m.recurrent_weights, UNITS)
        bi, bf, bg, bo = rows(m.bias, UNITS)
        pi, pf, po = rows(m.peephole_weights, UNITS)
        i, f = sigmoid(wi @ x + ui @ h + bi + pi * c), sigmoid(wf @ x + uf @ h + bf + pf * c)
        c = f * c + i * np.tanh(wg @ x + ug @ h + bg)
        return [sigmoid(wo @ x + uo @ h + bo + po * c) * np.tanh(c), c]

    check_equations(lambda key: PeepholeLSTM(INPUTS, UNITS, key=key), step, "hidden", "cell")


def test_starts_as_an_lstm(key):
    sequence = jax.random.normal(key, (20, 3))
    expected = jn.run(jn.LSTM(3, 4, key=key), sequence)[1]
    np.testing.assert_allclose(jn.run(PeepholeLSTM(3, 4, key=key), sequence)[1], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (49, 100)])
def test_the_number_of_parameters(inputs, units):
    machine = jax.eval_shape(lambda key: PeepholeLSTM(inputs, units, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 4 * units * (inputs + units + 1) + 3 * units


def test_starts_orthogonal_in_each_gate_and_by_remembering(key):
    machine = PeepholeLSTM(3, 40, key=key)
    for gate in np.split(np.asarray(machine.recurrent_weights), 4):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0, 1.0, 0.0, 0.0], 40))
    assert not np.any(machine.peephole_weights)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(ValueError, match=f"PeepholeLSTM got inputs={inputs}, units={units}; both must be at least 1"):
        PeepholeLSTM(inputs, units, key=key)
