"""What an electrode in the soma sees of a spike, by the dendrite that the spike comes from."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter


class SpikeWaveformState(eqx.Module):
    """The waveform (mV) that the spikes so far still have before them, from the next sample on."""

    ahead_mv: Float[Array, "samples"]


class SpikeWaveform(StateMachine[SpikeWaveformState, Float[Array, "sites"], Float[Array, ""]]):
    """A recorded voltage that is a waveform per spike: `V_t = E + sum_(k, i) kappa_(i, k) z_(i, t - k)`.

    z is the spike by its origins, as `MultiThreshold` puts it out: each origin has a waveform of its own, the first
    sample of which is seen in the step of the spike. Waveforms that overlap add up.

    Fields:
        kernels_mv: kappa (mV above rest), `[sites, samples]`, a sample per step.
        rest_mv: E (mV).

    Input: the spike by its origins, `[sites]`. Output: the recorded voltage (mV), a scalar.

    Reference: Sardi et al. 2017, Scientific Reports 7:18036, figure 3.
    """

    kernels_mv: Float[Array, "sites samples"] = parameter(unit="mV")
    rest_mv: Scalar = parameter(-70.0, unit="mV")

    def __check_init__(self) -> None:
        if self.kernels_mv.shape[-1] < 1:
            raise ValueError(
                f"SpikeWaveform got kernels of shape {self.kernels_mv.shape}; it needs one sample or more."
            )

    def init(self, key: PRNGKeyArray) -> SpikeWaveformState:
        """No spike so far."""
        return SpikeWaveformState(jnp.zeros_like(self.kernels_mv[0]))

    def step(
        self, state: SpikeWaveformState, input: Float[Array, "sites"]
    ) -> tuple[SpikeWaveformState, Float[Array, ""]]:
        """Add the waveform of the new spike, read the first sample, move on by one."""
        ahead = state.ahead_mv + input @ self.kernels_mv
        return SpikeWaveformState(jnp.roll(ahead, -1).at[-1].set(0)), self.rest_mv + ahead[0]
