"""Cells whose structure is data, and the search for them."""

from jaxneuro.search.canonical import canonical as canonical
from jaxneuro.search.canonical import digest as digest
from jaxneuro.search.cell import EvolvedCell as EvolvedCell
from jaxneuro.search.cell_file import CellFileError as CellFileError
from jaxneuro.search.genome import Genome as Genome
from jaxneuro.search.genome import Space as Space
from jaxneuro.search.genome import parameter_count as parameter_count
from jaxneuro.search.named import named as named
from jaxneuro.search.storage import load as load
from jaxneuro.search.storage import save as save
from jaxneuro.search.straight import StraightCell as StraightCell
from jaxneuro.search.straight import straight as straight
from jaxneuro.search.text import TextError as TextError
from jaxneuro.search.text import parse as parse
from jaxneuro.search.text import show as show
