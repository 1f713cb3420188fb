"""Each neuron to the one of the same number."""

from jaxtyping import Array, Float

from jaxneuro.machine import Numbers, Stateless, parameter


class OneToOne(Stateless[Float[Array, "neurons"], Float[Array, "neurons"]]):
    """Synapses from neuron i to neuron i: `y_i = w_i x_i`.

    Fields:
        weights: one scalar for all, or `[neurons]`; dimensionless, or in the unit of what the synapses feed.

    Input and output: `[neurons]`.

    Reference: rules of connection and their names, Senk et al. 2022, PLOS Computational Biology 18:e1010086.
    """

    weights: Numbers = parameter(1.0)

    def respond(self, input: Float[Array, "neurons"]) -> Float[Array, "neurons"]:
        """`w x`."""
        return self.weights * input
