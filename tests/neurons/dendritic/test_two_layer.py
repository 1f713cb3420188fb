"""The two-layer pyramidal neuron against its two formulas in plain Python."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.dendritic import TwoLayer


def branch(n):
    return 1 / (1 + math.exp((3.6 - n) / 2)) + 0.30 * n + 0.0114 * n**2


def soma(x):
    return 0.96 * x / (1 + 1509 * math.exp(-0.26 * x))


def test_is_the_formulas_of_the_paper(float64):
    generator = np.random.default_rng(0)
    weights, bias = generator.uniform(0, 12, size=(4, 3)), generator.uniform(0, 5, size=4)
    coupling = generator.uniform(0.5, 1.5, size=4)
    cell = eqx.tree_at(
        lambda cell: (cell.weights, cell.bias, cell.coupling),
        TwoLayer(3, 4, key=jax.random.key(0)),
        tuple(map(jnp.asarray, (weights, bias, coupling))),
    )
    for _ in range(20):
        x = generator.uniform(0, 1, size=3)
        arrived = sum(coupling[i] * branch(float(weights[i] @ x + bias[i])) for i in range(4))
        assert float(cell.respond(jnp.asarray(x))) == pytest.approx(soma(arrived), rel=1e-12)


def rate(placed):
    """The rate with so many active synapses per branch."""
    cell = eqx.tree_at(lambda cell: cell.weights, TwoLayer(2, 2, key=jax.random.key(0)), jnp.eye(2))
    return float(cell.respond(jnp.asarray(placed)))


def test_known_points(float64):
    assert branch(0) == pytest.approx(0.141851, abs=1e-6)
    assert rate([0.0, 0.0]) == pytest.approx(soma(2 * branch(0)), rel=1e-12)
    # Half of the soma's logistic part where 1509 exp(-0.26 x) = 1: at x = 28.15 the rate is 0.48 x.
    half = math.log(1509) / 0.26
    assert soma(half) == pytest.approx(0.48 * half, rel=1e-12)


def test_many_synapses_are_stronger_together_than_apart():
    # Beyond the jump the square of a branch counts: 40 synapses on one do more than 20 on each of two.
    assert rate([40.0, 0.0]) > rate([20.0, 20.0])


def test_extreme_inputs_stay_finite():
    cell = TwoLayer(2, 3, key=jax.random.key(0))
    for size in (-1e6, 1e6):
        value, slope = jax.value_and_grad(cell.respond)(jnp.full(2, size))
        assert np.isfinite(float(value))
        assert np.isfinite(np.asarray(slope)).all()


def test_runs_as_a_machine_and_refuses_no_branches(key):
    cell = TwoLayer(2, 3, key=key)
    inputs = jnp.ones((5, 2))
    np.testing.assert_allclose(jn.run(cell, inputs)[1], jax.vmap(cell.respond)(inputs), rtol=1e-6)
    with pytest.raises(ValueError, match="TwoLayer got inputs=2, branches=0"):
        TwoLayer(2, 0, key=key)
