"""Hierarchical temporal memory: minicolumns, dendritic segments, and what feeds and reads them."""

from jaxneuro.neurons.htm import encoders as encoders
from jaxneuro.neurons.htm import proximal as proximal
from jaxneuro.neurons.htm import sdr as sdr
from jaxneuro.neurons.htm.anomaly import AnomalyLikelihood as AnomalyLikelihood
from jaxneuro.neurons.htm.anomaly import Likelihood as Likelihood
from jaxneuro.neurons.htm.anomaly import Surprise as Surprise
from jaxneuro.neurons.htm.anomaly import raw_anomaly as raw_anomaly
from jaxneuro.neurons.htm.anomaly import tail as tail
from jaxneuro.neurons.htm.encoders import DateEncoder as DateEncoder
from jaxneuro.neurons.htm.encoders import RandomScalarEncoder as RandomScalarEncoder
from jaxneuro.neurons.htm.encoders import ScalarEncoder as ScalarEncoder
from jaxneuro.neurons.htm.sdr_classifier import Labelled as Labelled
from jaxneuro.neurons.htm.sdr_classifier import Prediction as Prediction
from jaxneuro.neurons.htm.sdr_classifier import SDRClassifier as SDRClassifier
from jaxneuro.neurons.htm.spatial_pooler import Bits as Bits
from jaxneuro.neurons.htm.spatial_pooler import SpatialPooler as SpatialPooler
