"""The neurons of hierarchical temporal memory: sparse codes, and cells whose dendritic segments predict."""

from jaxneuro.neurons.htm import segment_pool as segment_pool
from jaxneuro.neurons.htm.apical_tiebreak import ApicalTiebreakMemory as ApicalTiebreakMemory
from jaxneuro.neurons.htm.bits import pack as pack
from jaxneuro.neurons.htm.bits import unpack as unpack
from jaxneuro.neurons.htm.column_pooler import ColumnPooler as ColumnPooler
from jaxneuro.neurons.htm.column_pooler import Sensed as Sensed
from jaxneuro.neurons.htm.columns_in_context import ColumnsInContext as ColumnsInContext
from jaxneuro.neurons.htm.dendrites import Dendrites as Dendrites
from jaxneuro.neurons.htm.grid_location import GridLocation as GridLocation
from jaxneuro.neurons.htm.grid_location import Movement as Movement
from jaxneuro.neurons.htm.segment_pool import SegmentPool as SegmentPool
from jaxneuro.neurons.htm.segment_pool import Segments as Segments
from jaxneuro.neurons.htm.temporal_memory import Columns as Columns
from jaxneuro.neurons.htm.temporal_memory import TemporalMemory as TemporalMemory
