"""Who reaches whom in random networks, as lists of targets for `EventSynapses`."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

# A list has room for the mean and so many standard deviations more: one of 10^9 lists would need more, and loses its
# last synapses.
ROOM = 6.0


def _room(trials: int, probability: float) -> int:
    mean = trials * probability
    return max(1, math.ceil(mean + ROOM * math.sqrt(mean * (1 - probability)) + 1))


def bernoulli_targets(
    sources: int, targets: int, probability: float, *, key: PRNGKeyArray
) -> Int[Array, "sources most"]:
    """Every pair of neurons is joined with one probability, each on its own: `P(i -> j) = p`.

    The gap from one target to the next is geometric, so that the time is that of the synapses there are, not of all
    pairs. A population that reaches itself may have synapses from a neuron to itself.

    Args:
        sources: number of neurons that spike.
        targets: number of neurons that they reach.
        probability: p, above 0 and at most 1.
        key: random key.

    Returns:
        For every source its targets in rising order; free places hold the number of targets.

    Reference: Erdos and Renyi 1959, Publicationes Mathematicae 6:290; gaps: Batagelj and Brandes 2005, Physical Review
    E 71:036113.
    """
    _check("bernoulli_targets", sources=sources, targets=targets)
    if not 0 < probability <= 1:
        raise ValueError(f"bernoulli_targets got probability={probability}; it must be above 0 and at most 1.")
    most = min(targets, _room(targets, probability))
    if probability == 1:
        return jnp.broadcast_to(jnp.arange(targets, dtype=jnp.int32), (sources, targets))
    gaps = jax.random.uniform(key, (sources, most), jnp.float32, minval=jnp.finfo(jnp.float32).tiny)
    gaps = 1 + jnp.minimum(jnp.floor(jnp.log(gaps) / math.log1p(-probability)), targets).astype(jnp.int32)
    return jnp.minimum(jnp.cumsum(gaps, axis=1) - 1, targets).astype(jnp.int32)


def in_degree_targets(sources: int, targets: int, degree: int, *, key: PRNGKeyArray) -> Int[Array, "sources most"]:
    """Every target is reached by the same number of synapses, from sources drawn at random, with repetition.

    Args:
        sources: number of neurons that spike.
        targets: number of neurons that they reach.
        degree: synapses on each target.
        key: random key.

    Returns:
        For every source its targets in rising order, twice for two synapses on one; free places hold the number of
        targets.

    Reference: Brunel 2000, Journal of Computational Neuroscience 8:183, section 2.
    """
    _check("in_degree_targets", sources=sources, targets=targets, degree=degree)
    count = targets * degree
    most = min(count, _room(count, 1 / sources))
    chosen = jax.random.randint(key, (count,), 0, sources, jnp.int32)
    reached = jnp.repeat(jnp.arange(targets, dtype=jnp.int32), degree, total_repeat_length=count)
    chosen, reached = jax.lax.sort((chosen, reached), num_keys=1, is_stable=True)
    begins = jnp.searchsorted(chosen, jnp.arange(sources, dtype=jnp.int32)).astype(jnp.int32)
    place = jnp.arange(count, dtype=jnp.int32) - begins[chosen]
    return jnp.full((sources, most), targets, jnp.int32).at[chosen, place].set(reached, mode="drop")


def _check(function: str, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{function} got {name}={size}; it must be at least 1.")
