"""Dense connections of an algebra against complex products, quaternion rotations and real layers."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.algebra import QUATERNION, algebra_called


def moved(dense, seed=1):
    generator = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: jnp.asarray(generator.normal(size=leaf.shape), leaf.dtype), dense)


def test_a_complex_layer_is_numpys_complex_product_and_a_real_block(key, float64):
    dense = moved(jn.synapses.AlgebraDense(3, 4, algebra="complex", key=key))
    x = np.random.default_rng(2).normal(size=(10, 2, 3))
    a, b = np.asarray(dense.weights)
    bias = np.asarray(dense.bias)
    z = (x[:, 0] + 1j * x[:, 1]) @ (a + 1j * b).T + bias[0] + 1j * bias[1]
    expected = np.concatenate([z.real, z.imag], axis=1)
    _, actual = jn.run(dense, jnp.asarray(x.reshape(10, 6)))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-13)
    block = np.block([[a, -b], [b, a]])
    np.testing.assert_array_equal(dense.algebra.expand(dense.weights), block)
    # And it is the layer of the wing for complex numbers.
    other = eqx.tree_at(
        lambda m: (m.weights, m.bias), jn.complex.ComplexDense(3, 4, key=key), (dense.weights, dense.bias)
    )
    z = jax.vmap(other.respond)(jnp.asarray(x[:, 0] + 1j * x[:, 1]))
    np.testing.assert_allclose(actual, np.concatenate([z.real, z.imag], axis=1), rtol=0, atol=1e-13)


def test_a_real_layer_is_dense(key, float64):
    dense = moved(jn.synapses.AlgebraDense(3, 4, algebra="real", key=key))
    x = np.random.default_rng(2).normal(size=(10, 3))
    expected = x @ np.asarray(dense.weights[0]).T + np.asarray(dense.bias[0])
    np.testing.assert_allclose(jn.run(dense, jnp.asarray(x))[1], expected, rtol=0, atol=1e-13)


def test_a_layer_of_matrices_is_numpys_matrix_product(key, float64):
    dense = moved(jn.synapses.AlgebraDense(3, 4, algebra="M2", key=key))
    x = np.random.default_rng(2).normal(size=(2, 2, 3))
    weights, bias = np.asarray(dense.weights).reshape(2, 2, 4, 3), np.asarray(dense.bias).reshape(2, 2, 4)
    expected = bias + sum(np.stack([weights[:, :, o, h] @ x[:, :, h] for o in range(4)], axis=-1) for h in range(3))
    np.testing.assert_allclose(dense.respond(jnp.asarray(x.ravel())), expected.ravel(), rtol=0, atol=1e-13)


def quaternions(*shape):
    return jnp.asarray(np.random.default_rng(4).normal(size=(4, *shape)))


def each_times(vector, q):
    """Every quaternion of a vector, times q from the right."""
    parts = vector.reshape(4, -1)
    return QUATERNION.multiply(parts, jnp.repeat(q[:, None], parts.shape[1], axis=1)).reshape(-1)


def each_turned(vector, q):
    """`q x q*` for every quaternion of a vector: its imaginary part turned in space."""
    parts = vector.reshape(4, -1)
    many = jnp.repeat(q[:, None], parts.shape[1], axis=1)
    turned = QUATERNION.multiply(QUATERNION.multiply(many, parts), QUATERNION.conjugate(many))
    return turned.reshape(-1)


def test_a_quaternion_layer_turns_with_its_input(key, float64):
    dense = moved(jn.synapses.AlgebraDense(3, 5, bias=False, key=key))
    x, q = quaternions(3).reshape(-1), quaternions()
    q = q / jnp.linalg.norm(q)
    answer = dense.respond(x)
    # Weights are on the left: a rotation from the right goes through any layer, one from the left through none.
    np.testing.assert_allclose(dense.respond(each_times(x, q)), each_times(answer, q), rtol=0, atol=1e-12)
    assert float(jnp.abs(dense.respond(each_turned(x, q)) - each_turned(answer, q)).max()) > 0.1
    # A rotation of space goes through a layer of real weights, and turns the weights of any other.
    real = eqx.tree_at(lambda m: m.weights, dense, dense.weights.at[1:].set(0))
    np.testing.assert_allclose(real.respond(each_turned(x, q)), each_turned(real.respond(x), q), rtol=0, atol=1e-12)
    turned = eqx.tree_at(
        lambda m: m.weights, dense, each_turned(dense.weights.reshape(4, -1).reshape(-1), q).reshape(4, 5, 3)
    )
    np.testing.assert_allclose(turned.respond(each_turned(x, q)), each_turned(answer, q), rtol=0, atol=1e-12)


def test_one_unit_quaternion_keeps_the_length_of_what_it_weighs(key, float64):
    dense = moved(jn.synapses.AlgebraDense(1, 1, bias=False, key=key))
    x = quaternions(1).reshape(-1)
    expected = float(QUATERNION.norm(dense.weights)[0, 0]) * np.linalg.norm(x)
    assert float(jnp.linalg.norm(dense.respond(x))) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("name", ["complex", "quaternion", "M2", "M3", "Cl(1,1)"])
def test_has_a_share_of_the_weights_of_a_real_layer_of_the_same_width(name):
    d = algebra_called(name).dimension

    def count(build):
        return jn.count_parameters(jax.eval_shape(build, jax.random.key(0)))

    for bias in (False, True):
        real = count(lambda key, bias=bias: jn.Dense(6 * d, 5 * d, bias=bias, key=key))
        own = count(lambda key, bias=bias: jn.synapses.AlgebraDense(6, 5, algebra=name, bias=bias, key=key))
        assert own - bias * 5 * d == (real - bias * 5 * d) // d == 30 * d
    if name == "quaternion":
        assert 4 * count(lambda key: jn.synapses.AlgebraDense(6, 5, bias=False, key=key)) == 24 * 20


@pytest.mark.parametrize("name", ["real", "complex", "quaternion", "M3", "Cl(1,1)"])
def test_keeps_the_variance_of_its_inputs(name, key):
    dense = jn.synapses.AlgebraDense(100, 80, algebra=name, gain=2.0, key=key)
    x = jax.random.normal(key, (50, 100 * dense.algebra.dimension))
    assert float(jnp.var(jax.vmap(dense.respond)(x))) == pytest.approx(4, rel=0.1)
    np.testing.assert_array_equal(dense.bias, 0)


def test_bad_sizes_and_names_are_refused(key):
    with pytest.raises(ValueError, match="AlgebraDense got inputs=3, outputs=0; both must be at least 1"):
        jn.synapses.AlgebraDense(3, 0, key=key)
    with pytest.raises(ValueError, match="algebra='quaternions' is no known algebra"):
        jn.synapses.AlgebraDense(3, 2, algebra="quaternions", key=key)
