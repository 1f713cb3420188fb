"""The gated recurrent unit with weighted time-delay feedback."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Driven, parameter


class TauGRUState(eqx.Module):
    """What the neurons show, what they showed in the last `delay` steps, and where the oldest of that is."""

    hidden: Float[Array, "units"]
    past: Float[Array, "delay units"]
    position: Int[Array, ""]


class TauGRU(Driven[TauGRUState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "rows"]]):
    """A layer of gated recurrent units that also hear what they were some time ago.

    `u = tanh(W x + U h + b)`, `g, a = sigmoid(W x + U h + b)`, `z = tanh(W x + V h' + b)` with `h'` the state `delay`
    steps before h (0 before the first input), `h <- (1 - g) h + g (u + a z)`, each with its own rows of W, U and b.

    Fields (rows in the order u, g, a, z; all quantities dimensionless):
        input_weights: W, `[4 units, inputs]`.
        recurrent_weights: U, `[3 units, units]`, for u, g and a.
        delayed_weights: V, `[units, units]`.
        bias: b, `[4 units]`. All four uniform within `1 / sqrt(units)`, as in the authors' code.
        delay: the delay in time steps, at least 1.

    Parameters: `4 units (inputs + units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Erichson, Lim and Mahoney 2022, arXiv:2212.00228, with equal weights of the two feedbacks.
    """

    input_weights: Float[Array, "rows inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    delayed_weights: Float[Array, "units units"] = parameter()
    bias: Float[Array, "rows"] = parameter()
    delay: int = eqx.field(static=True, default=10)

    def __init__(self, inputs: int, units: int, *, delay: int = 10, key: PRNGKeyArray) -> None:
        check_sizes("TauGRU", inputs=inputs, units=units)
        if delay < 1:
            raise ValueError(f"TauGRU got delay={delay}; it must be at least 1.")
        bound = units**-0.5
        drawn = jax.random.uniform(key, (4 * units, inputs + units + 1), minval=-bound, maxval=bound)
        self.input_weights, self.bias = drawn[:, :inputs], drawn[:, -1]
        self.recurrent_weights, self.delayed_weights = drawn[: 3 * units, inputs:-1], drawn[3 * units :, inputs:-1]
        self.delay = delay

    def init(self, key: PRNGKeyArray) -> TauGRUState:
        """Zero, now and before."""
        units, dtype = self.delayed_weights.shape[-1], self.bias.dtype
        return TauGRUState(jnp.zeros(units, dtype), jnp.zeros((self.delay, units), dtype), jnp.zeros((), jnp.int32))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "rows"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: TauGRUState, drive: Float[Array, "rows"]) -> tuple[TauGRUState, Float[Array, "units"]]:
        """The candidates, the gates, the new state; h takes the place of the oldest state."""
        units, at = state.hidden.shape[-1], state.position
        delayed = jax.lax.dynamic_index_in_dim(state.past, at, keepdims=False)
        u, g, a = jnp.split(drive[: 3 * units] + self.recurrent_weights @ state.hidden, 3)
        feedback = jax.nn.sigmoid(a) * jnp.tanh(drive[3 * units :] + self.delayed_weights @ delayed)
        gate = jax.nn.sigmoid(g)
        hidden = (1.0 - gate) * state.hidden + gate * (jnp.tanh(u) + feedback)
        past = jax.lax.dynamic_update_index_in_dim(state.past, state.hidden, at, 0)
        return TauGRUState(hidden, past, jnp.where(at == self.delay - 1, 0, at + 1)), hidden
