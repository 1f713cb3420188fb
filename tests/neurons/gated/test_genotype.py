"""The searched cells against a walk through their graphs in NumPy, and their genotypes as they were published."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.launch.kinds import Kind, parse
from tests.neurons.gated.by_hand import check_by_hand, sigmoid, size

# Activation and predecessor of each node; the nodes of the mean. From the authors' program, rnn/genotypes.py.
PUBLISHED = {
    "v1": ("relu0 relu1 tanh2 relu3 relu4 identity1 relu5 relu1", range(1, 9)),
    "v2": ("sigmoid0 relu1 relu1 identity1 tanh2 sigmoid5 tanh3 relu5", range(1, 9)),
    "enas": ("tanh0 tanh1 relu1 tanh3 tanh3 relu3 relu4 relu7 relu8 relu8 relu8", [2, 5, 6, 9, 10, 11]),
}
GIVEN = "tanh0 identity1 sigmoid0", [0, 2, 3]
FUNCTIONS = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0), "sigmoid": sigmoid, "identity": lambda x: x}


def equations(text, mean):
    nodes = [(word[:-1], int(word[-1])) for word in text.split()]

    def walk(m, sequence):
        h = np.zeros(4)
        for x in sequence:
            gate = sigmoid(m.input_weights[:4] @ x + m.recurrent_weights[:4] @ h)
            candidate = np.tanh(m.input_weights[4:] @ x + m.recurrent_weights[4:] @ h)
            values = {0: h + gate * (candidate - h)}
            for i, (name, predecessor) in enumerate(nodes, 1):
                s = values[predecessor]
                gate = sigmoid(m.node_weights[i - 1, :4] @ s)
                candidate = FUNCTIONS[name](m.node_weights[i - 1, 4:] @ s)
                values[i] = (1 - gate) * s + gate * candidate
            h = np.mean([values[i] for i in mean], axis=0)
            yield h, h

    return walk


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_darts_follows_its_published_graph(version):
    check_by_hand(lambda key: jn.gated.DARTS(3, 4, version=version, key=key), equations(*PUBLISHED[version]), "hidden")


def test_enas_follows_its_published_graph():
    check_by_hand(lambda key: jn.gated.ENAS(3, 4, key=key), equations(*PUBLISHED["enas"]), "hidden")


def test_any_graph_is_followed():
    genotype = jn.gated.Genotype((("tanh", 0), ("identity", 1), ("sigmoid", 0)), (0, 2, 3))
    check_by_hand(lambda key: jn.gated.GenotypeCell(3, 4, genotype=genotype, key=key), equations(*GIVEN), "hidden")


def test_enas_averages_the_nodes_that_no_other_sees(key):
    genotype = jn.gated.ENAS(3, 4, key=key).genotype
    seen = {predecessor for _, predecessor in genotype.nodes}
    assert set(genotype.mean) == set(range(len(genotype.nodes) + 1)) - seen


def test_identity_nodes_without_weights_halve_the_state(key):
    genotype = jn.gated.Genotype((("identity", 0), ("identity", 1)), (2,))
    machine = jax.tree.map(jnp.zeros_like, jn.gated.GenotypeCell(3, 4, genotype=genotype, key=key))
    start = jax.tree.map(jnp.ones_like, machine.init(key))
    np.testing.assert_allclose(jn.run(machine, jnp.ones((2, 3)), state=start)[1], [[1 / 8] * 4, [1 / 64] * 4])


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (20, 12)])
def test_has_a_gate_and_a_candidate_per_node(inputs, units):
    for build, nodes in ((jn.gated.DARTS, 8), (jn.gated.ENAS, 11)):
        parameters = size(lambda key, build=build: build(inputs, units, key=key))
        assert parameters == 2 * units * (inputs + units) + 2 * units**2 * nodes


def test_starts_with_small_uniform_weights(key):
    machine = jn.gated.DARTS(60, 50, key=key)
    for leaf in jax.tree.leaves(machine):
        assert np.abs(leaf).max() <= 0.04
        assert np.std(np.asarray(leaf)) == pytest.approx(0.04 / 3**0.5, rel=0.03)
    assert not np.any(machine.init(key).hidden)


def test_bad_genotypes_are_refused(key):
    with pytest.raises(ValueError, match="is 'v3'; it must be one of v1, v2"):
        parse({"kind": "DARTS", "version": "v3"}, Kind(supplied=("inputs", "units")))
    with pytest.raises(ValueError, match=r"GenotypeCell: node 1 of genotype is \('tanh', 1\); .* from 0 to 0"):
        jn.gated.GenotypeCell(3, 4, genotype=jn.gated.Genotype((("tanh", 1),), (1,)), key=key)
    with pytest.raises(ValueError, match=r"genotype.mean is \(2,\); it must name nodes from 0 to 1"):
        jn.gated.GenotypeCell(3, 4, genotype=jn.gated.Genotype((("tanh", 0),), (2,)), key=key)
    with pytest.raises(ValueError, match="ENAS got inputs=3, units=0; both must be at least 1"):
        jn.gated.ENAS(3, 0, key=key)
