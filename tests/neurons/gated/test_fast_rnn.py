"""FastRNN against a recorded cell, FastGRNN against the equations of its paper; the limits of both."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_transcription, sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against, parameters


def test_equals_the_recorded_cell():
    def build(found):
        return with_weights(
            jn.gated.FastRNN(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
            alpha=found["alpha"][0],
            beta=found["beta"][0],
        )

    check_against("FastRNNCell", build, "hidden")


def test_the_gated_one_equals_the_equations_of_the_paper():
    # The recorded cell has tanh for its gate.
    found = parameters("FastGRNNCell")
    bias, (zeta,), (nu,) = found["bias_ih"] + found["bias_hh"], found["zeta"], found["nu"]

    def build():
        return with_weights(
            jn.gated.FastGRNN(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=bias,
            zeta=zeta,
            nu=nu,
        )

    def step(state, x):
        (h,) = state
        z = sigmoid(found["weight_ih"] @ x + found["weight_hh"] @ h + bias[:UNITS])
        candidate = np.tanh(found["weight_ih"] @ x + found["weight_hh"] @ h + bias[UNITS:])
        return ((sigmoid(zeta) * (1 - z) + sigmoid(nu)) * candidate + z * h,)

    check_transcription(build, step, (np.zeros(UNITS),), "hidden")


def test_without_the_past_it_is_an_elman_network(key):
    machine = jn.gated.FastRNN(INPUTS, UNITS, alpha=60.0, beta=-60.0, key=key)
    inputs = jax.random.normal(key, (20, INPUTS))
    _, outputs = jn.run(machine, inputs)
    hidden = np.zeros(UNITS)
    for x, output in zip(inputs, outputs, strict=True):
        hidden = np.tanh(machine.input_weights @ x + machine.recurrent_weights @ hidden + machine.bias)
        np.testing.assert_allclose(output, hidden, atol=1e-6)


def test_an_open_gate_keeps_the_state(key):
    machine = jn.gated.FastGRNN(INPUTS, UNITS, nu=-60.0, key=key)
    machine = with_weights(machine, bias=np.repeat([60.0, 1.0], UNITS))
    start = type(machine.init(key))(jnp.arange(4.0))
    state, _ = jn.run(machine, jax.random.normal(key, (50, INPUTS)), state=start)
    np.testing.assert_allclose(state.hidden, start.hidden, atol=1e-5)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_the_parameters_of_the_equations(inputs, units, key):
    fast = jax.eval_shape(lambda key: jn.gated.FastRNN(inputs, units, key=key), key)
    gated = jax.eval_shape(lambda key: jn.gated.FastGRNN(inputs, units, key=key), key)
    assert jn.count_parameters(fast) == units * (inputs + units + 1) + 2
    assert jn.count_parameters(gated) == units * (inputs + units + 2) + 2


def test_starts_by_keeping_the_past(key):
    fast, gated = jn.gated.FastRNN(5, 40, key=key), jn.gated.FastGRNN(5, 40, key=key)
    assert (fast.alpha, fast.beta, gated.zeta, gated.nu) == (-3, 3, 1, -4)
    for machine in (fast, gated):
        np.testing.assert_array_equal(machine.bias, 1)
        np.testing.assert_allclose(machine.recurrent_weights @ machine.recurrent_weights.T, np.eye(40), atol=1e-5)


@pytest.mark.parametrize("kind", [jn.gated.FastRNN, jn.gated.FastGRNN])
def test_bad_sizes_are_refused(kind, key):
    with pytest.raises(ValueError, match=f"{kind.__name__} got inputs=0, units=3; both must be at least 1"):
        kind(0, 3, key=key)
