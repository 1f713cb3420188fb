"""Populations joined by synapses: `Network`, ready-made networks, and the rates that theory gives them."""

from jaxneuro.networks.arc_memory import arc_genome as arc_genome
from jaxneuro.networks.arc_memory import arc_memory as arc_memory
from jaxneuro.networks.blocks import run_in_blocks as run_in_blocks
from jaxneuro.networks.brunel import balanced as balanced
from jaxneuro.networks.brunel import brunel as brunel
from jaxneuro.networks.innervated import Innervated as Innervated
from jaxneuro.networks.innervated import InnervatedState as InnervatedState
from jaxneuro.networks.izhikevich import izhikevich as izhikevich
from jaxneuro.networks.mean_field import brunel_rate as brunel_rate
from jaxneuro.networks.network import Network as Network
from jaxneuro.networks.network import Projection as Projection
from jaxneuro.networks.noise import NormalNoise as NormalNoise
from jaxneuro.networks.poisson import PoissonSource as PoissonSource
from jaxneuro.networks.pyramidal import pyramidal_cell as pyramidal_cell
from jaxneuro.networks.pyramidal import pyramidal_morphology as pyramidal_morphology
from jaxneuro.networks.random_start import RandomStart as RandomStart
from jaxneuro.networks.recurrent import recurrent_network as recurrent_network
from jaxneuro.networks.sensorimotor import SensorimotorColumn as SensorimotorColumn
from jaxneuro.networks.sensorimotor import Touch as Touch
from jaxneuro.networks.sensorimotor import sensorimotor_column as sensorimotor_column
from jaxneuro.networks.siegert import siegert_rate as siegert_rate
from jaxneuro.networks.tree3 import Tree3 as Tree3
from jaxneuro.networks.vary import various as various
from jaxneuro.networks.vogels_abbott import coba as coba
from jaxneuro.networks.vogels_abbott import cuba as cuba
from jaxneuro.synapses.event import unpack as unpack
