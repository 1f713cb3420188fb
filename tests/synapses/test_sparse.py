"""Sparse connections against the dense product, and how they are drawn against what was asked."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.synapses import Sparse, as_sparse


def random_matrix(outputs=7, inputs=9, seed=0):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(outputs, inputs)) * (generator.uniform(size=(outputs, inputs)) < 0.4)


def product(sparse, input):
    """By the definition, synapse by synapse."""
    out = np.zeros(sparse.outputs)
    for i, row in enumerate(np.asarray(sparse.targets)):
        for k, target in enumerate(row):
            if target < sparse.outputs:
                out[target] += float(sparse.weights[i, k]) * input[i]
    return out


@pytest.mark.parametrize("events", [None, 2, 9])
def test_equals_the_dense_product_and_its_gradient(events, float64):
    matrix, generator = random_matrix(), np.random.default_rng(1)
    sparse, dense = as_sparse(jnp.asarray(matrix), events), jn.Dense(9, 7, bias=False, key=jax.random.key(0))
    dense = eqx.tree_at(lambda m: m.weights, dense, jnp.asarray(matrix))

    @eqx.filter_jit
    def respond_and_slopes(machine, input):
        slopes = eqx.filter_grad(lambda both: jnp.sum(jnp.sin(both[0].respond(both[1]))))((machine, input))
        return machine.respond(input), slopes[1], slopes[0].weights

    for active in (0, 1, 2, 3, 9):
        input = generator.normal(size=9) * (generator.permutation(9) < active)
        out, by_input, by_weights = respond_and_slopes(sparse, jnp.asarray(input))
        _, dense_by_input, dense_by_weights = respond_and_slopes(dense, jnp.asarray(input))
        np.testing.assert_allclose(out, matrix @ input, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(by_input, dense_by_input, rtol=1e-12, atol=1e-12)
        scattered = np.zeros((7 + 1, 9))
        np.add.at(scattered, (np.asarray(sparse.targets), np.arange(9)[:, None]), by_weights)
        np.testing.assert_allclose(scattered[:7], np.asarray(dense_by_weights) * (matrix != 0), rtol=1e-12, atol=1e-12)


def test_a_matrix_comes_back(float64):
    np.testing.assert_allclose(as_sparse(jnp.asarray(random_matrix())).matrix(), random_matrix(), rtol=0, atol=0)
    assert as_sparse(jnp.zeros((3, 2))).matrix().shape == (3, 2)


@pytest.mark.parametrize("choice", [{"fan_out": 5}, {"probability": 0.1}, {"probability": 1.0}])
@pytest.mark.parametrize("events", [None, 4])
def test_equals_the_sum_synapse_by_synapse(choice, events, float64):
    sparse = Sparse(20, 30, weight=0.7, events=events, key=jax.random.key(3), **choice)
    for active in (3, 20):
        input = np.random.default_rng(2).normal(size=20) * (np.arange(20) < active)
        np.testing.assert_allclose(sparse.respond(jnp.asarray(input)), product(sparse, input), rtol=1e-12, atol=1e-12)


def test_a_batch_equals_its_elements(float64):
    sparse = as_sparse(jnp.asarray(random_matrix()), events=2)
    batch = np.random.default_rng(4).normal(size=(6, 9)) * (np.arange(9) < np.arange(6)[:, None])
    expected = batch @ random_matrix().T
    np.testing.assert_allclose(jax.vmap(sparse.respond)(jnp.asarray(batch)), expected, rtol=1e-13, atol=1e-13)


def test_every_neuron_has_its_number_of_different_targets():
    targets = np.asarray(Sparse(50, 40, fan_out=6, key=jax.random.key(0)).targets)
    assert all(len(set(row)) == 6 for row in targets)
    assert targets.min() >= 0
    assert targets.max() < 40
    # Each of 40 is hit 300 / 40 = 7.5 times on average, with a standard deviation of 2.5.
    counts = np.bincount(targets.ravel(), minlength=40)
    assert np.abs(counts - 7.5).max() < 5 * 2.5


def test_every_pair_is_connected_with_its_probability():
    sparse = Sparse(400, 300, probability=0.05, key=jax.random.key(0))
    connected = np.asarray(sparse.matrix()) != 0
    # 120,000 pairs: the share has a standard error of 0.00063.
    assert connected.mean() == pytest.approx(0.05, abs=4 * 0.00063)
    assert connected.sum(0).std() == pytest.approx((300 * 0.05 * 0.95) ** 0.5, rel=0.15)
    assert set(np.unique(np.asarray(sparse.matrix()))) == {0.0, 1.0}


def test_the_key_alone_decides():
    one, same, other = (Sparse(9, 8, probability=0.3, key=jax.random.key(k)).targets for k in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_goes_one_step_at_a_time():
    # 2000 steps of 10^5 synapses: all of time at once would need 0.8 GB for what the synapses send.
    sparse = Sparse(1000, 1000, fan_out=100, key=jax.random.key(0))
    inputs = jnp.zeros((2000, 1000)).at[::100, ::7].set(1.0)
    _, out = jn.run(sparse, inputs)
    np.testing.assert_allclose(out[100], sparse.respond(inputs[100]), rtol=1e-5)
    compiled = jax.jit(lambda x: jn.run(sparse, x)).lower(inputs).compile()
    assert compiled.memory_analysis().temp_size_in_bytes < 5e7


def test_counts_weights_as_parameters_and_trains_them():
    sparse = Sparse(9, 8, fan_out=3, key=jax.random.key(0))
    assert jn.count_parameters(sparse) == 27
    assert jnp.issubdtype(sparse.targets.dtype, jnp.integer)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({}, "it takes one of them"),
        ({"fan_out": 2, "probability": 0.5}, "it takes one of them"),
        ({"fan_out": 6}, "fan_out=6 for 5 outputs"),
        ({"probability": 0.0}, "probability=0.0; it must be above 0"),
        ({"fan_out": 2, "events": 5}, "events=5 for 4 inputs"),
    ],
)
def test_what_cannot_be_is_refused(choice, message):
    with pytest.raises(ValueError, match=message):
        Sparse(4, 5, key=jax.random.key(0), **choice)
