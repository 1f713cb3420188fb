"""Neurons that are more than one unit inside: several thresholds, branches that compute, cables of membrane."""

from jaxneuro.neurons.dendritic.dh_lif import DHLIF as DHLIF
from jaxneuro.neurons.dendritic.elm import ELM as ELM
from jaxneuro.neurons.dendritic.elm import ELM2 as ELM2
from jaxneuro.neurons.dendritic.tree_layer import AmplifiedTree as AmplifiedTree
from jaxneuro.neurons.dendritic.tree_layer import TreeLayer as TreeLayer
