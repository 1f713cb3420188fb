"""A layer of integrate-and-fire neurons whose rates are rectified linear."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.surrogate import FastSigmoid, Surrogate


class SpikingReLUState(eqx.Module):
    """The membranes."""

    membrane: Float[Array, "*neurons"]


class SpikingReLU(StateMachine[SpikingReLUState, Float[Array, "*neurons"], Float[Array, "*neurons"]]):
    """Integrate-and-fire neurons without leak: `v <- v + x`; at `v >= theta` a spike, and `v <- v - theta`.

    What is above the threshold is kept, so that nothing is lost: after T steps of a constant drive between 0 and theta
    the spikes are `floor((T x + v_0) / theta)`. With `v_0 = theta / 2` and T = L this is L y / theta, where y is what
    `ClippedSteps` with ceiling theta and L levels answers to x.

    Fields:
        shape: of the layer; all its neurons have the same parameters.
        threshold: theta.
        initial_share: `v_0 / theta`.
        spike: the threshold's forward and pretended backward, on `v - theta`.

    Input: the drive, `[*neurons]`, in the dimensionless unit of the threshold. Output: 1.0 on a spike, else 0.0,
    `[*neurons]`.

    Reference: Cao, Chen and Khosla 2015, International Journal of Computer Vision 113:54; reset by subtraction:
    Rueckauer et al. 2017, Frontiers in Neuroscience 11:682; start at half of the threshold: Bu et al. 2022,
    arXiv:2303.04347.
    """

    shape: tuple[int, ...] = eqx.field(static=True)
    threshold: Scalar = parameter(1.0, above=0.0)
    initial_share: Scalar = parameter(0.0, at_least=0.0, at_most=1.0)
    spike: Surrogate = eqx.field(default_factory=FastSigmoid)

    def init(self, key: PRNGKeyArray) -> SpikingReLUState:
        """All membranes at `initial_share theta`."""
        return SpikingReLUState(jnp.broadcast_to(self.initial_share * self.threshold, self.shape))

    def step(
        self, state: SpikingReLUState, input: Float[Array, "*neurons"]
    ) -> tuple[SpikingReLUState, Float[Array, "*neurons"]]:
        """Add the drive, compare, subtract."""
        if input.shape != self.shape:
            raise ValueError(f"SpikingReLU of shape {self.shape} got a drive of shape {input.shape}.")
        membrane = state.membrane + input
        spikes = self.spike(membrane - self.threshold)
        return SpikingReLUState(membrane - self.threshold * spikes), spikes
