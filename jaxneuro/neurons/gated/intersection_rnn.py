"""Recurrent neurons that are gated twice: over time and over depth."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class IntersectionRNNState(eqx.Module):
    """What the neuron keeps; not what it shows."""

    hidden: Float[Array, "units"]


class IntersectionDrive(eqx.Module):
    """The projected input, and what it gives to the gates."""

    input: Float[Array, "units"]
    sums: Float[Array, "gates"]


class IntersectionRNN(Driven[IntersectionRNNState, Float[Array, "inputs"], Float[Array, "units"], IntersectionDrive]):
    """A layer of neurons with one gate between old and new state and one between input and new output.

    With `x = P input`, `p = relu(W x + U h + b)`, `q = tanh(W x + U h + b)`, `d, r = sigmoid(W x + U h + b)`, each with
    its own rows of W, U and b: `y = d x + (1 - d) p`, `h <- r h + (1 - r) q`. A layer with as many neurons as inputs
    has no P: x is the input.

    Fields (the rows in the order p, q, d, r; all quantities dimensionless):
        input_weights: W, `[4 units, units]`, uniform of variance `1 / units` (Glorot and Bengio 2010).
        recurrent_weights: U, `[4 units, units]`, orthogonal for each gate (Saxe et al. 2014).
        bias: b, `[4 units]`, 0, and 1 for d and r, which start by carrying on.
        projection_weights: P, `[units, inputs]`, uniform of variance `2 / (inputs + units)`, or None.

    Parameters: `4 units (2 units + 1)`, and `units inputs` for P. Input `[inputs]`. Output: y, `[units]`.

    Reference: Collins, Sohl-Dickstein and Sussillo 2017, arXiv:1611.09913, section 2 (the +RNN).
    """

    input_weights: Float[Array, "gates units"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()
    projection_weights: Float[Array, "units inputs"] | None = parameter()

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("IntersectionRNN", inputs=inputs, units=units)
        keys = jax.random.split(key, 3)
        self.input_weights = glorot(keys[0], units, units, gates=4)
        self.recurrent_weights = orthogonal(keys[1], units, gates=4)
        self.bias = jnp.zeros((4, units)).at[2:].set(1).reshape(4 * units)
        self.projection_weights = None if inputs == units else glorot(keys[2], units, inputs)

    def init(self, key: PRNGKeyArray) -> IntersectionRNNState:
        """Zero."""
        return IntersectionRNNState(jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> IntersectionDrive:
        """`x` and `W x + b`."""
        projected = input if self.projection_weights is None else self.projection_weights @ input
        return IntersectionDrive(projected, self.input_weights @ projected + self.bias)

    def transition(
        self, state: IntersectionRNNState, drive: IntersectionDrive
    ) -> tuple[IntersectionRNNState, Float[Array, "units"]]:
        """Both gates, the new state, the output."""
        p, q, d, r = jnp.split(drive.sums + self.recurrent_weights @ state.hidden, 4)
        depth, recurrence = jax.nn.sigmoid(d), jax.nn.sigmoid(r)
        output = depth * drive.input + (1 - depth) * jax.nn.relu(p)
        hidden = recurrence * state.hidden + (1 - recurrence) * jnp.tanh(q)
        return IntersectionRNNState(hidden), output
