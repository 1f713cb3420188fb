"""Bistable cells against recorded cells of the same weights; their two stable states."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import InputOfOne, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against


def build_with(kind):
    def build(found):
        # The recorded cell has a bias of the candidate too.
        machine = with_weights(
            kind(INPUTS + 1, UNITS, key=jax.random.key(0)),
            input_weights=np.column_stack([found["weight_ih"], found["bias_ih"]]),
            recurrent_weights=found["weight_hh"],
            bias=found["bias_hh"],
        )
        return InputOfOne(machine)

    return build


@pytest.mark.parametrize(("cell", "kind"), [("BRCell", jn.gated.BRC), ("NBRCell", jn.gated.NBRC)])
def test_equals_the_recorded_cell(cell, kind):
    check_against(cell, build_with(kind), "hidden")


@pytest.mark.parametrize(("bias", "stable"), [(np.arctanh(0.5), 0.8586), (np.arctanh(-0.5), 0.0)])
def test_has_two_stable_states_where_the_feedback_is_above_one(bias, stable, key):
    machine = with_weights(jn.gated.BRC(1, 2, key=key), recurrent_weights=np.zeros(4), bias=[bias, bias, 0, 0])
    state = type(machine.init(key))(jnp.asarray([0.1, -0.1]))
    state, _ = jn.run(machine, jnp.zeros((500, 1)), state=state)
    # 0.8586 solves h = tanh(1.5 h).
    np.testing.assert_allclose(state.hidden, [stable, -stable], atol=1e-4)


def test_the_modulated_one_with_diagonal_matrices_is_the_plain_one(key):
    plain = jn.gated.BRC(INPUTS, UNITS, key=key)
    diagonal = np.concatenate([np.eye(UNITS), np.eye(UNITS)])
    modulated = with_weights(
        jn.gated.NBRC(INPUTS, UNITS, key=key), input_weights=plain.input_weights, recurrent_weights=diagonal
    )
    inputs = jax.random.normal(key, (30, INPUTS))
    np.testing.assert_allclose(jn.run(plain, inputs)[1], jn.run(modulated, inputs)[1], atol=1e-6)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_the_parameters_of_the_equations(inputs, units, key):
    plain = jax.eval_shape(lambda key: jn.gated.BRC(inputs, units, key=key), key)
    modulated = jax.eval_shape(lambda key: jn.gated.NBRC(inputs, units, key=key), key)
    assert jn.count_parameters(plain) == units * (3 * inputs + 4)
    assert jn.count_parameters(modulated) == units * (3 * inputs + 2 * units + 2)


def test_starts_as_in_the_code_of_the_authors(key):
    plain, modulated = jn.gated.BRC(5, 40, key=key), jn.gated.NBRC(5, 40, key=key)
    np.testing.assert_array_equal(plain.recurrent_weights, 1)
    for gate in np.split(np.asarray(modulated.recurrent_weights), 2):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    for machine in (plain, modulated):
        assert 0.9 * (6 / 45) ** 0.5 < np.abs(machine.input_weights).max() <= (6 / 45) ** 0.5
        assert not np.any(machine.bias)


@pytest.mark.parametrize("kind", [jn.gated.BRC, jn.gated.NBRC])
def test_bad_sizes_are_refused(kind, key):
    with pytest.raises(ValueError, match=f"{kind.__name__} got inputs=0, units=3; both must be at least 1"):
        kind(0, 3, key=key)
