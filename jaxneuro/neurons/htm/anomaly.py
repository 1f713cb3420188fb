"""How surprising a moment is: the share of activity that was not predicted, and how rare such a share has become."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.special import erfc
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter

# The square root of 2 to four decimals, as in the published program.
ROOT_OF_TWO = 1.4142
SMALLEST = 1e-10


def raw_anomaly(active: Bool[Array, "columns"], predicted: Bool[Array, "columns"]) -> Float[Array, ""]:
    """The share of active columns that were not predicted; 0 if none is active."""
    unpredicted, all_active = (jnp.sum(found, dtype=jnp.int32) for found in (active & ~predicted, active))
    real = jnp.result_type(float)
    return unpredicted.astype(real) / jnp.maximum(all_active, 1).astype(real)


def tail(x: Float[Array, "..."], mean: Float[Array, "..."], deviation: Float[Array, "..."]) -> Float[Array, "..."]:
    """The probability that a normal number is at least as far from the mean as x, on x's side of it.

    Args:
        x: a number.
        mean: of the distribution.
        deviation: its standard deviation.

    Returns:
        `erfc(|x - mean| / deviation / 1.4142) / 2`.
    """
    return erfc(jnp.abs(x - mean) / deviation / ROOT_OF_TWO) / 2


class Surprise(eqx.Module):
    """An input to `AnomalyLikelihood`: the number that is watched, and its raw anomaly score."""

    value: Float[Array, "*steps"]
    score: Float[Array, "*steps"]


class Likelihood(eqx.Module):
    """What `AnomalyLikelihood` puts out: how probably there is an anomaly, and that on a scale from 0 to 1 of logs."""

    likelihood: Float[Array, "*steps"]
    log_score: Float[Array, "*steps"]


class AnomalyLikelihoodState(eqx.Module):
    """The last values and scores in rings, the normal distribution of smoothed scores, and how many steps there were.

    `estimated` says whether the distribution has been estimated yet.
    """

    values: Float[Array, "history"]
    scores: Float[Array, "history"]
    mean: Float[Array, ""]
    deviation: Float[Array, ""]
    estimated: Bool[Array, ""]
    steps: Int[Array, ""]


class AnomalyLikelihood(StateMachine[AnomalyLikelihoodState, Surprise, Likelihood]):
    """How probable it is that a recent rise of an anomaly score is not one of its usual fluctuations.

    `s_t = mean(score_{t-w+1} .. score_t)`, `Q_t = erfc(|s_t - mu| / sigma / 1.4142) / 2`, `likelihood = 1 - Q_t`. mu
    and sigma are those of the smoothed scores of the history, without those of the learning period, and are estimated
    again from time to time; mu is at least 0.03 and sigma^2 at least 3e-4. If the values hardly change, nothing is
    likely: mu = 0.5, sigma = 1000. An anomaly is told once: if Q was below 1e-5 in the step before too, it counts as
    1e-3. Before there is enough to learn from the likelihood is 0.5. `log_score = log(Q + 1e-10) / log(1e-10)`. All
    quantities dimensionless, periods in steps.

    Fields:
        history: length of the rings.
        average: w, how many scores are smoothed.
        learning_period: scores of this beginning are not learnt from.
        estimation_samples: how many scores there must be after it.
        estimation_period: steps from one estimation to the next.
        least_mean, least_variance: of the distribution.
        least_change: the variance of the values below which they hardly change.

    Input: `Surprise`, two scalars. Output: `Likelihood`, two scalars.

    Reference: Ahmad, Lavin, Purdy and Agha 2017, Neurocomputing 262:134, section 3.2 (anomaly likelihood).
    """

    history: int = eqx.field(static=True, default=8640)
    average: int = eqx.field(static=True, default=10)
    learning_period: Scalar = parameter(288.0, at_least=0.0)
    estimation_samples: Scalar = parameter(100.0, at_least=0.0)
    estimation_period: Scalar = parameter(100.0, at_least=1.0)
    least_mean: Scalar = parameter(0.03, at_least=0.0)
    least_variance: Scalar = parameter(3e-4, above=0.0)
    least_change: Scalar = parameter(1.5e-5, at_least=0.0)

    def __check_init__(self) -> None:
        if not 1 <= self.average <= self.history:
            raise ValueError(
                f"AnomalyLikelihood got average={self.average} and history={self.history}; "
                "average must be at least 1 and at most history."
            )

    def init(self, key: PRNGKeyArray) -> AnomalyLikelihoodState:
        """No scores yet."""
        nothing, half = jnp.zeros(self.history, self.least_mean.dtype), jnp.full_like(self.least_mean, 0.5)
        steps = jnp.zeros((), jnp.int32)
        return AnomalyLikelihoodState(nothing, nothing, half, 2000 * half, jnp.zeros((), bool), steps)

    def step(self, state: AnomalyLikelihoodState, input: Surprise) -> tuple[AnomalyLikelihoodState, Likelihood]:
        """Estimate if it is time to, compare the smoothed score, then remember the new one."""
        steps = state.steps
        begun = steps.astype(self.learning_period.dtype) >= self.learning_period + self.estimation_samples
        again = steps % jnp.round(self.estimation_period).astype(jnp.int32) == 0
        due = begun & (again | ~state.estimated)
        mean, deviation = jax.lax.cond(due, self.estimate, lambda state: (state.mean, state.deviation), state)

        place = steps % self.history
        values, scores = state.values.at[place].set(input.value), state.scores.at[place].set(input.score)
        before, now = (tail(self.smoothed(scores, last), mean, deviation) for last in (steps - 1, steps))
        told = (now <= 1e-5) & (before <= 1e-5) & (steps > 0)
        rare = jnp.where(begun, jnp.where(told, 1e-3, now), 0.5).astype(now.dtype)
        output = Likelihood(1 - rare, jnp.log(rare + SMALLEST) / jnp.log(jnp.full_like(rare, SMALLEST)))
        return AnomalyLikelihoodState(values, scores, mean, deviation, state.estimated | due, steps + 1), output

    def smoothed(self, scores: Float[Array, "history"], last: Int[Array, ""]) -> Float[Array, ""]:
        """The mean of the score of a step and of those before it, as far as they go."""
        back = last - jnp.arange(self.average, dtype=jnp.int32)
        found = jnp.where(back >= 0, scores[back % self.history], 0)
        return jnp.sum(found) / jnp.clip(last + 1, 1, self.average).astype(found.dtype)

    def estimate(self, state: AnomalyLikelihoodState) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Mean and deviation of the smoothed scores, or of the distribution of which nothing is unlikely."""
        oldest = jnp.where(state.steps > self.history, state.steps % self.history, 0)
        values, scores = jnp.roll(state.values, -oldest), jnp.roll(state.scores, -oldest)
        count = jnp.minimum(state.steps, self.history)
        forgotten = (state.steps - count).astype(self.learning_period.dtype)
        skip = jnp.maximum(self.learning_period - forgotten, 0).astype(jnp.int32)
        index = jnp.arange(self.history, dtype=jnp.int32)
        # The first scores of the history are smoothed over those that there are.
        padded = jnp.pad(scores, (self.average - 1, 0))
        sums = sum(padded[i : i + self.history] for i in range(1, self.average)) + padded[: self.history]
        smooth = sums / jnp.minimum(index + 1, self.average).astype(sums.dtype)
        used = ((index >= skip) & (index < count)).astype(sums.dtype)
        number = jnp.maximum(jnp.sum(used), 1)

        def moments(numbers: Float[Array, "history"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
            mean = jnp.sum(used * numbers) / number
            return mean, jnp.sum(used * (numbers - mean) ** 2) / number

        (mean, variance), (_, change) = moments(smooth), moments(values)
        known = (count > skip) & (change >= self.least_change)
        deviation = jnp.sqrt(jnp.maximum(variance, self.least_variance))
        mean = jnp.maximum(mean, self.least_mean)
        half = jnp.full_like(mean, 0.5)
        return jnp.where(known, mean, half), jnp.where(known, deviation, 2000 * half)
