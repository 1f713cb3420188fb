"""Neurons that are more than one unit inside: several thresholds, branches that compute, cables of membrane."""

from jaxneuro.neurons.dendritic.dcaap import DCaAP as DCaAP
from jaxneuro.neurons.dendritic.dendritic_adaptation import DendriticAdaptation as DendriticAdaptation
from jaxneuro.neurons.dendritic.dh_lif import DHLIF as DHLIF
from jaxneuro.neurons.dendritic.elm import ELM as ELM
from jaxneuro.neurons.dendritic.elm import ELM2 as ELM2
from jaxneuro.neurons.dendritic.multi_threshold import MultiThreshold as MultiThreshold
from jaxneuro.neurons.dendritic.spike_waveform import SpikeWaveform as SpikeWaveform
from jaxneuro.neurons.dendritic.two_layer import TwoLayer as TwoLayer
