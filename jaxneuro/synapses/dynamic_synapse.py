"""The dynamic synapse: transmitter that is ready, at work or used up."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import relayed
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.synapses.tsodyks_markram import forgotten


class DynamicSynapseState(eqx.Module):
    """The share that a spike uses, and the shares that are at work and used up; just after the last step's spike."""

    use: Float[Array, ""]
    active: Float[Array, ""]
    inactive: Float[Array, ""]


class DynamicSynapse(StateMachine[DynamicSynapseState, Float[Array, ""], Float[Array, ""]]):
    """A synapse whose transmitter goes round: recovered x, active y, inactive z, `x + y + z = 1`, `I = weight y`.

    `y' = -y / tau_in`, `z' = y / tau_in - z / tau_rec`, `u' = -u / tau_F` between spikes, by the exact propagator; at a
    spike first `u <- u + U (1 - u)`, then `y <- y + u x` with x from before the spike.

    Fields:
        weight: the current when all transmitter is active, in the neuron's unit (pA in the paper).
        tau_active_ms: tau_in, how long transmitter acts (ms).
        tau_recovery_ms: tau_rec (ms).
        tau_facilitation_ms: tau_F (ms); 0 for none: then `u = U`.
        release: U, dimensionless.
        dt_ms: step size (ms).

    Input: 1.0 for a spike at the start of the step, else 0.0, a scalar. Output: I at the start of the step.

    The defaults are the depressing synapse of the paper's figure 1A. The facilitating one of figure 1B: weight 1540,
    tau_active 1.5, tau_recovery 130, tau_facilitation 530, release 0.03.

    Reference: Tsodyks, Pawelzik and Markram 1998, Neural Computation 10:821, section 2 and figure 1.
    """

    weight: Scalar = parameter(250.0)
    tau_active_ms: Scalar = parameter(3.0, above=0.0, unit="ms")
    tau_recovery_ms: Scalar = parameter(800.0, above=0.0, unit="ms")
    tau_facilitation_ms: Scalar = parameter(0.0, at_least=0.0, unit="ms")
    release: Scalar = parameter(0.6, above=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")

    def init(self, key: PRNGKeyArray) -> DynamicSynapseState:
        """Rested: all transmitter recovered."""
        zero = jnp.zeros_like(self.release)
        return DynamicSynapseState(zero, zero, zero)

    def step(self, state: DynamicSynapseState, input: Float[Array, ""]) -> tuple[DynamicSynapseState, Float[Array, ""]]:
        """The last step's time passes, then the spike comes."""
        use = forgotten(self.dt_ms, self.tau_facilitation_ms) * state.use
        arrived = relayed(self.dt_ms, self.tau_active_ms, self.tau_recovery_ms) / self.tau_active_ms
        inactive = state.inactive * jnp.exp(-self.dt_ms / self.tau_recovery_ms) + arrived * state.active
        active = state.active * jnp.exp(-self.dt_ms / self.tau_active_ms)
        use = use + self.release * (1 - use) * input
        active = active + use * (1 - active - inactive) * input
        return DynamicSynapseState(use, active, inactive), self.weight * active
