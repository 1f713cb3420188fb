"""The selective state space layer of Mamba."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot
from jaxneuro.machine import Affine, parameter


class SelectiveState(eqx.Module):
    """The states of every neuron, from the slowest to the fastest as they start."""

    hidden: Float[Array, "units states"]


class Selective(Affine[SelectiveState, Float[Array, "inputs"], Float[Array, "units"]]):
    """A layer of selective state space neurons (S6): each input says how much of the past to forget for it.

    `dt = softplus(V W_dt x + b)`, `B = W_B x`, `C = W_C x`; for every neuron `h <- exp(dt A) h + dt B x`,
    `y = C h + D x`, `A = -exp(nu)`. A step with dt near 0 is as if it had not been, one with a large dt as if nothing
    had been before. `dt B` is the first-order form of the paper's zero-order hold, as in the authors' program.

    With `negative`, the factor of h is `2 exp(dt A) - 1`, between -1 and 1, so that a state can change its sign with
    every input of one kind (parity). The input must be as wide as the layer; where it is not, `x <- P x` comes first,
    as a linear layer stands before this one in the paper's block.

    Fields (all quantities dimensionless):
        input_weights: W_dt above W_B, `[rank + states, units]`, uniform of variance `1 / (3 units)`.
        output_weights: W_C, `[states, units]`, in the same way.
        step_weights: V, `[units, rank]`, uniform between `-1 / sqrt(rank)` and `1 / sqrt(rank)`.
        bias: b, `[units]`: softplus of it is log-uniform between `step_min` and `step_max`.
        log_decay: nu, `[units, states]`: A starts as -1, -2, ..., -states for every neuron.
        feedthrough: D, `[units]`, 1.
        projection_weights: P, `[units, inputs]`, uniform of variance `2 / (inputs + units)`; None where inputs = units.

    Parameters: `units (2 rank + 3 states + 2)`, and `units inputs` for P; rank = ceil(units / 16) unless given. Input
    `[inputs]`. Output: y, `[units]`.

    Reference: Gu and Dao 2023, arXiv:2312.00752, algorithm 2 and section 3.6; `negative`: Grazzi et al. 2024,
    arXiv:2411.12537.
    """

    negative: bool = eqx.field(static=True)
    input_weights: Float[Array, "rows units"] = parameter()
    output_weights: Float[Array, "states units"] = parameter()
    step_weights: Float[Array, "units rank"] = parameter()
    bias: Float[Array, "units"] = parameter()
    log_decay: Float[Array, "units states"] = parameter()
    feedthrough: Float[Array, "units"] = parameter()
    projection_weights: Float[Array, "units inputs"] | None = parameter()

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        states: int = 16,
        rank: int | None = None,
        step_min: float = 0.001,
        step_max: float = 0.1,
        negative: bool = False,
        key: PRNGKeyArray,
    ) -> None:
        rank = math.ceil(units / 16) if rank is None else rank
        check_sizes("Selective", inputs=inputs, units=units, states=states, rank=rank)
        if not 0 < step_min <= step_max:
            raise ValueError(
                f"Selective got step_min={step_min}, step_max={step_max}; they must be 0 < step_min <= step_max."
            )
        into, out, low, time, projection = jax.random.split(key, 5)
        bound = units**-0.5
        self.input_weights = jax.random.uniform(into, (rank + states, units), minval=-bound, maxval=bound)
        self.output_weights = jax.random.uniform(out, (states, units), minval=-bound, maxval=bound)
        self.step_weights = jax.random.uniform(low, (units, rank), minval=-(rank**-0.5), maxval=rank**-0.5)
        step = jnp.exp(jax.random.uniform(time, (units,), minval=math.log(step_min), maxval=math.log(step_max)))
        self.bias = step + jnp.log(-jnp.expm1(-step))
        self.log_decay = jnp.broadcast_to(jnp.log(jnp.arange(1, states + 1, dtype=step.dtype)), (units, states))
        self.feedthrough = jnp.ones(units)
        self.projection_weights = None if inputs == units else glorot(projection, units, inputs)
        self.negative = negative

    def init(self, key: PRNGKeyArray) -> SelectiveState:
        """Zero."""
        return SelectiveState(jnp.zeros_like(self.log_decay))

    def affine(self, input: Float[Array, "inputs"]) -> tuple[SelectiveState, SelectiveState]:
        """The factor of h, and `dt B x`."""
        x, rank = self._projected(input), self.step_weights.shape[-1]
        low, b = jnp.split(self.input_weights @ x, [rank])
        dt = jax.nn.softplus(self.step_weights @ low + self.bias)
        keep = jnp.exp(-dt[:, None] * jnp.exp(self.log_decay))
        return SelectiveState(2 * keep - 1 if self.negative else keep), SelectiveState(jnp.outer(dt * x, b))

    def read(self, state: SelectiveState, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`C h + D x`."""
        x = self._projected(input)
        return state.hidden @ (self.output_weights @ x) + self.feedthrough * x

    def _projected(self, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        return input if self.projection_weights is None else self.projection_weights @ input
