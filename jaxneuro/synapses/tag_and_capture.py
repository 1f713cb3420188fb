"""Synaptic tagging and capture: what is learnt in seconds, and what is kept for days."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.synapses.calcium import deviation, time_above
from jaxneuro.synapses.firing import Firing


class Episode(eqx.Module):
    """Spikes, and how long nothing else happens from then on (ms).

    Presynaptic spikes are those whose calcium arrives, 18.8 ms after the spike in the paper.
    """

    firing: Firing
    duration_ms: Float[Array, "*time"]


class TagAndCaptureState(eqx.Module):
    """Early weights h (mV), late weights z, proteins p of each neuron, calcium of both origins, and the random key.

    All but h are dimensionless. Calcium of a synapse is the sum of both origins.
    """

    early_mv: Float[Array, "outputs inputs"]
    late: Float[Array, "outputs inputs"]
    protein: Float[Array, "outputs"]
    presynaptic: Float[Array, "inputs"]
    postsynaptic: Float[Array, "outputs"]
    key: PRNGKeyArray


class TagAndCapture(StateMachine[TagAndCaptureState, Episode, Float[Array, "outputs"]]):
    """Weights `w = h + h0 z`: calcium moves h, which is forgotten in hours; tags and proteins move z, which stays.

    `tau_h h' = 0.1 (h0 - h) + gamma_p (10 mV - h) H(c - theta_p) - gamma_d h H(c - theta_d) + noise`, with noise
    `sigma sqrt(tau_h (H(c - theta_p) + H(c - theta_d)))` times white noise; c decays and jumps at spikes. Synapses with
    `|h - h0| > theta_tag` are tagged; neurons with `sum |h - h0| > theta_pro` make proteins,
    `tau_p p' = -p + alpha H(sum |h - h0| - theta_pro)`. Tagged synapses capture them: `tau_z z' = p (1 - z)` where
    h > h0, `tau_z z' = -p (z + 0.5)` where h < h0.

    A step is as long as its input says, milliseconds or hours: h is exact (its noise in law), with the times at which
    calcium crosses its thresholds in closed form; so are the times at which tags and protein synthesis end, and p and z
    up to them. What is neglected is that h still moves in the part of a second that calcium stays high, when tags and
    proteins are those of the end of it. A silence is one step.

    Fields:
        early_mv: h at first, `[outputs, inputs]` (mV).
        baseline_mv: h0 (mV).
        ceiling_mv: 10 mV, to which potentiation leads.
        tau_early_ms, tau_late_ms, tau_protein_ms, tau_calcium_ms: tau_h, tau_z, tau_p and that of calcium (ms).
        forgetting: 0.1, so that h - h0 decays with tau_h / 0.1 = 6884 s.
        potentiation, depression: gamma_p, gamma_d.
        potentiation_threshold, depression_threshold: theta_p, theta_d of calcium, theta_d the lower.
        presynaptic_calcium, postsynaptic_calcium: the jumps of c.
        tag_mv, protein_mv: theta_tag, theta_pro (mV), 0.2 and 0.5 h0.
        synthesis: alpha; 0 blocks protein synthesis.
        noise_mv: sigma (mV).

    Input: `Episode`, `[inputs]`, `[outputs]` and a scalar in ms. Output: the drive `y = W x` (mV), `[outputs]`, with
    the weights from before the step.

    Reference: Luboeinski and Tetzlaff 2021, Communications Biology 4:275, Methods; early phase: Graupner and Brunel
    2012, PNAS 109:3991; tagging: Frey and Morris 1997, Nature 385:533.
    """

    early_mv: Float[Array, "outputs inputs"] = parameter(at_least=0.0, unit="mV")
    baseline_mv: Scalar = parameter(4.20075, above=0.0, unit="mV")
    ceiling_mv: Scalar = parameter(10.0, above=0.0, unit="mV")
    tau_early_ms: Scalar = parameter(688_400.0, above=0.0, unit="ms")
    tau_late_ms: Scalar = parameter(3_600_000.0, above=0.0, unit="ms")
    tau_protein_ms: Scalar = parameter(3_600_000.0, above=0.0, unit="ms")
    tau_calcium_ms: Scalar = parameter(48.8, above=0.0, unit="ms")
    forgetting: Scalar = parameter(0.1, above=0.0)
    potentiation: Scalar = parameter(1645.6, at_least=0.0)
    depression: Scalar = parameter(313.1, at_least=0.0)
    potentiation_threshold: Scalar = parameter(3.0, above=0.0)
    depression_threshold: Scalar = parameter(1.2, above=0.0)
    presynaptic_calcium: Scalar = parameter(1.0, at_least=0.0)
    postsynaptic_calcium: Scalar = parameter(0.2758, at_least=0.0)
    tag_mv: Scalar = parameter(0.840149, above=0.0, unit="mV")
    protein_mv: Scalar = parameter(2.10037, above=0.0, unit="mV")
    synthesis: Scalar = parameter(1.0, at_least=0.0)
    noise_mv: Scalar = parameter(0.290436, at_least=0.0, unit="mV")

    def __check_init__(self) -> None:
        lower, upper = self.depression_threshold, self.potentiation_threshold
        concrete = not isinstance(lower, Tracer) and not isinstance(upper, Tracer) and lower.size == upper.size == 1
        if concrete and bool(lower > upper):
            raise ValueError(
                f"TagAndCapture got depression_threshold={float(lower):g} above "
                f"potentiation_threshold={float(upper):g}; it must be the lower."
            )

    def init(self, key: PRNGKeyArray) -> TagAndCaptureState:
        """The first early weights; no late ones, proteins or calcium."""
        (outputs, inputs), dtype = self.early_mv.shape, self.early_mv.dtype
        behind, before = jnp.zeros(outputs, dtype), jnp.zeros(inputs, dtype)
        return TagAndCaptureState(self.early_mv, jnp.zeros_like(self.early_mv), behind, before, behind, key)

    def step(self, state: TagAndCaptureState, input: Episode) -> tuple[TagAndCaptureState, Float[Array, "outputs"]]:
        """The drive; calcium arrives, then the time passes."""
        firing, duration = input.firing, input.duration_ms
        before = state.presynaptic + self.presynaptic_calcium * firing.presynaptic
        behind = state.postsynaptic + self.postsynaptic_calcium * firing.postsynaptic
        calcium = behind[:, None] + before[None]
        key, draw = jax.random.split(state.key)
        # Of single precision whatever the machine's: another precision would draw other numbers.
        normal = jax.random.normal(draw, calcium.shape, jnp.float32).astype(calcium.dtype)
        changed, quiet = self._while_calcium_is_high(state.early_mv, calcium, duration, normal)
        away = changed - self.baseline_mv
        late, protein = self._captured(state, away, duration)
        early = self.baseline_mv + away * jnp.exp(-self.forgetting * quiet / self.tau_early_ms)
        fade = jnp.exp(-duration / self.tau_calcium_ms)
        after = TagAndCaptureState(early, late, protein, fade * before, fade * behind, key)
        return after, firing.presynaptic @ self.weights(state).T

    def weights(self, state: TagAndCaptureState) -> Float[Array, "outputs inputs"]:
        """`h + h0 z` (mV)."""
        return state.early_mv + self.baseline_mv * state.late

    def _while_calcium_is_high(self, h: Array, calcium: Array, duration: Array, normal: Array) -> tuple[Array, Array]:
        """H when calcium has fallen below both thresholds, and the time that is left of the step."""
        above_both = time_above(calcium, self.potentiation_threshold, self.tau_calcium_ms, duration)
        above_one = time_above(calcium, self.depression_threshold, self.tau_calcium_ms, duration)
        variance = jnp.zeros_like(h)
        for time, potentiation, sources in ((above_both, self.potentiation, 2), (above_one - above_both, 0, 1)):
            total = self.forgetting + potentiation + self.depression
            target = (self.forgetting * self.baseline_mv + potentiation * self.ceiling_mv) / total
            elapsed = total * time / self.tau_early_ms
            h = target + (h - target) * jnp.exp(-elapsed)
            added = -sources * self.noise_mv**2 * jnp.expm1(-2 * elapsed) / (2 * total)
            variance = variance * jnp.exp(-2 * elapsed) + added
        return h + deviation(variance) * normal, duration - above_one

    def _captured(self, state: TagAndCaptureState, away: Array, duration: Array) -> tuple[Array, Array]:
        """Z and p after the step, from h - h0."""
        tau_forgetting = self.tau_early_ms / self.forgetting
        tagged = time_above(jnp.abs(away), self.tag_mv, tau_forgetting, duration)
        making = time_above(jnp.abs(away).sum(axis=1), self.protein_mv, tau_forgetting, duration)
        made = self.synthesis + (state.protein - self.synthesis) * jnp.exp(-making / self.tau_protein_ms)
        protein = made * jnp.exp(-(duration - making) / self.tau_protein_ms)

        # The integral of p over the time that a synapse is tagged.
        during = jnp.minimum(tagged, making[:, None])
        relaxed = -jnp.expm1(-during / self.tau_protein_ms) * (state.protein - self.synthesis)[:, None]
        fallen = -jnp.expm1(-(tagged - during) / self.tau_protein_ms) * made[:, None]
        captured = self.synthesis * during + self.tau_protein_ms * (relaxed + fallen)
        limit = jnp.where(away > 0, 1.0, -0.5).astype(away.dtype)
        return limit + (state.late - limit) * jnp.exp(-captured / self.tau_late_ms), protein
