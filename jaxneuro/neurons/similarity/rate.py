"""The graded similarity unit: the perceptron's successor with a smooth threshold."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxneuro.machine import Scalar, Stateless, parameter


class Rate(Stateless[Float[Array, ""], Float[Array, ""]]):
    """A rate neuron: `y = tanh(gain (u - threshold))`, where u is the weighted sum that its synapses deliver.

    Joined to itself by `Feedback` through `Dense` synapses, a population of them is the simple recurrent network of
    Elman. All quantities dimensionless.

    Fields:
        gain: slope at threshold.
        threshold: the drive at which the output is 0.

    Input: u, a scalar. Output: y, a scalar.

    Reference: Elman 1990, Cognitive Science 14:179; Rumelhart, Hinton and Williams 1986, Nature 323:533, eq. 2 (a
    squashing function of the dot product).
    """

    gain: Scalar = parameter(1.0)
    threshold: Scalar = parameter(0.0)

    def respond(self, input: Float[Array, ""]) -> Float[Array, ""]:
        """`tanh(gain (u - threshold))`."""
        return jnp.tanh(self.gain * (input - self.threshold))
