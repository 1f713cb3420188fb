"""The associative LSTM."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Int, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot
from jaxneuro.machine import Driven, parameter
from jaxneuro.neurons.complex.activations import as_complex, as_features, bound, scaled, wide


class AssociativeLSTMState(eqx.Module):
    """The output, real and imaginary parts one behind the other, and the copies of the complex memory."""

    hidden: Float[Array, "features"]
    cells: Complex[Array, "copies units"]


class AssociativeLSTM(
    Driven[AssociativeLSTMState, Float[Array, "inputs"], Float[Array, "features"], Float[Array, "rows"]]
):
    """A layer of LSTM neurons with a complex holographic memory in redundant copies, written and read under keys.

    `f, i, o = sigmoid(W x + U h + b)`, `q, k, u = bound(W x + U h + b)`; for every copy s with its permutation P_s
    `c_s <- f c_s + (P_s q) (i u)`; then `h <- o bound(mean_s((P_s k) c_s))`. All products are elementwise, those of
    q, k, u and c complex; `bound(z) = z / max(1, abs(z))`. What was written under q is read by its conjugate as k,
    which the layer has to learn.

    Fields (rows of f, i, o, then of real and imaginary parts of q, of k, of u; all quantities dimensionless):
        input_weights: W, `[9 units, inputs]`, uniform of variance `2 / (inputs + units)`.
        recurrent_weights: U, `[9 units, 2 units]`, uniform of variance `2 / (3 units)`.
        bias: b, `[9 units]`, 0, and 1 for f, as in an LSTM.
        permutations: P_s, `[copies, units]`, whole numbers, drawn once and not trained; the first is the identity.

    Parameters: `9 units (inputs + 2 units + 1)`, whatever the number of copies. Input `[inputs]`. Output: real and
    imaginary parts of h, one behind the other, `[2 units]`.

    Reference: Danihelka et al. 2016, arXiv:1602.03032, sections 4 and 5.
    """

    permutations: Int[Array, "copies units"]
    input_weights: Float[Array, "rows inputs"] = parameter()
    recurrent_weights: Float[Array, "rows features"] = parameter()
    bias: Float[Array, "rows"] = parameter()

    def __init__(self, inputs: int, units: int, *, copies: int = 4, key: PRNGKeyArray) -> None:
        check_sizes("AssociativeLSTM", inputs=inputs, units=units, copies=copies)
        input_key, recurrent_key, *keys = jax.random.split(key, copies + 1)
        self.input_weights = glorot(input_key, units, inputs, gates=9)
        self.recurrent_weights = glorot(recurrent_key, units, 2 * units, gates=9)
        self.bias = jnp.zeros(9 * units).at[:units].set(1)
        identity = jnp.arange(units, dtype=jnp.int32)
        self.permutations = jnp.stack([identity, *(jax.random.permutation(k, identity) for k in keys)])

    @property
    def outputs(self) -> int:
        """Size of an output."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> AssociativeLSTMState:
        """Zero."""
        cells = as_complex(jnp.zeros((2, *self.permutations.shape), self.bias.dtype))
        return AssociativeLSTMState(jnp.zeros(self.outputs, self.bias.dtype), cells)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "rows"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(
        self, state: AssociativeLSTMState, drive: Float[Array, "rows"]
    ) -> tuple[AssociativeLSTMState, Float[Array, "features"]]:
        """Gates and keys, the new copies of the memory, what is read from them."""
        copies, units = self.permutations.shape
        sums = drive + self.recurrent_weights @ state.hidden
        f, i, o = wide(jax.nn.sigmoid(sums[: 3 * units])).reshape(3, units)
        write, read, content = bound(as_complex(sums[3 * units :].reshape(3, 2, units).swapaxes(0, 1)))
        item = jnp.broadcast_to(scaled(content, i), (copies, units))
        kept = scaled(state.cells, jnp.broadcast_to(f, (copies, units)))
        cells = kept + write[self.permutations] * item
        found = bound(jnp.mean(read[self.permutations] * cells, axis=0))
        hidden = as_features(scaled(found, o), self.bias)
        return AssociativeLSTMState(hidden, cells), hidden
