"""Channels of membranes: squid axon, hippocampal pyramidal cell, M-current, A-current.

Rates are in 1/ms and voltages V in mV. `inverse_exprel(z) = z / (e^z - 1)` takes removable poles of the rates away.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxneuro.flow import inverse_exprel
from jaxneuro.machine import Scalar, parameter
from jaxneuro.neurons.spiking.membrane import Channel, Kinetics, opening_and_closing

Voltage = Float[Array, ""]


class Leak(Channel):
    """A channel that is always open: `I = g (V - E)`; the squid's unless given.

    Fields:
        conductance_ms_per_cm2, reversal_mv: g (mS/cm2), E (mV).

    Reference: Hodgkin and Huxley 1952, Journal of Physiology 117:500, eq. 5.
    """

    conductance_ms_per_cm2: Scalar = parameter(0.3, at_least=0.0, unit="mS/cm2")
    reversal_mv: Scalar = parameter(-54.387, unit="mV")


class SquidSodium(Channel):
    """Sodium of the squid giant axon: `I = g m^3 h (V - E)`; rates as in `HodgkinHuxley`.

    Fields:
        conductance_ms_per_cm2, reversal_mv: g (mS/cm2), E (mV).
        speed: factor of all rates (dimensionless), `3^((T - 6.3) / 10)` at T degrees celsius.

    Reference: Hodgkin and Huxley 1952, Journal of Physiology 117:500, eqs. 14 to 24.
    """

    power: ClassVar[int] = 3

    conductance_ms_per_cm2: Scalar = parameter(120.0, at_least=0.0, unit="mS/cm2")
    reversal_mv: Scalar = parameter(50.0, unit="mV")
    speed: Scalar = parameter(1.0, above=0.0)

    def activation(self, voltage_mv: Voltage) -> Kinetics:
        """M."""
        opening = self.speed * inverse_exprel(-(voltage_mv + 40) / 10)
        return opening_and_closing(opening, 4 * self.speed * jnp.exp(-(voltage_mv + 65) / 18))

    def inactivation(self, voltage_mv: Voltage) -> Kinetics:
        """H."""
        opening = 0.07 * self.speed * jnp.exp(-(voltage_mv + 65) / 20)
        return opening_and_closing(opening, self.speed * jax.nn.sigmoid((voltage_mv + 35) / 10))


class SquidPotassium(Channel):
    """Potassium of the squid giant axon: `I = g n^4 (V - E)`; rates as in `HodgkinHuxley`.

    Fields:
        conductance_ms_per_cm2, reversal_mv: g (mS/cm2), E (mV).
        speed: factor of all rates (dimensionless), `3^((T - 6.3) / 10)` at T degrees celsius.

    Reference: Hodgkin and Huxley 1952, Journal of Physiology 117:500, eqs. 6 to 13.
    """

    power: ClassVar[int] = 4

    conductance_ms_per_cm2: Scalar = parameter(36.0, at_least=0.0, unit="mS/cm2")
    reversal_mv: Scalar = parameter(-77.0, unit="mV")
    speed: Scalar = parameter(1.0, above=0.0)

    def activation(self, voltage_mv: Voltage) -> Kinetics:
        """N."""
        opening = 0.1 * self.speed * inverse_exprel(-(voltage_mv + 55) / 10)
        return opening_and_closing(opening, 0.125 * self.speed * jnp.exp(-(voltage_mv + 65) / 80))


class PyramidalSodium(Channel):
    """Sodium of a hippocampal pyramidal cell: `I = g m^3 h (V - E)`, `v = V - V_T`.

        m: alpha = 0.32 (13 - v) / (exp((13 - v) / 4) - 1)      beta = 0.28 (v - 40) / (exp((v - 40) / 5) - 1)
        h: alpha = 0.128 exp((17 - v) / 18)                     beta = 4 / (1 + exp((40 - v) / 5))

    Fields:
        conductance_ms_per_cm2, reversal_mv: g (mS/cm2), E (mV).
        shift_mv: V_T (mV).

    Reference: Traub and Miles 1991, Neuronal Networks of the Hippocampus; in this form and with these parameters Brette
    et al. 2007, Journal of Computational Neuroscience 23:349, appendix B, benchmark 3 (COBAHH).
    """

    power: ClassVar[int] = 3

    conductance_ms_per_cm2: Scalar = parameter(100.0, at_least=0.0, unit="mS/cm2")
    reversal_mv: Scalar = parameter(50.0, unit="mV")
    shift_mv: Scalar = parameter(-63.0, unit="mV")

    def activation(self, voltage_mv: Voltage) -> Kinetics:
        """M."""
        v = voltage_mv - self.shift_mv
        return opening_and_closing(1.28 * inverse_exprel((13 - v) / 4), 1.4 * inverse_exprel((v - 40) / 5))

    def inactivation(self, voltage_mv: Voltage) -> Kinetics:
        """H."""
        v = voltage_mv - self.shift_mv
        return opening_and_closing(0.128 * jnp.exp((17 - v) / 18), 4 * jax.nn.sigmoid((v - 40) / 5))


class PyramidalPotassium(Channel):
    """Delayed rectifier of a hippocampal pyramidal cell: `I = g n^4 (V - E)`, `v = V - V_T`.

        n: alpha = 0.032 (15 - v) / (exp((15 - v) / 5) - 1)     beta = 0.5 exp((10 - v) / 40)

    Fields:
        conductance_ms_per_cm2, reversal_mv: g (mS/cm2), E (mV).
        shift_mv: V_T (mV).

    Reference: Traub and Miles 1991, Neuronal Networks of the Hippocampus; in this form and with these parameters Brette
    et al. 2007, Journal of Computational Neuroscience 23:349, appendix B, benchmark 3 (COBAHH).
    """

    power: ClassVar[int] = 4

    conductance_ms_per_cm2: Scalar = parameter(30.0, at_least=0.0, unit="mS/cm2")
    reversal_mv: Scalar = parameter(-90.0, unit="mV")
    shift_mv: Scalar = parameter(-63.0, unit="mV")

    def activation(self, voltage_mv: Voltage) -> Kinetics:
        """N."""
        v = voltage_mv - self.shift_mv
        return opening_and_closing(0.16 * inverse_exprel((15 - v) / 5), 0.5 * jnp.exp((10 - v) / 40))


class MCurrent(Channel):
    """Slow potassium that makes spikes rarer: `I = g p (V - E)`.

    p goes to `1 / (1 + exp(-(V + 35) / 10))` with time constant
    `tau_max / (3.3 exp((V + 35) / 20) + exp(-(V + 35) / 20))`.

    Fields:
        conductance_ms_per_cm2, reversal_mv: g (mS/cm2), E (mV).
        slowest_ms: tau_max (ms).

    Reference: Yamada, Koch and Adams 1989, in Methods in Neuronal Modeling; with these parameters Pospischil et al.
    2008, Biological Cybernetics 99:427.
    """

    conductance_ms_per_cm2: Scalar = parameter(0.07, at_least=0.0, unit="mS/cm2")
    reversal_mv: Scalar = parameter(-90.0, unit="mV")
    slowest_ms: Scalar = parameter(1000.0, above=0.0, unit="ms")

    def activation(self, voltage_mv: Voltage) -> Kinetics:
        """P."""
        v = voltage_mv + 35
        return Kinetics((3.3 * jnp.exp(v / 20) + jnp.exp(-v / 20)) / self.slowest_ms, jax.nn.sigmoid(v / 10))


class ACurrent(Channel):
    """Transient potassium that delays spikes and lets a cell fire slowly: `I = g a^3 b (V - E)`.

        a: target (0.0761 exp(0.0314 (V + 94.22)) / (1 + exp(0.0346 (V + 1.17))))^(1/3)
           tau 0.3632 + 1.158 / (1 + exp(0.0497 (V + 55.96)))
        b: target (1 / (1 + exp(0.0688 (V + 53.3))))^4          tau 1.24 + 2.678 / (1 + exp(0.0624 (V + 50)))

    Fields:
        conductance_ms_per_cm2, reversal_mv: g (mS/cm2), E (mV).

    Reference: Connor, Walter and McKown 1977, Biophysical Journal 18:81, as given by Dayan and Abbott 2001, Theoretical
    Neuroscience, section 6.2 and appendix of chapter 6.
    """

    power: ClassVar[int] = 3

    conductance_ms_per_cm2: Scalar = parameter(47.7, at_least=0.0, unit="mS/cm2")
    reversal_mv: Scalar = parameter(-75.0, unit="mV")

    def activation(self, voltage_mv: Voltage) -> Kinetics:
        """A."""
        v = voltage_mv
        target = jnp.cbrt(0.0761 * jnp.exp(0.0314 * (v + 94.22)) * jax.nn.sigmoid(-0.0346 * (v + 1.17)))
        return Kinetics(1 / (0.3632 + 1.158 * jax.nn.sigmoid(-0.0497 * (v + 55.96))), target)

    def inactivation(self, voltage_mv: Voltage) -> Kinetics:
        """B."""
        v = voltage_mv
        target = jax.nn.sigmoid(-0.0688 * (v + 53.3)) ** 4
        return Kinetics(1 / (1.24 + 2.678 * jax.nn.sigmoid(-0.0624 * (v + 50))), target)
