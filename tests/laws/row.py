"""A row of the table of the laws, and the inputs that rows share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import jaxneuro as jn


@dataclass(frozen=True)
class Row:
    """One machine under the laws.

    Attributes:
        name: how reports call it.
        build: makes the machine from a random key.
        inputs: `(generator, steps)` to the input of that many steps.
        smooth: whether finite differences in float64 can judge its gradients.
        order: highest derivative that finite differences judge; 2 only where it compiles quickly.
        distance: `(machine, state, input)` to the distance from threshold that the step meets, for a machine whose
            output is a surrogate spike.
        quick: whether the laws are held to it in the quick pass too; for one of many machines of the same nature not.
    """

    name: str
    build: Callable[[Array], jn.StateMachine]
    inputs: Callable[[np.random.Generator, int], Any]
    smooth: bool = False
    order: int = 1
    distance: Callable[[Any, Any, Any], Array] | None = None
    quick: bool = True


class SmoothSpike(jn.Surrogate):
    """The function whose true derivative is the arc tangent's kernel: a network of them has true gradients."""

    slope: Float[Array, ""] = jn.parameter(0.5, above=0.0)

    def kernel(self, distance):
        """The kernel of `ArcTangent`."""
        return jn.ArcTangent(self.slope).kernel(distance)

    def __call__(self, distance):
        """`arctan(pi slope u / 2) / pi + 1/2`."""
        return jnp.arctan(jnp.pi / 2 * self.slope * distance) / jnp.pi + 0.5


def floats(array):
    return jnp.asarray(array, jnp.result_type(float))


def vectors(*shape):
    return lambda generator, steps: floats(generator.normal(size=(steps, *shape)))


def currents(*shape):
    # Strong enough that a neuron at rest spikes within one step at the upper end, and is inhibited at the lower.
    return lambda generator, steps: floats(generator.uniform(-20, 140, size=(steps, *shape)))
