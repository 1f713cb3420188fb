"""Simple gated units against the equations of their paper; recorded cells have a bias more."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_transcription, sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, parameters

KINDS = (jn.gated.SGU, jn.gated.DSGU)


@pytest.mark.parametrize("kind", KINDS)
def test_equals_the_equations_of_the_paper(kind):
    found = parameters(f"{kind.__name__}Cell")
    (w_g, w_z), (u_g, u_z) = np.split(found["weight_ih"], 2), np.split(found["weight_hh"], 2)
    b_g, b_z = np.split(3 * found["bias_ih"], 2)
    deep = {"output_weights": found["weight_ho"]} if kind is jn.gated.DSGU else {}

    def build():
        machine = kind(INPUTS, UNITS, key=jax.random.key(0))
        weights = {"input_weights": found["weight_ih"], "recurrent_weights": found["weight_hh"]}
        return with_weights(machine, **weights, bias=3 * found["bias_ih"], **deep)

    def step(state, x):
        (h,) = state
        inner = np.tanh(u_g @ ((w_g @ x + b_g) * h)) * h
        outer = sigmoid(found["weight_ho"] @ inner) if deep else np.log(1 + np.exp(inner))
        gate = np.clip((w_z @ x + u_z @ h + b_z) / 6 + 0.5, 0, 1)
        return ((1 - gate) * h + gate * outer,)

    check_transcription(build, step, (np.zeros(UNITS),), "hidden")


@pytest.mark.parametrize("kind", KINDS)
def test_the_gate_shuts_completely(kind, key):
    machine = with_weights(kind(INPUTS, UNITS, key=key), bias=np.repeat([0.0, -30.0], UNITS))
    start = type(machine.init(key))(jnp.linspace(0.0, 1.0, UNITS))
    state, _ = jn.run(machine, jax.random.normal(key, (50, INPUTS)), state=start)
    np.testing.assert_array_equal(state.hidden, start.hidden)


def test_the_deep_one_stays_between_zero_and_one_and_the_other_does_not(key):
    inputs = 10 * jax.random.normal(key, (1000, INPUTS))
    _, deep = jn.run(jn.gated.DSGU(INPUTS, 8, key=key), inputs)
    _, shallow = jn.run(jn.gated.SGU(INPUTS, 8, key=key), inputs)
    assert deep.min() >= 0
    assert deep.max() <= 1 < shallow.max()


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_the_parameters_of_the_equations(inputs, units, key):
    shallow = jax.eval_shape(lambda key: jn.gated.SGU(inputs, units, key=key), key)
    deep = jax.eval_shape(lambda key: jn.gated.DSGU(inputs, units, key=key), key)
    assert jn.count_parameters(shallow) == 2 * units * (inputs + units + 1)
    assert jn.count_parameters(deep) == units * (2 * inputs + 3 * units + 2)


@pytest.mark.parametrize("kind", KINDS)
def test_starts_orthogonal_and_without_bias(kind, key):
    machine = kind(5, 40, key=key)
    for weights in np.split(np.asarray(machine.recurrent_weights), 2):
        np.testing.assert_allclose(weights @ weights.T, np.eye(40), atol=1e-5)
    assert not np.any(machine.bias)


@pytest.mark.parametrize("kind", KINDS)
def test_bad_sizes_are_refused(kind, key):
    with pytest.raises(ValueError, match=f"{kind.__name__} got inputs=0, units=3; both must be at least 1"):
        kind(0, 3, key=key)
