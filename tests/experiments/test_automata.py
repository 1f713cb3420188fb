"""Counting states in small: a sum is known when it is seen, neurons have the states that follow by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.launch import automata_page, experiments
from jaxneuro.measure import distinguishing_word, extract
from tests.experiments.small import ROOT, run


@pytest.fixture(scope="module")
def experiment():
    return experiments.load("automata", ROOT / "configs" / "x.yaml").main.__globals__


@pytest.mark.parametrize("modulus", [2, 3])
def test_a_sum_is_known_when_it_is_seen(experiment, modulus):
    truth, alphabet = experiment["ModularSum"](modulus), jnp.eye(modulus)
    assert experiment["is_sum"](extract(truth, alphabet, read=jnp.argmax), modulus)
    late = jn.Chain(jn.Delay(jnp.zeros(modulus)), truth)
    assert not experiment["is_sum"](extract(late, alphabet, read=jnp.argmax), modulus)
    assert distinguishing_word(truth, late, alphabet, read=jnp.argmax) == (1,)


@pytest.mark.slow
def test_a_network_that_learnt_parity_has_two_states_and_neurons_those_by_hand(tmp_path):
    results, sections = run("automata/quick.yaml", tmp_path / "run", "long=50")
    (network,) = results["networks"]
    assert network["right"] == network["agreement"] == 1
    assert (network["states"], network["is_sum"], network["word"]) == (2, True, None)
    assert [row["states"] for row in results["neurons"]] == [row["expected"] for row in results["neurons"]] == [5, 5]
    assert [section.title for section in sections] == ["Answer", "Networks", "Neurons", "Smallest automata"]
    assert "gru: 1 of 1 networks are the automaton of sums modulo 2" in sections[0].text
    assert "2 of 2 have as many states as follow by hand" in sections[0].text


@pytest.mark.slow
def test_a_network_that_has_not_learnt_is_told_from_the_sum(tmp_path):
    changes = ("steps=1", "chunk=1", "long=20", "neurons=[]", "limit=200")
    results, sections = run("automata/quick.yaml", tmp_path / "run", *changes)
    (network,) = results["networks"]
    assert not network["is_sum"]
    assert "gru: 0 of 1 networks" in sections[0].text
    assert network["right"] < 0.9


def test_too_many_states_are_told(experiment):
    found, why = experiment["counted"](jn.LeakyReadout(), jnp.array([0.0, 1.0]), 20)
    assert found is None
    assert why.startswith("more than 20 states")
    row = {"neuron": "a", "expected": 3, "tolerance": 0.1, "found": None, "states": None}
    sections = automata_page.sections({"modulus": 2, "networks": [], "neurons": [row]})
    assert sections[1].rows == [["a", "0.1", "too many", "too many", "3"]]
    assert "0 of 1" in sections[0].text
    assert len(sections) == 2
    assert np.size(sections[1].rows) == 5


def test_a_network_that_drifts_away_from_its_automaton_is_not_the_sum():
    row = {"network": "a", "seed": 0, "right": 0.6, "found": 4, "states": 2, "is_sum": True, "agreement": 0.6}
    row |= {"word": None, "transitions": [[0, 1], [1, 0]], "outputs": [[[0], [1]], [[1], [0]]]}
    exact = row | {"network": "b", "agreement": 1.0}
    told = automata_page.answer({"modulus": 2, "networks": [row, exact], "neurons": []})
    assert told == (
        "a: 0 of 1 networks are the automaton of sums modulo 2. 1 more look like it within the tolerance, but drift: "
        "on long sequences the automaton and the network part. b: 1 of 1 networks are the automaton of sums modulo 2."
    )
