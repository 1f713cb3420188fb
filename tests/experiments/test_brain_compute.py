"""A brain of one kind of neuron: counted by hand, and the report."""

import pytest

from experiments.brain_compute import KINDS, operations, parts
from tests.experiments.small import run


# By hand. A threshold unit: w x, sum of inputs; its bias, its comparison. An LSTM: four gates.
@pytest.mark.parametrize(("kind", "synapse", "own"), [("threshold unit", 2, 2), ("LIF", 2, None), ("LSTM", 8, None)])
def test_what_a_synapse_adds_and_what_the_neuron_does_itself(kind, synapse, own):
    found = parts(KINDS[kind], 640)
    assert operations(found.synapse) == pytest.approx(synapse)
    assert operations(found.own) == pytest.approx(own) if own else operations(found.own) > 20
    twice = parts(KINDS[kind], 1280)
    assert operations(twice.own) == pytest.approx(operations(found.own))


def test_the_run_adds_up_and_has_a_page(tmp_path):
    models = "models=[{kind: threshold unit, step_ms: 10}, {kind: ELM, step_ms: 1}]"
    results, sections = run("brain_compute.yaml", tmp_path / "run", models, "neurons=1000", "synapses=640", "rate_hz=5")
    unit, elm = results["models"]
    every, spikes = unit["ways"]
    # 100 steps per second; a spike adds a weight.
    assert every["operations_per_second"] == pytest.approx(1000 * 100 * (2 + 2 * 640))
    assert spikes["operations_per_second"] == pytest.approx(1000 * (100 * 2 + 5 * 640))
    # The published energies of an addition and a multiplication: 0.9 and 3.7 pJ; a comparison is taken for an addition.
    assert spikes["watts"]["45 nm, arithmetic"] == pytest.approx(1000 * 0.9e-12 * (200 + 5 * 640))
    assert every["watts"]["45 nm, arithmetic"] == pytest.approx(1000e-12 * (0.9 * 200 + 4.6 * 100 * 640))
    # An ELM steps 1,000 times a second, and its branches are there however many synapses it has.
    (way,) = elm["ways"]
    by_parts = elm["own_operations_per_step"] + 640 * elm["operations_per_synapse"]
    assert way["operations_per_second"] == pytest.approx(1e6 * by_parts)
    assert elm["own_operations_per_step"] > 5000
    assert [bool(section.figure) for section in sections] == [True, False, False, False]
    assert "not one for each neuron" in sections[0].text
