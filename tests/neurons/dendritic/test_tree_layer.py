"""Tree layers: sums over strips in plain NumPy, one route between an output and a weight, crosses by amplification."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

TreeLayer, AmplifiedTree = jn.dendritic.TreeLayer, jn.dendritic.AmplifiedTree


def test_outputs_are_sums_over_strips(key, float64):
    layer = TreeLayer(6, 5, colours=2, filters=3, trees=4, rows=2, key=key)
    image = np.random.default_rng(0).normal(size=(6, 5, 2, 3))
    expected = np.zeros((4, 2, 3))
    for tree, row, column, colour, kind in np.ndindex(4, 6, 5, 2, 3):
        expected[tree, colour, row // 2] += (
            layer.weights[tree, row, column, colour, kind] * image[row, column, colour, kind]
        )
    np.testing.assert_allclose(layer.respond(jnp.asarray(image)), expected, rtol=0, atol=1e-12)


def test_the_published_sizes(key):
    layer = TreeLayer(14, 14, colours=3, filters=6, trees=16, rows=2, key=key)
    shape = jax.eval_shape(layer.respond, jax.ShapeDtypeStruct((14, 14, 3, 6), jnp.float32)).shape
    assert shape == (16, 3, 7)
    # A rectangle has 2 x 2 x 7 places.
    assert layer.weights.size / layer.bias.size == 2 * 2 * 7 * 6
    # Of MNIST: 12 x 12 in rectangles of 4 x 4 x 3.
    small = TreeLayer(12, 12, filters=6, trees=16, rows=4, key=key)
    assert small.bias.shape == (16, 1, 3)
    assert small.weights.size / small.bias.size == 4 * 4 * 3 * 6


def test_each_weight_has_one_output_and_each_input_one_in_each_tree(key):
    layer = TreeLayer(4, 3, colours=2, filters=2, trees=3, rows=2, key=key)
    image = jnp.ones((4, 3, 2, 2))
    by_weight = jax.jacobian(lambda w: with_weights(layer, w).respond(image))(layer.weights)
    routes = np.asarray(by_weight).reshape(layer.bias.size, layer.weights.size) != 0
    np.testing.assert_array_equal(routes.sum(axis=0), 1)
    by_input = np.asarray(jax.jacobian(layer.respond)(image)).reshape(3, -1, image.size) != 0
    np.testing.assert_array_equal(by_input.sum(axis=1), 1)


def with_weights(layer, weights):
    return jax.tree.map(lambda leaf: weights if leaf.shape == weights.shape else leaf, layer)


def test_an_amplified_tree_makes_crosses_within_its_sub_dendrites_only(key, float64):
    tree = AmplifiedTree(6, 2, dendrites=3, gain=0.7, key=key)
    x = np.random.default_rng(1).normal(size=6)
    expected = np.zeros(2)
    for output, dendrite in np.ndindex(2, 3):
        u = sum(tree.weights[output, dendrite, i] * x[2 * dendrite + i] for i in range(2))
        expected[output] += tree.trunk_weights[output, dendrite] * (u + 0.7 * u**2)
    np.testing.assert_allclose(tree.respond(jnp.asarray(x)), expected, rtol=0, atol=1e-12)
    crosses = np.asarray(jax.hessian(tree.respond)(jnp.asarray(x)))
    made = np.zeros((2, 6, 6))
    for output, dendrite, i, j in np.ndindex(2, 3, 2, 2):
        pair = tree.weights[output, dendrite, i] * tree.weights[output, dendrite, j]
        made[output, 2 * dendrite + i, 2 * dendrite + j] = 2 * 0.7 * tree.trunk_weights[output, dendrite] * pair
    np.testing.assert_allclose(crosses, made, rtol=0, atol=1e-12)
    # Every cross within a sub-dendrite, none between two of them.
    assert (crosses != 0).sum() == 2 * 3 * 4


def test_one_amplified_tree_solves_exclusive_or(key):
    # What a sub-dendrite adds to its two inputs is their product, which exclusive or needs; a linear one adds nothing.
    def fitted(gain):
        tree = AmplifiedTree(2, 1, gain=gain, key=key)
        inputs = jnp.asarray([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        features = np.asarray(jax.vmap(lambda x: jnp.stack([tree.respond(x)[0], *x]))(inputs))
        design = np.concatenate([features, np.ones((4, 1))], axis=1)
        target = np.asarray([0.0, 1.0, 1.0, 0.0])
        return np.abs(design @ np.linalg.lstsq(design, target, rcond=1e-4)[0] - target).max()

    assert fitted(1.0) < 1e-4
    assert fitted(0.0) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda key: TreeLayer(5, 3, rows=2, key=key), "TreeLayer got rows=2; it must divide the height, 5"),
        (lambda key: TreeLayer(5, 0, key=key), "width=0"),
        (lambda key: AmplifiedTree(5, 1, dendrites=2, key=key), "dendrites=2; it must divide the 5 inputs"),
    ],
)
def test_what_makes_no_sense_is_refused(build, message, key):
    with pytest.raises(ValueError, match=message):
        build(key)
