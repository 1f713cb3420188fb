"""The unit whose answer falls beyond threshold: the paper's curve, exclusive or by one unit, a plain formula."""

import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.neurons.dendritic import DCaAP


def unit(*weights, bias=0.0, onset=0.0):
    made = DCaAP(len(weights), onset=onset, key=jax.random.key(0))
    return eqx.tree_at(lambda unit: (unit.weights, unit.bias), made, (jnp.asarray(weights), jnp.asarray(bias)))


def answers(unit, gate):
    return [
        (float(unit.respond(jnp.asarray([a, b]))) > 0.5) == bool(gate(a, b))
        for a, b in itertools.product((0.0, 1.0), repeat=2)
    ]


def test_the_amplitude_is_largest_at_threshold_and_falls_from_there(float64):
    alone = unit(1.0)
    for strength, amplitude in {0.0: 0.0, 0.999: 0.0, 1.0: 1.0, 1.3: math.exp(-1), 2.0: 0.035674, 4.0: 4.54e-5}.items():
        assert float(alone.respond(jnp.asarray([strength]))) == pytest.approx(amplitude, rel=1e-4)


def test_one_unit_is_an_exclusive_or():
    assert answers(unit(1.0, 1.0), lambda a, b: a != b) == [True] * 4
    values = [float(unit(1.0, 1.0).respond(jnp.asarray(x))) for x in ([0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0])]
    np.testing.assert_allclose(values, [0, 1, 1, math.exp(-1 / 0.3)], rtol=1e-6)


def test_one_unit_is_an_and_and_with_a_bias_an_or():
    assert answers(unit(0.5, 0.5), lambda a, b: a and b) == [True] * 4
    assert answers(unit(0.06, 0.06, bias=0.95), lambda a, b: a or b) == [True] * 4


@pytest.mark.parametrize("onset", [0.02, 0.1, 1.0])
def test_the_smooth_onset_is_its_formula_and_has_gradients_on_both_sides(onset, float64):
    smooth = unit(1.0, onset=onset)
    for u in (-30.0, 0.2, 0.9, 1.0, 1.1, 1.5, 40.0):
        rise = 1 / (1 + math.exp(min(-(u - 1) / onset, 700)))
        expected = rise * math.exp(-max(u - 1, 0) / 0.3)
        value, slope = jax.value_and_grad(lambda u: smooth.respond(u[None]))(jnp.asarray(u))
        assert float(value) == pytest.approx(expected, rel=1e-9)
        assert np.isfinite(float(slope))
    assert float(jax.grad(lambda u: smooth.respond(u[None]))(jnp.asarray(0.9))) > 0
    assert float(jax.grad(lambda u: smooth.respond(u[None]))(jnp.asarray(3.5))) < 0


def test_a_narrow_onset_is_the_jump():
    for u in (0.5, 0.99, 1.01, 1.7):
        values = [float(unit(1.0, onset=onset).respond(jnp.asarray([u]))) for onset in (1e-4, 0.0)]
        assert values[0] == pytest.approx(values[1], abs=1e-6)
