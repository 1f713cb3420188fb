"""A pyramidal cell of layer 5 in few compartments, with excitation and inhibition on all its dendrites."""

from jaxneuro.compose import Population
from jaxneuro.machine import StateMachine
from jaxneuro.networks.innervated import Innervated
from jaxneuro.neurons.dendritic.cable import Cable, Inserted
from jaxneuro.neurons.dendritic.morphology import Branch, Morphology, tree
from jaxneuro.neurons.spiking.channels import Leak, PyramidalPotassium, PyramidalSodium
from jaxneuro.synapses.conductance_based import ConductanceBased
from jaxneuro.synapses.dual_exponential import DualExponential
from jaxneuro.synapses.nmda import NMDA
from jaxneuro.synapses.receptors import Receptors

BRANCHES = (
    Branch(-1, 25.0, 25.0),  # soma
    *(Branch(0, 180.0, 1.5, 3, "middle") for _ in range(6)),  # basal dendrites
    Branch(0, 200.0, 3.5, 2, "middle"),  # lower trunk, branch 7
    *(Branch(7, 150.0, 1.2, 2) for _ in range(4)),  # oblique dendrites
    Branch(7, 250.0, 2.5, 2),  # upper trunk, branch 12
    *(Branch(12, 80.0, 1.8, 1) for _ in range(2)),  # tuft, branches 13 and 14
    *(Branch(13 + number // 2, 180.0, 1.2, 3) for number in range(4)),  # its tips
)


def pyramidal_morphology() -> Morphology:
    """A soma, six basal dendrites, a trunk with four oblique dendrites and a tuft: 45 compartments, 4 branch points.

    Returns:
        The morphology; compartment 0 is the soma.
    """
    return tree(list(BRANCHES))


def pyramidal_cell(
    nmda: bool = True,
    *,
    steps_per_ms: int = 10,
    ampa_us: float | None = None,
    nmda_us: float = 1.2e-3,
    gaba_us: float = 1.8e-3,
) -> Innervated:
    """A pyramidal cell that spikes at its soma, with receptors for AMPA, NMDA and GABA A in every compartment.

    A spike at an excitatory synapse opens AMPA receptors (0.3 and 3 ms) and NMDA receptors (2 and 70 ms), one at an
    inhibitory synapse GABA A receptors (1 and 10 ms, -80 mV). Without NMDA the AMPA receptors are more, so that under
    the input of `neuron_io` the cell spikes about as often, 3 times a second.

    Args:
        nmda: whether there are NMDA receptors.
        steps_per_ms: how many steps are a millisecond.
        ampa_us: what a spike opens of AMPA receptors at most (uS); 1.2e-3 with NMDA, 2.9e-3 without, unless given.
        nmda_us: the same of NMDA receptors (uS), magnesium's block apart.
        gaba_us: the same of GABA A receptors (uS).

    Returns:
        A machine that takes what arrives at each compartment at AMPA, NMDA and GABA receptors, `[49]` each.

    Reference: Beniaguev, Segev and London 2021, Neuron 109:2727 (time constants of the synapses, the experiment);
    channels of the soma as Brette et al. 2007, Journal of Computational Neuroscience 23:349.
    """
    morphology, dt_ms = pyramidal_morphology(), 1 / steps_per_ms
    channels = (Inserted(PyramidalSodium(), 1.0, (0,)), Inserted(PyramidalPotassium(), 1.0, (0,)), Leak(0.05, -70.0))
    neuron = Cable(morphology, channels, threshold_mv=-10.0, dt_ms=dt_ms, scheme="implicit_euler")

    def everywhere(weight_us: float, rise_ms: float, decay_ms: float) -> StateMachine:
        return Population(DualExponential(weight_us, rise_ms, decay_ms, dt_ms), morphology.compartments, shared=True)

    if ampa_us is None:
        ampa_us = 1.2e-3 if nmda else 2.9e-3
    receptors = Receptors(
        ConductanceBased(everywhere(ampa_us, 0.3, 3.0), 0.0),
        NMDA(everywhere(nmda_us if nmda else 0.0, 2.0, 70.0)),
        ConductanceBased(everywhere(gaba_us, 1.0, 10.0), -80.0),
    )
    return Innervated(neuron, receptors)
