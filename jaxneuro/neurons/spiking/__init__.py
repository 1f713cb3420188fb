"""Spiking neurons: integrate-and-fire cells and membranes with channels. The simplest are public at the root too."""

from jaxneuro.neurons.spiking.adaptive_lif import AdaptiveLIF as AdaptiveLIF
from jaxneuro.neurons.spiking.adex import AdEx as AdEx
from jaxneuro.neurons.spiking.exponential import EIF as EIF
from jaxneuro.neurons.spiking.glif import GLIF as GLIF
from jaxneuro.neurons.spiking.glif import glif as glif
from jaxneuro.neurons.spiking.integrate_and_fire import IntegrateAndFire as IntegrateAndFire
from jaxneuro.neurons.spiking.izhikevich import Izhikevich as Izhikevich
from jaxneuro.neurons.spiking.leaky_readout import LeakyReadout as LeakyReadout
from jaxneuro.neurons.spiking.lif import LIF as LIF
from jaxneuro.neurons.spiking.precise_izhikevich import PreciseIzhikevich as PreciseIzhikevich
from jaxneuro.neurons.spiking.precise_lif import PreciseLIF as PreciseLIF
from jaxneuro.neurons.spiking.quadratic import QIF as QIF
from jaxneuro.neurons.spiking.resonate_and_fire import ResonateAndFire as ResonateAndFire
from jaxneuro.neurons.spiking.spike_response import SpikeResponse as SpikeResponse
from jaxneuro.neurons.spiking.synaptic_lif import SynapticLIF as SynapticLIF
