"""Connections between neurons. All-to-all and convolution are public at the root too."""

from jaxneuro.synapses.conv import Conv as Conv
from jaxneuro.synapses.dense import Dense as Dense
