"""Numbers of higher dimension: real, complex, quaternion, matrix and Clifford algebras behind one bilinear product.

An element is an array whose leading axis holds its coordinates in a fixed basis: `p = sum_i p_i e_i`. The product is
given by structure constants, `(p q)_k = sum_ij c_ijk p_i q_j`, which are -1, 0 or 1 in all algebras here. A matrix of
elements acts on a vector of elements as one real matrix, so that a layer of any algebra is one real matrix product.

Reference: Hamilton 1844, Philosophical Magazine 25:489 (quaternions); Clifford 1878, American Journal of Mathematics
1:350; Hurwitz 1898, Goettinger Nachrichten 309 (where `norm(p q) = norm(p) norm(q)`).
"""

import dataclasses
import functools
import re

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

LARGEST_DIMENSION = 64


@dataclasses.dataclass(frozen=True)
class Algebra:
    """A finite-dimensional associative real algebra with a unit, in a basis whose products are basis elements or 0.

    Attributes:
        name: how configs and messages call it.
        products: `(i, j, k, sign)` for all products `e_i e_j = sign e_k` that are not 0.
        conjugates: for each i `(k, sign)` of `conjugate(e_i) = sign e_k`.
        ones: the basis elements whose sum is the unit.
        copies: how many equal representations the product with an element from the left falls into: n for n x n
            matrices, whose columns are multiplied each alone. Coordinate `copies a + b` is number a of copy b.
    """

    name: str
    products: tuple[tuple[int, int, int, int], ...]
    conjugates: tuple[tuple[int, int], ...]
    ones: tuple[int, ...]
    copies: int = 1

    @property
    def dimension(self) -> int:
        """Real numbers per element."""
        return len(self.conjugates)

    @property
    def size(self) -> int:
        """Rows of the real matrix that stands for an element: `dimension / copies`."""
        return self.dimension // self.copies

    @functools.cached_property
    def constants(self) -> np.ndarray:
        """The structure constants c, `[dimension, dimension, dimension]`."""
        constants = np.zeros((self.dimension,) * 3)
        for i, j, k, sign in self.products:
            constants[i, j, k] = sign
        return constants

    @functools.cached_property
    def blocks(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """The matrix of an element by its coordinates: `(i, sign)` in row a and column b; sign 0 for an entry of 0."""
        grid = [[(0, 0)] * self.size for _ in range(self.size)]
        for i, j, k, sign in self.products:
            if j % self.copies == 0:
                grid[k // self.copies][j // self.copies] = (i, sign)
        return tuple(map(tuple, grid))

    @functools.cached_property
    def is_normed(self) -> bool:
        """Whether `norm(p q) = norm(p) norm(q)` for all p and q: only for reals, complex numbers and quaternions."""
        overlaps = np.einsum("ijk,lmk->ijlm", self.constants, self.constants)
        one = np.eye(self.dimension)
        return np.array_equal(overlaps + overlaps.transpose(2, 1, 0, 3), 2 * np.einsum("il,jm->ijlm", one, one))

    @functools.cached_property
    def unit(self) -> np.ndarray:
        """The coordinates of 1, `[dimension]`."""
        return np.isin(np.arange(self.dimension), self.ones).astype(float)

    def multiply(self, p: Float[Array, "dimension ..."], q: Float[Array, "dimension ..."]) -> Float[Array, "..."]:
        """`p q`, element by element: `(p q)_k = sum_ij c_ijk p_i q_j`.

        Args:
            p: `[dimension, ...]`.
            q: of the same shape.

        Returns:
            The products, of the same shape.
        """
        return jnp.einsum("i...,j...,ijk->k...", p, q, jnp.asarray(self.constants, p.dtype), precision="highest")

    def conjugate(self, p: Float[Array, "dimension ..."]) -> Float[Array, "dimension ..."]:
        """What turns products around: for p q it is that of q times that of p. Of a matrix it is the transpose.

        Args:
            p: `[dimension, ...]`.

        Returns:
            The conjugates, of the same shape.
        """
        found = [p] * self.dimension
        for part, (k, sign) in zip(p, self.conjugates, strict=True):
            found[k] = part if sign > 0 else -part
        return jnp.stack(found)

    def norm(self, p: Float[Array, "dimension ..."]) -> Float[Array, "..."]:
        """The root of the sum of the squared coordinates; of a matrix that of Frobenius."""
        return jnp.sqrt((p * p).sum(axis=0))

    def left_matrix(self, p: Float[Array, "dimension"]) -> Float[Array, "dimension dimension"]:
        """The real matrix L of the product from the left: `p q = L q`."""
        return jnp.einsum("i,ijk->kj", p, jnp.asarray(self.constants, p.dtype), precision="highest")

    def expand(self, weights: Float[Array, "dimension outputs inputs"]) -> Float[Array, "rows columns"]:
        """The real matrix of a matrix of elements, in blocks of `[outputs, inputs]`.

        Args:
            weights: coordinates of the elements.

        Returns:
            `[size outputs, size inputs]`.
        """
        zero = jnp.zeros_like(weights[0])
        signed = {0: lambda i: zero, 1: lambda i: weights[i], -1: lambda i: -weights[i]}
        # Concatenation is as fast as a real matrix that is stored, and faster than a product with the constants.
        rows = [jnp.concatenate([signed[sign](i) for i, sign in row], axis=1) for row in self.blocks]
        return jnp.concatenate(rows, axis=0)

    def apply(
        self, weights: Float[Array, "dimension outputs inputs"], vector: Float[Array, "features"]
    ) -> Float[Array, "features2"]:
        """`W x`: elements of W from the left, elements of x from the right, as one real matrix product.

        Args:
            weights: W, coordinates of its elements.
            vector: x, `[dimension inputs]`: all first coordinates, then all second ones, and so on.

        Returns:
            `[dimension outputs]`, in the same order.
        """
        matrix = self.expand(weights)
        if self.copies == 1:
            return matrix @ vector
        columns = vector.reshape(self.size, self.copies, -1).swapaxes(0, 1).reshape(self.copies, -1)
        return (columns @ matrix.T).reshape(self.copies, self.size, -1).swapaxes(0, 1).reshape(-1)


def _swaps(one: int, other: int) -> int:
    """How many neighbours change places when the generators of two blades, as bits, are put in order."""
    return sum((one >> shift).bit_count() for shift in range(1, 7) if other >> (shift - 1) & 1)


@functools.cache
def clifford(p: int, q: int) -> Algebra:
    """The Clifford algebra Cl(p, q): p generators of square 1 and q of square -1, which anticommute.

    `e_a e_b = -e_b e_a`, `e_a^2 = 1` for a <= p, else -1. The basis are the products of generators in ascending order:
    1, e_1, e_2, e_1 e_2, e_3, ... The conjugate turns the sign of all generators, and the order of products.

    Args:
        p: generators of square 1.
        q: generators of square -1.

    Returns:
        The algebra, of dimension `2^(p + q)`. Cl(0, 1) are the complex numbers, Cl(0, 2) the quaternions.

    Raises:
        ValueError: if p or q is below 0, or the dimension above 64.
    """
    if min(p, q) < 0 or 2 ** (p + q) > LARGEST_DIMENSION:
        raise ValueError(f"clifford got p={p}, q={q}; both must be at least 0, and their sum at most 6.")
    blades = range(2 ** (p + q))
    negative = sum(1 << generator for generator in range(p, p + q))

    def product(i: int, j: int) -> tuple[int, int, int, int]:
        turns = _swaps(i, j) + (i & j & negative).bit_count()
        return i, j, i ^ j, -1 if turns % 2 else 1

    grades = [blade.bit_count() for blade in blades]
    conjugates = tuple((blade, -1 if grade * (grade + 1) // 2 % 2 else 1) for blade, grade in enumerate(grades))
    return Algebra(f"Cl({p},{q})", tuple(product(i, j) for i in blades for j in blades), conjugates, (0,))


@functools.cache
def matrices(n: int) -> Algebra:
    """The n x n real matrices; coordinate `n a + b` is the entry in row a and column b.

    Args:
        n: rows.

    Returns:
        The algebra, of dimension `n^2`.

    Raises:
        ValueError: if n is below 1 or above 8.
    """
    if not 1 <= n <= 8:
        raise ValueError(f"matrices got n={n}; it must be at least 1 and at most 8.")
    places = [(a, b) for a in range(n) for b in range(n)]
    products = tuple((n * a + b, n * b + c, n * a + c, 1) for a, b in places for c in range(n))
    conjugates = tuple((n * b + a, 1) for a, b in places)
    return Algebra(f"M{n}", products, conjugates, tuple((n + 1) * a for a in range(n)), copies=n)


REAL = dataclasses.replace(clifford(0, 0), name="real")
COMPLEX = dataclasses.replace(clifford(0, 1), name="complex")
QUATERNION = dataclasses.replace(clifford(0, 2), name="quaternion")
DIVISION = {algebra.name: algebra for algebra in (REAL, COMPLEX, QUATERNION)}


def algebra_called(name: str) -> Algebra:
    """An algebra by name.

    Args:
        name: "real", "complex" or "quaternion" (basis 1, i, j, k); "M2" for 2 x 2 matrices, to "M8"; "Cl(1,1)" for a
            Clifford algebra.

    Returns:
        The algebra.

    Raises:
        ValueError: if there is no such algebra.
    """
    if name in DIVISION:
        return DIVISION[name]
    if found := re.fullmatch(r"M([1-8])", name):
        return matrices(int(found[1]))
    if found := re.fullmatch(r"Cl\(([0-6]), ?([0-6])\)", name):
        return clifford(int(found[1]), int(found[2]))
    raise ValueError(
        f"algebra={name!r} is no known algebra; it must be 'real', 'complex', 'quaternion', 'M2' to 'M8' (matrices) or "
        "such as 'Cl(1,1)' (Clifford)."
    )
