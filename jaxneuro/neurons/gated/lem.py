"""Long expressive memory."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Driven, Scalar, parameter


class LEMState(eqx.Module):
    """What the neurons show (`hidden`, y in the paper) and their memory (z)."""

    hidden: Float[Array, "units"]
    memory: Float[Array, "units"]


class LEM(Driven[LEMState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of neurons with two variables, each of which chooses its own step of time.

    `d, e = dt sigmoid(W x + U y + b)`, `z <- (1 - d) z + d tanh(W x + U y + b)`,
    `y <- (1 - e) y + e tanh(W x + V z + b)`, with the new z in the last, each with its own rows of W, U and b.

    Fields (rows in the order d, e, z, y; all quantities dimensionless):
        input_weights: W, `[4 units, inputs]`.
        recurrent_weights: U, `[3 units, units]`, for d, e and z.
        memory_weights: V, `[units, units]`.
        bias: b, `[4 units]`. All four uniform within `1 / sqrt(units)`, as in the authors' code.
        dt: longest step of time; 1 is the paper's.

    Parameters: `4 units (inputs + units + 1)`, and one number. Input `[inputs]`. Output: y, `[units]`.

    Reference: Rusch, Mishra, Erichson and Mahoney 2022, ICLR, arXiv:2110.04744, eq. 3.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "rows units"] = parameter()
    memory_weights: Float[Array, "units units"] = parameter()
    bias: Float[Array, "gates"] = parameter()
    dt: Scalar = parameter(above=0.0)

    def __init__(self, inputs: int, units: int, *, dt: float | Scalar = 1.0, key: PRNGKeyArray) -> None:
        check_sizes("LEM", inputs=inputs, units=units)
        bound = units**-0.5
        drawn = jax.random.uniform(key, (4 * units, inputs + units + 1), minval=-bound, maxval=bound)
        self.input_weights, self.bias = drawn[:, :inputs], drawn[:, -1]
        self.recurrent_weights, self.memory_weights = drawn[: 3 * units, inputs:-1], drawn[3 * units :, inputs:-1]
        self.dt = dt

    def init(self, key: PRNGKeyArray) -> LEMState:
        """Zero."""
        zero = jnp.zeros(self.memory_weights.shape[-1], self.bias.dtype)
        return LEMState(zero, zero)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: LEMState, drive: Float[Array, "gates"]) -> tuple[LEMState, Float[Array, "units"]]:
        """The two steps of time, the memory, and then what it leads to."""
        units = state.hidden.shape[-1]
        rows = drive[: 3 * units] + self.recurrent_weights @ state.hidden
        d, e, z = jnp.split(rows, 3)
        d, e = self.dt * jax.nn.sigmoid(d), self.dt * jax.nn.sigmoid(e)
        memory = (1.0 - d) * state.memory + d * jnp.tanh(z)
        hidden = (1.0 - e) * state.hidden + e * jnp.tanh(drive[3 * units :] + self.memory_weights @ memory)
        return LEMState(hidden, memory), hidden
