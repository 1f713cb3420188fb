"""The receptors of one kind of neuron, side by side: what reaches its membrane is their sum."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray, PyTree

from jaxneuro.machine import StateMachine
from jaxneuro.stimulus import Reaching, Stimulus, stimulus


class ReceptorsState(eqx.Module):
    """The states of the receptors, in order."""

    states: tuple[PyTree, ...]


class Receptors(StateMachine[ReceptorsState, tuple[PyTree, ...], Stimulus]):
    """Several kinetics on one membrane: `stimulus = sum(receptor_k(x_k))`, kind by kind.

    Currents add to currents, jumps to jumps, conductances to conductances. So excitation and inhibition of a population
    are `Receptors(ConductanceBased(Population(Exponential(...), n, shared=True), 0.0),
    ConductanceBased(Population(Exponential(...), n, shared=True), -80.0))`.

    Fields:
        receptors: machines whose output reaches a membrane: an array, a `VoltageJump`, a `Conductance`, a `Stimulus`,
            all of one shape; the units are those of their outputs.

    Input: a tuple, what each receptor takes. Output: a `Stimulus` of that shape, a scalar or `[neurons]`.

    Reference: Destexhe, Mainen and Sejnowski 1994, Journal of Computational Neuroscience 1:195.
    """

    receptors: tuple[StateMachine[Any, Any, Any], ...]

    def __init__(self, *receptors: StateMachine[Any, Any, Any]) -> None:
        if not receptors:
            raise ValueError("Receptors got no machines; it must have at least one: Receptors(Exponential(), ...).")
        self.receptors = receptors

    def init(self, key: PRNGKeyArray) -> ReceptorsState:
        """Every receptor from its own key."""
        keys = jax.random.split(key, len(self.receptors))
        return ReceptorsState(tuple(receptor.init(k) for receptor, k in zip(self.receptors, keys, strict=True)))

    def step(self, state: ReceptorsState, input: tuple[PyTree, ...]) -> tuple[ReceptorsState, Stimulus]:
        """All receptors once."""
        if len(input) != len(self.receptors):
            raise ValueError(f"Receptors of {len(self.receptors)} machines got {len(input)} inputs; each takes one.")
        states, total = [], Stimulus()
        for receptor, receptor_state, arriving in zip(self.receptors, state.states, input, strict=True):
            receptor_state, output = receptor.step(receptor_state, arriving)
            states.append(receptor_state)
            total = joined(total, output)
        return ReceptorsState(tuple(states)), total


def joined(one: Reaching, other: Reaching) -> Stimulus:
    """What reaches a membrane when both do.

    Args:
        one: a current, a jump, a conductance or a stimulus.
        other: another.

    Returns:
        Their sum, kind by kind.
    """

    def add(first: PyTree, second: PyTree) -> PyTree:
        if first is None or second is None:
            return second if first is None else first
        return jax.tree.map(jnp.add, first, second)

    first, second = stimulus(one), stimulus(other)
    return Stimulus(
        add(first.current, second.current), add(first.jump, second.jump), add(first.channels, second.channels)
    )
