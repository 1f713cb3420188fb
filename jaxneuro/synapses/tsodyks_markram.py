"""Short-term plasticity: resources that spikes use up, and a use that spikes raise."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter


class TsodyksMarkramState(eqx.Module):
    """The share of resources that a spike uses, and the share that is available; just after the last step's spike."""

    use: Float[Array, ""]
    resources: Float[Array, ""]


class TsodyksMarkram(StateMachine[TsodyksMarkramState, Float[Array, ""], Float[Array, ""]]):
    """The terminal of one presynaptic neuron: `u' = -u / tau_F`, `x' = (1 - x) / tau_D` between spikes.

    At a spike first `u <- u + U (1 - u)`, then `r = u x` is released and `x <- x - r`. Between spikes the step is
    exact. Regular spikes at the rate f lead to `u = U / (1 - (1 - U) e^(-1 / (f tau_F)))` and
    `x = (1 - e^(-1 / (f tau_D))) / (1 - (1 - u) e^(-1 / (f tau_D)))` at each spike. Release is what then travels over
    connections in the place of the spike: `Chain(Population(TsodyksMarkram(), inputs, shared=True), connections, ...)`.

    Fields:
        tau_facilitation_ms: tau_F (ms); 0 for none: then `u = U`.
        tau_recovery_ms: tau_D (ms).
        release: U, the share that a first spike uses, dimensionless.
        dt_ms: step size (ms).

    Input: 1.0 for a spike at the start of the step, else 0.0, a scalar. Output: r, 0 to 1.

    Reference: Markram, Wang and Tsodyks 1998, PNAS 95:5323; Tsodyks, Pawelzik and Markram 1998, Neural
    Computation 10:821.
    """

    tau_facilitation_ms: Scalar = parameter(0.0, at_least=0.0, unit="ms")
    tau_recovery_ms: Scalar = parameter(800.0, above=0.0, unit="ms")
    release: Scalar = parameter(0.5, above=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")

    def init(self, key: PRNGKeyArray) -> TsodyksMarkramState:
        """Rested: all resources available."""
        return TsodyksMarkramState(jnp.zeros_like(self.release), jnp.ones_like(self.release))

    def step(self, state: TsodyksMarkramState, input: Float[Array, ""]) -> tuple[TsodyksMarkramState, Float[Array, ""]]:
        """The last step's time passes, then the spike comes."""
        use = forgotten(self.dt_ms, self.tau_facilitation_ms) * state.use
        resources = 1 + (state.resources - 1) * jnp.exp(-self.dt_ms / self.tau_recovery_ms)
        use = use + self.release * (1 - use) * input
        released = use * resources * input
        return TsodyksMarkramState(use, resources - released), released


def forgotten(dt_ms: Float[Array, ""], tau_ms: Float[Array, ""]) -> Float[Array, ""]:
    """`e^(-dt / tau)`, and 0 for a time constant of 0.

    Args:
        dt_ms: the step (ms).
        tau_ms: the time constant (ms).

    Returns:
        What is left.
    """
    some = tau_ms > 0
    return jnp.where(some, jnp.exp(-dt_ms / jnp.where(some, tau_ms, 1)), 0)
