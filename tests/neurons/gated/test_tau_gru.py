"""The delayed unit against a recorded cell, whose delayed state is 0, and against the equations of its paper."""

import jax
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_transcription, sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, arrays, check_against, parameters


def build_with(found, delay):
    u, z, g, a = range(4)
    w, b = np.split(found["weight_ih"], 4), np.split(found["bias_ih"] + found["bias_hh"], 4)
    recurrent = np.split(found["weight_hh"], 4)
    return with_weights(
        jn.gated.TauGRU(INPUTS, UNITS, delay=delay, key=jax.random.key(0)),
        input_weights=np.concatenate([w[u], w[g], w[a], w[z]]),
        recurrent_weights=np.concatenate([recurrent[u], recurrent[g], recurrent[a]]),
        delayed_weights=recurrent[z],
        bias=np.concatenate([b[u], b[g], b[a], b[z]]),
    )


def test_before_the_delay_is_over_it_equals_the_recorded_cell():
    check_against("tauGRUCell", lambda found: build_with(found, len(arrays()["sequence"])), "hidden")


@pytest.mark.parametrize("delay", [1, 2, 5])
def test_equals_the_equations_of_the_paper(delay):
    found = parameters("tauGRUCell")
    w_u, w_z, w_g, w_a = np.split(found["weight_ih"], 4)
    u_u, u_z, u_g, u_a = np.split(found["weight_hh"], 4)
    b_u, b_z, b_g, b_a = np.split(found["bias_ih"] + found["bias_hh"], 4)
    history = [np.zeros(UNITS)]

    def step(state, x):
        h = history[-1]
        delayed = history[-1 - delay] if len(history) > delay else np.zeros(UNITS)
        u, z = np.tanh(u_u @ h + w_u @ x + b_u), np.tanh(u_z @ delayed + w_z @ x + b_z)
        g, a = sigmoid(u_g @ h + w_g @ x + b_g), sigmoid(u_a @ h + w_a @ x + b_a)
        history.append((1 - g) * h + g * (u + a * z))
        return (history[-1],)

    check_transcription(lambda: build_with(found, delay), step, (history[0],), "hidden")


def test_the_past_is_heard_after_the_delay(key):
    delay = 4
    machine = jn.gated.TauGRU(INPUTS, UNITS, delay=delay, key=key)
    deaf = with_weights(machine, delayed_weights=np.zeros((UNITS, UNITS)))
    inputs = jax.random.normal(key, (10, INPUTS))
    same = np.all(jn.run(machine, inputs)[1] == jn.run(deaf, inputs)[1], axis=1)
    # The state after the first input is 0 steps old in the second step.
    np.testing.assert_array_equal(same, np.arange(10) < delay + 1)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_as_many_parameters_as_an_lstm_at_any_delay(inputs, units, key):
    for delay in (1, 30):
        machine = jax.eval_shape(lambda key, delay=delay: jn.gated.TauGRU(inputs, units, delay=delay, key=key), key)
        assert jn.count_parameters(machine) == 4 * units * (inputs + units + 1)


def test_starts_as_in_the_code_of_the_authors(key):
    machine = jn.gated.TauGRU(20, 100, key=key)
    for weights in (machine.input_weights, machine.recurrent_weights, machine.delayed_weights, machine.bias):
        assert 0.09 < np.abs(weights).max() <= 0.1
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))
    assert machine.init(key).past.shape == (10, 100)


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="TauGRU got inputs=0, units=3; both must be at least 1"):
        jn.gated.TauGRU(0, 3, key=key)
    with pytest.raises(ValueError, match="TauGRU got delay=0; it must be at least 1"):
        jn.gated.TauGRU(3, 3, delay=0, key=key)
