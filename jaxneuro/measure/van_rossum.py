"""The distance of van Rossum between spike trains, of lists of times and of trains on a grid."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def van_rossum(
    first_ms: Float[Array, "first"], second_ms: Float[Array, "second"], tau_ms: Float[Array, ""] | float
) -> Float[Array, ""]:
    """The squared distance `D^2 = 1/tau integral (f - g)^2 dt`, each spike a step up that decays with tau.

    With `f(t) = sum_i exp(-(t - s_i) / tau)`, the sum over spikes before t, the integral is
    `D^2 = 1/2 sum exp(-|s_i - s_j| / tau) + 1/2 sum exp(-|t_i - t_j| / tau) - sum exp(-|s_i - t_j| / tau)`.
    A spike too many costs 1/2; two spikes far apart cost 1.

    Args:
        first_ms: spike times, padded with infinity, in any order (ms).
        second_ms: those of the other train.
        tau_ms: time constant (ms), above 0.

    Returns:
        D^2, differentiable in the times and in tau; its square root is the distance.

    Reference: van Rossum 2001, Neural Computation 13:751, eq. 2.2.
    """
    times = jnp.concatenate([first_ms, second_ms])
    there = jnp.isfinite(times)
    signs = jnp.concatenate([jnp.ones_like(first_ms), -jnp.ones_like(second_ms)])
    weights, times = jnp.where(there, signs, 0), jnp.where(there, times, 0)
    apart = jnp.abs(times[:, None] - times[None]) / jnp.asarray(tau_ms, times.dtype)
    return jnp.maximum(weights @ jnp.exp(-apart) @ weights / 2, 0)


def van_rossum_of_trains(
    first: Float[Array, "steps neurons"],
    second: Float[Array, "steps neurons"],
    dt_ms: Float[Array, ""] | float,
    tau_ms: Float[Array, ""] | float,
) -> Float[Array, "neurons"]:
    """The same for spikes at the ends of steps, neuron by neuron; the time goes on for ever after the last step.

    Between spikes the difference d decays, so that a step adds `d^2 (1 - exp(-2 dt / tau)) / 2`, and the end `d^2 / 2`.

    Args:
        first: 1 on a spike, else 0.
        second: the other train.
        dt_ms: step size (ms).
        tau_ms: time constant (ms).

    Returns:
        D^2 of each neuron, differentiable in the trains.
    """
    ratio = jnp.asarray(dt_ms, first.dtype) / jnp.asarray(tau_ms, first.dtype)
    decay, share = jnp.exp(-ratio), -jnp.expm1(-2 * ratio) / 2

    def step(state: tuple[Array, Array], jump: Float[Array, "neurons"]) -> tuple[tuple[Array, Array], None]:
        difference, total = state
        return (difference * decay + jump, total + share * difference**2), None

    start = jnp.zeros_like(first[0])
    (difference, total), _ = jax.lax.scan(step, (start, start), first - second)
    return total + difference**2 / 2
