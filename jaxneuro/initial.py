"""The weights a layer starts with, and the checks of its arguments."""

import functools
from collections.abc import Iterable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Inexact, Int, PRNGKeyArray


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
