"""Structurally constrained recurrent network: some neurons are slow."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes, glorot, orthogonal
from jaxneuro.machine import Driven, Scalar, parameter


class SCRNState(eqx.Module):
    """The fast neurons (`hidden`) and the slow ones (`context`)."""

    hidden: Float[Array, "fast"]
    context: Float[Array, "slow"]


class SCRN(Driven[SCRNState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "units"]]):
    """A layer of recurrent neurons of which some only average their input, slowly.

    `s <- (1 - decay) B x + decay s`; with the new s, `h <- sigmoid(P s + A x + R h)`. The output is h and after it s: a
    linear readout of it is the `U h + V s` of the paper.

    Fields (all quantities dimensionless; there is no bias):
        input_weights: A and below it B, `[fast + slow, inputs]`, uniform of variance `2 / (inputs + units)` (Glorot and
            Bengio 2010).
        recurrent_weights: R, `[fast, fast]`, orthogonal (Saxe et al. 2014).
        context_weights: P, `[fast, slow]`, uniform of variance `2 / (fast + slow)`.
        decay: scalar, 0.95, between 0 and 1; a constant in the paper.

    Of the `units` neurons `slow` are slow; unless given, two sevenths, as the paper's 40 beside 100 fast ones.

    Parameters: `units inputs + fast units + 1`. Input `[inputs]`. Output: h and s, `[units]`.

    Reference: Mikolov, Joulin, Chopra, Mathieu and Ranzato 2015, arXiv:1412.7753, section 3.3, eqs. 4 to 6.
    """

    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "fast fast"] = parameter()
    context_weights: Float[Array, "fast slow"] = parameter()
    decay: Scalar = parameter(0.95, at_least=0.0, at_most=1.0)

    def __init__(
        self, inputs: int, units: int, *, slow: int | None = None, decay: float = 0.95, key: PRNGKeyArray
    ) -> None:
        check_sizes("SCRN", inputs=inputs, units=units)
        slow = max(1, 2 * units // 7) if slow is None else slow
        if not 1 <= slow < units:
            raise ValueError(f"SCRN got units={units}, slow={slow}; slow must be at least 1 and below units.")
        keys, fast = jax.random.split(key, 3), units - slow
        self.input_weights = glorot(keys[0], units, inputs)
        self.recurrent_weights = orthogonal(keys[1], fast)
        self.context_weights = glorot(keys[2], fast, slow)
        self.decay = decay

    def init(self, key: PRNGKeyArray) -> SCRNState:
        """Zero."""
        fast, slow = self.context_weights.shape
        return SCRNState(*(jnp.zeros(size, self.context_weights.dtype) for size in (fast, slow)))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`A x` and `B x`."""
        return self.input_weights @ input

    def transition(self, state: SCRNState, drive: Float[Array, "units"]) -> tuple[SCRNState, Float[Array, "units"]]:
        """First the slow neurons, then the fast ones."""
        fast = state.hidden.shape[0]
        context = (1 - self.decay) * drive[fast:] + self.decay * state.context
        hidden = jax.nn.sigmoid(drive[:fast] + self.recurrent_weights @ state.hidden + self.context_weights @ context)
        return SCRNState(hidden, context), jnp.concatenate([hidden, context])
