"""Connections between neurons. All-to-all and convolution are public at the root too."""

from jaxneuro.synapses.conv import Conv as Conv
from jaxneuro.synapses.dense import Dense as Dense
from jaxneuro.synapses.event import EventSynapses as EventSynapses
from jaxneuro.synapses.wiring import bernoulli_targets as bernoulli_targets
from jaxneuro.synapses.wiring import in_degree_targets as in_degree_targets
