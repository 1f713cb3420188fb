"""The neurons of hierarchical temporal memory: sparse codes, and cells whose dendritic segments predict."""

from jaxneuro.neurons.htm import segment_pool as segment_pool
from jaxneuro.neurons.htm.bits import unpack as unpack
from jaxneuro.neurons.htm.cell_death import without_cells as without_cells
from jaxneuro.neurons.htm.segment_pool import SegmentPool as SegmentPool
from jaxneuro.neurons.htm.segment_pool import Segments as Segments
from jaxneuro.neurons.htm.temporal_memory import Columns as Columns
from jaxneuro.neurons.htm.temporal_memory import TemporalMemory as TemporalMemory
