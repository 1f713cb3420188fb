"""The gated orthogonal recurrent unit, GORU."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter
from jaxneuro.neurons.complex.activations import mod_relu
from jaxneuro.neurons.complex.rotations import Pairing, Style, pairings, rotate, rotations


class GORUState(eqx.Module):
    """The state, real, which is also the output."""

    hidden: Float[Array, "units"]


class GORU(Driven[GORUState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of gated neurons around an orthogonal matrix that is a product of rotations.

    `r, z = sigmoid(W x + U h + b)`, `h <- z h + (1 - z) modReLU(W x + r (Q h))`, with
    `modReLU(y) = relu(abs(y) + c) sign(y)`. Q is the real case of an EUNN: layers of plane rotations.

    Fields (rows of r, z and the candidate in this order; all quantities dimensionless):
        input_weights: W, `[3 units, inputs]`, uniform of variance `2 / (inputs + units)`.
        recurrent_weights: U of the gates, `[2 units, units]`, orthogonal for each gate.
        bias: b of the gates, `[2 units]`, 2 for r, which starts open, and 0 for z (as in the authors' program).
        angles: of the rotations in Q, `[rotations]`, uniform between -pi and pi.
        modulus_bias: c, `[units]`, 0.

    `layers` and `style` are those of EUNN. Parameters: `units (3 inputs + 2 units + 3) + rotations`, with
    `units / 2` and `units / 2 - 1` rotations in turn in each tunable layer.

    Input `[inputs]`. Output: h, `[units]`.

    Reference: Jing et al. 2019, Neural Computation 31:765, section 3 (arXiv:1706.02761).
    """

    layers: tuple[Pairing, ...] = eqx.field(static=True)
    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates2 units"] = parameter()
    bias: Float[Array, "gates2"] = parameter()
    angles: Float[Array, "rotations"] = parameter()
    modulus_bias: Float[Array, "units"] = parameter()

    def __init__(
        self, inputs: int, units: int, *, layers: int = 2, style: Style = "tunable", key: PRNGKeyArray
    ) -> None:
        check_sizes("GORU", inputs=inputs, units=units)
        self.layers = pairings("GORU", units, layers, style)
        input_key, recurrent_key, angle_key = jax.random.split(key, 3)
        self.input_weights = glorot(input_key, units, inputs, gates=3)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=2)
        self.bias = jnp.zeros(2 * units).at[:units].set(2)
        self.angles = jax.random.uniform(angle_key, (rotations(units, self.layers),), minval=-jnp.pi, maxval=jnp.pi)
        self.modulus_bias = jnp.zeros(units)

    @property
    def outputs(self) -> int:
        """Size of an output."""
        return self.modulus_bias.shape[-1]

    def init(self, key: PRNGKeyArray) -> GORUState:
        """Zero."""
        return GORUState(jnp.zeros_like(self.modulus_bias))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x`, plus b for the gates."""
        return self.input_weights @ input + jnp.concatenate([self.bias, jnp.zeros_like(self.modulus_bias)])

    def rotate(self, hidden: Float[Array, "units"]) -> Float[Array, "units"]:
        """`Q h`, of the same length as h."""
        return rotate(hidden, self.angles, None, self.layers)

    def transition(self, state: GORUState, drive: Float[Array, "gates"]) -> tuple[GORUState, Float[Array, "units"]]:
        """The gates, the candidate, the new state."""
        units = state.hidden.shape[0]
        r, z = jnp.split(jax.nn.sigmoid(drive[: 2 * units] + self.recurrent_weights @ state.hidden), 2)
        candidate = mod_relu(drive[2 * units :] + r * self.rotate(state.hidden), self.modulus_bias)
        hidden = z * state.hidden + (1 - z) * candidate
        return GORUState(hidden), hidden
