"""The minimal GRU, with real or rotating states."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Inexact, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot
from jaxneuro.machine import Affine, parameter


class MinGRUState(eqx.Module):
    """What the neurons show; with `rotating`, two neurons are the real and the imaginary part of one number."""

    hidden: Inexact[Array, "states"]


class MinGRU(Affine[MinGRUState, Float[Array, "inputs"], Float[Array, "units"]]):
    """A layer of minimal GRU neurons: a GRU whose gate and candidate see the input alone.

    `z = sigmoid(W x + b)`, `g = candidate(W x + b)`, each with its own rows of W and b; `h <- (1 - z) h + z g`.

    Three options change what the layer can count. `positive`: the candidate is `x + 1/2` for `x >= 0` and `sigmoid(x)`
    below, as the paper needs for its scan in log space; without it the candidate is linear. `negative`: the factor of h
    is `1 - 2 z`, between -1 and 1, so that a neuron can change its sign with every input of one kind (parity).
    `rotating`: h is complex, and its factor is `(1 - z) exp(i theta)`, `theta = W x + b`, so that an input can turn it
    by any angle (counting modulo n). Half as many complex states then keep the number of parameters, and the output is
    their real parts, then their imaginary parts.

    Fields (all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`: the rows of z, of theta if there is one, and of g; uniform of variance
            `2 / (inputs + units)` (Glorot and Bengio 2010).
        bias: b, `[2 units]`, 0: a state starts by keeping one half per step.

    Parameters: `2 units (inputs + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Feng et al. 2024, arXiv:2410.01201, section 3.1 and appendix B; `negative`: Grazzi et al. 2024,
    arXiv:2411.12537.
    """

    positive: bool = eqx.field(static=True)
    negative: bool = eqx.field(static=True)
    rotating: bool = eqx.field(static=True)
    input_weights: Float[Array, "rows inputs"] = parameter()
    bias: Float[Array, "rows"] = parameter()

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        positive: bool = True,
        negative: bool = False,
        rotating: bool = False,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("MinGRU", inputs=inputs, units=units)
        if rotating and units % 2:
            raise ValueError(f"MinGRU got units={units} with rotating=True; it must be even.")
        if rotating and negative:
            raise ValueError(f"MinGRU got negative={negative} with rotating=True; a state that turns has every sign.")
        self.input_weights = glorot(key, units, inputs, gates=2)
        self.bias = jnp.zeros(2 * units)
        self.positive, self.negative, self.rotating = positive, negative, rotating

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.bias.shape[-1] // 2

    def init(self, key: PRNGKeyArray) -> MinGRUState:
        """Zero."""
        zero = jnp.zeros(self.units, self.bias.dtype)
        return MinGRUState(_paired(zero) if self.rotating else zero)

    def affine(self, input: Float[Array, "inputs"]) -> tuple[MinGRUState, MinGRUState]:
        """The factor of h, and `z g`."""
        gate, g = jnp.split(self.input_weights @ input + self.bias, 2)
        if self.positive:
            g = jnp.where(g >= 0, g + 0.5, jax.nn.sigmoid(g))
        if self.rotating:
            gate, theta = jnp.split(gate, 2)
            keep, z = jax.nn.sigmoid(-gate), jax.nn.sigmoid(gate)
            turned = jnp.concatenate([keep * jnp.cos(theta), keep * jnp.sin(theta)])
            return MinGRUState(_paired(turned)), MinGRUState(_paired(jnp.concatenate([z, z]) * g))
        keep = -jnp.tanh(gate / 2) if self.negative else jax.nn.sigmoid(-gate)
        return MinGRUState(keep), MinGRUState(jax.nn.sigmoid(gate) * g)

    def read(self, state: MinGRUState, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """All neurons."""
        if not self.rotating:
            return state.hidden
        return jnp.concatenate([state.hidden.real, state.hidden.imag]).astype(self.bias.dtype)


def _paired(parts: Float[Array, "parts"]) -> Inexact[Array, "states"]:
    """The first half as real parts, the second as imaginary parts; there are no complex numbers below single size."""
    wide = parts if parts.dtype == jnp.float64 else parts.astype(jnp.float32)
    return jax.lax.complex(*jnp.split(wide, 2))
