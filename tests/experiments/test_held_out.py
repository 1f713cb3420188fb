import numpy as np
import pytest

from jaxneuro.measure.interval import holm, paired_p_value
from tests.experiments.small import run

BUDGET = "{parameters: 300, parameter_tolerance: 0.2, learning_rates: [1e-2], seeds: 3, steps: 6, chunk: 3, batch: 4}"
SMALL = (
    "devices=1",
    "found=[{name: minimal, neuron: {kind: StraightCell, genome: MGU}}]",
    "controls=[{name: LSTM, neuron: {kind: LSTM}}, {name: RNN, neuron: {kind: RNN}}]",
    f"trials=[{{name: adding, task: {{kind: Adding, steps: 6}}, evaluation: 16, budget: {BUDGET}}}, "
    f"{{name: digits, task: {{kind: ImageSequences, order: rows}}, evaluation: 64, budget: {BUDGET}}}]",
)


@pytest.mark.slow
def test_each_cell_is_compared_with_each_control_on_each_task(tmp_path):
    results, sections = run("search/held_out.yaml", tmp_path / "run", *SMALL)
    of = {(row["trial"], row["network"]): row for row in results["scores"]}
    assert of.keys() == {(task, name) for task in ("adding", "digits") for name in ("minimal", "LSTM", "RNN")}
    found = [(row["trial"], row["ours"], row["theirs"]) for row in results["differences"]]
    assert found == [(task, "minimal", name) for task in ("adding", "digits") for name in ("LSTM", "RNN")]
    for row in results["differences"]:
        ours, theirs = of[row["trial"], "minimal"], of[row["trial"], row["theirs"]]
        assert row["percent"] == pytest.approx(100 * (np.mean(ours["score"]) / np.mean(theirs["score"]) - 1))
        assert row["p"] == paired_p_value(ours["score"], theirs["score"])
    assert [row["p_holm"] for row in results["differences"]] == holm([row["p"] for row in results["differences"]])
    for row in results["summary"]:
        percents = [d["percent"] for d in results["differences"] if d["theirs"] == row["theirs"]]
        assert row["mean_percent"] == pytest.approx(np.mean(percents))
        clear = [d for d in results["differences"] if d["theirs"] == row["theirs"] and d["p_holm"] < 0.01]
        assert sorted(row["better"] + row["worse"]) == sorted(d["trial"] for d in clear)
        assert all(of[task, "minimal"]["mean"] < of[task, row["theirs"]]["mean"] for task in row["better"])
    assert "scikit-learn" in results["data"]["digits"]
    assert sections[0].text.startswith("minimal against LSTM: ")
