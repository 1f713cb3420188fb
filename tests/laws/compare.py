"""Comparing what two runs of a machine gave, and making other parameters and inputs of the same kind."""

import jax
import jax.numpy as jnp
import numpy as np


def numbers(leaf):
    """A leaf as a NumPy array; a random key as its data."""
    return np.asarray(jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf)


def assert_same(actual, expected, ulps=0):
    """Both trees have one structure, and equal leaves: in shape, dtype and, within rounding, value.

    Args:
        actual: a pytree of arrays.
        expected: another.
        ulps: how far they may be apart, in roundings at the size of the leaf's largest element (at least 1), complex
            numbers in modulus; 0 asks for the same bits.
    """
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    for (path, a), b in zip(jax.tree_util.tree_leaves_with_path(actual), jax.tree.leaves(expected), strict=True):
        name = jax.tree_util.keystr(path) or "the array"
        assert a.dtype == b.dtype, f"{name} is {a.dtype} and {b.dtype}"
        a, b = numbers(a), numbers(b)
        assert a.shape == b.shape, f"{name} has shape {a.shape} and {b.shape}"
        if ulps and jnp.issubdtype(b.dtype, jnp.inexact) and b.size:
            rounding = float(jnp.finfo(b.dtype).eps) * max(1.0, float(np.abs(b).max()))
            np.testing.assert_allclose(a, b, rtol=0, atol=ulps * rounding, err_msg=name)
        else:
            np.testing.assert_array_equal(a, b, err_msg=name)


def is_complex(leaf):
    return jnp.issubdtype(leaf.dtype, jnp.complexfloating)


def as_parts(tree):
    """Every complex leaf as a real one with a leading axis of real and imaginary part; other leaves as they are."""
    return jax.tree.map(lambda leaf: jnp.stack([leaf.real, leaf.imag]) if is_complex(leaf) else leaf, tree)


def from_parts(parts, like):
    """What `as_parts` made of a tree with leaves of the kinds of `like`."""
    return jax.tree.map(lambda part, leaf: jax.lax.complex(*part) if is_complex(leaf) else part, parts, like)


def weighted_sum(tree):
    """A real scalar to which every inexact number of a tree contributes, each with a weight of its own.

    The real and the imaginary part of a complex number are two numbers.
    """
    leaves = [leaf for leaf in jax.tree.leaves(as_parts(tree)) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    sums = [jnp.sum(leaf.ravel() * jnp.cos(jnp.arange(leaf.size, dtype=leaf.dtype))) for leaf in leaves]
    return sum(sums) if sums else jnp.zeros(())


def edited(edit, *trees):
    """`edit` on the leaves as NumPy arrays, which compiles nothing."""

    def one(*leaves):
        result = edit(*map(numbers, leaves))
        if jnp.issubdtype(leaves[0].dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(result, impl=jax.random.key_impl(leaves[0]))
        return jnp.asarray(result, leaves[0].dtype)

    return jax.tree.map(one, *trees)


def perturbed(tree, by=0.01):
    """Other values of the same kind: every inexact leaf times `1 + by`."""
    return edited(lambda leaf: leaf * (1 + by) if leaf.dtype.kind in "fc" else leaf, tree)


def silenced(inputs, start=3, stop=6):
    """The same inputs with some steps of silence."""
    return edited(lambda leaf: np.concatenate([leaf[:start], 0 * leaf[start:stop], leaf[stop:]]), inputs)


def stacked(*trees):
    """The trees along a new leading axis."""
    return edited(lambda *leaves: np.stack(leaves), *trees)


def joined(*trees):
    """One after the other in time."""
    return edited(lambda *leaves: np.concatenate(leaves), *trees)


def first(inputs, count):
    """The first `count` steps."""
    return edited(lambda leaf: leaf[:count], inputs)


def after(inputs, count):
    """All steps but the first `count`."""
    return edited(lambda leaf: leaf[count:], inputs)


def at(inputs, time):
    """One step."""
    return edited(lambda leaf: leaf[time], inputs)
