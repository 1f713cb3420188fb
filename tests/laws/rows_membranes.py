"""Rows of the laws for membranes with channels."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

import jaxneuro as jn
from tests.laws.row import Row, currents


class Voltage(eqx.Module):
    """V (mV)."""

    voltage_mv: Float[Array, ""]


class Quadratic(jn.Eventful[Voltage, Float[Array, ""], Float[Array, ""]]):
    """`V' = V (V - 1) / 10 + x / 20`; at 20 mV a spike, and back to -5 mV."""

    threshold_mv: Float[Array, ""] = jn.parameter(20.0, unit="mV")

    def init(self, key):
        """At 0 mV."""
        return Voltage(jnp.zeros_like(self.threshold_mv))

    def derivative(self, state, input):
        """Of one variable."""
        return Voltage(state.voltage_mv * (state.voltage_mv - 1) / 10 + input / 20)

    def jump(self, state, input, dt_ms):
        """Not used."""
        return state, state.voltage_mv

    def distance(self, state):
        """From 20 mV."""
        return state.voltage_mv - self.threshold_mv

    def fire(self, state):
        """Back."""
        return Voltage(jnp.full_like(self.threshold_mv, -5.0))


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
    Row("Located quadratic", lambda key: jn.Located(Quadratic(), dt_ms=1.0, digits=12.0), currents(), smooth=True),
)
