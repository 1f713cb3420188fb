"""How well a score tells two classes apart: the area under the receiver operating characteristic."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def auc(scores: Float[Array, "samples"], labels: Float[Array, "samples"]) -> Float[Array, ""]:
    """Chance that a positive sample has a higher score than a negative one, a tie counting as half: exactly.

    For every positive the negatives below it are counted, and half of those beside it: Mann and Whitney's U, over the
    number of pairs. Counts are whole numbers; only their mean is rounded.

    Args:
        scores: any numbers, NaN excepted.
        labels: 1 of positives, 0 of negatives.

    Returns:
        From 0 to 1, and 1/2 if all scores are equal; NaN if one class is missing.

    Reference: Mann and Whitney 1947, Annals of Mathematical Statistics 18:50; Hanley and McNeil 1982, Radiology 143:29.
    """
    order = jnp.argsort(scores)
    sorted_scores, positive = scores[order], labels[order] > 0
    # Where scores are equal, all see the first and the last of them.
    first = jnp.searchsorted(sorted_scores, sorted_scores, side="left")
    last = jnp.searchsorted(sorted_scores, sorted_scores, side="right")
    negatives = jnp.concatenate([jnp.zeros(1, jnp.int32), jnp.cumsum(~positive, dtype=jnp.int32)])
    # Negatives below each positive, and half of those beside it: halves are counted as whole numbers.
    beaten = (negatives[first] + negatives[last]).astype(jnp.result_type(float))
    count, total = (n.astype(beaten.dtype) for n in (positive.sum(dtype=jnp.int32), negatives[-1]))
    share = jnp.where(positive, beaten / jnp.maximum(2 * total, 1), 0).sum() / jnp.maximum(count, 1)
    return jnp.where((count > 0) & (total > 0), share, jnp.nan)
