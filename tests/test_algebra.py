"""Algebras against complex numbers, the table of quaternions, matrices and brackets, and their laws."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.algebra import COMPLEX, QUATERNION, REAL, algebra_called, clifford, matrices
from jaxneuro.initial import isometry, polar_weights

pytestmark = pytest.mark.slow
NAMES = ("real", "complex", "quaternion", "M2", "M3", "Cl(1,1)", "Cl(2,0)", "Cl(3,0)", "Cl(1,3)")
every_algebra = pytest.mark.parametrize("name", NAMES)
NORMED = ("real", "complex", "quaternion")


def elements(algebra, count, many=50):
    return [jnp.asarray(part) for part in np.random.default_rng(3).normal(size=(count, algebra.dimension, many))]


def same(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12 * max(1, np.abs(np.asarray(expected)).max()))


@every_algebra
def test_the_product_is_associative_and_bilinear_and_has_a_unit(name, float64):
    algebra = algebra_called(name)
    p, q, r = elements(algebra, 3)
    same(algebra.multiply(algebra.multiply(p, q), r), algebra.multiply(p, algebra.multiply(q, r)))
    same(algebra.multiply(2 * p - q, r), 2 * algebra.multiply(p, r) - algebra.multiply(q, r))
    one = jnp.asarray(np.repeat(algebra.unit[:, None], 50, axis=1))
    same(algebra.multiply(one, p), p)
    same(algebra.multiply(p, one), p)


@every_algebra
def test_the_conjugate_turns_products_around_and_undoes_itself(name, float64):
    algebra = algebra_called(name)
    p, q = elements(algebra, 2)
    turned = algebra.multiply(algebra.conjugate(q), algebra.conjugate(p))
    same(algebra.conjugate(algebra.multiply(p, q)), turned)
    same(algebra.conjugate(algebra.conjugate(p)), p)


@every_algebra
def test_norms_multiply_only_in_reals_complex_numbers_and_quaternions(name, float64):
    algebra = algebra_called(name)
    p, q = elements(algebra, 2)
    ratio = algebra.norm(algebra.multiply(p, q)) / (algebra.norm(p) * algebra.norm(q))
    assert algebra.is_normed == (name in NORMED)
    if name in NORMED:
        same(ratio, np.ones(50))
        square = algebra.multiply(algebra.conjugate(p), p)
        same(square, algebra.unit[:, None] * np.asarray(algebra.norm(p)) ** 2)
    else:
        assert np.abs(np.asarray(ratio) - 1).max() > 0.1
    if name.startswith("M"):
        assert np.asarray(ratio).max() <= 1  # Frobenius


def test_an_algebra_with_zero_divisors_cannot_have_a_norm():
    algebra = clifford(1, 1)
    p, q = jnp.array([1.0, 1.0, 0.0, 0.0]), jnp.array([1.0, -1.0, 0.0, 0.0])
    np.testing.assert_array_equal(algebra.multiply(p, q), 0)  # (1 + e_1)(1 - e_1)


@every_algebra
def test_the_matrix_of_the_product_from_the_left_is_a_representation(name, float64):
    algebra = algebra_called(name)
    p, q = (part[:, 0] for part in elements(algebra, 2))
    same(algebra.left_matrix(p) @ q, algebra.multiply(p, q))
    same(algebra.left_matrix(algebra.multiply(p, q)), algebra.left_matrix(p) @ algebra.left_matrix(q))
    # The smaller matrix of `expand` is one too.
    small = [algebra.expand(part[:, None, None]) for part in (p, q, algebra.multiply(p, q))]
    assert small[0].shape == (algebra.size, algebra.size)
    same(small[0] @ small[1], small[2])


@every_algebra
def test_a_matrix_of_elements_acts_as_products_and_sums(name, float64):
    algebra = algebra_called(name)
    generator = np.random.default_rng(1)
    weights, vector = generator.normal(size=(algebra.dimension, 3, 2)), generator.normal(size=(algebra.dimension, 2))
    expected = np.zeros((algebra.dimension, 3))
    for i, j in itertools.product(range(algebra.dimension), repeat=2):
        for k in range(algebra.dimension):
            expected[k] += algebra.constants[i, j, k] * weights[i] @ vector[j]
    same(algebra.apply(jnp.asarray(weights), jnp.asarray(vector.ravel())), expected.ravel())


def test_quaternions_are_those_of_hamilton():
    table = {"ij": "k", "jk": "i", "ki": "j", "ji": "-k", "kj": "-i", "ik": "-j", "ii": "-1", "jj": "-1", "kk": "-1"}
    basis = dict(zip("1ijk", jnp.eye(4), strict=True))
    for (left, right), product in table.items():
        sign = -1 if product[0] == "-" else 1
        expected = sign * basis[product[-1]]
        np.testing.assert_array_equal(QUATERNION.multiply(basis[left], basis[right]), expected)
    np.testing.assert_array_equal(QUATERNION.conjugate(jnp.arange(1.0, 5.0)), [1, -2, -3, -4])


def test_complex_numbers_and_reals_are_those_of_numpy(float64):
    p, q = elements(COMPLEX, 2)
    product = (np.asarray(p[0]) + 1j * np.asarray(p[1])) * (np.asarray(q[0]) + 1j * np.asarray(q[1]))
    same(COMPLEX.multiply(p, q), np.stack([product.real, product.imag]))
    same(REAL.multiply(p[:1], q[:1]), np.asarray(p[:1]) * np.asarray(q[:1]))


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_matrices_are_those_of_numpy(n, float64):
    algebra = matrices(n)
    p, q = elements(algebra, 2)
    as_matrices = [np.asarray(part).T.reshape(-1, n, n) for part in (p, q)]
    same(np.asarray(algebra.multiply(p, q)).T.reshape(-1, n, n), as_matrices[0] @ as_matrices[1])
    same(np.asarray(algebra.conjugate(p)).T.reshape(-1, n, n), as_matrices[0].swapaxes(1, 2))


PAULI = [np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.array([[1, 0], [0, -1]])]
# Generators as matrices: Cl(1,1) and Cl(2,0) are M_2(R), Cl(3,0) is M_2(C); Cl(0,1) is C and Cl(0,2) is H in M_2(C).
GENERATORS = {
    (0, 1): [np.array([[1j]])],
    (0, 2): [1j * PAULI[2], 1j * PAULI[1]],
    (1, 1): [np.array([[0, 1], [1, 0]]), np.array([[0, -1], [1, 0]])],
    (2, 0): [PAULI[0], PAULI[2]],
    (3, 0): PAULI,
}


@pytest.mark.parametrize("signature", GENERATORS)
def test_clifford_algebras_are_the_matrices_that_they_are_isomorphic_to(signature, float64):
    algebra, generators = clifford(*signature), GENERATORS[signature]

    def as_matrix(element):
        total = 0
        for blade, coordinate in enumerate(np.asarray(element)):
            product = np.eye(len(generators[0]), dtype=complex)
            for number, generator in enumerate(generators):
                product = product @ generator if blade >> number & 1 else product
            total = total + coordinate * product
        return total

    p, q = (part[:, :5] for part in elements(algebra, 2))
    for one, other, product in zip(p.T, q.T, algebra.multiply(p, q).T, strict=True):
        same(as_matrix(one) @ as_matrix(other), as_matrix(product))
    # Nothing but 0 becomes 0: the map is one to one.
    columns = np.stack([as_matrix(e).ravel() for e in np.eye(algebra.dimension)])
    assert np.linalg.matrix_rank(np.concatenate([columns.real, columns.imag], axis=1)) == algebra.dimension


def test_complex_numbers_and_quaternions_are_clifford_algebras():
    assert COMPLEX.products == clifford(0, 1).products
    assert QUATERNION.products == clifford(0, 2).products
    assert QUATERNION.conjugates == clifford(0, 2).conjugates


@pytest.mark.parametrize("name", ["complex", "quaternion", "M2", "Cl(1,1)"])
def test_random_weights_have_the_variance_asked_for(name, key):
    algebra = algebra_called(name)
    weights = np.asarray(polar_weights(key, algebra, 200, 100, 0.3), np.float64)
    assert np.mean(weights**2) == pytest.approx(0.09, rel=0.02)
    np.testing.assert_allclose(weights.mean(axis=(1, 2)), 0, atol=4 * 0.3 * 2**0.5 / 20000**0.5)


def test_random_quaternions_have_the_polar_form_of_the_paper(key):
    weights = np.asarray(polar_weights(key, QUATERNION, 200, 100, 0.3), np.float64)
    length = np.linalg.norm(weights, axis=0)
    # Of a chi distribution of 4 degrees of freedom the share below r is 1 - exp(-r^2/2) (1 + r^2/2), r in deviations.
    for r in (1.0, 1.8, 2.6):
        share = 1 - np.exp(-(r**2) / 2) * (1 + r**2 / 2)
        assert np.mean(length < 0.3 * r) == pytest.approx(share, abs=4 * 0.5 / 20000**0.5)
    # The phase between the real part and the rest: cos(theta) of a uniform theta, the arc sine law.
    for c in (-0.7, 0.2, 0.9):
        share = 1 - np.arccos(c) / np.pi
        assert np.mean(weights[0] / length < c) == pytest.approx(share, abs=4 * 0.5 / 20000**0.5)
    # A coordinate of an even direction in space is uniform on [-1, 1]: its mean square is 1/3.
    axis = weights[1:] / np.linalg.norm(weights[1:], axis=0)
    np.testing.assert_allclose((axis**2).mean(axis=(1, 2)), 1 / 3, atol=4 * 0.3 / 20000**0.5)


@every_algebra
def test_isometries_keep_the_length_of_a_vector_of_elements(name, key, float64):
    algebra = algebra_called(name)
    weights = isometry(key, algebra, 3, gates=2)
    assert weights.shape == (algebra.dimension, 6, 3)
    vector = jax.random.normal(key, (algebra.dimension * 3,))
    for gate in (weights[:, :3], weights[:, 3:]):
        turned = algebra.apply(gate, vector)
        assert float(jnp.linalg.norm(turned)) == pytest.approx(float(jnp.linalg.norm(vector)), rel=1e-12)
    assert float(jnp.abs(weights[:, :3] - weights[:, 3:]).max()) > 0.1


@pytest.mark.parametrize("name", ["octonion", "M0", "M9", "Cl(1)", "Cl(7,0)", "Quaternion", ""])
def test_unknown_names_are_told_what_there_is(name):
    with pytest.raises(ValueError, match="no known algebra; it must be 'real', 'complex'"):
        algebra_called(name)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: clifford(-1, 2), "clifford got p=-1, q=2"),
        (lambda: clifford(4, 3), "clifford got p=4, q=3; both must be at least 0, and their sum at most 6"),
        (lambda: algebra_called("Cl(4,3)"), "clifford got p=4, q=3"),
        (lambda: matrices(0), "matrices got n=0; it must be at least 1 and at most 8"),
    ],
)
def test_bad_sizes_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_equal_names_are_equal_algebras():
    assert algebra_called("Cl(0, 2)") == clifford(0, 2)
    assert hash(algebra_called("M2")) == hash(matrices(2))
    assert clifford(1, 1) != clifford(2, 0)
