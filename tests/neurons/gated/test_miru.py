"""Minion recurrent units against recorded cells of the same weights; how one becomes the other or Elman's network."""

import jax
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against


@pytest.mark.parametrize(("cell", "kind"), [("MiRU1Cell", jn.gated.MiRU1), ("MiRU2Cell", jn.gated.MiRU2)])
def test_equals_the_recorded_cell(cell, kind):
    def build(found):
        return with_weights(
            kind(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
        )

    check_against(cell, build, "hidden")


def test_a_constant_reset_gate_is_a_number(key):
    number = jn.gated.MiRU2(INPUTS, UNITS, update_coefficient=0.7, reset_coefficient=0.2, key=key)
    gate = jn.gated.MiRU1(INPUTS, UNITS, update_coefficient=0.7, key=key)
    gate = with_weights(
        gate,
        input_weights=np.concatenate([np.zeros((UNITS, INPUTS)), number.input_weights]),
        recurrent_weights=np.concatenate([np.zeros((UNITS, UNITS)), number.recurrent_weights]),
        bias=np.concatenate([np.full(UNITS, np.log(0.2 / 0.8)), number.bias]),
    )
    inputs = jax.random.normal(key, (30, INPUTS))
    np.testing.assert_allclose(jn.run(gate, inputs)[1], jn.run(number, inputs)[1], atol=1e-6)


def test_coefficients_that_hide_nothing_make_an_elman_network(key):
    machine = jn.gated.MiRU2(INPUTS, UNITS, update_coefficient=0.0, reset_coefficient=1.0, key=key)
    inputs = jax.random.normal(key, (20, INPUTS))
    hidden = np.zeros(UNITS)
    for x, output in zip(inputs, jn.run(machine, inputs)[1], strict=True):
        hidden = np.tanh(machine.input_weights @ x + machine.recurrent_weights @ hidden)
        np.testing.assert_allclose(output, hidden, atol=1e-6)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_the_parameters_of_the_equations(inputs, units, key):
    for kind, gates in ((jn.gated.MiRU1, 2), (jn.gated.MiRU2, 1)):
        machine = jax.eval_shape(lambda key, kind=kind: kind(inputs, units, key=key), key)
        trained = jn.count_parameters(machine, lambda path: "coefficient" not in path)
        assert trained == gates * units * (inputs + units + 1)


@pytest.mark.parametrize("kind", [jn.gated.MiRU1, jn.gated.MiRU2])
def test_starts_orthogonal_and_half_open(kind, key):
    machine = kind(5, 40, key=key)
    for gate in np.split(np.asarray(machine.recurrent_weights), len(machine.recurrent_weights) // 40):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    assert not np.any(machine.bias)
    assert machine.update_coefficient == 0.5


@pytest.mark.parametrize("kind", [jn.gated.MiRU1, jn.gated.MiRU2])
def test_bad_arguments_are_refused(kind, key):
    with pytest.raises(ValueError, match=f"{kind.__name__} got inputs=0, units=3; both must be at least 1"):
        kind(0, 3, key=key)
    with pytest.raises(ValueError, match=rf"{kind.__name__}\.update_coefficient is 2; it must be at most 1"):
        kind(3, 3, update_coefficient=2.0, key=key)
