"""Sparse distributed representations: what they share, unions of them, and how probably they match by chance.

A representation is n bits, few of which are on. Two of them are taken to mean the same if their overlap reaches a
threshold. Of all representations with a on-bits, the share that reaches threshold theta with one of s on-bits is

    P = sum_{b = theta .. s} C(s, b) C(n - s, a - b) / C(n, a)

the tail of a hypergeometric distribution: 8.4e-13 for n = 10000, a = 300, s = 24, theta = 12.

Reference: Ahmad and Hawkins 2015, arXiv:1503.07469, eqs. 4 and 14; Ahmad and Hawkins 2016, arXiv:1601.00720, eq. 4.
"""

import jax.numpy as jnp
from jax.scipy.special import gammaln, logsumexp
from jaxtyping import Array, Bool, Float, Int

Number = Int[Array, ""] | Float[Array, ""] | int | float


def overlap(first: Bool[Array, "*batch bits"], second: Bool[Array, "*batch bits"]) -> Int[Array, "*batch"]:
    """The number of bits that are on in both."""
    return jnp.sum(first & second, axis=-1, dtype=jnp.int32)


def union(representations: Bool[Array, "*batch many bits"]) -> Bool[Array, "*batch bits"]:
    """The bits that are on in any of many: it matches all of them, and little else if they are not too many."""
    return jnp.any(representations, axis=-2)


def matches(
    first: Bool[Array, "*batch bits"], second: Bool[Array, "*batch bits"], threshold: Int[Array, ""] | int
) -> Bool[Array, "*batch"]:
    """Whether at least `threshold` bits are on in both."""
    return overlap(first, second) >= threshold


def false_match(n: Number, on: Number, synapses: int, threshold: Number) -> Float[Array, ""]:
    """The probability that a random representation matches another by chance.

    Args:
        n: bits.
        on: a, how many of them are on in the random one.
        synapses: s, the on-bits of the other, such as the synapses of a segment.
        threshold: theta, the overlap of a match.

    Returns:
        P.
    """
    return jnp.exp(log_false_match(n, on, synapses, threshold))


def log_false_match(n: Number, on: Number, synapses: int, threshold: Number) -> Float[Array, ""]:
    """The logarithm of `false_match`, which does not leave the range of numbers.

    Args:
        n: bits.
        on: a.
        synapses: s.
        threshold: theta.

    Returns:
        log P; minus infinity where no match is possible.
    """
    overlaps = jnp.arange(synapses + 1)
    n, on, threshold = (jnp.asarray(number, jnp.result_type(float)) for number in (n, on, threshold))
    b = overlaps.astype(n.dtype)
    choices = gammaln(b[-1] + 1) - gammaln(b + 1) - gammaln(b[-1] - b + 1)
    # a (a - 1) .. times (n - a) (n - a - 1) .. over n (n - 1) ..: factorials of n itself would lose all digits.
    hit, missed = _falling(on, synapses), _falling(n - on, synapses)[::-1]
    terms = choices + hit + missed - _falling(n, synapses)[-1]
    return logsumexp(jnp.where(b >= threshold, terms, -jnp.inf))


def _falling(start: Float[Array, ""], count: int) -> Float[Array, "products"]:
    """`log(start (start - 1) .. (start - k + 1))` for k from 0 to `count`."""
    factors = start - jnp.arange(count).astype(start.dtype)
    logs = jnp.where(factors > 0, jnp.log(jnp.maximum(factors, 1)), -jnp.inf)
    return jnp.concatenate([jnp.zeros(1, start.dtype), jnp.cumsum(logs)])


def union_fill(n: Number, on: Number, many: Number) -> Float[Array, ""]:
    """The share of bits that are on in a union of `many` random representations: `1 - (1 - a / n)^M`.

    Args:
        n: bits.
        on: a, how many of them are on in each.
        many: M.

    Returns:
        The expected share.
    """
    n, on, many = (jnp.asarray(number, jnp.result_type(float)) for number in (n, on, many))
    return -jnp.expm1(many * jnp.log1p(-on / n))


def union_false_match(n: Number, on: Number, many: Number) -> Float[Array, ""]:
    """The probability that all on-bits of a further random representation are in a union: `fill^a`.

    Args:
        n: bits.
        on: a.
        many: M.

    Returns:
        The probability.
    """
    return union_fill(n, on, many) ** jnp.asarray(on, jnp.result_type(float))
