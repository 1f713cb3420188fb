"""A way around some layers."""

import equinox as eqx
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from jaxneuro.machine import Scalar, StateMachine, parameter


class ResidualState(eqx.Module):
    """The states of the body and of the way around it."""

    body: PyTree
    shortcut: PyTree


class Residual(StateMachine[ResidualState, Float[Array, "..."], Float[Array, "..."]]):
    """A body with a way around it: `y = body(x) + gain shortcut(x)`.

    Fields:
        body: any machine, here synapses, neurons and synapses.
        shortcut: likewise, with outputs of the same shape, such as a convolution of size 1; None passes x on.
        gain: of the shortcut; 1 in a graded network, the height that a spike stands for in a spiking one.

    Input and output: arrays of any shape that body and shortcut agree on; all quantities dimensionless.

    Reference: He et al. 2016, arXiv:1512.03385, eq. 1 and 2.
    """

    body: StateMachine
    shortcut: StateMachine | None = None
    gain: Scalar = parameter(1.0)

    def init(self, key: PRNGKeyArray) -> ResidualState:
        """Body and shortcut at their starts, from the same key."""
        return ResidualState(self.body.init(key), None if self.shortcut is None else self.shortcut.init(key))

    def step(self, state: ResidualState, input: Float[Array, "..."]) -> tuple[ResidualState, Float[Array, "..."]]:
        """Both ways, then the sum."""
        body_state, output = self.body.step(state.body, input)
        shortcut_state, around = state.shortcut, input
        if self.shortcut is not None:
            shortcut_state, around = self.shortcut.step(state.shortcut, input)
        if output.shape != around.shape:
            raise ValueError(
                f"Residual adds {output.shape} and {around.shape}; give it a shortcut that makes them equal, such as "
                "Conv(inputs, outputs, size=1, stride=2, key=key)."
            )
        return ResidualState(body_state, shortcut_state), output + self.gain * around
