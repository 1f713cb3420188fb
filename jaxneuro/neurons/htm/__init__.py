"""The neurons of hierarchical temporal memory: sparse codes, and cells whose dendritic segments predict."""

from jaxneuro.neurons.htm import segment_pool as segment_pool
from jaxneuro.neurons.htm.active_dendrites import ActiveDendrites as ActiveDendrites
from jaxneuro.neurons.htm.active_dendrites import Contextual as Contextual
from jaxneuro.neurons.htm.bits import unpack as unpack
from jaxneuro.neurons.htm.k_winners import Duty as Duty
from jaxneuro.neurons.htm.k_winners import KWinners as KWinners
from jaxneuro.neurons.htm.segment_pool import SegmentPool as SegmentPool
from jaxneuro.neurons.htm.segment_pool import Segments as Segments
from jaxneuro.neurons.htm.soft_temporal_memory import SoftTemporalMemory as SoftTemporalMemory
from jaxneuro.neurons.htm.soft_temporal_memory import surprise as surprise
from jaxneuro.neurons.htm.spatial_pooler import Bits as Bits
from jaxneuro.neurons.htm.spatial_pooler import SpatialPooler as SpatialPooler
from jaxneuro.neurons.htm.temporal_memory import Columns as Columns
from jaxneuro.neurons.htm.temporal_memory import TemporalMemory as TemporalMemory
