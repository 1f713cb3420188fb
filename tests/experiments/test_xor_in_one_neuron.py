"""Gates in one neuron in small: the branch learns the exclusive or, what sums linearly cannot."""

import pytest

from tests.experiments.small import run


@pytest.mark.slow
def test_the_branch_learns_what_a_point_neuron_cannot(tmp_path):
    results, sections = run("xor_in_one_neuron/quick.yaml", tmp_path / "run", "starts=16", "steps=600", "points=3")
    solved = {row["unit"]: {gate: found["solved"] for gate, found in row["gates"].items()} for row in results["units"]}
    assert solved["dCaAP branch"]["exclusive or"] >= 8
    # A threshold on a weighted sum cannot be right four times.
    assert solved["point neuron"] == {"exclusive or": 0, "and": 16, "or": 16}
    assert solved["model I"]["exclusive or"] == 0
    # Two dendrites with thresholds of their own can.
    assert solved["model III"]["exclusive or"] >= 4
    assert [section.title for section in sections] == ["Exclusive or", "Gates learned", "Losses"]
    assert len(sections[1].rows) == 6
