"""How deep a cell is, in small: both cells are recorded and imitated, every expectation is judged, the page tells."""

import numpy as np
import pytest

from jaxneuro.launch.config import ConfigError
from tests.experiments.small import run

SMALL = (
    "milliseconds=200",
    "warm_up=50",
    "recordings=8",
    "held_out=28",
    "lanes=64",
    "steps=4",
    "memory_steps=6",
    "chunks=2",
    "batch=4",
    "memories=[1, 2]",
    "convolutional=[{sizes: [4], width: 3}, {sizes: [2, 3], width: 3}]",
)


@pytest.mark.slow
def test_all_networks_imitate_both_cells_and_are_judged(tmp_path):
    results, sections = run("dendritic_depth/quick.yaml", tmp_path / "run", *SMALL)
    assert [cell["condition"] for cell in results["cells"]] == ["NMDA", "no NMDA"]
    rows = {(row["condition"], row["network"]): row for row in results["networks"]}
    assert len(rows) == 2 * 4
    for row in rows.values():
        assert len(row["auc"]) == 2
        assert all(0 <= value <= 1 for value in row["auc"])
        assert set(row["stopped"]) <= ({2, 4} if row["kind"] == "TCN" else {3, 6})
    assert rows["NMDA", "TCN-1"]["parameters"] == 3 * (4 * 88 + 1) + 2 * 4
    assert rows["NMDA", "TCN-2"]["parameters"] == 3 * (2 * 88 + 1) + 3 * (3 * 3 + 1) + 2 * 4
    assert rows["NMDA", "ELM-2"]["parameters"] == 88 + 4 * (22 + 2 + 1) + 2 * 5 + 2 * 3
    gap = results["verdicts"][0]
    expected = np.mean(rows["NMDA", "TCN-2"]["auc"]) - np.mean(rows["NMDA", "TCN-1"]["auc"])
    assert gap["mean"] == pytest.approx(expected, abs=1e-6)
    assert gap["kept"] == (expected >= 0.01)
    assert [section.title for section in sections] == ["Expected and found", "Scores", "By depth and by memories"]
    assert len(sections[0].rows) == len(results["verdicts"]) == 2 + 2 * 2


def test_a_batch_must_not_be_more_than_there_is(tmp_path):
    with pytest.raises(ConfigError, match="batch is 9; it must be at most recordings, 8"):
        run("dendritic_depth/quick.yaml", tmp_path / "run", *SMALL, "batch=9")


@pytest.mark.parametrize("changes", [("memories=[3]",), ("memories=[]", "convolutional=[]")])
def test_one_network_alone_or_none_is_refused(changes, tmp_path):
    with pytest.raises(ConfigError, match="one alone shows nothing, and something must be trained"):
        run("dendritic_depth/quick.yaml", tmp_path / "run", *changes)
