"""The activation that an integrate-and-fire neuron computes in a few steps of time: clipped, rounded down, shifted."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxneuro.machine import Scalar, Stateless, parameter


class ClippedSteps(Stateless[Float[Array, "*neurons"], Float[Array, "*neurons"]]):
    """Quantisation, clip, floor, shift: `y = lambda clip(floor(x L / lambda + 1/2) / L, 0, 1)`.

    The gradient goes straight through the floor: `dy/dx = 1` where the clip does not hold, else 0; `dy/dlambda` is
    `(y - x) / lambda` there, 1 above, 0 below.

    Fields:
        ceiling: lambda, the highest value; trained with the weights.
        levels: L, how many steps there are up to it.
        rounding: 1 rounds down to whole levels, 0 leaves the ramp whose gradient it has in both cases.

    Input and output `[*neurons]`, of any shape; all quantities dimensionless.

    Reference: Bu et al. 2022, arXiv:2303.04347, eq. 14 (the shift of 1/2 makes the expected conversion error vanish).
    """

    ceiling: Scalar = parameter(1.0, above=0.0)
    levels: Scalar = parameter(4.0, at_least=1.0)
    rounding: Scalar = parameter(1.0, at_least=0.0, at_most=1.0)

    def respond(self, input: Float[Array, "*neurons"]) -> Float[Array, "*neurons"]:
        """`lambda clip(floor(x L / lambda + 1/2) / L, 0, 1)`."""
        ramp = input * self.levels / self.ceiling + 0.5
        level = ramp + self.rounding * jax.lax.stop_gradient(jnp.floor(ramp) - ramp)
        # By the ramp, not by the level: a level of 0 is on the clip's border, where its slope would be a half.
        share = jnp.where(ramp < 0, 0, jnp.where(ramp < self.levels, level / self.levels, 1))
        return self.ceiling * share
