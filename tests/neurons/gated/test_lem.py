"""Long expressive memory against the equations of its paper, which recorded cells read the old memory in."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_transcription, sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, parameters


def test_equals_the_equations_of_the_paper():
    found = parameters("LEMCell")
    w_e, w_d, w_z, w_y = np.split(found["weight_ih"], 4)
    u_e, u_d, u_z = np.split(found["weight_hh"], 3)
    b_e, b_d, b_z, b_y = np.split(found["bias_ih"], 4)

    def build():
        return with_weights(
            jn.gated.LEM(INPUTS, UNITS, dt=0.7, key=jax.random.key(0)),
            input_weights=np.concatenate([w_d, w_e, w_z, w_y]),
            recurrent_weights=np.concatenate([u_d, u_e, u_z]),
            memory_weights=found["weight_ch"],
            bias=np.concatenate([b_d, b_e, b_z, b_y]),
        )

    def step(state, x):
        y, z = state
        short = 0.7 * sigmoid(u_d @ y + w_d @ x + b_d)
        long = 0.7 * sigmoid(u_e @ y + w_e @ x + b_e)
        z = (1 - short) * z + short * np.tanh(u_z @ y + w_z @ x + b_z)
        return (1 - long) * y + long * np.tanh(found["weight_ch"] @ z + w_y @ x + b_y), z

    check_transcription(build, step, (np.zeros(UNITS), np.zeros(UNITS)), "hidden", "memory")


def test_an_input_reaches_the_output_through_the_memory_in_one_step(key):
    machine = jn.gated.LEM(INPUTS, UNITS, key=key)
    only_memory = machine.input_weights.at[3 * UNITS :].set(0)
    machine = with_weights(machine, input_weights=only_memory, bias=np.zeros(4 * UNITS))
    _, output = machine.step(machine.init(key), jnp.ones(INPUTS))
    assert np.all(np.abs(output) > 1e-4)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_as_many_parameters_as_an_lstm(inputs, units, key):
    machine = jax.eval_shape(lambda key: jn.gated.LEM(inputs, units, key=key), key)
    lstm = jax.eval_shape(lambda key: jn.LSTM(inputs, units, key=key), key)
    trained = jn.count_parameters(machine, lambda path: path != ".dt")
    assert trained == jn.count_parameters(lstm) == 4 * units * (inputs + units + 1)


def test_starts_as_in_the_code_of_the_authors(key):
    machine = jn.gated.LEM(20, 100, key=key)
    for weights in (machine.input_weights, machine.recurrent_weights, machine.memory_weights, machine.bias):
        assert 0.09 < np.abs(weights).max() <= 0.1
    assert machine.dt == 1


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="LEM got inputs=0, units=3; both must be at least 1"):
        jn.gated.LEM(0, 3, key=key)
    with pytest.raises(ValueError, match=r"LEM\.dt is 0; it must be above 0"):
        jn.gated.LEM(3, 3, dt=0.0, key=key)
