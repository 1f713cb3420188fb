"""The firing rate of a leaky integrate-and-fire neuron in white noise, and of networks of them."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Number = Float[Array, ""] | float

# The integrand grows up to the upper end, faster the nearer it is: panels halve towards it.
PANELS, NODES = 18, 12
_EDGES = np.append(1 - 0.5 ** np.arange(PANELS), 1.0)
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(NODES)
_HALVES = np.diff(_EDGES) / 2
PLACES = ((_EDGES[:-1] + _HALVES)[:, None] + _HALVES[:, None] * _POINTS).ravel()
SHARES = (_HALVES[:, None] * _WEIGHTS).ravel()

# `zeta(1/2) / sqrt(2 pi)`, with a minus: how far beyond threshold a walk of unit steps is, on average, when it is first
# seen there.
OVERSHOOT = 0.5825971579390107


def _log_integrand(u: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """`log(exp(u^2) (1 + erf u))`, without overflow."""
    above = jnp.maximum(u, 0)
    below = jnp.minimum(u, 0)
    rising = above * above + jnp.log1p(jax.scipy.special.erf(above))
    return jnp.where(u > 0, rising, jnp.log(jax.scipy.special.erfcx(-below)))


@jax.custom_jvp
def _log_integral(low: Float[Array, ""], high: Float[Array, ""]) -> Float[Array, ""]:
    """`log of the integral of exp(u^2) (1 + erf u) from low to high`."""
    width = high - low
    points = low + width * jnp.asarray(PLACES, width.dtype)
    top = _log_integrand(high)
    return top + jnp.log(width * (jnp.exp(_log_integrand(points) - top) @ jnp.asarray(SHARES, width.dtype)))


@_log_integral.defjvp
def _log_integral_jvp(
    primals: tuple[Float[Array, ""], Float[Array, ""]], tangents: tuple[Float[Array, ""], Float[Array, ""]]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    (low, high), (low_change, high_change) = primals, tangents
    total = _log_integral(low, high)
    change = jnp.exp(_log_integrand(high) - total) * high_change - jnp.exp(_log_integrand(low) - total) * low_change
    return total, change


@jax.jit
def siegert_rate(
    mean_mv: Number,
    deviation_mv: Number,
    *,
    tau_ms: Number = 20.0,
    threshold_mv: Number = 20.0,
    reset_mv: Number = 10.0,
    refractory_ms: Number = 2.0,
    dt_ms: Number = 0.0,
) -> Float[Array, ""]:
    """The rate of `tau dV = (mean - V) dt + deviation sqrt(2 tau) / sqrt(2) dW`, with threshold, reset and dead time.

    `1 / rate = t_ref + tau sqrt(pi) integral of exp(u^2) (1 + erf u) du` from `(V_r - mean) / deviation` to
    `(theta - mean) / deviation`. Differentiable in everything; computed by its logarithm, so that a rate too small for
    the number type is 0 with gradient 0.

    A simulation in steps of `dt_ms` sees the voltage at their ends alone and misses excursions between, as if theta
    were higher by `0.5826 deviation sqrt(dt / tau)`. With `dt_ms` this is the rate of such a simulation.

    Args:
        mean_mv: what the voltage would be on average without threshold, from rest 0 (mV).
        deviation_mv: `sqrt(2)` times the standard deviation it would have (mV), above 0.
        tau_ms: membrane time constant (ms).
        threshold_mv: theta (mV).
        reset_mv: V_r (mV), below theta.
        refractory_ms: t_ref (ms).
        dt_ms: step size of the simulation (ms); 0 for continuous time.

    Returns:
        The rate (Hz), a scalar.

    Reference: Siegert 1951, Physical Review 81:617; Ricciardi 1977, Diffusion Processes; Brunel 2000, Journal of
    Computational Neuroscience 8:183, eq. 21; steps: Chernoff and Petkau 1976, Annals of Probability 4:875.
    """
    mean, deviation = (jnp.asarray(x, jnp.result_type(float)) for x in (mean_mv, deviation_mv))
    shift = OVERSHOOT * deviation * _sqrt(dt_ms / jnp.asarray(tau_ms, mean.dtype))
    total = _log_integral((reset_mv - mean) / deviation, (threshold_mv + shift - mean) / deviation)
    # 1 / (t_ref + c e^L) = e^-L / (t_ref e^-L + c): nothing overflows when L is large.
    scale = jnp.exp(-total)
    return 1000 * scale / (refractory_ms * scale + tau_ms * math.sqrt(math.pi))


def _sqrt(x: Float[Array, ""]) -> Float[Array, ""]:
    """The square root, whose gradient at 0 is 0."""
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1)), 0)
