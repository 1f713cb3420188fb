"""Neurons that are more than one unit inside: several thresholds, branches that compute, cables of membrane."""

from jaxneuro.neurons.dendritic.dh_lif import DHLIF as DHLIF
from jaxneuro.neurons.dendritic.elm import ELM as ELM
from jaxneuro.neurons.dendritic.elm import ELM2 as ELM2
