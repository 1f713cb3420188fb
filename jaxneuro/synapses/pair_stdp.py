"""Spike-timing-dependent plasticity of pairs of spikes."""

from typing import Literal

import equinox as eqx
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_choice
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.synapses.firing import (
    Connections,
    Firing,
    bounded,
    check_weights,
    driven,
    faded,
    first_weights,
    marked,
    pairs,
    unmarked,
)


class PairSTDPState(eqx.Module):
    """The weights, and the traces of the spikes of both sides, dimensionless, as the last step left them."""

    weights: Float[Array, "*synapses"]
    presynaptic: Float[Array, "inputs"]
    postsynaptic: Float[Array, "outputs"]


class PairSTDP(StateMachine[PairSTDPState, Firing, Float[Array, "outputs"]]):
    """Weights that grow where the presynaptic spike comes first: `dw = A_plus e^(-s / tau_plus)` for s > 0.

    s is the postsynaptic less the presynaptic spike time; for s < 0 it is `dw = -A_minus e^(s / tau_minus)`, and
    nothing for spikes in one step. The drive is `y = W x` with the weights from before the step. Traces decay exactly:
    the window is met to rounding whatever the step.

    Fields:
        weights: W at first, `[outputs, inputs]` or a `Sparse`, in the unit of what they feed; 0 to `largest`.
        potentiation, depression: A_plus and A_minus, in that unit.
        tau_plus_ms, tau_minus_ms: the lengths of the window (ms).
        largest: the upper bound of a weight.
        softness: 0 hard bounds, 1 soft bounds, between a mixture: see `bounded`.
        dt_ms: step size (ms).
        pairing: "all": every spike pairs with all spikes before it on the other side. "nearest": with the last one
            alone (symmetric nearest neighbours).

    Input: `Firing`, `[inputs]` and `[outputs]`. Output: the drive, `[outputs]`.

    Reference: Song, Miller and Abbott 2000, Nature Neuroscience 3:919; pairing: Morrison, Diesmann and Gerstner
    2008, Biological Cybernetics 98:459.
    """

    weights: Connections = parameter(at_least=0.0)
    potentiation: Scalar = parameter(0.01, at_least=0.0)
    depression: Scalar = parameter(0.0105, at_least=0.0)
    tau_plus_ms: Scalar = parameter(20.0, above=0.0, unit="ms")
    tau_minus_ms: Scalar = parameter(20.0, above=0.0, unit="ms")
    largest: Scalar = parameter(1.0, above=0.0)
    softness: Scalar = parameter(0.0, at_least=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")
    pairing: Literal["all", "nearest"] = eqx.field(static=True, default="all")

    def __check_init__(self) -> None:
        check_choice("PairSTDP", "pairing", self.pairing, ("all", "nearest"))
        check_weights("PairSTDP", first_weights(self.weights), self.largest)

    def init(self, key: PRNGKeyArray) -> PairSTDPState:
        """The first weights; no spikes so far."""
        return PairSTDPState(first_weights(self.weights), *unmarked(self.weights))

    def step(self, state: PairSTDPState, input: Firing) -> tuple[PairSTDPState, Float[Array, "outputs"]]:
        """The drive, the change of the weights, and the marks of the present spikes."""
        before = faded(state.presynaptic, self.dt_ms, self.tau_plus_ms)
        behind = faded(state.postsynaptic, self.dt_ms, self.tau_minus_ms)
        up = self.potentiation * pairs(self.weights, input.postsynaptic, before)
        down = self.depression * pairs(self.weights, behind, input.presynaptic)
        weights = bounded(state.weights, up, down, self.largest, self.softness)
        presynaptic = marked(before, input.presynaptic, self.pairing)
        postsynaptic = marked(behind, input.postsynaptic, self.pairing)
        return PairSTDPState(weights, presynaptic, postsynaptic), driven(self.weights, state.weights, input.presynaptic)
