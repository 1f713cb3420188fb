"""Rhythms of a population: the power spectrum of its rate."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxneuro.measure.firing import population_rate


class Spectrum(eqx.Module):
    """Power by frequency.

    Attributes:
        frequency_hz: from 0 to half the sampling rate.
        power: one-sided density (Hz^2 / Hz for a rate in Hz).
    """

    frequency_hz: Float[Array, "frequencies"]
    power: Float[Array, "frequencies"]

    def peak(self, low_hz: float = 0.0, high_hz: float = float("inf")) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """The frequency of the greatest power in a band, and that power; frequency 0 is left out.

        Args:
            low_hz: lower end of the band.
            high_hz: upper end.

        Returns:
            Frequency (Hz), as fine as the spectrum is; and its power.
        """
        inside = (self.frequency_hz > 0) & (self.frequency_hz >= low_hz) & (self.frequency_hz <= high_hz)
        place = jnp.where(inside, self.power, -jnp.inf).argmax()
        return self.frequency_hz[place], self.power[place]


def rate_spectrum(spikes: Float[Array, "steps neurons"], dt_ms: Float[Array, ""] | float, *, segment: int) -> Spectrum:
    """The spectrum of a population's rate: the mean of `2 dt |FFT(w (r - mean(r)))|^2 / sum(w^2)` over segments.

    r is the rate per neuron (Hz) in each step, w a Hann window; segments overlap by half, and each loses its own mean.

    Args:
        spikes: 1 on a spike, else 0.
        dt_ms: step size (ms).
        segment: length of a segment in steps: the spectrum has a point every `1000 / (segment dt_ms)` Hz.

    Returns:
        The spectrum.

    Raises:
        ValueError: the segment is longer than the train, or shorter than 2 steps.

    Reference: Welch 1967, IEEE Transactions on Audio and Electroacoustics 15:70.
    """
    steps = len(spikes)
    if not 2 <= segment <= steps:
        raise ValueError(f"segment is {segment} steps; it must be from 2 to the {steps} steps of the train.")
    signal = population_rate(spikes, dt_ms)
    starts = range(0, steps - segment + 1, segment - segment // 2)
    pieces = jnp.stack([signal[start : start + segment] for start in starts])
    pieces = pieces - pieces.mean(axis=1, keepdims=True)
    window = 0.5 - 0.5 * jnp.cos(2 * jnp.pi / segment * jnp.arange(segment).astype(signal.dtype))
    dt_s = jnp.asarray(dt_ms, signal.dtype) / 1000
    density = (jnp.abs(jnp.fft.rfft(pieces * window[None], axis=1)) ** 2).mean(axis=0) * dt_s / (window**2).sum()
    # All but frequency 0, and half the sampling rate where it is there, stand for two.
    places = jnp.arange(len(density))
    alone = (places == 0) | (2 * places == segment)
    frequency = places.astype(signal.dtype) / (segment * dt_s)
    return Spectrum(frequency, jnp.where(alone, density, 2 * density))
