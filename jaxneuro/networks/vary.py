"""Populations of neurons that differ."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from jaxneuro.compose import Population, stack
from jaxneuro.machine import StateMachine
from jaxneuro.networks.random_start import RandomStart


def various(machine: StateMachine, size: int, spread: Mapping[str, float], *, key: PRNGKeyArray) -> Population:
    """A population of one kind of neuron, with chosen parameters drawn for each: `p_i = p (1 + spread u_i)`.

    Args:
        machine: the neuron, or a `RandomStart` of it.
        size: how many.
        spread: by name of a parameter, the largest relative deviation; u_i is uniform between -1 and 1. Nothing, and
            all neurons share their parameters.
        key: random key.

    Returns:
        The population.

    Raises:
        ValueError: if the neuron has no such parameter.
    """
    if not spread:
        return Population(machine, size, shared=True)
    neurons = stack(machine, size)
    for index, (name, relative) in enumerate(spread.items()):

        def chosen(population: StateMachine, name: str = name) -> Any:
            return getattr(population.machine if isinstance(population, RandomStart) else population, name)

        kind = machine.machine if isinstance(machine, RandomStart) else machine
        known = [field for field, about in kind.__dataclass_fields__.items() if "parameter" in about.metadata]
        if name not in known:
            raise ValueError(f"spread got {name!r}; {type(kind).__name__} has {', '.join(known)}.")
        value = chosen(neurons)
        deviation = jax.random.uniform(jax.random.fold_in(key, index), value.shape, value.dtype, -1, 1)
        neurons = eqx.tree_at(chosen, neurons, value * (1 + jnp.asarray(relative, value.dtype) * deviation))
    return Population(neurons, size)
