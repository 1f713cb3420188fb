"""Graded networks turned into spiking ones, and the layers that such networks are made of."""

from jaxneuro.conversion.ann_to_snn import highest_activations as highest_activations
from jaxneuro.conversion.ann_to_snn import qcfs as qcfs
from jaxneuro.conversion.ann_to_snn import spike_norm as spike_norm
from jaxneuro.conversion.ann_to_snn import with_thresholds as with_thresholds
from jaxneuro.conversion.clipped_steps import ClippedSteps as ClippedSteps
from jaxneuro.conversion.layers import AveragePool as AveragePool
from jaxneuro.conversion.layers import Flat as Flat
from jaxneuro.conversion.layers import Rectifier as Rectifier
from jaxneuro.conversion.residual import Residual as Residual
from jaxneuro.conversion.simulate import Simulation as Simulation
from jaxneuro.conversion.simulate import encode as encode
from jaxneuro.conversion.simulate import graded_work as graded_work
from jaxneuro.conversion.simulate import simulate as simulate
from jaxneuro.conversion.spiking_relu import SpikingReLU as SpikingReLU
