"""Spike-timing-dependent plasticity of pairs and triplets of spikes."""

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


class TripletSTDPState(eqx.Module):
    """The weights, and a fast and a slow trace of each side, dimensionless, as the last step left them."""

    weights: Float[Array, "*synapses"]
    presynaptic: Float[Array, "inputs"]
    presynaptic_slow: Float[Array, "inputs"]
    postsynaptic: Float[Array, "outputs"]
    postsynaptic_slow: Float[Array, "outputs"]


class TripletSTDP(StateMachine[TripletSTDPState, Firing, Float[Array, "outputs"]]):
    """Pairs of spikes that count more after a third: `dw = r_1 (A2_plus + A3_plus o_2)` at a postsynaptic spike.

    At a presynaptic spike it is `dw = -o_1 (A2_minus + A3_minus r_2)`. r_1 and r_2 are traces of presynaptic spikes
    (tau_plus, tau_x), o_1 and o_2 of postsynaptic ones (tau_minus, tau_y), all from before the present spikes. The
    drive is `y = W x` with the weights from before the step.

    Fields:
        weights: W at first, `[outputs, inputs]` or a `Sparse`, in the unit of what they feed; 0 to `largest`.
        pair_potentiation, triplet_potentiation: A2_plus, A3_plus, in that unit.
        pair_depression, triplet_depression: A2_minus, A3_minus.
        tau_plus_ms, tau_x_ms, tau_minus_ms, tau_y_ms: time constants of the traces (ms).
        largest: the upper bound of a weight.
        softness: 0 hard bounds, 1 soft bounds, between a mixture: see `bounded`.
        dt_ms: step size (ms).
        pairing: "all" or "nearest": whether a spike adds to the traces or sets them to 1.

    Input: `Firing`, `[inputs]` and `[outputs]`. Output: the drive, `[outputs]`.

    The defaults are those fitted to visual cortex with all spikes, for weights of about 1. The paper's minimal set:
    A2_plus 0, A3_plus 6.5e-3, A2_minus 7.1e-3, A3_minus 0, tau_y 114.

    Reference: Pfister and Gerstner 2006, Journal of Neuroscience 26:9673, eqs. 3 and 4.
    """

    weights: Connections = parameter(at_least=0.0)
    pair_potentiation: Scalar = parameter(5e-10, at_least=0.0)
    triplet_potentiation: Scalar = parameter(6.2e-3, at_least=0.0)
    pair_depression: Scalar = parameter(7e-3, at_least=0.0)
    triplet_depression: Scalar = parameter(2.3e-4, at_least=0.0)
    tau_plus_ms: Scalar = parameter(16.8, above=0.0, unit="ms")
    tau_x_ms: Scalar = parameter(101.0, above=0.0, unit="ms")
    tau_minus_ms: Scalar = parameter(33.7, above=0.0, unit="ms")
    tau_y_ms: Scalar = parameter(125.0, above=0.0, unit="ms")
    largest: Scalar = parameter(2.0, above=0.0)
    softness: Scalar = parameter(0.0, at_least=0.0, at_most=1.0)
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")
    pairing: Literal["all", "nearest"] = eqx.field(static=True, default="all")

    def __check_init__(self) -> None:
        check_choice("TripletSTDP", "pairing", self.pairing, ("all", "nearest"))
        check_weights("TripletSTDP", first_weights(self.weights), self.largest)

    def init(self, key: PRNGKeyArray) -> TripletSTDPState:
        """The first weights; no spikes so far."""
        before, behind = unmarked(self.weights)
        return TripletSTDPState(first_weights(self.weights), before, before, behind, behind)

    def step(self, state: TripletSTDPState, input: Firing) -> tuple[TripletSTDPState, Float[Array, "outputs"]]:
        """The drive, the change of the weights, and the marks of the present spikes."""
        r1 = faded(state.presynaptic, self.dt_ms, self.tau_plus_ms)
        r2 = faded(state.presynaptic_slow, self.dt_ms, self.tau_x_ms)
        o1 = faded(state.postsynaptic, self.dt_ms, self.tau_minus_ms)
        o2 = faded(state.postsynaptic_slow, self.dt_ms, self.tau_y_ms)
        up = pairs(self.weights, input.postsynaptic * (self.pair_potentiation + self.triplet_potentiation * o2), r1)
        down = pairs(self.weights, o1, input.presynaptic * (self.pair_depression + self.triplet_depression * r2))
        weights = bounded(state.weights, up, down, self.largest, self.softness)
        before = (marked(trace, input.presynaptic, self.pairing) for trace in (r1, r2))
        behind = (marked(trace, input.postsynaptic, self.pairing) for trace in (o1, o2))
        return TripletSTDPState(weights, *before, *behind), driven(self.weights, state.weights, input.presynaptic)
