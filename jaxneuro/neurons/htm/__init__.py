"""Hierarchical temporal memory: minicolumns, dendritic segments, and what feeds and reads them."""

from jaxneuro.neurons.htm import encoders as encoders
from jaxneuro.neurons.htm import proximal as proximal
from jaxneuro.neurons.htm import sdr as sdr
from jaxneuro.neurons.htm.encoders import DateEncoder as DateEncoder
from jaxneuro.neurons.htm.encoders import RandomScalarEncoder as RandomScalarEncoder
from jaxneuro.neurons.htm.encoders import ScalarEncoder as ScalarEncoder
from jaxneuro.neurons.htm.spatial_pooler import Bits as Bits
from jaxneuro.neurons.htm.spatial_pooler import SpatialPooler as SpatialPooler
