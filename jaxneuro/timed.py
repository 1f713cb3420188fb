"""Spikes with a place inside the step: what neurons put out that locate their spikes."""

import equinox as eqx
from jaxtyping import Array, Float


class TimedSpike(eqx.Module):
    """1.0 if the step holds a spike, else 0.0, and how long after the start of the step it came (ms; 0 if none)."""

    spike: Float[Array, "*neurons"]
    offset_ms: Float[Array, "*neurons"]
