"""Input from outside: normal numbers, held for some steps each."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter


class NoiseState(eqx.Module):
    """The random key of the next numbers, the present ones, and the steps that they still hold."""

    key: PRNGKeyArray
    unit: Float[Array, "neurons"]
    left: Int[Array, ""]


class NormalNoise(StateMachine[NoiseState, Float[Array, "neurons"] | Float[Array, ""], Float[Array, "neurons"]]):
    """Normal noise: `y = input + deviation z`, z of mean 0 and variance 1, drawn for each neuron every `hold` steps.

    Fields:
        deviation: dimensionless, or in the unit of what it feeds, a scalar.
        size: number of neurons.
        hold: steps for which a number stays.

    Input: the mean, a scalar or `[neurons]`. Output: `[neurons]`.

    Reference: the thalamic input of Izhikevich 2003, IEEE Transactions on Neural Networks 14:1569, section III.
    """

    deviation: Scalar = parameter(1.0, at_least=0.0)
    size: int = eqx.field(static=True, default=1)
    hold: int = eqx.field(static=True, default=1)

    def __check_init__(self) -> None:
        if self.size < 1 or self.hold < 1:
            raise ValueError(f"NormalNoise got size={self.size}, hold={self.hold}; both must be at least 1.")

    def init(self, key: PRNGKeyArray) -> NoiseState:
        """The key given; numbers come with the first step."""
        return NoiseState(key, jnp.zeros(self.size, self.deviation.dtype), jnp.zeros((), jnp.int32))

    def step(
        self, state: NoiseState, input: Float[Array, "neurons"] | Float[Array, ""]
    ) -> tuple[NoiseState, Float[Array, "neurons"]]:
        """New numbers if the old ones have held long enough."""
        old = state.left > 0
        key, draw = jax.random.split(state.key)
        # In single precision always: a key gives the same noise whatever the precision of the machine.
        drawn = jax.random.normal(draw, (self.size,), jnp.float32).astype(self.deviation.dtype)
        unit = jnp.where(old, state.unit, drawn)
        left = jnp.where(old, state.left, self.hold) - 1
        return NoiseState(key, unit, left), input + self.deviation * unit
