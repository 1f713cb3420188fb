"""The delta synapse: all charge at once."""

from jaxtyping import Array, Float

from jaxneuro.machine import Scalar, Stateless, parameter
from jaxneuro.stimulus import VoltageJump


class Delta(Stateless[Float[Array, "*neurons"], VoltageJump]):
    """A synapse faster than any membrane: what arrives moves the voltage at once, `jump = weight x`.

    Fields:
        weight_mv: the jump for one spike over a connection of weight 1 (mV).

    Input: the spikes that arrive in the step, each times the weight of its connection, a scalar or any shape. Output:
    a `VoltageJump` of that shape, at the start of the step.

    Reference: Stein 1965, Biophysical Journal 5:173.
    """

    weight_mv: Scalar = parameter(1.0, unit="mV")

    def respond(self, input: Float[Array, "*neurons"]) -> VoltageJump:
        """`weight x` in mV."""
        return VoltageJump(self.weight_mv * input)
