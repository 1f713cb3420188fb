import math

import numpy as np
import pytest

from jaxneuro.launch import experiments
from jaxneuro.launch.advice import ConfigError
from tests.experiments.small import ROOT, run

BUDGET = (
    "{parameters: 1500, parameter_tolerance: 0.1, learning_rates: [1e-2, 3e-2], seeds: 2, steps: 6, chunk: 3, batch: 4}"
)
ADDING = f"{{name: adding, task: {{kind: Adding, steps: 6}}, evaluation: 16, budget: {BUDGET}}}"
SMALL = ("devices=1", f"trials=[{ADDING}]")


@pytest.fixture(scope="module")
def answer():
    return experiments.load("nested_lstm", ROOT / "configs" / "x.yaml").main.__globals__["answer"]


@pytest.mark.slow
def test_networks_of_equal_size_are_scored_beside_the_baseline_and_compared_with_the_first(tmp_path):
    results, sections = run("nested_lstm/quick.yaml", tmp_path / "run", *SMALL)
    assert [row["network"] for row in results["scores"]] == ["nested", "stacked", "lstm"]
    counts = [row["parameters"] for row in results["scores"]]
    assert max(counts) <= 1.1 * min(counts)
    # One layer inside and two on top of each other have the same weights for the same number of neurons.
    assert results["scores"][0]["units"] == results["scores"][1]["units"]
    assert counts[0] == counts[1]
    assert all(row["baseline"] == pytest.approx(1 / 6) for row in results["scores"])
    for row, other in zip(results["differences"], ("stacked", "lstm"), strict=True):
        assert (row["ours"], row["theirs"]) == ("nested", other)
        theirs = next(score for score in results["scores"] if score["network"] == other)
        assert row["mean"] == pytest.approx(np.mean(results["scores"][0]["score"]) - np.mean(theirs["score"]))
    assert [section.title for section in sections] == [
        "Answer",
        "Scores on the test set",
        "Differences, seed by seed",
        "Learning curves of adding",
    ]


@pytest.mark.slow
def test_text_is_scored_in_bits_and_a_part_of_it_is_kept_for_the_test(tmp_path):
    text = tmp_path / "text.txt"
    # The last tenth is in another order: a score on the training part would be far lower after enough steps.
    text.write_text("abcd" * 450 + "dbca" * 50)
    budget = BUDGET.replace("steps: 6, chunk: 3", "steps: 150, chunk: 75")
    task = f"task: {{kind: NextCharacter, steps: 8}}, evaluation: 16, path: {text}"
    trial = f"{{name: text, {task}, budget: {budget}}}"
    results, _ = run("nested_lstm/quick.yaml", tmp_path / "run", "devices=1", f"trials=[{trial}]")
    for row in results["scores"]:
        assert row["unit"] == "bits per character"
        assert np.min(row["validation"]) < 0.5 < math.log2(4) < row["mean"]


def test_networks_that_cannot_be_of_equal_size_are_refused(tmp_path):
    trial = ADDING.replace("parameter_tolerance: 0.1", "parameter_tolerance: 0.000001")
    with pytest.raises(ConfigError, match="parameter_tolerance"):
        run("nested_lstm/quick.yaml", tmp_path / "run", "devices=1", f"trials=[{trial}]")


def difference(trial, theirs, mean, differs):
    told = {"trial": trial, "ours": "nested", "theirs": theirs, "higher_is_better": False}
    return told | {"mean": mean, "differs": differs}


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ((-1.0, True), (-2.0, True), "Yes: nested is better than all others on every task."),
        ((-1.0, True), (-2.0, False), "In part: nested is better than all others on a, not on the other tasks."),
        ((-1.0, False), (2.0, False), "No: on no task is nested better than all others."),
        (
            (1.0, True),
            (-2.0, False),
            "No: on no task is nested better than all others. It is worse than lstm on a.",
        ),
    ],
)
def test_the_answer_says_what_the_differences_say(answer, first, second, words):
    assert answer([difference("a", "lstm", *first), difference("b", "lstm", *second)]) == words
