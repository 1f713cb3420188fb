"""Coupled oscillators against a recorded cell of the same weights, and against the linear oscillator."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against


def test_equals_the_recorded_cell():
    def build(found):
        machine = jn.gated.CoRNN(INPUTS, UNITS, dt=0.1, gamma=1.0, epsilon=1.0, key=jax.random.key(0))
        return with_weights(
            machine,
            input_weights=found["weight_ih"],
            recurrent_weights=np.hstack([found["weight_hh"], found["weight_ch"]]),
            bias=found["bias_ih"] + found["bias_hh"] + found["bias_ch"],
        )

    check_against("coRNNCell", build, "hidden", "velocity")


def test_without_weights_it_is_a_damped_oscillator(key, float64):
    dt, gamma, epsilon = 0.1, 4.0, 0.3
    machine = jn.gated.CoRNN(1, 1, dt=dt, gamma=gamma, epsilon=epsilon, key=key)
    machine = jax.tree.map(jnp.zeros_like, machine)
    machine = with_weights(machine, dt=dt, gamma=gamma, epsilon=epsilon)
    start = type(machine.init(key))(jnp.ones(1), jnp.zeros(1))
    state, outputs = jn.run(machine, jnp.zeros((100, 1)), state=start)
    velocity = np.array([-dt * gamma, 1 - dt * epsilon])
    step = np.stack([np.array([1.0, 0.0]) + dt * velocity, velocity])
    position, speed = np.linalg.matrix_power(step, 100) @ [1.0, 0.0]
    np.testing.assert_allclose([state.hidden[0], state.velocity[0]], [position, speed], atol=1e-12)
    crossings = np.flatnonzero(np.diff(np.sign(outputs[:, 0])))
    # A half period of the frequency sqrt(gamma - (epsilon / 2)^2), up to the step of time.
    assert np.diff(crossings) * dt == pytest.approx(np.pi / (gamma - epsilon**2 / 4) ** 0.5, abs=dt)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_the_parameters_of_the_equations(inputs, units, key):
    machine = jax.eval_shape(lambda key: jn.gated.CoRNN(inputs, units, key=key), key)
    trained = jn.count_parameters(machine, lambda path: path not in (".dt", ".gamma", ".epsilon"))
    assert trained == units * (inputs + 2 * units + 1)


def test_starts_as_in_the_code_of_the_authors(key):
    machine = jn.gated.CoRNN(20, 40, key=key)
    for weights in (machine.input_weights, machine.recurrent_weights, machine.bias):
        assert 0.08 < np.abs(weights).max() <= 0.1
    assert (machine.dt, machine.gamma, machine.epsilon) == tuple(np.asarray([0.042, 2.7, 4.7], np.float32))


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="CoRNN got inputs=0, units=3; both must be at least 1"):
        jn.gated.CoRNN(0, 3, key=key)
    with pytest.raises(ValueError, match=r"CoRNN\.dt is 0; it must be above 0"):
        jn.gated.CoRNN(3, 3, dt=0.0, key=key)
    with pytest.raises(ValueError, match=r"CoRNN\.gamma is -1; it must be at least 0"):
        jn.gated.CoRNN(3, 3, gamma=-1.0, key=key)
