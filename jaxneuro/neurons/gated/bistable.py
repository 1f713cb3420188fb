"""Bistable recurrent cells."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class BistableState(eqx.Module):
    """What the neurons show, which is all they keep."""

    hidden: Float[Array, "units"]


def _step(
    hidden: Float[Array, "units"], drive: Float[Array, "rows"], past: Float[Array, "gates"]
) -> tuple[BistableState, Float[Array, "units"]]:
    a, c, x = jnp.split(drive, 3)
    past_a, past_c = jnp.split(past, 2)
    feedback, keep = 1.0 + jnp.tanh(a + past_a), jax.nn.sigmoid(c + past_c)
    hidden = keep * hidden + (1.0 - keep) * jnp.tanh(x + feedback * hidden)
    return BistableState(hidden), hidden


class BRC(Driven[BistableState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "rows"]]):
    """A layer of bistable neurons, each of which hears only itself.

    `a = 1 + tanh(W_a x + u_a h + b_a)`, `c = sigmoid(W_c x + u_c h + b_c)`, `h <- c h + (1 - c) tanh(W x + a h)`.
    Where the feedback a is above 1, the neuron has two stable states and keeps one for any time; else it has one.

    Fields (rows in the order a, c, candidate; all quantities dimensionless):
        input_weights: W, `[3 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: u, `[2 units]`, 1.
        bias: b, `[2 units]`, 0. The equations of the paper have none, its authors' code has these.

    Parameters: `units (3 inputs + 4)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Vecoven, Ernst and Drion 2021, PLoS ONE 16:e0252676.
    """

    input_weights: Float[Array, "rows inputs"] = parameter()
    recurrent_weights: Float[Array, "gates"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("BRC", inputs=inputs, units=units)
        self.input_weights = glorot(key, units, inputs, gates=3)
        self.recurrent_weights = jnp.ones(2 * units)
        self.bias = jnp.zeros(2 * units)

    def init(self, key: PRNGKeyArray) -> BistableState:
        """Zero."""
        return BistableState(jnp.zeros(self.bias.shape[-1] // 2, self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "rows"]:
        """`W x`."""
        return self.input_weights @ input

    def transition(
        self, state: BistableState, drive: Float[Array, "rows"]
    ) -> tuple[BistableState, Float[Array, "units"]]:
        """The gates, the new state."""
        past = self.recurrent_weights * jnp.concatenate([state.hidden, state.hidden]) + self.bias
        return _step(state.hidden, drive, past)


class NBRC(Driven[BistableState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "rows"]]):
    """A layer of bistable neurons whose feedback and memory all neurons of the layer modulate.

    `a = 1 + tanh(W_a x + U_a h + b_a)`, `c = sigmoid(W_c x + U_c h + b_c)`, `h <- c h + (1 - c) tanh(W x + a h)`.

    Fields (rows in the order a, c, candidate; all quantities dimensionless):
        input_weights: W, `[3 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[2 units, units]`, orthogonal for each gate (Saxe et al. 2014).
        bias: b, `[2 units]`, 0. The equations of the paper have none, its authors' code has these.

    Parameters: `units (3 inputs + 2 units + 2)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Vecoven, Ernst and Drion 2021, PLoS ONE 16:e0252676.
    """

    input_weights: Float[Array, "rows inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("NBRC", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=3)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=2)
        self.bias = jnp.zeros(2 * units)

    def init(self, key: PRNGKeyArray) -> BistableState:
        """Zero."""
        return BistableState(jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "rows"]:
        """`W x`."""
        return self.input_weights @ input

    def transition(
        self, state: BistableState, drive: Float[Array, "rows"]
    ) -> tuple[BistableState, Float[Array, "units"]]:
        """The gates, the new state."""
        return _step(state.hidden, drive, self.recurrent_weights @ state.hidden + self.bias)
