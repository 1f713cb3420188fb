"""The neurons of hierarchical temporal memory: sparse codes, and cells whose dendritic segments predict."""

from jaxneuro.neurons.htm import encoders as encoders
from jaxneuro.neurons.htm import proximal as proximal
from jaxneuro.neurons.htm import sdr as sdr
from jaxneuro.neurons.htm import segment_pool as segment_pool
from jaxneuro.neurons.htm.anomaly import AnomalyLikelihood as AnomalyLikelihood
from jaxneuro.neurons.htm.anomaly import Likelihood as Likelihood
from jaxneuro.neurons.htm.anomaly import Surprise as Surprise
from jaxneuro.neurons.htm.anomaly import raw_anomaly as raw_anomaly
from jaxneuro.neurons.htm.anomaly import tail as tail
from jaxneuro.neurons.htm.bits import unpack as unpack
from jaxneuro.neurons.htm.encoders import DateEncoder as DateEncoder
from jaxneuro.neurons.htm.encoders import RandomScalarEncoder as RandomScalarEncoder
from jaxneuro.neurons.htm.encoders import ScalarEncoder as ScalarEncoder
from jaxneuro.neurons.htm.sdr_classifier import Labelled as Labelled
from jaxneuro.neurons.htm.sdr_classifier import Prediction as Prediction
from jaxneuro.neurons.htm.sdr_classifier import SDRClassifier as SDRClassifier
from jaxneuro.neurons.htm.segment_pool import SegmentPool as SegmentPool
from jaxneuro.neurons.htm.segment_pool import Segments as Segments
from jaxneuro.neurons.htm.spatial_pooler import Bits as Bits
from jaxneuro.neurons.htm.spatial_pooler import SpatialPooler as SpatialPooler
from jaxneuro.neurons.htm.temporal_memory import Columns as Columns
from jaxneuro.neurons.htm.temporal_memory import TemporalMemory as TemporalMemory
