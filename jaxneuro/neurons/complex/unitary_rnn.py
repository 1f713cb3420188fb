"""The unitary evolution recurrent network, uRNN."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Int, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot
from jaxneuro.machine import Driven, parameter
from jaxneuro.neurons.complex.activations import as_complex, as_features, mod_relu, phasor


class UnitaryRNNState(eqx.Module):
    """The complex state."""

    hidden: Complex[Array, "units"]


class UnitaryRNN(Driven[UnitaryRNNState, Float[Array, "inputs"], Float[Array, "features"], Complex[Array, "units"]]):
    """A layer of complex neurons joined by a unitary matrix of few parameters, applied in `units log(units)` time.

    `h <- modReLU(W h + V x)`, `W = D_3 R_2 F^-1 D_2 P R_1 F D_1`, `modReLU(z) = relu(abs(z) + b) z / abs(z)`.
    `D = diag(exp(i phase))`; `R = I - 2 v v^H / (v^H v)` reflects; F is the discrete Fourier transform; P permutes.

    Fields (complex ones with a leading axis of real and imaginary part; all quantities dimensionless):
        input_weights: V, `[2, units, inputs]`, each part uniform of variance `2 / (inputs + units)`.
        phases: of D_1, D_2, D_3, `[3, units]`, uniform between -pi and pi.
        reflections: v of R_1 and R_2, `[2, 2, units]` (part, which, unit), uniform between -1 and 1.
        bias: b, `[units]`, 0: the network starts linear (the authors' own program draws it between -0.01 and 0.01).
        permutation: P, `[units]`, whole numbers, drawn once and not trained.

    The state starts at 0 (in the paper at a trained vector). Parameters: `2 units inputs + 8 units`.

    Input `[inputs]`. Output: real and imaginary parts of h, one behind the other, `[2 units]`.

    Reference: Arjovsky, Shah and Bengio 2016, arXiv:1511.06464, section 4.
    """

    permutation: Int[Array, "units"]
    input_weights: Float[Array, "2 units inputs"] = parameter()
    phases: Float[Array, "3 units"] = parameter()
    reflections: Float[Array, "2 2 units"] = parameter()
    bias: Float[Array, "units"] = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("UnitaryRNN", inputs=inputs, units=units)
        keys = jax.random.split(key, 4)
        self.input_weights = glorot(keys[0], units, inputs, gates=2).reshape(2, units, inputs)
        self.phases = jax.random.uniform(keys[1], (3, units), minval=-jnp.pi, maxval=jnp.pi)
        self.reflections = jax.random.uniform(keys[2], (2, 2, units), minval=-1.0, maxval=1.0)
        self.bias = jnp.zeros(units)
        self.permutation = jax.random.permutation(keys[3], jnp.arange(units, dtype=jnp.int32))

    @property
    def outputs(self) -> int:
        """Size of an output."""
        return 2 * self.bias.shape[-1]

    def init(self, key: PRNGKeyArray) -> UnitaryRNNState:
        """Zero."""
        return UnitaryRNNState(as_complex(jnp.zeros_like(self.input_weights[..., 0])))

    def drive(self, input: Float[Array, "inputs"]) -> Complex[Array, "units"]:
        """`V x`."""
        return as_complex(self.input_weights @ input)

    def rotate(self, hidden: Complex[Array, "units"]) -> Complex[Array, "units"]:
        """`W h`, of the same length as h."""
        turn, mirror = phasor(self.phases), as_complex(self.reflections)
        hidden = _reflected(jnp.fft.fft(turn[0] * hidden), mirror[0])
        hidden = _reflected(jnp.fft.ifft(turn[1] * hidden[self.permutation]), mirror[1])
        return turn[2] * hidden

    def transition(
        self, state: UnitaryRNNState, drive: Complex[Array, "units"]
    ) -> tuple[UnitaryRNNState, Float[Array, "features"]]:
        """`modReLU(W h + drive)`."""
        hidden = mod_relu(self.rotate(state.hidden) + drive, self.bias)
        return UnitaryRNNState(hidden), as_features(hidden, self.bias)


def _reflected(hidden: Complex[Array, "units"], normal: Complex[Array, "units"]) -> Complex[Array, "units"]:
    share = 2 / jnp.sum(normal.real**2 + normal.imag**2)
    return hidden - jax.lax.complex(share, jnp.zeros_like(share)) * jnp.vdot(normal, hidden) * normal
