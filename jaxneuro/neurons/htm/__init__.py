"""Neurons of hierarchical temporal memory, and what came of them."""

from jaxneuro.neurons.htm.active_dendrites import ActiveDendrites as ActiveDendrites
from jaxneuro.neurons.htm.active_dendrites import Contextual as Contextual
from jaxneuro.neurons.htm.k_winners import Duty as Duty
from jaxneuro.neurons.htm.k_winners import KWinners as KWinners
