"""The weights a layer starts with, and the checks of its arguments."""

import functools
from collections.abc import Iterable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Inexact, Int, PRNGKeyArray

from jaxneuro.algebra import Algebra


def check_sizes(layer: str, **sizes: int) -> None:
    """Refuse a layer without inputs or neurons.

    Args:
        layer: name of the class, for the message.
        sizes: the sizes that the constructor got, by name.

    Raises:
        ValueError: if one of them is below 1.
    """
    if min(sizes.values()) < 1:
        came = ", ".join(f"{name}={size}" for name, size in sizes.items())
        each = {1: "it", 2: "both"}.get(len(sizes), "all")
        raise ValueError(f"{layer} got {came}; {each} must be at least 1.")


def check_choice(layer: str, name: str, came: str, allowed: Iterable[str]) -> None:
    """Refuse a word that a layer does not know.

    Args:
        layer: name of the class, for the message.
        name: the argument.
        came: what it got.
        allowed: the words that it knows.

    Raises:
        ValueError: if `came` is none of them.
    """
    known = list(allowed)
    if came not in known:
        raise ValueError(f"{layer} got {name}={came!r}; it must be {' or '.join(map(repr, known))}.")


def glorot(key: PRNGKeyArray, outputs: int, inputs: int, gates: int = 1) -> Float[Array, "rows inputs"]:
    """Uniform weights of variance `2 / (inputs + outputs)`, for `gates` matrices one below the other.

    Args:
        key: random key.
        outputs: rows of one matrix.
        inputs: columns.
        gates: how many matrices.

    Returns:
        `[gates * outputs, inputs]`.

    Reference: Glorot and Bengio 2010, AISTATS 9:249, eq. 16.
    """
    bound = (6 / (inputs + outputs)) ** 0.5
    return jax.random.uniform(key, (gates * outputs, inputs), minval=-bound, maxval=bound)


def orthogonal(key: PRNGKeyArray, units: int, gates: int = 1) -> Float[Array, "rows units"]:
    """`gates` random orthogonal matrices one below the other: each alone keeps the length of a state.

    Args:
        key: random key.
        units: size of one matrix.
        gates: how many matrices.

    Returns:
        `[gates * units, units]`.

    Reference: Saxe, McClelland and Ganguli 2014, arXiv:1312.6120, section 3.
    """
    return _orthogonal(key, units, gates)


@functools.partial(jax.jit, static_argnums=(1, 2))
def _orthogonal(key: PRNGKeyArray, units: int, gates: int) -> Float[Array, "rows units"]:
    """One program: piece by piece, each layer of another size would compile a dozen of them."""
    return jax.vmap(orthonormal)(jax.random.normal(key, (gates, units, units))).reshape(gates * units, units)


# Columns that are made orthonormal among each other before the rest of the matrix is looked at: they fit in the cache.
BLOCK = 32


def orthonormal(matrix: Inexact[Array, "units units"]) -> Inexact[Array, "units units"]:
    """The columns of a matrix made orthonormal one after the other: the Q of `A = Q R`, R with a positive diagonal.

    Of a matrix of normal numbers it is a random orthogonal (or unitary) matrix, drawn evenly from all of them.
    `jnp.linalg.qr` gives the same matrix, but on a CPU of few cores two such calls of several matrices each, in one
    program, can wait for each other's threads for ever (jaxlib 0.10.2).

    Args:
        matrix: A, of full rank.

    Returns:
        Q.

    Reference: block Gram-Schmidt, pass after pass; the second leaves no more than rounding unless A is almost singular,
    Giraud et al. 2005, Numerische Mathematik 101:87.
    """
    # Rows are contiguous in memory, columns are not.
    units = len(matrix)
    rows = jnp.pad(matrix.T, ((0, -units % BLOCK), (0, 0)))
    rows = jax.lax.fori_loop(0, 3, lambda _, rows: _orthonormal_rows(rows), rows)
    return rows[:units].T


def _orthonormal_rows(matrix: Inexact[Array, "rows units"]) -> Inexact[Array, "rows units"]:
    """One pass over the rows, block by block; rows of zeros stay zero."""

    def freed(rows: Inexact[Array, "..."], found: Inexact[Array, "done units"]) -> Inexact[Array, "..."]:
        shares = jnp.matmul(rows, found.conj().T, precision="highest")
        return rows - jnp.matmul(shares, found, precision="highest")

    def add_row(row: Int[Array, ""], state: tuple[Array, Array]) -> tuple[Array, Array]:
        block, found = state
        rest = freed(block[row], found)
        length = jnp.linalg.norm(rest)
        rest = rest / jnp.where(length > 0, length, 1).astype(rest.dtype)
        return block, found.at[row].set(rest)

    def add_block(number: Int[Array, ""], found: Inexact[Array, "rows units"]) -> Inexact[Array, "rows units"]:
        block = freed(jax.lax.dynamic_slice_in_dim(matrix, number * BLOCK, BLOCK), found)
        _, done = jax.lax.fori_loop(0, BLOCK, add_row, (block, jnp.zeros_like(block)))
        return jax.lax.dynamic_update_slice_in_dim(found, done, number * BLOCK, 0)

    return jax.lax.fori_loop(0, len(matrix) // BLOCK, add_block, jnp.zeros_like(matrix))


def chrono(key: PRNGKeyArray, units: int, longest: float) -> Float[Array, "units"]:
    """Biases of forget gates that remember for times between 1 and `longest` steps: `log u`, u uniform on [1, T - 1].

    Args:
        key: random key.
        units: how many.
        longest: T, the longest dependency, in steps; above 2.

    Returns:
        `[units]`.

    Raises:
        ValueError: if `longest` is not above 2.

    Reference: Tallec and Ollivier 2018, arXiv:1804.11188.
    """
    if not longest > 2:
        raise ValueError(f"longest={longest:g} steps; it must be above 2.")
    return jnp.log(jax.random.uniform(key, (units,), minval=1.0, maxval=longest - 1))


def unitary(key: PRNGKeyArray, units: int) -> Float[Array, "2 units units"]:
    """A random unitary matrix, drawn evenly from all of them: it keeps the length of a complex state.

    Args:
        key: random key.
        units: size of the matrix.

    Returns:
        `[2, units, units]`: real part, imaginary part.

    Reference: Mezzadri 2007, Notices of the AMS 54:592.
    """
    matrix = orthonormal(jax.random.normal(key, (units, units), jnp.result_type(complex)))
    # A step of Newton's and Schulz's iteration: a bias of the rounding would, over many steps, be growth or decay.
    error = jnp.eye(units, dtype=matrix.dtype) - jnp.matmul(matrix.conj().T, matrix, precision="highest")
    matrix = matrix + jnp.matmul(matrix, error, precision="highest") / 2
    return jnp.stack([matrix.real, matrix.imag])


def polar_weights(
    key: PRNGKeyArray, algebra: Algebra, outputs: int, inputs: int, deviation: float
) -> Float[Array, "dimension outputs inputs"]:
    """Random weights whose coordinates have a mean square of `deviation^2`, drawn by length and direction.

    `w = r (cos(theta) + u sin(theta))` in complex numbers and quaternions: the length r of the chi distribution of as
    many degrees of freedom as there are coordinates, theta uniform on [-pi, pi], u a random imaginary element of
    length 1. In other algebras coordinates are independent normal numbers.

    Args:
        key: random key.
        algebra: of the weights.
        outputs: rows.
        inputs: columns.
        deviation: root of the mean square of a coordinate, averaged over all.

    Returns:
        The coordinates.

    Reference: Parcollet et al. 2019, arXiv:1806.04418 (quaternions); Trabelsi et al. 2018,
    arXiv:1705.09792, section 3.6 (complex numbers).
    """
    return _polar(key, algebra, outputs, inputs, deviation)


@functools.partial(jax.jit, static_argnums=(1, 2, 3))
def _polar(
    key: PRNGKeyArray, algebra: Algebra, outputs: int, inputs: int, deviation: float | Float[Array, ""]
) -> Float[Array, "dimension outputs inputs"]:
    normal_key, angle_key, axis_key = jax.random.split(key, 3)
    normal = deviation * jax.random.normal(normal_key, (algebra.dimension, outputs, inputs))
    if not algebra.is_normed or algebra.dimension == 1:
        return normal
    length = algebra.norm(normal)
    angle = jax.random.uniform(angle_key, (outputs, inputs), minval=-jnp.pi, maxval=jnp.pi)
    axis = jax.random.normal(axis_key, (algebra.dimension - 1, outputs, inputs))
    axis = (length * jnp.sin(angle) / algebra.norm(axis))[None] * axis
    return jnp.concatenate([(length * jnp.cos(angle))[None], axis])


def isometry(key: PRNGKeyArray, algebra: Algebra, units: int, gates: int = 1) -> Float[Array, "dimension rows units"]:
    """`gates` random matrices of elements one below the other, each of which keeps the length of a vector.

    The orthogonal part of the real matrix of a random one, which is in the algebra as that is: it is found by products
    of the matrix and its transpose, whose elements are the conjugates up to a sign.

    Args:
        key: random key.
        algebra: of the elements.
        units: size of one matrix.
        gates: how many matrices.

    Returns:
        The coordinates, `[dimension, gates units, units]`.

    Reference: Bjorck and Bowie 1971, SIAM Journal on Numerical Analysis 8:358 (Newton's and Schulz's iteration).
    """
    return _isometry(key, algebra, units, gates)


@functools.partial(jax.jit, static_argnums=(1, 2, 3))
def _isometry(key: PRNGKeyArray, algebra: Algebra, units: int, gates: int) -> Float[Array, "dimension rows units"]:
    def improve(_: Array, matrix: Float[Array, "rows rows"]) -> Float[Array, "rows rows"]:
        square = jnp.matmul(matrix.T, matrix, precision="highest")
        return 1.5 * matrix - 0.5 * jnp.matmul(matrix, square, precision="highest")

    def one(key: PRNGKeyArray) -> Float[Array, "dimension units units"]:
        matrix = algebra.expand(jax.random.normal(key, (algebra.dimension, units, units)))
        # No singular value is above this; the smallest grows by half in each iteration until it is near 1.
        bound = jnp.sqrt(jnp.abs(matrix).sum(0).max() * jnp.abs(matrix).sum(1).max())
        matrix = jax.lax.fori_loop(0, 60, improve, matrix / bound)
        grid = matrix.reshape(algebra.size, units, algebra.size, units)
        places = {i: (a, b, s) for a, row in enumerate(algebra.blocks) for b, (i, s) in enumerate(row) if s}
        parts = [(s, grid[a, :, b, :]) for a, b, s in (places[i] for i in range(algebra.dimension))]
        return jnp.stack([part if sign > 0 else -part for sign, part in parts])

    drawn = jax.vmap(one)(jax.random.split(key, gates))
    return drawn.swapaxes(0, 1).reshape(algebra.dimension, gates * units, units)
