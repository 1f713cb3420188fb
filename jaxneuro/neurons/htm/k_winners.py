"""Units that compete: the k largest keep their values, the others are silent, and who wins too often is held back."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Scalar, StateMachine, parameter


class Duty(eqx.Module):
    """How often each unit has won lately, as a share of the steps; the shares add up to k."""

    duty: Float[Array, "units"]


class KWinners(StateMachine[Duty, Float[Array, "units"], Float[Array, "units"]]):
    """Competition with boosting: `y_i = x_i` for the k units with the largest `x_i exp(beta (k / n - d_i))`, else 0.

    After the step `d_i <- d_i + l ([i wins] - d_i) / T`: units that win less often than k / n of the time are boosted,
    others are held back. There are always exactly k winners; of equal ones those with the lower index. The gradient of
    a winner is 1, that of the others 0; none goes through the competition.

    Fields:
        boost: beta; 0 for a competition without memory.
        period_steps: T, over how many steps the duty d is averaged.
        learning: l, 1 to follow who wins, 0 to leave the duty as it is, as in a test.
        units: n, how many units compete.
        winners: k, how many win.

    Input and output `[units]`; the state begins with d = k / n. All quantities dimensionless but T, in steps.

    Reference: Ahmad and Scheinkman 2019, How Can We Be So Dense?, arXiv:1903.11257.
    """

    units: int = eqx.field(static=True)
    winners: int = eqx.field(static=True)
    boost: Scalar = parameter(1.5, at_least=0.0)
    period_steps: Scalar = parameter(1000.0, at_least=1.0, unit="steps")
    learning: Scalar = parameter(1.0, at_least=0.0, at_most=1.0)

    def __init__(
        self,
        units: int,
        winners: int,
        *,
        boost: float | Array = 1.5,
        period_steps: float | Array = 1000.0,
        learning: float | Array = 1.0,
    ) -> None:
        check_sizes("KWinners", units=units, winners=winners)
        if winners > units:
            raise ValueError(f"KWinners got winners={winners}; it must be at most units={units}.")
        self.units, self.winners = units, winners
        self.boost, self.period_steps, self.learning = boost, period_steps, learning

    def init(self, key: PRNGKeyArray) -> Duty:
        """As if all had won equally often."""
        return Duty(jnp.full(self.units, self.winners / self.units, self.boost.dtype))

    def step(self, state: Duty, input: Float[Array, "units"]) -> tuple[Duty, Float[Array, "units"]]:
        """The competition, then the new duty."""
        scores = input * jnp.exp(self.boost * (self.winners / self.units - state.duty))
        wins = largest(scores, self.winners)
        change = (wins.astype(state.duty.dtype) - state.duty) / self.period_steps
        return Duty(state.duty + self.learning * change), jnp.where(wins, input, 0)


def largest(scores: Float[Array, "units"], count: int) -> Bool[Array, "units"]:
    """Which scores are the `count` largest: exactly so many, of equal ones those with the lower index."""
    # The positions, not the value of the last: a program that looks at values alone is made to sort all of them.
    _, places = jax.lax.top_k(jax.lax.stop_gradient(scores), count)
    return jnp.zeros(scores.shape, bool).at[places].set(True)
