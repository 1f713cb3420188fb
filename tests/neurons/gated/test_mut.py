"""The three mutated neurons against their paper's equations, and the third against torchrecurrent's cell."""

import jax
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_equations, rows, sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against

MUT1, MUT2, MUT3 = jn.gated.MUT1, jn.gated.MUT2, jn.gated.MUT3


def test_the_first_follows_the_equations_of_the_paper():
    def step(m, state, x):
        (h,) = state
        (wz, wr), (ur, uh), (bz, br, bh) = (rows(p, 4) for p in (m.input_weights, m.recurrent_weights, m.bias))
        z, r = sigmoid(wz @ x + bz), sigmoid(wr @ x + ur @ h + br)
        return [np.tanh(uh @ (r * h) + np.tanh(x) + bh) * z + h * (1 - z)]

    check_equations(lambda key: MUT1(4, 4, key=key), step, "hidden", inputs=4)


def test_the_second_follows_the_equations_of_the_paper():
    def step(m, state, x):
        (h,) = state
        (wz, wh), (uz, ur, uh), (bz, br, bh) = (rows(p, 4) for p in (m.input_weights, m.recurrent_weights, m.bias))
        z, r = sigmoid(wz @ x + uz @ h + bz), sigmoid(x + ur @ h + br)
        return [np.tanh(uh @ (r * h) + wh @ x + bh) * z + h * (1 - z)]

    check_equations(lambda key: MUT2(4, 4, key=key), step, "hidden", inputs=4)


def test_the_third_follows_the_equations_of_the_paper():
    def step(m, state, x):
        (h,) = state
        wz, wr, wh = rows(m.input_weights, UNITS)
        uz, ur, uh = rows(m.recurrent_weights, UNITS)
        bz, br, bh = rows(m.bias, UNITS)
        z, r = sigmoid(wz @ x + uz @ np.tanh(h) + bz), sigmoid(wr @ x + ur @ h + br)
        return [np.tanh(uh @ (r * h) + wh @ x + bh) * z + h * (1 - z)]

    check_equations(lambda key: MUT3(INPUTS, UNITS, key=key), step, "hidden")


def test_the_third_equals_torchrecurrents_cell_with_the_same_weights():
    def build(found):
        return with_weights(
            MUT3(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
        )

    check_against("MUT3Cell", build, "hidden")


@pytest.mark.parametrize(
    ("kind", "inputs", "units", "count"),
    [
        (MUT1, 8, 8, 8 * (2 * 8 + 2 * 8 + 3)),
        (MUT2, 8, 8, 8 * (2 * 8 + 3 * 8 + 3)),
        (MUT3, 3, 8, 3 * 8 * (3 + 8 + 1)),
        (MUT3, 8, 8, 3 * 8 * (8 + 8 + 1)),
    ],
)
def test_the_number_of_parameters(kind, inputs, units, count, key):
    assert jn.count_parameters(kind(inputs, units, key=key)) == count


@pytest.mark.parametrize(("kind", "matrices"), [(MUT1, 2), (MUT2, 3), (MUT3, 3)])
def test_starts_orthogonal_in_each_gate_at_zero(kind, matrices, key):
    machine = kind(20, 20, key=key)
    for gate in np.split(np.asarray(machine.recurrent_weights), matrices):
        np.testing.assert_allclose(gate @ gate.T, np.eye(20), atol=1e-5)
    assert not np.any(machine.bias)
    assert not np.any(machine.init(key).hidden)


@pytest.mark.parametrize("kind", [MUT1, MUT2])
def test_an_input_of_another_size_than_the_layer_is_refused_with_what_to_write(kind, key):
    with pytest.raises(ValueError, match=f"{kind.__name__} got inputs=3, units=4; they must be equal") as caught:
        kind(3, 4, key=key)
    assert f"Chain(Dense(3, 4, key=...), {kind.__name__}(...))" in str(caught.value)


@pytest.mark.parametrize("kind", [MUT1, MUT2, MUT3])
def test_bad_sizes_are_refused(kind, key):
    with pytest.raises(ValueError, match=f"{kind.__name__} got inputs=0, units=0; both must be at least 1"):
        kind(0, 0, key=key)
