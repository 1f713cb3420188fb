"""Undamped oscillators against a recorded cell of the same weights; that they lose nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against


def test_equals_the_recorded_cell():
    def build(found):
        machine = jn.gated.UnICORNN(INPUTS, UNITS, dt=0.1, alpha=0.0, key=jax.random.key(0))
        return with_weights(
            machine,
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
            speed_logits=found["weight_ch"],
        )

    check_against("UnICORNNCell", build, "hidden", "velocity")


def test_a_run_can_be_undone(key, float64):
    machine = jn.gated.UnICORNN(INPUTS, UNITS, key=key)
    inputs = jax.random.normal(key, (200, INPUTS))
    start = type(machine.init(key))(jnp.arange(4.0), jnp.ones(4))
    state, _ = jn.run(machine, inputs, state=start)
    hidden, velocity = np.asarray(state.hidden), np.asarray(state.velocity)
    d = 0.19 * sigmoid(np.asarray(machine.speed_logits))
    for x in np.asarray(inputs)[::-1]:
        hidden = hidden - d * velocity
        current = machine.input_weights @ x + machine.recurrent_weights * hidden + machine.bias
        velocity = velocity + d * (np.tanh(current) + 30.65 * hidden)
    np.testing.assert_allclose(hidden, start.hidden, atol=1e-10)
    np.testing.assert_allclose(velocity, start.velocity, atol=1e-10)


def test_every_step_keeps_the_volume_of_the_phase_space(key, float64):
    machine = jn.gated.UnICORNN(INPUTS, UNITS, key=key)
    state = type(machine.init(key))(jnp.arange(4.0), jnp.ones(4))
    jacobian = jax.jacobian(lambda state: machine.step(state, jnp.ones(INPUTS))[0])(state)
    matrix = np.block([[leaf[name] for name in ("hidden", "velocity")] for leaf in map(vars, vars(jacobian).values())])
    assert np.linalg.det(matrix) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_the_parameters_of_the_equations(inputs, units, key):
    machine = jax.eval_shape(lambda key: jn.gated.UnICORNN(inputs, units, key=key), key)
    assert jn.count_parameters(machine, lambda path: path not in (".dt", ".alpha")) == units * (inputs + 3)


def test_starts_as_in_the_code_of_the_authors(key):
    machine = jn.gated.UnICORNN(6, 400, key=key)
    assert 0.95 * 65**-0.5 < np.abs(machine.input_weights).max() <= 65**-0.5
    assert 0 <= machine.recurrent_weights.min() < 0.05 < 0.95 < machine.recurrent_weights.max() <= 1
    assert 0.09 < np.abs(machine.speed_logits).max() <= 0.1
    assert not np.any(machine.bias)


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="UnICORNN got inputs=0, units=3; both must be at least 1"):
        jn.gated.UnICORNN(0, 3, key=key)
    with pytest.raises(ValueError, match=r"UnICORNN\.alpha is -1; it must be at least 0"):
        jn.gated.UnICORNN(3, 3, alpha=-1.0, key=key)
