"""Long short-term memory."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, chrono, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class LSTMState(eqx.Module):
    """What the neuron shows (`hidden`) and what it keeps (`cell`)."""

    hidden: Float[Array, "units"]
    cell: Float[Array, "units"]


class Gates(eqx.Module):
    """The three gates, each between 0 and 1, and the candidate, between -1 and 1."""

    input: Float[Array, "units"]
    forget: Float[Array, "units"]
    candidate: Float[Array, "units"]
    output: Float[Array, "units"]


class LSTM(Driven[LSTMState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """A layer of LSTM neurons with forget gates.

    `i, f, o = sigmoid(W x + U h + b)`, `g = tanh(W x + U h + b)`, each with its own rows of W, U and b;
    `c <- f c + i g`, `h <- o tanh(c)`.

    Fields (the rows of the gates in the order i, f, g, o; all quantities dimensionless):
        input_weights: W, `[4 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[4 units, units]`, orthogonal for each gate (Saxe et al. 2014).
        bias: b, `[4 units]`, 0, and 1 for the forget gate: a neuron that starts by remembering learns long
            dependencies (Jozefowicz et al. 2015, section 2.2). With `longest`, the longest dependency T in steps, the
            forget gate has `log u`, u uniform on [1, T - 1], and the input gate the negative of that, so that the
            neurons remember for 1 to T steps (Tallec and Ollivier 2018, arXiv:1804.11188).

    Parameters: `4 units (inputs + units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Hochreiter and Schmidhuber 1997, Neural Computation 9:1735; Gers, Schmidhuber and Cummins 2000, Neural
    Computation 12:2451.
    """

    input_weights: Float[Array, "gates inputs"] = parameter()
    recurrent_weights: Float[Array, "gates units"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    def __init__(self, inputs: int, units: int, *, longest: float | None = None, key: PRNGKeyArray) -> None:
        check_sizes("LSTM", inputs=inputs, units=units)
        input_key, recurrent_key, bias_key = jax.random.split(key, 3)
        self.input_weights = glorot(input_key, units, inputs, gates=4)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=4)
        forget = jnp.ones(units) if longest is None else chrono(bias_key, units, longest)
        zero = jnp.zeros(units)
        self.bias = jnp.concatenate([zero if longest is None else -forget, forget, zero, zero])

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> LSTMState:
        """Zero."""
        zero = jnp.zeros(self.units, self.bias.dtype)
        return LSTMState(zero, zero)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: LSTMState, drive: Float[Array, "gates"]) -> tuple[LSTMState, Float[Array, "units"]]:
        """The gates, the new cell, the new output."""
        gates = self._gates(state, drive)
        cell = gates.forget * state.cell + gates.input * gates.candidate
        hidden = gates.output * jnp.tanh(cell)
        return LSTMState(hidden, cell), hidden

    def gates(self, state: LSTMState, input: Float[Array, "inputs"]) -> Gates:
        """What the gates do in this state with this input, to look at."""
        return self._gates(state, self.drive(input))

    def _gates(self, state: LSTMState, drive: Float[Array, "gates"]) -> Gates:
        i, f, g, o = jnp.split(drive + self.recurrent_weights @ state.hidden, 4)
        return Gates(jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o))
