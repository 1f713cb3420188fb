"""The minimal LSTM."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot
from jaxneuro.machine import Affine, parameter


class MinLSTMState(eqx.Module):
    """What the neurons show, which is all they keep."""

    hidden: Float[Array, "units"]


class MinLSTM(Affine[MinLSTMState, Float[Array, "inputs"], Float[Array, "units"]]):
    """A layer of minimal LSTM neurons: gates and candidate see the input alone, and there is no output gate.

    `f = sigmoid(W x + b)`, `i = sigmoid(W x + b)`, `g = candidate(W x + b)`, each with its own rows of W and b;
    `h <- f' h + i' g`, `f' = f / (f + i)`, `i' = i / (f + i)`. With `d = log f - log i` these are `f' = sigmoid(d)` and
    `i' = sigmoid(-d)`, which are numbers even where f and i both vanish.

    `positive`: the candidate is `x + 1/2` for `x >= 0` and `sigmoid(x)` below, as the paper needs for its scan in log
    space; without it the candidate is linear. `negative`: the factor of h is `f' - i'`, between -1 and 1, so that a
    neuron can change its sign with every input of one kind (parity).

    Fields (the rows of the gates in the order f, i, g; all quantities dimensionless):
        input_weights: W, `[3 units, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and Bengio 2010).
        bias: b, `[3 units]`, 0: a state starts by keeping one half per step.

    Parameters: `3 units (inputs + 1)`. Input `[inputs]`. Output: h, `[units]`.

    Reference: Feng et al. 2024, arXiv:2410.01201, section 3.2 and appendix B; `negative`: Grazzi et al. 2024,
    arXiv:2411.12537.
    """

    positive: bool = eqx.field(static=True)
    negative: bool = eqx.field(static=True)
    input_weights: Float[Array, "rows inputs"] = parameter()
    bias: Float[Array, "rows"] = parameter()

    def __init__(
        self, inputs: int, units: int, *, positive: bool = True, negative: bool = False, key: PRNGKeyArray
    ) -> None:
        check_sizes("MinLSTM", inputs=inputs, units=units)
        self.input_weights = glorot(key, units, inputs, gates=3)
        self.bias = jnp.zeros(3 * units)
        self.positive, self.negative = positive, negative

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self.bias.shape[-1] // 3

    def init(self, key: PRNGKeyArray) -> MinLSTMState:
        """Zero."""
        return MinLSTMState(jnp.zeros(self.units, self.bias.dtype))

    def affine(self, input: Float[Array, "inputs"]) -> tuple[MinLSTMState, MinLSTMState]:
        """The factor of h, and `i' g`."""
        f, i, g = jnp.split(self.input_weights @ input + self.bias, 3)
        if self.positive:
            g = jnp.where(g >= 0, g + 0.5, jax.nn.sigmoid(g))
        d = jax.nn.log_sigmoid(f) - jax.nn.log_sigmoid(i)
        keep = jnp.tanh(d / 2) if self.negative else jax.nn.sigmoid(d)
        return MinLSTMState(keep), MinLSTMState(jax.nn.sigmoid(-d) * g)

    def read(self, state: MinLSTMState, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """All neurons."""
        return state.hidden
