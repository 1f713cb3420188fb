"""Simple gated units, shallow and deep."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class SGUState(eqx.Module):
    """What the neurons show, which is all they keep."""

    hidden: Float[Array, "units"]


class SGU(Driven[SGUState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "rows"]]):
    """A layer of neurons where the input acts on the state by multiplication alone.

    `g = tanh(U_g ((W_g x + b_g) h))`, `z = hard_sigmoid(W_z x + U_z h + b_z)`, `h <- (1 - z) h + z softplus(g h)`,
    `hard_sigmoid(a) = min(max(a / 6 + 1/2, 0), 1)`.

    Fields (rows in the order g, z; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[2 units, units]`, orthogonal for each (Saxe et al. 2014).
        bias: b, `[2 units]`, 0.

    Parameters: `2 units (inputs + units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Gao and Glowacka 2016, ACML, PMLR 63:350, arXiv:1604.02910, section 3.
    """

    input_weights: Float[Array, "rows inputs"] = parameter()
    recurrent_weights: Float[Array, "rows units"] = parameter()
    bias: Float[Array, "rows"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("SGU", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=2)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=2)
        self.bias = jnp.zeros(2 * units)

    def init(self, key: PRNGKeyArray) -> SGUState:
        """Zero."""
        return SGUState(jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "rows"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: SGUState, drive: Float[Array, "rows"]) -> tuple[SGUState, Float[Array, "units"]]:
        """The product, the gate, the mixture."""
        product_weights, gate_weights = jnp.split(self.recurrent_weights, 2)
        g, z = jnp.split(drive, 2)
        product = jnp.tanh(product_weights @ (g * state.hidden)) * state.hidden
        gate = jax.nn.hard_sigmoid(z + gate_weights @ state.hidden)
        hidden = (1.0 - gate) * state.hidden + gate * jax.nn.softplus(product)
        return SGUState(hidden), hidden


class DSGU(Driven[SGUState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "rows"]]):
    """A layer of simple gated units with one more product inside, which bounds them.

    `g = tanh(U_g ((W_g x + b_g) h))`, `z = hard_sigmoid(W_z x + U_z h + b_z)`, `h <- (1 - z) h + z sigmoid(V (g h))`,
    `hard_sigmoid(a) = min(max(a / 6 + 1/2, 0), 1)`.

    Fields (rows in the order g, z; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[2 units, units]`, orthogonal for each (Saxe et al. 2014).
        output_weights: V, `[units, units]`, orthogonal.
        bias: b, `[2 units]`, 0.

    Parameters: `units (2 inputs + 3 units + 2)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Gao and Glowacka 2016, ACML, PMLR 63:350, arXiv:1604.02910, section 3.
    """

    input_weights: Float[Array, "rows inputs"] = parameter()
    recurrent_weights: Float[Array, "rows units"] = parameter()
    output_weights: Float[Array, "units units"] = parameter()
    bias: Float[Array, "rows"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("DSGU", inputs=inputs, units=units)
        input_key, recurrent_key, output_key = jax.random.split(key, 3)
        self.input_weights = glorot(input_key, units, inputs, gates=2)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=2)
        self.output_weights = orthogonal(output_key, units)
        self.bias = jnp.zeros(2 * units)

    def init(self, key: PRNGKeyArray) -> SGUState:
        """Zero."""
        return SGUState(jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "rows"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: SGUState, drive: Float[Array, "rows"]) -> tuple[SGUState, Float[Array, "units"]]:
        """The products, the gate, the mixture."""
        product_weights, gate_weights = jnp.split(self.recurrent_weights, 2)
        g, z = jnp.split(drive, 2)
        product = jnp.tanh(product_weights @ (g * state.hidden)) * state.hidden
        gate = jax.nn.hard_sigmoid(z + gate_weights @ state.hidden)
        hidden = (1.0 - gate) * state.hidden + gate * jax.nn.sigmoid(self.output_weights @ product)
        return SGUState(hidden), hidden
