import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxneuro as jn
from jaxneuro.learning import train

TRAINED = ("weights", "bias")


def squared_error(machine, batch, key):
    inputs, targets = batch
    return ((jax.vmap(machine.respond)(inputs) - targets) ** 2).mean()


def draw(data, key, step, batch=8):
    indices = train.epoch_indices(key, step, data[0].shape[0], batch)
    return jax.tree.map(lambda leaf: leaf[indices], data)


def problem(seed=0, samples=32):
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(samples, 3)).astype(np.float32)
    return jnp.asarray(inputs), jnp.asarray(inputs @ np.array([[1.0], [-2.0], [0.5]], np.float32))


def begin(optimizer, key):
    return train.start(jn.Dense(3, 1, key=key), optimizer, key, TRAINED)


SGD = optax.sgd(0.1, momentum=0.9)
OPTIONS = {"loss": squared_error, "sample": draw, "optimizer": SGD, "trained": TRAINED}


def leaves(state):
    return [
        np.asarray(jax.random.key_data(x) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x)
        for x in jax.tree.leaves(state)
    ]


def test_advance_equals_a_plain_loop_of_numpy_with_momentum(key):
    inputs, targets = (np.asarray(part, np.float64) for part in problem())
    state = begin(SGD, key)
    weights, bias = (np.asarray(leaf, np.float64) for leaf in (state.machine.weights, state.machine.bias))
    moved = [np.zeros_like(weights), np.zeros_like(bias)]
    order, _ = jax.random.split(key)
    for step in range(20):
        rows = np.asarray(train.epoch_indices(order, jnp.int32(step), 32, 8))
        error = inputs[rows] @ weights.T + bias - targets[rows]
        gradients = [2 * error.T @ inputs[rows] / 8, 2 * error.sum(0) / 8]
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        moved = [0.9 * m + g * min(1, 0.5 / norm) for m, g in zip(moved, gradients, strict=True)]
        weights, bias = weights - 0.1 * moved[0], bias - 0.1 * moved[1]
    state, _ = train.advance(state, problem(), 20, clip=0.5, **OPTIONS)
    np.testing.assert_allclose(state.machine.weights, weights, rtol=1e-5)
    np.testing.assert_allclose(state.machine.bias, bias, rtol=1e-5, atol=1e-6)


def test_two_chunks_are_one_long_one(key):
    whole, metrics = train.advance(begin(SGD, key), problem(), 20, **OPTIONS)
    half, first = train.advance(begin(SGD, key), problem(), 12, **OPTIONS)
    half, second = train.advance(half, problem(), 8, **OPTIONS)
    for a, b in zip(leaves(whole), leaves(half), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(metrics["loss"], np.concatenate([first["loss"], second["loss"]]))


def test_lanes_are_independent_runs():
    keys = jax.random.split(jax.random.key(1), 3)
    lanes, _ = train.advance(jax.vmap(functools.partial(begin, SGD))(keys), problem(), 10, lanes=True, **OPTIONS)
    for lane, key in enumerate(keys):
        alone, _ = train.advance(begin(SGD, key), problem(), 10, **OPTIONS)
        np.testing.assert_allclose(lanes.machine.weights[lane], alone.machine.weights, rtol=1e-6)


def test_only_the_named_fields_are_trained(key):
    network = jn.Chain(jn.Dense(3, 1, key=key), jn.Population(jn.Rate(), 1, shared=True))

    def loss(machine, batch, key):
        return sum((leaf**2).sum() for leaf in jax.tree.leaves(machine))

    optimizer = optax.adam(0.1)
    state = train.start(network, optimizer, key, ("weights",))
    options = {"loss": loss, "sample": draw, "optimizer": optimizer, "trained": ("weights",)}
    new, _ = train.advance(train.start(network, optimizer, key, ("weights",)), problem(), 3, **options)
    assert (np.asarray(new.machine.machines[0].weights) != np.asarray(network.machines[0].weights)).all()
    np.testing.assert_array_equal(new.machine.machines[0].bias, network.machines[0].bias)
    np.testing.assert_array_equal(new.machine.machines[1].machine.gain, 1.0)
    assert train.count_trained(network, ("weights",)) == 3
    assert sum(leaf.size for leaf in jax.tree.leaves(state.optimizer_state[0].mu)) == 3


def test_an_unknown_field_is_an_error_that_lists_the_known(key):
    with pytest.raises(ValueError, match=r"trained=\['wieghts'\] names no field of the machine; it has bias, weights"):
        train.mask(jn.Dense(2, 2, key=key), ("wieghts",))


@pytest.mark.parametrize("clip", [jnp.inf, 1.0])
def test_one_nan_sample_stops_its_lane_at_the_step_before_it_and_no_other(clip):
    inputs, targets = problem()
    poisoned = (inputs.at[5, 0].set(jnp.nan), targets)
    keys = jax.random.split(jax.random.key(2), 2)
    start = jax.vmap(functools.partial(begin, SGD))

    def careful(data, key, step):
        # The first lane never meets the poisoned sample.
        batch = draw(data, key, step)
        lucky = (key_words(key) == first).all()
        return jax.tree.map(
            lambda leaf, clean: jnp.where(lucky, clean, leaf), batch, draw((inputs, targets), key, step)
        )

    def key_words(key):
        return jax.random.key_data(key)

    first = key_words(jax.random.split(keys[0])[0])
    options = OPTIONS | {"sample": careful, "clip": clip}
    state, metrics = train.advance(start(keys), poisoned, 8, lanes=True, **options)
    losses = np.asarray(metrics["loss"])
    assert np.isfinite(losses[:, 0]).all()
    hit = int(np.isnan(losses[:, 1]).argmax())
    assert np.isnan(losses[hit:, 1]).all()
    assert np.isfinite(losses[:hit, 1]).all()
    assert np.asarray(state.finite).tolist() == [True, False]
    clean, _ = train.advance(start(keys), problem(), 8, lanes=True, **(OPTIONS | {"clip": clip}))
    np.testing.assert_array_equal(state.machine.weights[0], clean.machine.weights[0])
    assert np.isfinite(state.machine.weights).all()
    last_good, _ = train.advance(start(keys), problem(), hit, lanes=True, **(OPTIONS | {"clip": clip}))
    np.testing.assert_array_equal(state.machine.weights[1], last_good.machine.weights[1])


def test_every_sample_comes_once_per_epoch_and_orders_differ(key):
    epochs = [
        np.concatenate([np.asarray(train.epoch_indices(key, jnp.int32(4 * epoch + step), 14, 3)) for step in range(4)])
        for epoch in range(2)
    ]
    for epoch in epochs:
        assert len(set(epoch.tolist())) == 12
    assert epochs[0].tolist() != epochs[1].tolist()


def test_a_batch_larger_than_the_data_is_an_error(key):
    with pytest.raises(ValueError, match="batch=9; it must be between 1 and the 8 samples"):
        train.epoch_indices(key, jnp.int32(0), 8, 9)


def test_a_second_call_with_other_values_does_not_trace(key):
    traces = []

    def counted(machine, batch, key):
        traces.append(1)
        return squared_error(machine, batch, key)

    options = OPTIONS | {"loss": counted}
    train.advance(begin(SGD, key), problem(), 5, clip=1.0, **options)
    before = len(traces)
    train.advance(begin(SGD, jax.random.key(9)), problem(seed=3), 5, clip=0.1, **options)
    assert before >= 1
    assert len(traces) == before
