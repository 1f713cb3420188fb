"""Training on the unitary matrices: the update against NumPy, what rounding leaves of it, and a network that learns."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxneuro as jn
from jaxneuro.initial import unitary as drawn
from jaxneuro.learning import constrain, train

UPDATES, UNITS = 10_000, 16


def joined(parts):
    return np.asarray(parts[0], np.float64) + 1j * np.asarray(parts[1], np.float64)


def error(weights):
    """The Frobenius norm of `W^H W - I`."""
    w = joined(weights)
    return np.linalg.norm(w.conj().T @ w - np.eye(len(w)))


def test_the_step_is_the_cayley_transform_of_the_paper(key, float64):
    weights, gradient = drawn(key, 6), jax.random.normal(key, (2, 6, 6))
    w, g = joined(weights), joined(gradient)
    a = g @ w.conj().T - w @ g.conj().T
    expected = np.linalg.inv(np.eye(6) + 0.15 * a) @ (np.eye(6) - 0.15 * a) @ w
    np.testing.assert_allclose(joined(constrain.cayley(weights, gradient, 0.3)), expected, rtol=0, atol=1e-13)


def test_the_step_goes_down_and_along_the_unitary_matrices(key, float64):
    target, start = drawn(key, 6), drawn(jax.random.key(1), 6)

    def loss(weights):
        return jnp.sum((weights - target) ** 2)

    gradient, rate = jax.grad(loss)(start), 1e-6
    w, g = joined(start), joined(gradient)
    a = g @ w.conj().T - w @ g.conj().T
    # To first order the loss falls by rate * |A|^2 / 2: A W is the gradient's part along the unitary matrices, twice.
    fall = loss(start) - loss(constrain.cayley(start, gradient, rate))
    assert fall == pytest.approx(rate * np.linalg.norm(a) ** 2 / 2, rel=1e-4)
    assert error(constrain.cayley(start, gradient, 10.0)) < 1e-13


def test_retraction_gives_the_nearest_unitary_matrix(key, float64):
    noisy = drawn(key, 8) + 0.01 * jax.random.normal(key, (2, 8, 8))
    u, _, vh = np.linalg.svd(joined(noisy))
    assert error(noisy) > 0.01
    np.testing.assert_allclose(joined(constrain.retract(noisy, iterations=4)), u @ vh, rtol=0, atol=1e-14)
    errors = [error(constrain.retract(noisy, iterations=count)) for count in range(3)]
    assert errors[1] < errors[0] ** 2
    assert errors[2] < errors[1] ** 2


def updated(dtype):
    """A matrix after very many updates by gradients drawn at random, each of length 1."""
    optimizer = constrain.unitary(0.1)

    def step(weights, key):
        gradient = jax.random.normal(key, weights.shape, dtype)
        gradient = gradient / jnp.linalg.norm(gradient.ravel())
        updates, _ = optimizer.update(gradient, optimizer.init(weights), weights)
        return optax.apply_updates(weights, updates), None

    weights = drawn(jax.random.key(0), UNITS).astype(dtype)
    return jax.jit(lambda w, keys: jax.lax.scan(step, w, keys)[0])(
        weights, jax.random.split(jax.random.key(1), UPDATES)
    )


@pytest.mark.parametrize(("dtype", "bound"), [("float32", 1e-5), ("float64", 1e-12)])
def test_a_matrix_is_unitary_after_10000_updates_and_keeps_the_length_of_a_state(dtype, bound, float64):
    weights = updated(dtype)
    assert weights.dtype == dtype
    assert error(weights) <= bound
    assert np.abs(joined(weights) - joined(drawn(jax.random.key(0), UNITS))).max() > 0.1
    w = jax.lax.complex(*weights)
    start = jax.random.normal(jax.random.key(2), (UNITS,), dtype).astype(w.dtype)
    final = jax.jit(lambda h: jax.lax.fori_loop(0, 100_000, lambda _, h: w @ h, h))(start)
    assert abs(np.linalg.norm(final) / np.linalg.norm(start) - 1) <= 2e-3


def recall(network, batch, _):
    """The distance of the outputs from a target after a silence, which the first input alone decides."""
    signs, sequences = batch
    last = jax.vmap(lambda x: jn.run(network, x)[1][-1])(sequences)
    return jnp.mean((last - signs[:, None]) ** 2)


def sample(data, key, step):
    signs = jax.random.rademacher(jax.random.fold_in(key, step), (16,), jnp.float32)
    return signs, jnp.zeros((16, 20, 1)).at[:, 0, 0].set(signs)


def labels(machine):
    def label(path, _):
        return "unitary" if path[-1].name in ("recurrent_weights", "state_weights") else "free"

    return jax.tree_util.tree_map_with_path(label, machine)


def test_a_network_learns_and_its_matrix_stays_unitary(key):
    network = jn.complex.FullUnitaryRNN(1, 8, key=key)
    optimizer = optax.multi_transform({"unitary": constrain.unitary(0.02), "free": optax.sgd(0.0)}, labels)
    trained = ("input_weights", "recurrent_weights")
    state, record = train.advance(
        train.start(network, optimizer, key, trained),
        jnp.zeros(1),
        300,
        loss=recall,
        sample=sample,
        optimizer=optimizer,
        trained=trained,
    )
    # The matrix alone is trained: the length of the state is what the input weights made it, its direction is learned.
    assert record["loss"][-1] < 0.5 * record["loss"][0]
    assert error(state.machine.recurrent_weights) < 1e-6
    assert np.abs(state.machine.recurrent_weights - network.recurrent_weights).max() > 0.1


def test_an_update_without_parameters_is_refused(key):
    optimizer = constrain.unitary(0.1)
    with pytest.raises(ValueError, match="unitary needs the parameters"):
        optimizer.update(drawn(key, 3), optimizer.init(drawn(key, 3)))


@pytest.mark.parametrize("platform", ["cpu", "cuda", "tpu"])
def test_the_step_lowers_for_every_platform(platform, key):
    step = jax.jit(lambda w, g: constrain.retract(constrain.cayley(w, g, 0.1)))
    jax.export.export(step, platforms=[platform])(drawn(key, 4), drawn(key, 4))
