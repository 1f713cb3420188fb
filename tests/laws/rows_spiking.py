"""Rows of the laws for spiking neurons, membranes and synapses."""

import jaxneuro as jn
from tests.laws.row import Row, currents


def membrane(flow):
    """A membrane by the staggered scheme, warm and with a small capacitance so that few steps show a spike."""
    return jn.SplitExponentialEuler(flow, dt_ms=0.02)


SPIKING: tuple[Row, ...] = (
    Row(
        "SplitExponentialEuler HodgkinHuxley",
        lambda key: membrane(jn.spiking.HodgkinHuxley(temperature_celsius=16.0, capacitance_uf_per_cm2=0.2)),
        currents(),
        smooth=True,
    ),
)
