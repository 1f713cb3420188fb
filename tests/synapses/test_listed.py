import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.synapses import dense_of_lists, list_spikes

SPIKES = np.random.default_rng(0).random((6, 5, 30)) < 0.1
SPIKES[:, :, 3], SPIKES[2, 4], SPIKES[:, :, 7] = (
    False,
    False,
    True,
)  # a silent input, a silent row, one that always spikes


def test_sums_and_gradients_are_those_of_the_product(float64):
    dense = jn.cast(jn.Dense(30, 4, key=jax.random.key(0)), jnp.float64)
    dense = eqx.tree_at(lambda dense: dense.bias, dense, jnp.arange(4.0))
    weights, bias = np.asarray(dense.weights), np.asarray(dense.bias)
    lists = list_spikes(SPIKES)
    slope = np.random.default_rng(1).normal(size=(6, 5, 4))
    found, pull = jax.vjp(jax.jit(lambda dense: dense_of_lists(dense, lists)), dense)
    np.testing.assert_allclose(found, SPIKES @ weights.T + bias, rtol=1e-12)
    (change,) = pull(jnp.asarray(slope))
    np.testing.assert_allclose(change.weights, np.einsum("tbo,tbi->oi", slope, SPIKES), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(change.bias, slope.sum((0, 1)), rtol=1e-12)


def test_without_bias_and_without_spikes_there_are_zeros():
    dense = jn.Dense(3, 2, bias=False, key=jax.random.key(0))
    np.testing.assert_array_equal(dense_of_lists(dense, list_spikes(np.zeros((4, 3)))), np.zeros((4, 2)))


def test_networks_may_differ_under_vmap():
    lists, keys = list_spikes(SPIKES), jax.random.split(jax.random.key(0), 3)
    networks = jax.vmap(lambda key: jn.Dense(30, 4, key=key))(keys)

    spikes = jnp.asarray(SPIKES, jnp.float32)

    def loss(dense, product):
        return (product(dense) ** 2).sum()

    by_lists = jax.vmap(jax.grad(lambda dense: loss(dense, lambda dense: dense_of_lists(dense, lists))))(networks)
    plain = jax.vmap(jax.grad(lambda dense: loss(dense, lambda dense: jax.vmap(jax.vmap(dense.respond))(spikes))))
    np.testing.assert_allclose(by_lists.weights, plain(networks).weights, rtol=1e-4, atol=1e-5)


def test_every_spike_is_in_both_lists():
    lists = list_spikes(SPIKES)
    rows = SPIKES.reshape(30, 30)
    for found, marks in ((lists.inputs_of_rows, rows), (lists.rows_of_inputs, rows.T)):
        assert found.shape == (-(-marks.sum(1).max() // 8) * 8, 30)
        for line, places in zip(marks, np.asarray(found).T, strict=True):
            np.testing.assert_array_equal(places[places < 30], np.flatnonzero(line))


def test_batches_with_the_same_room_share_one_program():
    dense = jn.Dense(30, 4, key=jax.random.key(0))
    traced = []

    @jax.jit
    def compiled(dense, lists):
        traced.append(lists)
        return dense_of_lists(dense, lists)

    for share in (0.05, 0.3):
        compiled(dense, list_spikes(np.random.default_rng(0).random((6, 5, 30)) < share, room=(24, 31)))
    assert len(traced) == 1


@pytest.mark.parametrize("spikes", [np.zeros(3), np.full((2, 3), 0.5)])
def test_what_is_no_spikes_is_refused(spikes):
    with pytest.raises(ValueError, match=r"list_spikes got numbers of shape .*; it takes zeros and ones"):
        list_spikes(spikes)


def test_other_inputs_are_refused():
    with pytest.raises(ValueError, match=r"dense_of_lists got lists of 3 inputs for weights \(2, 4\)"):
        dense_of_lists(jn.Dense(4, 2, key=jax.random.key(0)), list_spikes(np.zeros((5, 3))))
