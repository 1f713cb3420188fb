"""E-prop beside backpropagation in small: all learners are scored, and learn."""

import pytest

from tests.experiments.small import run

CUES = "cues: 1, cue_ms: 15, gap_ms: 0, shortest_ms: 5, longest_ms: 5, question_ms: 10, rate_hz: 200.0"
TASK = f"task={{kind: Evidence, {CUES}}}"
SMALL = (TASK, "seeds=2", "steps=40", "chunk=20", "batch=32", "units=20", "evaluation=128", "learning_rate=0.02")


@pytest.mark.slow
def test_every_rule_learns_which_side_the_cue_was_on(tmp_path):
    results, sections = run("evidence/quick.yaml", tmp_path / "run", *SMALL)
    assert [row["rule"] for row in results["networks"]] == ["backpropagation", "symmetric e-prop", "random e-prop"]
    for row in results["networks"]:
        assert row["parameters"] == 20 * (40 + 1) + 20 * 20 + 2 * 21
        assert min(row["accuracy"]) > 0.8
        assert max(row["loss"]) < 0.65 < results["baseline"]
    assert [section.title for section in sections] == ["Accuracy on new sequences", "Learning curves"]
    assert len(sections[0].rows) == 3
