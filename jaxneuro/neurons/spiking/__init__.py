"""Spiking neurons: integrate-and-fire cells and membranes with channels. The simplest are public at the root too."""

from jaxneuro.neurons.spiking.leaky_readout import LeakyReadout as LeakyReadout
from jaxneuro.neurons.spiking.lif import LIF as LIF
from jaxneuro.neurons.spiking.precise_lif import PreciseLIF as PreciseLIF
from jaxneuro.neurons.spiking.synaptic_lif import SynapticLIF as SynapticLIF
