"""Tree-3: the published structure, its layers in plain NumPy, its routes, and that it learns digits."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxneuro as jn

Tree3 = jn.networks.Tree3


@pytest.mark.parametrize(("filters", "trees"), [(6, 16), (15, 16), (15, 80)])
def test_the_published_structure(filters, trees):
    network = jax.eval_shape(lambda key: Tree3(filters=filters, trees=trees, key=key), jax.random.key(0))
    image = jax.ShapeDtypeStruct((32, 32, 3), jnp.float32)
    assert network.filters.shape == (5, 5, 3, filters)
    assert jax.eval_shape(lambda net, x: net.pooled(x), network, image).shape == (14, 14, 3, filters)
    assert network.trees.bias.shape == (trees, 3, 7)
    assert network.readout.weights.shape == (10, trees * 3 * 7)
    assert jax.eval_shape(lambda net, x: net.respond(x), network, image).shape == (10,)


def by_hand(network, image):
    filters, squash = np.asarray(network.filters), {"relu": lambda u: np.maximum(u, 0)}
    squash["sigmoid"] = lambda u: 1 / (1 + np.exp(-u))
    size, _, colours, count = filters.shape
    high, wide = image.shape[0] - size + 1, image.shape[1] - size + 1
    found = np.zeros((high, wide, colours, count))
    for i, j in np.ndindex(high, wide):
        found[i, j] = np.einsum("abck,abc->ck", filters, image[i : i + size, j : j + size])
    found = squash[network.activation](found)
    pooled = np.zeros((high // 2, wide // 2, colours, count))
    for i, j in np.ndindex(*pooled.shape[:2]):
        pooled[i, j] = found[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max(axis=(0, 1))
    weights, rows = np.asarray(network.trees.weights), network.trees.rows
    strips = [weights[:, r : r + rows] * pooled[r : r + rows] for r in range(0, len(pooled), rows)]
    tree = squash[network.activation](np.stack([strip.sum(axis=(1, 2, 4)) for strip in strips], axis=-1))
    return np.asarray(network.readout.weights) @ tree.reshape(-1)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_follows_its_layers(activation, key, float64):
    network = Tree3(9, 8, 4, colours=2, filters=3, size=2, trees=3, rows=2, activation=activation, key=key)
    image = np.random.default_rng(0).normal(size=(9, 8, 2))
    np.testing.assert_allclose(network.respond(jnp.asarray(image)), by_hand(network, image), rtol=0, atol=1e-12)


def test_one_route_joins_an_output_and_a_pooled_unit_in_each_tree(key):
    """Paths of the graph: from a pooled unit through the strips of a tree, each joined to an output."""
    network = Tree3(10, 10, 3, filters=2, size=3, trees=4, rows=2, key=key)
    pooled = jnp.ones((4, 4, 3, 2))
    edges = np.asarray(jax.jacobian(network.trees.respond)(pooled)) != 0
    trees, colours, strips = network.trees.bias.shape
    up = (np.asarray(network.readout.weights) != 0).astype(int).reshape(3, trees, colours * strips)
    down = edges.reshape(trees, colours * strips, pooled.size).astype(int)
    paths = np.einsum("ots,tsi->oti", up, down)
    np.testing.assert_array_equal(paths, 1)
    # A layer that is joined all to all in the middle has as many routes as it has units.
    full = np.einsum("ots,tsi->oti", up, np.ones_like(down))
    assert (full == colours * strips).all()


@pytest.mark.slow
@pytest.mark.computing
def test_it_learns_digits(key):
    sklearn = pytest.importorskip("sklearn.datasets")
    found = sklearn.load_digits()
    images, labels = jnp.asarray(found.images[..., None] / 16, jnp.float32), jnp.asarray(found.target, jnp.int32)
    network = Tree3(8, 8, 10, colours=1, filters=6, size=3, trees=16, rows=1, key=key)
    adam = optax.adam(1e-2)

    def loss(network):
        outputs = jax.vmap(network.respond)(images[:300])
        return optax.softmax_cross_entropy_with_integer_labels(outputs, labels[:300]).mean()

    def step(carry, _):
        network, state = carry
        with jax.numpy_dtype_promotion("standard"):
            updates, state = adam.update(jax.grad(loss)(network), state)
        return (optax.apply_updates(network, updates), state), None

    (network, _), _ = jax.lax.scan(step, (network, adam.init(network)), length=60)
    right = jax.vmap(network.respond)(images[300:800]).argmax(-1) == labels[300:800]
    assert float(right.mean()) > 0.7


def test_what_makes_no_sense_is_refused(key):
    with pytest.raises(ValueError, match="Tree3 got size=5; a filter and a pool leave nothing of 5 x 5"):
        Tree3(5, 5, key=key)
    with pytest.raises(ValueError, match="TreeLayer got rows=3; it must divide the height, 14"):
        Tree3(rows=3, key=key)
