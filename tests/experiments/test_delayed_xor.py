"""Delayed exclusive or in small: a branch that remembers learns it, a neuron that forgets does not; the page tells."""

import pytest

from tests.experiments.small import run

TASK = "task={kind: DelayedXOR, steps: 30, channels: 10, code: 5}"
LEARNERS = (
    "learners=[{name: LIF, neuron: LIF, units: 6, soma_range: [-2, 0], at_most: 0.6},"
    " {name: ALIF, neuron: ALIF, units: 6},"
    " {name: branched, neuron: branched, units: 16, branches: 2, branch_range: [2, 5], at_least: 0.99}]"
)


@pytest.mark.slow
def test_every_layer_is_trained_and_judged_by_its_bar(tmp_path):
    changes = (TASK, LEARNERS, "steps=60", "chunk=30", "batch=32", "evaluation=200")
    results, sections = run("delayed_xor/quick.yaml", tmp_path / "run", *changes)
    plain, adaptive, branched = results["networks"]
    assert plain["parameters"] == 6 * (10 + 2) + 2 * 7
    assert adaptive["parameters"] == 6 * (10 + 1) + 2 * 7
    assert branched["parameters"] == 16 * (10 + 2 * 2 + 1) + 2 * 17
    assert max(plain["accuracy"]) < 0.65
    assert [row["kept"] for row in results["networks"]] == [True, None, False]
    assert results["baseline"] > results["optimum"]
    assert [row["ours"] for row in results["differences"]] == ["ALIF", "branched"]
    assert [section.title for section in sections] == ["Answer", "Accuracy on new sequences", "Learning curves"]
    assert [row[7] for row in sections[1].rows] == ["yes", "", "no"]
