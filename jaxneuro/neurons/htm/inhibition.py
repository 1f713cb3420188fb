"""The competition of minicolumns: which of them become active."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


def strongest(scores: Float[Array, "columns"], count: int, threshold: Float[Array, ""]) -> Int[Array, "count"]:
    """The winners among all columns: the `count` highest scores; of equal ones the higher index wins.

    Args:
        scores: boosted overlaps, at least 0.
        count: the number of winners.
        threshold: a column of a lower score does not win.

    Returns:
        Column numbers, ascending; at the end, for winners below the threshold, the number of columns.
    """
    columns = len(scores)
    # `top_k` prefers the lower index among equals, so it is shown the columns in reverse.
    highest, place = jax.lax.top_k(jax.lax.stop_gradient(scores)[::-1], count)
    return jnp.sort(jnp.where(highest >= threshold, columns - 1 - place, columns).astype(jnp.int32))


def local_winners(
    scores: Float[Array, "columns"],
    neighbours: Bool[Array, "columns columns"],
    density: Float[Array, ""],
    threshold: Float[Array, ""],
) -> Bool[Array, "columns"]:
    """The winners among neighbours: a column wins if fewer than a share of its neighbourhood are ahead of it.

    Ahead is who scores higher, and who scores as much, has a lower index and has won. `share = floor(1/2 + density
    size)` of a neighbourhood of that size, the column itself included.

    Args:
        scores: boosted overlaps, at least 0.
        neighbours: row i says which columns are in the neighbourhood of column i.
        density: the share of columns that win.
        threshold: a column of a lower score does not win.

    Returns:
        Who wins.
    """
    scores, index = jax.lax.stop_gradient(scores), jnp.arange(len(scores))
    higher = jnp.sum(neighbours & (scores[None, :] > scores[:, None]), axis=1, dtype=jnp.int32)
    equal = neighbours & (scores[None, :] == scores[:, None]) & (index[None, :] < index[:, None])
    sizes = jnp.sum(neighbours, axis=1, dtype=jnp.int32)
    places = jnp.floor(jax.lax.stop_gradient(density) * sizes.astype(density.dtype) + 0.5).astype(jnp.int32) - higher
    able = (scores >= jax.lax.stop_gradient(threshold)) & (places > 0)

    # Whether a column wins depends on columns of lower index alone: what no longer changes is what a scan of the
    # columns in ascending order finds, after no more rounds than there are columns, and mostly after a few.
    def improve(found: tuple[Array, Array]) -> tuple[Array, Array]:
        won, _ = found
        lost = jnp.sum(equal & won[None, :], axis=1, dtype=jnp.int32)
        better = able & (lost < places)
        return better, jnp.any(better != won)

    return jax.lax.while_loop(lambda found: found[1], improve, (able, jnp.any(able)))[0]
