"""A neuron with synapses that learn in one shot, and forget within hours what nothing has made them keep."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter


class Experience(eqx.Module):
    """What a neuron is told: which synapses are active, what it should answer, what drives it, since when (h)."""

    presynaptic: Float[Array, "*many synapses"]
    teacher: Float[Array, "*many"]
    drive: Float[Array, "*many"]
    hours: Float[Array, "*many"]


class PlasticState(eqx.Module):
    """Activity x, early weights h, tags, and the weights that the neuron has kept by itself (all dimensionless)."""

    activity: Float[Array, ""]
    early: Float[Array, "synapses"]
    tag: Float[Array, "synapses"]
    kept: Float[Array, "synapses"]


class PlasticNeuron(StateMachine[PlasticState, Experience, Float[Array, ""]]):
    """Weights of three ages: `w = h + kept + z`. A teacher writes h by the delta rule; h fades, and tags with it.

    In `d` hours `h <- h e^(-d / tau_early)`, and the neuron keeps a share of what is lost:
    `kept <- kept + autonomy (1 - e^(-d / tau_early)) h`. Then `x <- e^(-d / persistence) x + (1 - t^2) w k + t + u`,
    and `y = tanh(gain x + bias)`. Where a teacher speaks (`t = 1` or `t = -1`),
    `h <- h + rate t^2 (t - w k) k / n`, within `±limit`, and synapses that this moves by more than about
    `tag_threshold` are tagged. The late weights z are parameters: the neuron cannot change them, but packets may
    (`Conversation`).

    Fields:
        late: z, `[synapses]`, dimensionless.
        gain, bias: of the answer, dimensionless.
        persistence_h: time constant of activity (h).
        rate: of the delta rule, dimensionless; 1 learns an association of keys of ±1 in one shot.
        autonomy: share of the early phase that the neuron keeps by itself, dimensionless.
        tau_early_h, tau_tag_h: time constants (h); 1.9 h is that of Luboeinski and Tetzlaff.
        tag_threshold, tag_width: change of a weight that tags it, and how sharp that is, dimensionless.
        limit: largest early weight, dimensionless.

    Input: `Experience` with `[synapses]` active synapses and scalars t, u, d. Output: y, a scalar.

    Reference: Luboeinski and Tetzlaff 2021, Communications Biology 4:275 (ages of weights); Frey and Morris 1997,
        Nature 385:533 (tags); Widrow and Hoff 1960, WESCON 96 (delta rule).
    """

    late: Float[Array, "synapses"] = parameter()
    gain: Scalar = parameter(1.0)
    bias: Scalar = parameter(0.0)
    persistence_h: Scalar = parameter(0.1, above=0.0, unit="h")
    rate: Scalar = parameter(1.0)
    autonomy: Scalar = parameter(0.0, at_least=0.0, at_most=1.0)
    tau_early_h: Scalar = parameter(1.9, above=0.0, unit="h")
    tau_tag_h: Scalar = parameter(1.9, above=0.0, unit="h")
    tag_threshold: Scalar = parameter(0.01, at_least=0.0)
    tag_width: Scalar = parameter(0.003, above=0.0)
    limit: Scalar = parameter(1.0, above=0.0)

    def init(self, key: PRNGKeyArray) -> PlasticState:
        """At rest, having learnt nothing."""
        none = jnp.zeros_like(self.late)
        return PlasticState(jnp.zeros_like(self.gain), none, none, none)

    def step(self, state: PlasticState, input: Experience) -> tuple[PlasticState, Float[Array, ""]]:
        """Time passes, then the neuron answers, then it learns."""
        left = jnp.exp(-input.hours / self.tau_early_h)
        early = left * state.early
        kept = state.kept + self.autonomy * (1 - left) * state.early
        tag = jnp.exp(-input.hours / self.tau_tag_h) * state.tag

        taught = input.teacher * input.teacher
        recalled = (early + kept + self.late) @ input.presynaptic
        activity = jnp.exp(-input.hours / self.persistence_h) * state.activity
        activity = activity + (1 - taught) * recalled + input.teacher + input.drive

        error = taught * (input.teacher - recalled)
        change = self.rate * error * input.presynaptic / input.presynaptic.shape[0]
        learnt = jnp.clip(early + change, -self.limit, self.limit)
        moved = jax.nn.sigmoid((jnp.abs(change) - self.tag_threshold) / self.tag_width)
        tag = 1 - (1 - tag) * (1 - taught * moved)
        return PlasticState(activity, learnt, tag, kept), jnp.tanh(self.gain * activity + self.bias)
