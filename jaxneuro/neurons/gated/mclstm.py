"""Mass-conserving LSTM: what comes in is kept or goes out, and nothing else is."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot
from jaxneuro.machine import Driven, Scalar, parameter


class MCLSTMState(eqx.Module):
    """The mass in each neuron."""

    cell: Float[Array, "units"]


class MassDrive(eqx.Module):
    """The mass that comes in, and what the other inputs give to the gates."""

    mass: Float[Array, "masses"]
    sums: Float[Array, "gates"]


class MCLSTM(Driven[MCLSTMState, Float[Array, "inputs"], Float[Array, "units"], MassDrive]):
    """A layer of mass-conserving LSTM neurons: the sum of all mass changes only by what comes in and goes out.

    The first `masses` inputs are mass, m; the others, a, only steer. With `q = c / (|c| + least)`, |c| the sum of the
    magnitudes, `I, R = softmax(W a + U q + b)`, whose columns have sum 1, and `o = sigmoid(W a + U q + b)`, each with
    its own rows of W, U and b; `t = R c + I m`, `h = o t`, `c <- (1 - o) t`.

    Fields (the rows in the order I column by column, `masses units`, R column by column, `units^2`, and o, `units`,
    `rows` in all; all quantities dimensionless but mass, which has the unit of the input):
        input_weights: W, `[rows, inputs - masses]`, uniform of variance `2 / (inputs - masses + units)` (Glorot and
            Bengio 2010).
        recurrent_weights: U, `[rows, units]`, uniform of variance `1 / units`.
        bias: b, `[rows]`, 0; for R 1 on the diagonal and for o -3: mass starts by staying where it is.
        least: scalar, 1e-5, above 0: without mass q is 0.

    Parameters: `(masses + units + 1) units (inputs - masses + units + 1) + 1`. Input `[inputs]`, mass at least 0.
    Output: h, the mass that goes out, `[units]`.

    Reference: Hoedt, Kratzert, Klotz, Halmich, Holzleitner, Nearing, Hochreiter and Klambauer 2021, arXiv:2101.05186,
    section 2; the paper divides by |c| alone, initial biases as in the authors' program.
    """

    input_weights: Float[Array, "rows steering"] = parameter()
    recurrent_weights: Float[Array, "rows units"] = parameter()
    bias: Float[Array, "rows"] = parameter()
    least: Scalar = parameter(1e-5, above=0.0)

    def __init__(self, inputs: int, units: int, *, masses: int = 1, least: float = 1e-5, key: PRNGKeyArray) -> None:
        check_sizes("MCLSTM", inputs=inputs, units=units, masses=masses)
        if masses >= inputs:
            raise ValueError(f"MCLSTM got inputs={inputs}, masses={masses}; masses must be below inputs.")
        input_key, recurrent_key = jax.random.split(key)
        columns = masses + units
        self.input_weights = glorot(input_key, units, inputs - masses, gates=columns + 1)
        self.recurrent_weights = glorot(recurrent_key, units, units, gates=columns + 1)
        stay = [jnp.zeros((masses, units)), jnp.eye(units), jnp.full((1, units), -3.0)]
        self.bias = jnp.concatenate(stay).reshape((columns + 1) * units)
        self.least = least

    def init(self, key: PRNGKeyArray) -> MCLSTMState:
        """No mass."""
        return MCLSTMState(jnp.zeros(self.recurrent_weights.shape[-1], self.bias.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> MassDrive:
        """The mass, and `W a + b`."""
        masses = input.shape[0] - self.input_weights.shape[-1]
        return MassDrive(input[:masses], self.input_weights @ input[masses:] + self.bias)

    def transition(self, state: MCLSTMState, drive: MassDrive) -> tuple[MCLSTMState, Float[Array, "units"]]:
        """Distributes old and new mass, and lets some of it go."""
        units = state.cell.shape[0]
        shares = state.cell / (jnp.abs(state.cell).sum() + self.least)
        sums = drive.sums + self.recurrent_weights @ shares
        columns = jax.nn.softmax(sums[:-units].reshape(-1, units), axis=1)
        total = jnp.concatenate([drive.mass, state.cell]) @ columns
        released = jax.nn.sigmoid(sums[-units:]) * total
        return MCLSTMState(total - released), released
