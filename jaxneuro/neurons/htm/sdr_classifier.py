"""What a sparse representation says about the number that comes with it, or comes some steps later."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Scalar, StateMachine, parameter


class Labelled(eqx.Module):
    """An input to `SDRClassifier`: the on-bits of a representation, bucket and value of the number, and `learn`.

    `pattern` ends in the number of bits where fewer are on than it has places for.
    """

    pattern: Int[Array, "*steps on"]
    bucket: Int[Array, "*steps"]
    value: Float[Array, "*steps"]
    learn: Bool[Array, "*steps"]


class Prediction(eqx.Module):
    """For each horizon the probabilities of the buckets, and the value that each bucket stands for."""

    probabilities: Float[Array, "*steps horizons buckets"]
    values: Float[Array, "*steps buckets"]

    def expected(self) -> Float[Array, "*steps horizons"]:
        """The mean value under the probabilities of each horizon."""
        return jnp.sum(self.probabilities * self.values[..., None, :], axis=-1)

    def likeliest(self) -> Float[Array, "*steps horizons"]:
        """The value of the likeliest bucket of each horizon."""
        best = jnp.argmax(self.probabilities, axis=-1)
        return jnp.take_along_axis(self.values, best, axis=-1)


class SDRClassifierState(eqx.Module):
    """Weights, the values of buckets and which have been seen, the highest bucket, and past patterns, latest first."""

    weights: Float[Array, "horizons inputs buckets"]
    values: Float[Array, "buckets"]
    seen: Bool[Array, "buckets"]
    highest: Int[Array, ""]
    patterns: Int[Array, "past on"]


class SDRClassifier(StateMachine[SDRClassifierState, Labelled, Prediction]):
    """Softmax regression from on-bits to buckets, for the number now or some steps ahead.

    `p_k = softmax(sum_{i on} W_k[i])` over the buckets up to the highest yet seen, for each horizon k. When a number
    of bucket c comes, the pattern of k steps ago learns: `W_k[i] <- W_k[i] + rate (onehot(c) - p_k)` for each bit i
    that was on in it. A bucket stands for `v <- (1 - value_rate) v + value_rate value`, from its first value on, one
    that has not been seen for the present value. A prediction is made before the step learns. All dimensionless.

    Fields:
        inputs: the number of bits.
        buckets: how many there can be.
        on: places of a pattern.
        horizons: how many steps ahead each prediction looks.
        rate, value_rate: of learning.

    Input: `Labelled`, with a pattern `[on]` of ascending bit numbers. Output: `Prediction`, `[horizons, buckets]`.

    Reference: Cui, Ahmad and Hawkins 2016, Neural Computation 28:2474, section 2.4 (a softmax over active cells).
    """

    inputs: int = eqx.field(static=True)
    buckets: int = eqx.field(static=True, default=130)
    on: int = eqx.field(static=True, default=40)
    horizons: tuple[int, ...] = eqx.field(static=True, default=(1,))
    rate: Scalar = parameter(0.001, at_least=0.0)
    value_rate: Scalar = parameter(0.3, at_least=0.0, at_most=1.0)

    def __check_init__(self) -> None:
        check_sizes("SDRClassifier", inputs=self.inputs, buckets=self.buckets, on=self.on)
        if not self.horizons or min(self.horizons) < 0:
            raise ValueError(f"SDRClassifier got horizons={self.horizons}; it needs one or more, none below 0.")

    def init(self, key: PRNGKeyArray) -> SDRClassifierState:
        """No weights, no patterns, and bucket 0 for the highest."""
        real = self.rate.dtype
        return SDRClassifierState(
            weights=jnp.zeros((len(self.horizons), self.inputs, self.buckets), real),
            values=jnp.zeros(self.buckets, real),
            seen=jnp.zeros(self.buckets, bool),
            highest=jnp.zeros((), jnp.int32),
            patterns=jnp.full((max(self.horizons) + 1, self.on), self.inputs, jnp.int32),
        )

    def step(self, state: SDRClassifierState, input: Labelled) -> tuple[SDRClassifierState, Prediction]:
        """Predict, then learn what the patterns of the past should have predicted."""
        patterns = jnp.concatenate([input.pattern.astype(jnp.int32)[None], state.patterns[:-1]])
        present = jnp.broadcast_to(patterns[0], (len(self.horizons), self.on))
        output = Prediction(
            self.infer(state.weights, present, state.highest), jnp.where(state.seen, state.values, input.value)
        )
        past = jnp.stack([patterns[horizon] for horizon in self.horizons])
        chosen = jnp.arange(self.buckets, dtype=jnp.int32) == input.bucket
        highest = jnp.where(input.learn, jnp.maximum(state.highest, input.bucket.astype(jnp.int32)), state.highest)
        error = chosen.astype(self.rate.dtype)[None, :] - self.infer(state.weights, past, highest)
        change = jnp.where(input.learn, self.rate, 0) * error
        followed = state.values + self.value_rate * (input.value - state.values)
        update = input.learn & chosen
        return SDRClassifierState(
            weights=jax.vmap(_added)(state.weights, past, change),
            values=jnp.where(update, jnp.where(state.seen, followed, input.value), state.values),
            seen=state.seen | update,
            highest=highest,
            patterns=patterns,
        ), output

    def infer(
        self,
        weights: Float[Array, "horizons inputs buckets"],
        patterns: Int[Array, "horizons on"],
        highest: Int[Array, ""],
    ) -> Float[Array, "horizons buckets"]:
        """The probabilities of the buckets up to the highest, a pattern for each horizon."""
        rows = jax.vmap(lambda weights, pattern: weights.at[pattern].get(mode="fill", fill_value=0))(weights, patterns)
        known = jnp.arange(self.buckets, dtype=jnp.int32) <= highest
        return jax.nn.softmax(jnp.where(known[None, :], jnp.sum(rows, axis=1), -jnp.inf), axis=-1)


def _added(
    weights: Float[Array, "inputs buckets"], pattern: Int[Array, "on"], change: Float[Array, "buckets"]
) -> Float[Array, "inputs buckets"]:
    """The weights with a change of the rows of a pattern."""
    return weights.at[pattern].add(jnp.broadcast_to(change, (len(pattern), len(change))), mode="drop")
