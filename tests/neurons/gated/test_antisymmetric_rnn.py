"""Antisymmetric neurons against recorded cells of the same weights; the property they are named for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against

KINDS = (jn.gated.AntisymmetricRNN, jn.gated.GatedAntisymmetricRNN)


def upper(recorded):
    """Of the recorded U the part above the diagonal of `U - U'`."""
    return (recorded - recorded.T)[np.triu_indices(UNITS, 1)]


def weights(found, bias):
    return {
        "input_weights": found["weight_ih"],
        "recurrent_weights": upper(found["weight_hh"]),
        "bias": found["bias_ih"] + bias,
    }


def test_equals_the_recorded_cell():
    def build(found):
        machine = jn.gated.AntisymmetricRNN(INPUTS, UNITS, epsilon=1.0, gamma=0.0, key=jax.random.key(0))
        return with_weights(machine, **weights(found, found["bias_hh"]))

    check_against("AntisymmetricRNNCell", build, "hidden")


def test_the_gated_one_equals_the_recorded_cell():
    def build(found):
        machine = jn.gated.GatedAntisymmetricRNN(INPUTS, UNITS, epsilon=1.0, gamma=0.0, key=jax.random.key(0))
        # The recorded cell adds the recurrent bias to the candidate alone.
        return with_weights(machine, **weights(found, np.concatenate([np.zeros(UNITS), found["bias_hh"]])))

    check_against("GatedAntisymmetricRNNCell", build, "hidden")


@pytest.mark.parametrize(("kind", "gate"), [(KINDS[0], 1.0), (KINDS[1], 0.5)])
def test_small_states_rotate_and_fade_with_the_diffusion_alone(kind, gate, float64, key):
    machine = kind(INPUTS, UNITS, epsilon=0.2, gamma=0.3, key=key)
    state = machine.init(key)

    def step(hidden):
        return machine.step(type(state)(hidden), jnp.zeros(INPUTS))[1]

    flow = (np.asarray(jax.jacobian(step)(state.hidden)) - np.eye(UNITS)) / (0.2 * gate)
    np.testing.assert_allclose(flow + 0.3 * np.eye(UNITS), -(flow + 0.3 * np.eye(UNITS)).T, atol=1e-12)
    assert np.abs(np.linalg.eigvals(flow).imag).max() > 0.1
    np.testing.assert_allclose(np.linalg.eigvals(flow).real, -0.3, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_a_weight_for_every_pair_of_neurons(kind, inputs, units, key):
    machine = jax.eval_shape(lambda key: kind(inputs, units, key=key), key)
    gates = 1 + KINDS.index(kind)
    trained = jn.count_parameters(machine, lambda path: path not in (".epsilon", ".gamma"))
    assert trained == gates * units * (inputs + 1) + units * (units - 1) // 2


@pytest.mark.parametrize("kind", KINDS)
def test_starts_with_the_variances_of_the_paper(kind, key):
    machine = kind(50, 200, key=key)
    for weights, variance in ((machine.input_weights, 1 / 50), (machine.recurrent_weights, 1 / 200)):
        # The variance of a sample of a normal distribution has a relative standard error of sqrt(2 / n).
        assert np.var(weights) == pytest.approx(variance, rel=4 * (2 / weights.size) ** 0.5)
    assert not np.any(machine.bias)


@pytest.mark.parametrize("kind", KINDS)
def test_bad_arguments_are_refused(kind, key):
    with pytest.raises(ValueError, match=f"{kind.__name__} got inputs=0, units=3; both must be at least 1"):
        kind(0, 3, key=key)
    with pytest.raises(ValueError, match=f"{kind.__name__}.epsilon is 0; it must be above 0"):
        kind(3, 3, epsilon=0.0, key=key)
    with pytest.raises(ValueError, match=f"{kind.__name__}.gamma is -1; it must be at least 0"):
        kind(3, 3, gamma=-1.0, key=key)
