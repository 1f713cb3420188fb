"""Input from outside: many independent Poisson trains on every neuron."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter


class PoissonState(eqx.Module):
    """The random key of the next step."""

    key: PRNGKeyArray


class PoissonSource(StateMachine[PoissonState, Float[Array, "neurons"] | Float[Array, ""], Float[Array, "neurons"]]):
    """Numbers of spikes in a step, `P(n = k) = m^k exp(-m) / k!`, `m = (rate + input) dt / 1000`, for each neuron.

    The sum of c independent trains of rate r is one of rate `c r`. Drawn from one random number each, which is compared
    with the probabilities of at most 0, 1, 2, ... spikes; numbers above `most` become `most`. There is no gradient.

    Fields:
        rate_hz: of each neuron (Hz), a scalar.
        dt_ms: step size (ms).
        size: number of neurons.
        most: the largest number of spikes; `m + 6 sqrt(m) + 6` is ample.

    Input: what is added to the rate (Hz), a scalar or `[neurons]`. Output: numbers of spikes, `[neurons]`.

    Reference: Kingman 1993, Poisson Processes, section 1.2 and the superposition theorem of section 2.2.
    """

    rate_hz: Scalar = parameter(10.0, at_least=0.0, unit="Hz")
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")
    size: int = eqx.field(static=True, default=1)
    most: int = eqx.field(static=True, default=8)

    def __check_init__(self) -> None:
        if self.size < 1 or self.most < 1:
            raise ValueError(f"PoissonSource got size={self.size}, most={self.most}; both must be at least 1.")

    def init(self, key: PRNGKeyArray) -> PoissonState:
        """The key given."""
        return PoissonState(key)

    def step(
        self, state: PoissonState, input: Float[Array, "neurons"] | Float[Array, ""]
    ) -> tuple[PoissonState, Float[Array, "neurons"]]:
        """One number for each neuron, by inversion of the distribution function."""
        key, draw = jax.random.split(state.key)
        mean = jnp.broadcast_to(jax.lax.stop_gradient((self.rate_hz + input) * self.dt_ms / 1000), (self.size,))
        mean = jnp.maximum(mean, 0)
        # Half precision knows too few numbers; and a key gives the same spikes in single and in double precision.
        mean, uniform = mean.astype(jnp.float32), jax.random.uniform(draw, (self.size,), jnp.float32)
        term = jnp.exp(-mean)
        at_most, count = term, jnp.zeros_like(mean)
        for number in range(1, self.most + 1):
            count += (uniform >= at_most).astype(jnp.float32)
            term = term * mean / number
            at_most += term
        return PoissonState(key), count.astype(self.rate_hz.dtype)
