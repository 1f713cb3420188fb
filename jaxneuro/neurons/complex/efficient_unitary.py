"""The efficient unitary network of rotations, EUNN."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot
from jaxneuro.machine import Driven, parameter
from jaxneuro.neurons.complex.activations import as_complex, as_features, mod_relu, phasor, wide
from jaxneuro.neurons.complex.rotations import Pairing, Style, pairings, rotate, rotations


class EUNNState(eqx.Module):
    """The complex state."""

    hidden: Complex[Array, "units"]


class EUNN(Driven[EUNNState, Float[Array, "inputs"], Float[Array, "features"], Complex[Array, "units"]]):
    """A layer of complex neurons joined by a unitary matrix that is a product of layers of rotations.

    `h <- modReLU(W h + V x)`, `W = D F_L ... F_2 F_1`, `D = diag(exp(i phase))`. Each F rotates disjoint pairs, by
    `[[exp(i phi) cos(theta), -sin(theta)], [exp(i phi) sin(theta), cos(theta)]]`: the inverse of the paper's rotation,
    which its product of all unitary matrices consists of.

    Fields (complex ones with a leading axis of real and imaginary part; all quantities dimensionless):
        input_weights: V, `[2, units, inputs]`, each part uniform of variance `2 / (inputs + units)`.
        angles: theta of all rotations, `[rotations]`, layer by layer, uniform between -pi and pi.
        turns: phi of all rotations, `[rotations]`, uniform between -pi and pi.
        phases: of D, `[units]`, uniform between -pi and pi.
        bias: b of modReLU, `[units]`, 0.

    `layers` neighbour layers of the tunable style, (0, 1), (2, 3), ... and (1, 2), (3, 4), ... in turn, have together
    `units / 2` and `units / 2 - 1` rotations in turn; with `layers=units` they reach every unitary matrix. The "fft"
    style has `log2(units)` layers of `units / 2` rotations each, whatever `layers` is.

    Parameters: `2 units inputs + 2 units + 2 rotations`. Input `[inputs]`. Output: real and imaginary parts of h, one
    behind the other, `[2 units]`.

    Reference: Jing et al. 2017, arXiv:1612.05231, sections 3.2 and 3.3.
    """

    layers: tuple[Pairing, ...] = eqx.field(static=True)
    input_weights: Float[Array, "2 units inputs"] = parameter()
    angles: Float[Array, "rotations"] = parameter()
    turns: Float[Array, "rotations"] = parameter()
    phases: Float[Array, "units"] = parameter()
    bias: Float[Array, "units"] = parameter()

    def __init__(
        self, inputs: int, units: int, *, layers: int = 2, style: Style = "tunable", key: PRNGKeyArray
    ) -> None:
        check_sizes("EUNN", inputs=inputs, units=units)
        self.layers = pairings("EUNN", units, layers, style)
        input_key, *keys = jax.random.split(key, 4)
        sizes = (rotations(units, self.layers), rotations(units, self.layers), units)
        angles = [jax.random.uniform(k, (n,), minval=-jnp.pi, maxval=jnp.pi) for k, n in zip(keys, sizes, strict=True)]
        self.angles, self.turns, self.phases = angles
        self.input_weights = glorot(input_key, units, inputs, gates=2).reshape(2, units, inputs)
        self.bias = jnp.zeros(units)

    @property
    def outputs(self) -> int:
        """Size of an output."""
        return 2 * self.bias.shape[-1]

    def init(self, key: PRNGKeyArray) -> EUNNState:
        """Zero."""
        return EUNNState(as_complex(jnp.zeros_like(self.input_weights[..., 0])))

    def drive(self, input: Float[Array, "inputs"]) -> Complex[Array, "units"]:
        """`V x`."""
        return as_complex(self.input_weights @ input)

    def rotate(self, hidden: Complex[Array, "units"]) -> Complex[Array, "units"]:
        """`W h`, of the same length as h."""
        return phasor(self.phases) * rotate(hidden, wide(self.angles), phasor(self.turns), self.layers)

    def transition(
        self, state: EUNNState, drive: Complex[Array, "units"]
    ) -> tuple[EUNNState, Float[Array, "features"]]:
        """`modReLU(W h + drive)`."""
        hidden = mod_relu(self.rotate(state.hidden) + drive, self.bias)
        return EUNNState(hidden), as_features(hidden, self.bias)
