"""The weights a layer starts with, and the check of its sizes."""

import jax
from jaxtyping import Array, Float, PRNGKeyArray


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
    return jax.random.orthogonal(key, units, (gates,)).reshape(gates * units, units)
