"""Between a layer of synapses and neurons that take several numbers each."""

import equinox as eqx
from jaxtyping import Array, Float

from jaxneuro.machine import Stateless


class Fold(Stateless[Float[Array, "currents"], Float[Array, "neurons places"]]):
    """Currents, neuron by neuron: `y_(i, k) = x_(i K + k)` for K = `places` of each neuron.

    Input: `[neurons places]`. Output: `[neurons, places]`, in the units of the input.

    Fields:
        places: numbers that a neuron takes.

    Reference: Poirazi and Mel 2001, Neuron 29:779 (a neuron of several subunits, each with synapses of its own).
    """

    places: int = eqx.field(static=True)

    def __check_init__(self) -> None:
        if self.places < 1:
            raise ValueError(f"Fold got places={self.places}; it must be at least 1.")

    def respond(self, input: Float[Array, "currents"]) -> Float[Array, "neurons places"]:
        """The same numbers."""
        return input.reshape(-1, self.places)


class Total(Stateless[Float[Array, "neurons ..."], Float[Array, "neurons"]]):
    """What each neuron puts out, wherever in it that comes from: `y_i = sum over k of x_(i, k)`.

    Input: `[neurons, places]`, or `[neurons]`, which stays as it is. Output: `[neurons]`, in the units of the input.

    Reference: Poirazi and Mel 2001, Neuron 29:779.
    """

    def respond(self, input: Float[Array, "neurons ..."]) -> Float[Array, "neurons"]:
        """One number per neuron."""
        return input.reshape(len(input), -1).sum(axis=1)
