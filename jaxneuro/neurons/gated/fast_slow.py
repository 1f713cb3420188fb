"""Fast-slow recurrent network: several fast cells in a row, and a slow one that watches and steers them."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from jaxneuro.machine import StateMachine


class FastSlowState(eqx.Module):
    """The state that the fast cells hand on to one another, and that of the slow cell."""

    fast: PyTree[Array]
    slow: PyTree[Array]


class FastSlow(StateMachine[FastSlowState, Float[Array, "inputs"], Float[Array, "units"]]):
    """A fast-slow network of recurrent cells.

    The k fast cells share one state f, each going on from where the one before it stopped; the slow cell has a state s
    and makes one step: `f, y_1 <- F_1(f, x)`, `s, z <- S(s, y_1)`, `f, y_2 <- F_2(f, z)`, and for i = 3 to k
    `f, y_i <- F_i(f, 0)`. The output is y_k.

    Fields:
        fast: at least two machines with the same kind of state, such as LSTM layers: the first from `[inputs]`, the
            second from the slow cell's output, the others from the first one's output to `[units]`.
        slow: a machine from `[units]`.

    Parameters: those of the machines, which say what is dimensionless. Input `[inputs]`. Output: y, `[units]`.

    Reference: Mujika, Meier and Steger 2017, arXiv:1705.08639, section 3, eqs. 1 to 4; that a whole LSTM state is
    handed on is the authors' program.
    """

    fast: tuple[StateMachine, ...]
    slow: StateMachine

    def __init__(self, fast: tuple[StateMachine, ...], slow: StateMachine) -> None:
        if len(fast) < 2:
            raise ValueError(f"FastSlow got {len(fast)} fast machines; it must be at least 2.")
        self.fast = tuple(fast)
        self.slow = slow

    def init(self, key: PRNGKeyArray) -> FastSlowState:
        """The initial states of the first fast machine and of the slow one."""
        return FastSlowState(self.fast[0].init(key), self.slow.init(key))

    def step(self, state: FastSlowState, input: Float[Array, "inputs"]) -> tuple[FastSlowState, Float[Array, "units"]]:
        """All fast cells in order, the slow one after the first."""
        fast, shown = self.fast[0].step(state.fast, input)
        slow, steering = self.slow.step(state.slow, shown)
        fast, output = self.fast[1].step(fast, steering)
        for cell in self.fast[2:]:
            fast, output = cell.step(fast, jnp.zeros_like(shown))
        return FastSlowState(fast, slow), output
