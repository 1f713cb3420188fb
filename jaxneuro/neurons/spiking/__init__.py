"""Spiking neurons: integrate-and-fire cells and membranes with channels. The simplest are public at the root too."""

from jaxneuro.neurons.spiking.channels import ACurrent as ACurrent
from jaxneuro.neurons.spiking.channels import Leak as Leak
from jaxneuro.neurons.spiking.channels import MCurrent as MCurrent
from jaxneuro.neurons.spiking.channels import PyramidalPotassium as PyramidalPotassium
from jaxneuro.neurons.spiking.channels import PyramidalSodium as PyramidalSodium
from jaxneuro.neurons.spiking.channels import SquidPotassium as SquidPotassium
from jaxneuro.neurons.spiking.channels import SquidSodium as SquidSodium
from jaxneuro.neurons.spiking.hodgkin_huxley import HodgkinHuxley as HodgkinHuxley
from jaxneuro.neurons.spiking.leaky_readout import LeakyReadout as LeakyReadout
from jaxneuro.neurons.spiking.lif import LIF as LIF
from jaxneuro.neurons.spiking.membrane import Channel as Channel
from jaxneuro.neurons.spiking.membrane import Gates as Gates
from jaxneuro.neurons.spiking.membrane import Kinetics as Kinetics
from jaxneuro.neurons.spiking.membrane import Membrane as Membrane
from jaxneuro.neurons.spiking.membrane import opening_and_closing as opening_and_closing
from jaxneuro.neurons.spiking.precise_lif import PreciseLIF as PreciseLIF
