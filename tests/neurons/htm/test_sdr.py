"""Sparse distributed representations against exact fractions, the numbers of their papers, and random draws."""

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

sdr = jn.htm.sdr

# (n, a, s, theta): the probability, to the digits printed.
PUBLISHED = {
    (10_000, 300, 24, 12): 8.375845e-13,
    (100_000, 2000, 20, 10): 1.541928e-12,
    (2048, 40, 20, 10): 3.910589e-13,
    (2048, 40, 20, 13): 4.961688e-19,
    (10_000, 64, 24, 12): 4.041597e-21,
    (10_000, 1500, 24, 12): 5.781608e-05,
    (1024, 20, 20, 10): 9.329239e-14,
}
# Few bits, many of them on; every overlap certain; no overlap possible.
OTHERS = [(20, 9, 7, 3), (20, 18, 7, 5), (50, 10, 8, 0), (50, 3, 8, 3), (30, 30, 5, 5), (10, 0, 4, 0)]


def exact(n, a, s, theta):
    ways = sum(math.comb(s, b) * math.comb(n - s, a - b) for b in range(theta, min(s, a) + 1) if n - s >= a - b)
    return Fraction(ways, math.comb(n, a))


@pytest.mark.parametrize(("case", "published"), PUBLISHED.items())
def test_chance_matches_have_the_published_probability(case, published, float64):
    assert float(exact(*case)) == pytest.approx(published, rel=1e-6)
    assert float(sdr.false_match(*case)) == pytest.approx(float(exact(*case)), rel=1e-11)


@pytest.mark.parametrize("case", OTHERS)
def test_chance_matches_are_counted_exactly(case, float64):
    assert float(sdr.false_match(*case)) == pytest.approx(float(exact(*case)), rel=1e-11)


@pytest.mark.parametrize("case", PUBLISHED)
def test_single_precision_is_enough(case):
    found = sdr.false_match(*case)
    assert found.dtype == jnp.float32
    assert float(found) == pytest.approx(float(exact(*case)), rel=5e-4)


def test_what_cannot_match_has_probability_zero():
    assert float(sdr.false_match(50, 3, 8, 4)) == 0
    assert float(sdr.log_false_match(50, 3, 8, 4)) == -np.inf


def test_probabilities_below_the_range_have_a_logarithm(float64):
    expected = math.log(exact(4000, 40, 40, 40).numerator) - math.log(exact(4000, 40, 40, 40).denominator)
    assert float(sdr.log_false_match(4000, 40, 40, 40)) == pytest.approx(expected, rel=1e-12)


def test_sizes_are_swept_in_one_program(float64):
    bits = jnp.asarray([1024.0, 2048.0, 4096.0])
    found = jax.vmap(lambda n: sdr.false_match(n, 40, 20, 8))(bits)
    np.testing.assert_allclose(found, [float(exact(int(n), 40, 20, 8)) for n in bits], rtol=1e-11)


@pytest.mark.parametrize(("many", "fill", "match"), [(20, 0.325976, 3.37e-20), (50, 0.627018, 7.8e-9)])
def test_unions_fill_and_match_as_published(many, fill, match, float64):
    assert float(sdr.union_fill(2048, 40, many)) == pytest.approx(fill, abs=5e-7)
    assert float(sdr.union_false_match(2048, 40, many)) == pytest.approx(match, rel=5e-3)
    assert float(sdr.union_fill(2048, 40, many)) == pytest.approx(
        float(1 - (1 - Fraction(40, 2048)) ** many), rel=1e-12
    )


def test_overlap_union_and_match_are_those_of_sets():
    first, second, third = {1, 4, 7, 9}, {4, 9, 11}, {0, 4}
    bits = [jnp.asarray(np.isin(np.arange(16), list(chosen))) for chosen in (first, second, third)]
    assert int(sdr.overlap(bits[0], bits[1])) == len(first & second)
    assert [bool(sdr.matches(bits[0], bits[1], theta)) for theta in (1, 2, 3)] == [True, True, False]
    np.testing.assert_array_equal(np.flatnonzero(sdr.union(jnp.stack(bits))), sorted(first | second | third))
    np.testing.assert_array_equal(sdr.overlap(jnp.stack(bits), jnp.stack(bits)), [4, 3, 2])


def test_random_representations_match_as_often_as_told():
    n, a, s, theta, draws = 60, 12, 10, 4, 20_000
    ranks = np.random.default_rng(0).uniform(size=(draws, n)).argsort(axis=1)
    random, stored = jnp.asarray(ranks < a), jnp.broadcast_to(jnp.arange(n) < s, (draws, n))
    share, expected = float(jnp.mean(sdr.matches(random, stored, theta))), float(exact(n, a, s, theta))
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / draws)
