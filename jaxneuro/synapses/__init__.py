"""Connections between neurons. All-to-all and convolution are public at the root too.

Kinetics say how one neuron's membrane sees what arrives (`Exponential`, `NMDA`); connections say what arrives where
(`Dense`, `Sparse`); rules say how connections change (`PairSTDP`, `TsodyksMarkram`).
"""

from jaxneuro.algebra import Algebra as Algebra
from jaxneuro.algebra import clifford as clifford
from jaxneuro.algebra import matrices as matrices
from jaxneuro.synapses.algebra_dense import AlgebraDense as AlgebraDense
from jaxneuro.synapses.alpha import Alpha as Alpha
from jaxneuro.synapses.calcium_plasticity import CalciumPlasticity as CalciumPlasticity
from jaxneuro.synapses.conductance_based import ConductanceBased as ConductanceBased
from jaxneuro.synapses.conv import Conv as Conv
from jaxneuro.synapses.delayed import Delayed as Delayed
from jaxneuro.synapses.delta import Delta as Delta
from jaxneuro.synapses.dense import Dense as Dense
from jaxneuro.synapses.dual_exponential import DualExponential as DualExponential
from jaxneuro.synapses.dynamic_synapse import DynamicSynapse as DynamicSynapse
from jaxneuro.synapses.event import EventSynapses as EventSynapses
from jaxneuro.synapses.exponential import Exponential as Exponential
from jaxneuro.synapses.firing import Firing as Firing
from jaxneuro.synapses.inhibitory_stdp import InhibitorySTDP as InhibitorySTDP
from jaxneuro.synapses.listed import SpikeLists as SpikeLists
from jaxneuro.synapses.listed import dense_of_lists as dense_of_lists
from jaxneuro.synapses.listed import list_spikes as list_spikes
from jaxneuro.synapses.nmda import NMDA as NMDA
from jaxneuro.synapses.nmda import ArrivingAt as ArrivingAt
from jaxneuro.synapses.one_to_one import OneToOne as OneToOne
from jaxneuro.synapses.pair_stdp import PairSTDP as PairSTDP
from jaxneuro.synapses.plastic import Plastic as Plastic
from jaxneuro.synapses.receptors import Receptors as Receptors
from jaxneuro.synapses.rewarded_stdp import RewardedFiring as RewardedFiring
from jaxneuro.synapses.rewarded_stdp import RewardedSTDP as RewardedSTDP
from jaxneuro.synapses.sparse import Sparse as Sparse
from jaxneuro.synapses.sparse import as_sparse as as_sparse
from jaxneuro.synapses.tag_and_capture import Episode as Episode
from jaxneuro.synapses.tag_and_capture import TagAndCapture as TagAndCapture
from jaxneuro.synapses.temporal_conv import TemporalConv as TemporalConv
from jaxneuro.synapses.triplet_stdp import TripletSTDP as TripletSTDP
from jaxneuro.synapses.tsodyks_markram import TsodyksMarkram as TsodyksMarkram
from jaxneuro.synapses.wiring import bernoulli_targets as bernoulli_targets
from jaxneuro.synapses.wiring import in_degree_targets as in_degree_targets
