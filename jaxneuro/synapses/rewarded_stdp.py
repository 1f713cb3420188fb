"""Spike-timing-dependent plasticity that waits for a reward."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.synapses.firing import (
    Connections,
    Firing,
    check_weights,
    driven,
    faded,
    first_weights,
    marked,
    pairs,
    unmarked,
)


class RewardedFiring(eqx.Module):
    """The spikes of one step on both sides, and the dopamine released in it."""

    firing: Firing
    dopamine: Float[Array, "*time"]


class RewardedSTDPState(eqx.Module):
    """Weights, eligibility of each, traces of the spikes of both sides and dopamine, as the last step left them."""

    weights: Float[Array, "*synapses"]
    eligibility: Float[Array, "*synapses"]
    presynaptic: Float[Array, "inputs"]
    postsynaptic: Float[Array, "outputs"]
    dopamine: Float[Array, ""]


class RewardedSTDP(StateMachine[RewardedSTDPState, RewardedFiring, Float[Array, "outputs"]]):
    """Pairs of spikes make a synapse eligible, and dopamine changes the eligible: `w' = c d`.

    `c' = -c / tau_c` with jumps by `A_plus e^(-s / tau_plus)` or `-A_minus e^(s / tau_minus)` at each spike, as in
    `PairSTDP` of all pairs; `d' = -d / tau_d` with jumps by the dopamine released. The step of length dt integrates the
    product exactly: `w <- w + c d (1 - e^(-k dt)) / k`, `k = 1 / tau_c + 1 / tau_d`. The drive is `y = W x` with the
    weights from before the step.

    Fields:
        weights: W at first, `[outputs, inputs]` or a `Sparse`, in the unit of what they feed; 0 to `largest`.
        potentiation, depression: A_plus and A_minus, in that unit per unit of dopamine times second.
        tau_plus_ms, tau_minus_ms: the lengths of the window (ms).
        tau_eligibility_ms, tau_dopamine_ms: tau_c, tau_d (ms).
        largest: the upper bound of a weight.
        dt_ms: step size (ms).

    Input: `RewardedFiring`, `[inputs]`, `[outputs]` and a scalar. Output: the drive, `[outputs]`.

    Reference: Izhikevich 2007, Cerebral Cortex 17:2443, eqs. 1 to 3; window: Figure 1.
    """

    weights: Connections = parameter(at_least=0.0)
    potentiation: Scalar = parameter(0.1, at_least=0.0)
    depression: Scalar = parameter(0.15, at_least=0.0)
    tau_plus_ms: Scalar = parameter(20.0, above=0.0, unit="ms")
    tau_minus_ms: Scalar = parameter(20.0, above=0.0, unit="ms")
    tau_eligibility_ms: Scalar = parameter(1000.0, above=0.0, unit="ms")
    tau_dopamine_ms: Scalar = parameter(200.0, above=0.0, unit="ms")
    largest: Scalar = parameter(4.0, above=0.0)
    dt_ms: Scalar = parameter(1.0, above=0.0, unit="ms")

    def __check_init__(self) -> None:
        check_weights("RewardedSTDP", first_weights(self.weights), self.largest)

    def init(self, key: PRNGKeyArray) -> RewardedSTDPState:
        """The first weights; no spikes and no dopamine so far."""
        weights, (before, behind) = first_weights(self.weights), unmarked(self.weights)
        return RewardedSTDPState(weights, jnp.zeros_like(weights), before, behind, jnp.zeros_like(self.tau_dopamine_ms))

    def step(
        self, state: RewardedSTDPState, input: RewardedFiring
    ) -> tuple[RewardedSTDPState, Float[Array, "outputs"]]:
        """The drive; spikes and dopamine arrive, then the step's time passes for eligibility, dopamine and weights."""
        firing = input.firing
        before = faded(state.presynaptic, self.dt_ms, self.tau_plus_ms)
        behind = faded(state.postsynaptic, self.dt_ms, self.tau_minus_ms)
        up = self.potentiation * pairs(self.weights, firing.postsynaptic, before)
        eligibility = state.eligibility + up - self.depression * pairs(self.weights, behind, firing.presynaptic)
        dopamine = state.dopamine + input.dopamine
        rate = 1 / self.tau_eligibility_ms + 1 / self.tau_dopamine_ms
        seconds = -jnp.expm1(-rate * self.dt_ms) / rate / 1000
        weights = jnp.clip(state.weights + eligibility * dopamine * seconds, 0, self.largest)
        eligibility = eligibility * jnp.exp(-self.dt_ms / self.tau_eligibility_ms)
        dopamine = dopamine * jnp.exp(-self.dt_ms / self.tau_dopamine_ms)
        before, behind = marked(before, firing.presynaptic, "all"), marked(behind, firing.postsynaptic, "all")
        return (
            RewardedSTDPState(weights, eligibility, before, behind, dopamine),
            driven(self.weights, state.weights, firing.presynaptic),
        )
