"""Three gated neurons found by mutation."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, parameter


class MUTState(eqx.Module):
    """What the neuron shows, which is all it keeps."""

    hidden: Float[Array, "units"]


class Mutant(Driven[MUTState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "gates"]]):
    """What the three have in common."""

    input_weights: Float[Array, "from_input inputs"] = parameter()
    recurrent_weights: Float[Array, "from_units units"] = parameter()
    bias: Float[Array, "gates"] = parameter()

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.recurrent_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> MUTState:
        """Zero."""
        return MUTState(jnp.zeros(self.units, self.bias.dtype))


class MUT1(Mutant):
    """A layer of the first mutated neurons.

    `z = sigmoid(W x + b)`, `r = sigmoid(W x + U h + b)`, `n = tanh(U (r h) + tanh(x) + b)`, each with its own rows of
    W, U and b; `h <- z n + (1 - z) h`. The input enters n as it is, so there are as many neurons as inputs.

    Fields (the rows in the order z, r, n, without those that do not occur; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[2 units, units]`, orthogonal for each (Saxe et al. 2014).
        bias: b, `[3 units]`, 0.

    Parameters: `units (2 inputs + 2 units + 3)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Jozefowicz, Zaremba and Sutskever 2015, ICML, Proceedings of Machine Learning Research 37:2342.
    """

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        _check_equal("MUT1", inputs, units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=2)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=2)
        self.bias = jnp.zeros(3 * units)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b` for z and r, `tanh(x) + b` for n."""
        return jnp.concatenate([self.input_weights @ input, jnp.tanh(input)]) + self.bias

    def transition(self, state: MUTState, drive: Float[Array, "gates"]) -> tuple[MUTState, Float[Array, "units"]]:
        """The gates, the candidate, the new output."""
        z, r, n = jnp.split(drive, 3)
        reset_weights, candidate_weights = jnp.split(self.recurrent_weights, 2)
        reset = jax.nn.sigmoid(r + reset_weights @ state.hidden)
        candidate = jnp.tanh(n + candidate_weights @ (reset * state.hidden))
        return _updated(state, jax.nn.sigmoid(z), candidate)


class MUT2(Mutant):
    """A layer of the second mutated neurons.

    `z = sigmoid(W x + U h + b)`, `r = sigmoid(x + U h + b)`, `n = tanh(U (r h) + W x + b)`, each with its own rows of
    W, U and b; `h <- z n + (1 - z) h`. The input enters r as it is, so there are as many neurons as inputs.

    Fields (the rows in the order z, r, n, without those that do not occur; all quantities dimensionless):
        input_weights: W, `[2 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[3 units, units]`, orthogonal for each (Saxe et al. 2014).
        bias: b, `[3 units]`, 0.

    Parameters: `units (2 inputs + 3 units + 3)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Jozefowicz, Zaremba and Sutskever 2015, ICML, Proceedings of Machine Learning Research 37:2342.
    """

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        _check_equal("MUT2", inputs, units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=2)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=3)
        self.bias = jnp.zeros(3 * units)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b` for z and n, `x + b` for r."""
        z, n = jnp.split(self.input_weights @ input, 2)
        return jnp.concatenate([z, input, n]) + self.bias

    def transition(self, state: MUTState, drive: Float[Array, "gates"]) -> tuple[MUTState, Float[Array, "units"]]:
        """The gates, the candidate, the new output."""
        gates_drive, candidate_drive = jnp.split(drive, [2 * self.units])
        gates_weights, candidate_weights = jnp.split(self.recurrent_weights, [2 * self.units])
        update, reset = jnp.split(jax.nn.sigmoid(gates_drive + gates_weights @ state.hidden), 2)
        candidate = jnp.tanh(candidate_drive + candidate_weights @ (reset * state.hidden))
        return _updated(state, update, candidate)


class MUT3(Mutant):
    """A layer of the third mutated neurons.

    `z = sigmoid(W x + U tanh(h) + b)`, `r = sigmoid(W x + U h + b)`, `n = tanh(U (r h) + W x + b)`, each with its own
    rows of W, U and b; `h <- z n + (1 - z) h`.

    Fields (the rows in the order z, r, n; all quantities dimensionless):
        input_weights: W, `[3 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        recurrent_weights: U, `[3 units, units]`, orthogonal for each (Saxe et al. 2014).
        bias: b, `[3 units]`, 0.

    Parameters: `3 units (inputs + units + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Jozefowicz, Zaremba and Sutskever 2015, ICML, Proceedings of Machine Learning Research 37:2342.
    """

    def __init__(self, inputs: int, units: int, *, key: PRNGKeyArray) -> None:
        check_sizes("MUT3", inputs=inputs, units=units)
        input_key, recurrent_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=3)
        self.recurrent_weights = orthogonal(recurrent_key, units, gates=3)
        self.bias = jnp.zeros(3 * units)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "gates"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: MUTState, drive: Float[Array, "gates"]) -> tuple[MUTState, Float[Array, "units"]]:
        """The gates, the candidate, the new output."""
        z, r, n = jnp.split(drive, 3)
        update_weights, reset_weights, candidate_weights = jnp.split(self.recurrent_weights, 3)
        update = jax.nn.sigmoid(z + update_weights @ jnp.tanh(state.hidden))
        reset = jax.nn.sigmoid(r + reset_weights @ state.hidden)
        candidate = jnp.tanh(n + candidate_weights @ (reset * state.hidden))
        return _updated(state, update, candidate)


def _updated(
    state: MUTState, update: Float[Array, "units"], candidate: Float[Array, "units"]
) -> tuple[MUTState, Float[Array, "units"]]:
    hidden = update * candidate + (1 - update) * state.hidden
    return MUTState(hidden), hidden


def _check_equal(layer: str, inputs: int, units: int) -> None:
    check_sizes(layer, inputs=inputs, units=units)
    if inputs != units:
        raise ValueError(
            f"{layer} got inputs={inputs}, units={units}; they must be equal, because the input enters the neurons as "
            f"it is. Bring it to {units} first, for example by Chain(Dense({inputs}, {units}, key=...), {layer}(...))."
        )
