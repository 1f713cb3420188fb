"""Plasticity by calcium: thresholds for depression and potentiation, and two stable efficacies."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.synapses.calcium import deviation, time_above
from jaxneuro.synapses.firing import Firing, faded


class CalciumPlasticityState(eqx.Module):
    """Efficacies, calcium of both origins, presynaptic spikes under way, their place for the present step, random key.

    Calcium and efficacy are dimensionless. Calcium of a synapse is the sum of both origins.
    """

    efficacy: Float[Array, "outputs inputs"]
    presynaptic: Float[Array, "inputs"]
    postsynaptic: Float[Array, "outputs"]
    under_way: Float[Array, "delay_steps inputs"]
    position: Int[Array, ""]
    key: PRNGKeyArray


class CalciumPlasticity(StateMachine[CalciumPlasticityState, Firing, Float[Array, "outputs"]]):
    """Efficacy between 0 and 1 that calcium c moves: `tau rho' = -rho (1 - rho) (rho* - rho) + P - D + noise`.

    `P = gamma_p (1 - rho)` while `c > theta_p`, `D = gamma_d rho` while `c > theta_d`, and the noise is
    `sigma sqrt(tau (H(c - theta_p) + H(c - theta_d)))` times white noise. c jumps by C_post at a postsynaptic spike, by
    C_pre a delay after a presynaptic one, and decays exponentially. In each step the times above the thresholds are
    exact, and so are P and D over them; the cubic term, far slower, takes an Euler step. The drive is `y = W x`,
    `W = weak + (strong - weak) rho`, with rho from before the step, and held in 0 to 1.

    The cubic term's change in one step is less than float32 resolves: where it matters use float64 or long steps.

    Fields:
        efficacy: rho at first, `[outputs, inputs]`, dimensionless.
        delay_steps: the delay of presynaptic calcium in steps, at least 1 (13.7 ms in the paper).
        weak, strong: the weights at efficacy 0 and 1, in the unit of what they feed.
        presynaptic_calcium, postsynaptic_calcium: C_pre, C_post.
        depression_threshold, potentiation_threshold: theta_d, theta_p.
        depression, potentiation: gamma_d, gamma_p.
        noise: sigma.
        unstable: rho*, the efficacy between the two stable ones.
        tau_calcium_ms: time constant of calcium (ms).
        tau_ms: tau (ms).
        dt_ms: step size (ms).

    Input: `Firing`, `[inputs]` and `[outputs]`. Output: the drive, `[outputs]`.

    The defaults are the paper's set DP: depression when the postsynaptic spike comes first, else potentiation.

    Reference: Graupner and Brunel 2012, PNAS 109:3991, eq. 1 and the supplement's table of parameters.
    """

    efficacy: Float[Array, "outputs inputs"] = parameter(at_least=0.0, at_most=1.0)
    delay_steps: int = eqx.field(static=True, default=137)
    weak: Scalar = parameter(1.0, at_least=0.0)
    strong: Scalar = parameter(5.0, at_least=0.0)
    presynaptic_calcium: Scalar = parameter(1.0, at_least=0.0)
    postsynaptic_calcium: Scalar = parameter(2.0, at_least=0.0)
    depression_threshold: Scalar = parameter(1.0, above=0.0)
    potentiation_threshold: Scalar = parameter(1.3, above=0.0)
    depression: Scalar = parameter(200.0, above=0.0)
    potentiation: Scalar = parameter(321.808, above=0.0)
    noise: Scalar = parameter(2.8284, at_least=0.0)
    unstable: Scalar = parameter(0.5, above=0.0, at_most=1.0)
    tau_calcium_ms: Scalar = parameter(20.0, above=0.0, unit="ms")
    tau_ms: Scalar = parameter(150_000.0, above=0.0, unit="ms")
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")

    def __check_init__(self) -> None:
        if self.delay_steps < 1:
            raise ValueError(f"CalciumPlasticity got delay_steps={self.delay_steps}; it must be at least 1.")

    def init(self, key: PRNGKeyArray) -> CalciumPlasticityState:
        """The first efficacies; no calcium, and no spikes under way."""
        (outputs, inputs), dtype = self.efficacy.shape, self.efficacy.dtype
        return CalciumPlasticityState(
            self.efficacy,
            jnp.zeros(inputs, dtype),
            jnp.zeros(outputs, dtype),
            jnp.zeros((self.delay_steps, inputs), dtype),
            jnp.zeros((), jnp.int32),
            key,
        )

    def step(
        self, state: CalciumPlasticityState, input: Firing
    ) -> tuple[CalciumPlasticityState, Float[Array, "outputs"]]:
        """The drive; calcium arrives, then the step's time passes."""
        at = state.position
        before = state.presynaptic + self.presynaptic_calcium * state.under_way[at]
        behind = state.postsynaptic + self.postsynaptic_calcium * input.postsynaptic
        calcium = behind[:, None] + before[None]
        key, draw = jax.random.split(state.key)
        # Of single precision whatever the machine's: another precision would draw other numbers.
        normal = jax.random.normal(draw, calcium.shape, jnp.float32).astype(calcium.dtype)
        efficacy = self._moved(state.efficacy, calcium, normal)
        before, behind = (faded(trace, self.dt_ms, self.tau_calcium_ms) for trace in (before, behind))
        under_way = state.under_way.at[at].set(input.presynaptic)
        after = CalciumPlasticityState(efficacy, before, behind, under_way, (at + 1) % self.delay_steps, key)
        return after, input.presynaptic @ self.weights(state).T

    def weights(self, state: CalciumPlasticityState) -> Float[Array, "outputs inputs"]:
        """`weak + (strong - weak) rho`, with what noise brought below 0 or above 1 held there."""
        return self.weak + (self.strong - self.weak) * jnp.clip(state.efficacy, 0, 1)

    def _moved(self, rho: Array, calcium: Array, normal: Array) -> Array:
        up = time_above(calcium, self.potentiation_threshold, self.tau_calcium_ms, self.dt_ms)
        down = time_above(calcium, self.depression_threshold, self.tau_calcium_ms, self.dt_ms)
        both = jnp.minimum(up, down)
        total = self.potentiation + self.depression
        target = self.potentiation / total
        moved = target + (rho - target) * jnp.exp(-total * both / self.tau_ms)
        # Of what is left after the time above both thresholds, one is 0.
        moved = moved * jnp.exp(-self.depression * (down - both) / self.tau_ms)
        moved = 1 - (1 - moved) * jnp.exp(-self.potentiation * (up - both) / self.tau_ms)
        drift = -rho * (1 - rho) * (self.unstable - rho) * self.dt_ms / self.tau_ms
        return moved + drift + self.noise * deviation((up + down) / self.tau_ms) * normal
