"""Experiments with electrodes in small: models are found blind, a membrane with channels sums."""

import pytest

from tests.experiments.small import run


@pytest.mark.slow
def test_models_are_found_blind_and_a_membrane_sums(tmp_path):
    results, sections = run("independent_thresholds/quick.yaml", tmp_path / "run", "cells=8", "membranes=2")
    assert results["trials"] == 50
    (level,) = results["levels"]
    assert level["recovered"] >= 23 / 24
    one, two, three = (cells["yes"] for cells in level["cells"])
    assert min(one[1:]) > 0.8
    assert max(two[2], one[0], *three[1:]) < 0.3
    assert three[0] == 1
    assert {each["cell"]: each["taken for"] for each in results["others"]} == {
        "membrane": [2, 0, 0],
        "short passive dendrites": [2, 0, 0],
        "long active dendrites": [0, 0, 2],
    }
    assert [section.title for section in sections] == ["Answer", "Verdicts", "Models found blind", "Waveforms"]
    assert [len(section.rows or ()) for section in sections] == [0, 6, 3, 0]
