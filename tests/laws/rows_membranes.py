"""Rows of the laws for membranes with channels."""

import jaxneuro as jn
from tests.laws.row import Row, currents


def all_channels():
    return (
        jn.spiking.PyramidalSodium(),
        jn.spiking.PyramidalPotassium(),
        jn.spiking.SquidSodium(speed=3.0),
        jn.spiking.SquidPotassium(),
        jn.spiking.MCurrent(),
        jn.spiking.ACurrent(),
        jn.spiking.Leak(),
    )


def membrane(flow):
    """A membrane by the staggered scheme, warm and with a small capacitance so that few steps show a spike."""
    return jn.SplitExponentialEuler(flow, dt_ms=0.02)


MEMBRANES: tuple[Row, ...] = (
    Row(
        "SplitExponentialEuler HodgkinHuxley",
        lambda key: membrane(jn.spiking.HodgkinHuxley(temperature_celsius=16.0, capacitance_uf_per_cm2=0.2)),
        currents(),
        smooth=True,
    ),
    Row(
        "SplitExponentialEuler Membrane",
        lambda key: membrane(jn.spiking.Membrane(all_channels(), capacitance_uf_per_cm2=0.2)),
        currents(),
        smooth=True,
        quick=False,
    ),
)
