"""The tree's equations against dense linear algebra: values, derivatives, and what they cost."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.dendritic.tree_solver import laplacian, relaxed, solve

NAMES = ("charge", "leak", "drive", "axial", "voltage")


def random_tree(count, seed, back=4):
    generator = np.random.default_rng(seed)
    return (-1, *(int(generator.integers(max(0, i - back), i)) for i in range(1, count)))


def numbers(count, seed):
    generator = np.random.default_rng(seed)
    low_high = {"charge": (0.1, 1), "leak": (0, 1), "drive": (-5, 5), "axial": (0.1, 30), "voltage": (-90, 40)}
    return {name: jnp.asarray(generator.uniform(*low_high[name], count)) for name in NAMES}


def dense(parents, axial):
    """The Laplacian, from which compartments each conductance joins."""
    joined = np.zeros((len(parents),) * 2)
    for child, parent in enumerate(parents[1:], start=1):
        joined[child, child], joined[child, parent] = 1, -1
    return joined.T @ (axial[:, None] * joined)


def by_dense_elimination(parents, charge, leak, drive, axial, voltage):
    matrix = dense(parents, axial)
    return jnp.linalg.solve(jnp.diag(charge + leak) + matrix, drive - leak * voltage - matrix @ voltage)


TREES = {
    "one": (-1,),
    "cable": (-1, *range(30)),
    "star": (-1, *[0] * 9),
    "bushy": random_tree(40, 0, 40),
    "long": random_tree(33, 1, 3),
}
every_tree = pytest.mark.parametrize("parents", TREES.values(), ids=TREES)


@every_tree
def test_the_solution_is_that_of_dense_algebra(parents, float64):
    given = numbers(len(parents), 2)
    membrane = np.diag(given["charge"]) + dense(parents, given["axial"])
    expected = np.linalg.solve(membrane, given["drive"])
    np.testing.assert_allclose(solve(parents, given["charge"], given["axial"], given["drive"]), expected, rtol=1e-11)
    current = dense(parents, given["axial"]) @ given["voltage"]
    np.testing.assert_allclose(laplacian(parents, given["axial"], given["voltage"]), current, rtol=0, atol=1e-10)


@every_tree
def test_derivatives_are_those_of_a_dense_solver(parents, float64):
    given = numbers(len(parents), 3)
    weights = jnp.cos(jnp.arange(len(parents), dtype=float))

    def by_position(parents, **given):
        return relaxed(parents, *(given[name] for name in NAMES))

    @functools.partial(jax.jit, static_argnums=0)
    def derivatives(function, given, change):
        slopes = jax.grad(lambda given: (weights * function(parents, **given)).sum())(given)
        return slopes, jax.jvp(lambda given: function(parents, **given), (given,), (change,))

    found, pushed = derivatives(by_position, given, numbers(len(parents), 4))
    expected, expected_push = derivatives(by_dense_elimination, given, numbers(len(parents), 4))
    for name in NAMES:
        # The first compartment has no parent.
        of_edges = slice(1 if name == "axial" else 0, None)
        np.testing.assert_allclose(found[name][of_edges], expected[name][of_edges], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(pushed, expected_push, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("parents", [TREES["cable"], TREES["bushy"]], ids=["cable", "bushy"])
def test_many_neurons_at_once_are_each_as_alone(parents, float64):
    given = [numbers(len(parents), seed) for seed in range(6)]
    leaks, voltages = (jnp.stack([one[name] for one in given]) for name in ("leak", "voltage"))
    weights = jnp.cos(jnp.arange(len(parents), dtype=float))
    fixed = given[0]

    @jax.jit
    @jax.value_and_grad
    def alone(leak, voltage):
        return weights @ relaxed(parents, fixed["charge"], leak, fixed["drive"], fixed["axial"], voltage)

    expected = [alone(leak, voltage) for leak, voltage in zip(leaks, voltages, strict=True)]
    at_once = jax.jit(jax.vmap(jax.vmap(alone)))(*(many.reshape(2, 3, -1) for many in (leaks, voltages)))
    np.testing.assert_allclose(at_once[0].ravel(), [value for value, _ in expected], rtol=1e-11)
    np.testing.assert_allclose(at_once[1].reshape(6, -1), [slope for _, slope in expected], rtol=1e-9, atol=1e-12)


def test_what_is_in_balance_does_not_move_in_single_precision():
    # With a coupling a million times the leak, which would be lost in sums of currents.
    parents, count = random_tree(50, 5), 50
    leak = jnp.full(count, 1e-6)
    axial, voltage = jnp.full(count, 1.0).at[0].set(0), jnp.full(count, -65.1)
    change = relaxed(parents, 0 * leak, leak, -65.1 * leak, axial, voltage)
    assert float(jnp.abs(change).max()) < 1e-4


@pytest.mark.parametrize("back", [1, 4])
def test_the_cost_of_a_step_grows_with_the_number_of_compartments(back):
    costs = []
    for count in (40, 80, 160):
        shape = jn.dendritic.Morphology(np.ones(count), np.ones(count), random_tree(count, 6, back))
        cable = jn.dendritic.Cable(shape, (jn.spiking.Leak(),))
        costs.append(jn.measure.operations(cable, jnp.zeros(count)))
    assert costs[2] - costs[1] < 2.5 * (costs[1] - costs[0])
    if back == 1:
        assert costs[2] - costs[1] == pytest.approx(2 * (costs[1] - costs[0]), rel=0.05)
