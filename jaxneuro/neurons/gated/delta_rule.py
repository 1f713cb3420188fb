"""A fast weight matrix that is programmed by the delta rule."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_choice, check_sizes, glorot
from jaxneuro.machine import Driven, parameter

LEAST_SQUARE = 1e-6  # added to the squared length of a key, so that silence has a gradient


class DeltaRuleState(eqx.Module):
    """The fast weights: what value each key stands for."""

    fast: Float[Array, "units units"]


class Write(eqx.Module):
    """What is written, where, how strongly, and where it is read."""

    key: Float[Array, "units"]
    value: Float[Array, "units"]
    query: Float[Array, "units"]
    rate: Float[Array, ""]


class DeltaRule(Driven[DeltaRuleState, Float[Array, "inputs"], Float[Array, "units"], Write]):
    """A layer with a matrix for a state, which learns the value of each key by the delta rule.

    `k, v, q = W x`, each with its own rows of W; `beta = rate sigmoid(w x)`; k and q are normalised. Then
    `S <- S + beta (v - S k) k'`, `y = S q`. The eigenvalue of the step along k is `1 - beta k'k`: with `negative`,
    beta is up to 2, and it may be below 0, without which no such layer can tell odd from even.

    Fields (all quantities dimensionless):
        input_weights: W, `[3 units, inputs]`, the rows in the order k, v, q, uniform of variance
            `2 / (inputs + units)` (Glorot and Bengio 2010).
        rate_weights: w, `[inputs]`, uniform likewise.
        keys: "length": `silu(k)` at length 1 (Yang et al. 2024); "sum": `elu(k) + 1` with sum 1 (Schlag et al. 2021).
        negative: whether `rate` is 2 (Grazzi et al. 2025) or 1.

    Parameters: `inputs (3 units + 1)`. Input `[inputs]`. Output: y, `[units]`.

    Reference: Schlag, Irie and Schmidhuber 2021, arXiv:2102.11174, section 4.2; Yang, Wang, Zhang, Shen and Kim 2024,
    arXiv:2406.06484; Grazzi et al. 2025, arXiv:2411.12537.
    """

    keys: Literal["length", "sum"] = eqx.field(static=True)
    negative: bool = eqx.field(static=True)
    input_weights: Float[Array, "rows inputs"] = parameter()
    rate_weights: Float[Array, "inputs"] = parameter()

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        keys: Literal["length", "sum"] = "length",
        negative: bool = False,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("DeltaRule", inputs=inputs, units=units)
        check_choice("DeltaRule", "keys", keys, ("length", "sum"))
        input_key, rate_key = jax.random.split(key)
        self.input_weights = glorot(input_key, units, inputs, gates=3)
        self.rate_weights = glorot(rate_key, 1, inputs)[0]
        self.keys = keys
        self.negative = negative

    def init(self, key: PRNGKeyArray) -> DeltaRuleState:
        """Zero: every key stands for nothing."""
        units = self.input_weights.shape[0] // 3
        return DeltaRuleState(jnp.zeros((units, units), self.input_weights.dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Write:
        """Key, value, query and rate."""
        key, value, query = jnp.split(self.input_weights @ input, 3)
        rate = jax.nn.sigmoid(self.rate_weights @ input)
        return Write(self._normalised(key), value, self._normalised(query), 2 * rate if self.negative else rate)

    def transition(self, state: DeltaRuleState, drive: Write) -> tuple[DeltaRuleState, Float[Array, "units"]]:
        """Writes, then reads."""
        error = drive.value - state.fast @ drive.key
        fast = state.fast + drive.rate * error[:, None] * drive.key[None, :]
        return DeltaRuleState(fast), fast @ drive.query

    def _normalised(self, key: Float[Array, "units"]) -> Float[Array, "units"]:
        if self.keys == "sum":
            key = jax.nn.elu(key) + 1
            return key / key.sum()
        key = jax.nn.silu(key)
        return key * jax.lax.rsqrt((key * key).sum() + LEAST_SQUARE)
