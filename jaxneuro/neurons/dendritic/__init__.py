"""Neurons that are more than one unit inside: several thresholds, branches that compute, cables of membrane."""

from jaxneuro.neurons.dendritic.cable import Cable as Cable
from jaxneuro.neurons.dendritic.cable import CableState as CableState
from jaxneuro.neurons.dendritic.cable import Inserted as Inserted
from jaxneuro.neurons.dendritic.dh_lif import DHLIF as DHLIF
from jaxneuro.neurons.dendritic.elm import ELM as ELM
from jaxneuro.neurons.dendritic.morphology import Branch as Branch
from jaxneuro.neurons.dendritic.morphology import Morphology as Morphology
from jaxneuro.neurons.dendritic.morphology import ball_and_stick as ball_and_stick
from jaxneuro.neurons.dendritic.morphology import cylinder as cylinder
from jaxneuro.neurons.dendritic.morphology import rall_tree as rall_tree
from jaxneuro.neurons.dendritic.morphology import tree as tree
from jaxneuro.neurons.dendritic.swc import read_swc as read_swc
from jaxneuro.neurons.dendritic.tree_layer import AmplifiedTree as AmplifiedTree
from jaxneuro.neurons.dendritic.tree_layer import TreeLayer as TreeLayer
