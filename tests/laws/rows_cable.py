"""Rows of the laws for cables of membrane."""

import jax.numpy as jnp

import jaxneuro as jn
from tests.laws.row import Row, floats

BRANCHES = [
    jn.dendritic.Branch(-1, 8.0, 8.0),
    jn.dendritic.Branch(0, 60.0, 2.0, 1, "middle"),
    jn.dendritic.Branch(1, 40.0, 1.0),
    jn.dendritic.Branch(1, 30.0, 1.5),
]
COMPARTMENTS = 5  # with the branch point


def cable(channels, **options):
    """A soma, a trunk and two branches, with a capacitance so small that few steps show a spike."""
    shape = jn.dendritic.tree(BRANCHES)
    return jn.dendritic.Cable(shape, channels, 0.5, 100.0, dt_ms=0.02, **options)


def active():
    return (
        jn.dendritic.Inserted(jn.spiking.SquidSodium(speed=3.0), 2.0, (0, 1)),
        jn.dendritic.Inserted(jn.spiking.SquidPotassium(speed=3.0), jnp.asarray([1.0, 0.7]), (0, 3)),
        jn.spiking.Leak(),
    )


def injected(generator, steps):
    """Currents (nA) into all compartments."""
    return floats(generator.uniform(-0.05, 0.3, size=(steps, COMPARTMENTS)))


def innervated():
    """The cable with receptors for AMPA and NMDA."""

    def everywhere(weight_us):
        kinetics = jn.synapses.DualExponential(weight_us, 0.1, 1.0, 0.02)
        return jn.Population(kinetics, COMPARTMENTS, shared=True)

    receptors = (jn.synapses.ConductanceBased(everywhere(0.02), 0.0), jn.synapses.NMDA(everywhere(0.02)))
    neuron = cable((jn.spiking.Leak(),), scheme="implicit_euler")
    return jn.networks.Innervated(neuron, jn.synapses.Receptors(*receptors))


def arriving(generator, steps):
    """Spikes at both receptors."""
    return tuple(floats(generator.random((steps, COMPARTMENTS)) < 0.4) for _ in range(2))


CABLE: tuple[Row, ...] = (
    Row("Cable", lambda key: cable(active(), threshold_mv=-30.0), injected, smooth=True, quick=False),
    Row("Innervated", lambda key: innervated(), arriving, smooth=True, quick=False),
)
