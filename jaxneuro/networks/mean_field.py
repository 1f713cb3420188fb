"""The rate at which a random network of integrate-and-fire neurons agrees with itself."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxneuro.networks.siegert import Number, siegert_rate

HALVINGS = 60


@jax.jit
def brunel_rate(
    relative_inhibition: Number,
    relative_drive: Number,
    *,
    excitatory_degree: Number = 1000.0,
    inhibitory_degree: Number = 250.0,
    jump_mv: Number = 0.1,
    tau_ms: Number = 20.0,
    threshold_mv: Number = 20.0,
    reset_mv: Number = 10.0,
    refractory_ms: Number = 2.0,
    dt_ms: Number = 0.0,
) -> Float[Array, ""]:
    """The rate at which Brunel's network agrees with its own input: `rate = siegert(mean, deviation)`.

    `mean = tau J (C_E (rate + rate_ext) - g C_I rate)`, `deviation^2 = tau J^2 (C_E (rate + rate_ext) + g^2 C_I rate)`,
    with `rate_ext = eta theta / (J C_E tau)`. Found by halving the range from 0 to `1 / t_ref`: where excitation
    prevails there are several solutions, of which this is one. Differentiable in everything, by the implicit function
    theorem.

    Args:
        relative_inhibition: g, the ratio of inhibitory to excitatory jumps.
        relative_drive: eta, the external rate in units of the one that reaches threshold on average.
        excitatory_degree: C_E, recurrent excitatory synapses on a neuron, and as many external ones.
        inhibitory_degree: C_I.
        jump_mv: J (mV).
        tau_ms: membrane time constant (ms).
        threshold_mv: theta (mV).
        reset_mv: V_r (mV).
        refractory_ms: t_ref (ms), above 0.
        dt_ms: step size of the simulation to predict (ms); 0 for continuous time.

    Returns:
        The rate (Hz), a scalar.

    Reference: Brunel 2000, Journal of Computational Neuroscience 8:183, eqs. 21 to 25.
    """
    external = 1000 * relative_drive * threshold_mv / (jump_mv * excitatory_degree * tau_ms)

    def answered(rate: Float[Array, ""]) -> Float[Array, ""]:
        excitation = excitatory_degree * (rate + external) * tau_ms / 1000
        inhibition = inhibitory_degree * rate * tau_ms / 1000
        mean = jump_mv * (excitation - relative_inhibition * inhibition)
        deviation = jump_mv * jnp.sqrt(excitation + relative_inhibition**2 * inhibition)
        return siegert_rate(
            mean,
            deviation,
            tau_ms=tau_ms,
            threshold_mv=threshold_mv,
            reset_mv=reset_mv,
            refractory_ms=refractory_ms,
            dt_ms=dt_ms,
        )

    def halve(_: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = (low + high) / 2
        above = jax.lax.stop_gradient(answered(middle)) > middle
        return jnp.where(above, middle, low), jnp.where(above, high, middle)

    ends = jnp.zeros(()), jax.lax.stop_gradient(jnp.asarray(1000 / refractory_ms, jnp.result_type(float)))
    root = jax.lax.stop_gradient(jax.lax.fori_loop(0, HALVINGS, halve, ends)[0])
    # One step of Newton's method: it has the gradient of the root.
    slope = jax.lax.stop_gradient(jax.grad(answered)(root))
    return root + (answered(root) - root) / (1 - slope)
