"""What reaches a population from several sides, added up by type."""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from jaxneuro.stimulus import Reaching, Stimulus, stimulus

Part = TypeVar("Part")


def _total(parts: Iterable[Part | None]) -> Part | None:
    present = [part for part in parts if part is not None]
    return reduce(lambda a, b: jax.tree.map(jnp.add, a, b), present) if present else None


def gather(parts: Sequence[Any], size: int, dtype: Any) -> Reaching:
    """The sum of all that reaches some neurons: currents with currents, jumps with jumps, channels with channels.

    Args:
        parts: arrays (currents), `VoltageJump`, `Conductance` or `Stimulus`, each `[size]`, or a scalar for all.
        size: number of neurons.
        dtype: of the current where nothing reaches them.

    Returns:
        If one type is there, that: an array for currents alone. If several are, a `Stimulus`. A current of 0 where
        there is nothing.

    Raises:
        ValueError: if a part has neither one number nor one for each neuron.
    """
    for leaf in jax.tree.leaves(parts):
        if leaf.shape not in ((), (size,)):
            raise ValueError(f"{size} neurons got an input of shape {leaf.shape}; it must be ({size},), or a scalar.")
    reached = [stimulus(jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (size,)), part)) for part in parts]
    total = Stimulus(
        _total(part.current for part in reached),
        _total(part.jump for part in reached),
        _total(part.channels for part in reached),
    )
    kinds = [kind for kind in (total.current, total.jump, total.channels) if kind is not None]
    if not kinds:
        return jnp.zeros(size, dtype)
    return kinds[0] if len(kinds) == 1 else total
