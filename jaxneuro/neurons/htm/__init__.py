"""Hierarchical temporal memory: minicolumns, dendritic segments, and what feeds and reads them."""

from jaxneuro.neurons.htm.spatial_pooler import Bits as Bits
from jaxneuro.neurons.htm.spatial_pooler import SpatialPooler as SpatialPooler
