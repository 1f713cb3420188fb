"""Rows of the laws for neurons with memory in their branches, and tree networks."""

import jax

from jaxneuro import dendritic, networks, synapses
from tests.laws.row import Row, SmoothSpike, floats, vectors


def events(*shape):
    return lambda generator, steps: floats(generator.random((steps, *shape)) < 0.4)


def branch_distance(machine, state, input):
    branch, soma = machine.branch_logits, machine.soma_logits
    current = jax.nn.sigmoid(branch) * state.branches + jax.nn.sigmoid(-branch) * machine.drive(input)
    potential = jax.nn.sigmoid(soma) * state.potential + jax.nn.sigmoid(-soma) * current.sum(axis=1)
    return potential - machine.threshold * state.spikes - machine.threshold


def quick_branches(key, **changes):
    """Branches and somata so fast, and thresholds so low, that one step decides."""
    return dendritic.DHLIF(5, 3, 2, branch_range=(-2.0, 0.0), soma_range=(-2.0, 0.0), threshold=0.1, key=key, **changes)


BRANCHED: tuple[Row, ...] = (
    Row(
        "ELM",
        lambda key: dendritic.ELM(6, 2, 3, branches=2, synapses_per_branch=4, interleaved=True, key=key),
        events(6),
        smooth=True,
        quick=False,
    ),
    Row(
        "ELM second version",
        lambda key: dendritic.ELM(4, 1, 2, version=2, branches=2, key=key),
        events(4),
        smooth=True,
        quick=False,
    ),
    Row("DHLIF", quick_branches, vectors(5), distance=branch_distance, quick=False),
    Row(
        "DHLIF smooth spike",
        lambda key: quick_branches(key, spike=SmoothSpike()),
        vectors(5),
        smooth=True,
        quick=False,
    ),
    Row(
        "TreeLayer",
        lambda key: dendritic.TreeLayer(4, 2, colours=2, filters=2, trees=2, rows=2, key=key),
        vectors(4, 2, 2, 2),
        smooth=True,
        quick=False,
    ),
    Row(
        "AmplifiedTree",
        lambda key: dendritic.AmplifiedTree(6, 2, dendrites=3, key=key),
        vectors(6),
        smooth=True,
        quick=False,
    ),
    Row(
        "Tree3",
        lambda key: networks.Tree3(5, 5, 2, colours=2, filters=1, size=2, trees=2, rows=1, key=key),
        vectors(5, 5, 2),
        smooth=True,
        quick=False,
    ),
    Row(
        "TemporalConv",
        lambda key: synapses.TemporalConv(3, 2, size=3, key=key),
        vectors(3),
        smooth=True,
        quick=False,
    ),
)
