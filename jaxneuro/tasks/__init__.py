"""Tasks and data: pure functions and readers of real data."""

from jaxneuro.tasks.adding import Adding as Adding
from jaxneuro.tasks.batch import Batch as Batch
from jaxneuro.tasks.batch import Classification as Classification
from jaxneuro.tasks.batch import Task as Task
from jaxneuro.tasks.characters import NextCharacter as NextCharacter
from jaxneuro.tasks.copying import Copy as Copy
from jaxneuro.tasks.delayed_xor import DelayedXOR as DelayedXOR
from jaxneuro.tasks.delayed_xor import MultiTimescaleXOR as MultiTimescaleXOR
from jaxneuro.tasks.denoise import Denoise as Denoise
from jaxneuro.tasks.dyck import Dyck as Dyck
from jaxneuro.tasks.evidence import Evidence as Evidence
from jaxneuro.tasks.images import ImageSequences as ImageSequences
from jaxneuro.tasks.modular import Modular as Modular
from jaxneuro.tasks.music import NextChord as NextChord
from jaxneuro.tasks.neuron_io import neuron_io as neuron_io
from jaxneuro.tasks.permuted import PermutedImages as PermutedImages
from jaxneuro.tasks.recall import Recall as Recall
from jaxneuro.tasks.selective import SelectiveCopy as SelectiveCopy
from jaxneuro.tasks.sequences import HighOrder as HighOrder
from jaxneuro.tasks.words import Words as Words
