"""Learning task after task in small: the order of networks is the known one, and the page tells it."""

import pytest

from jaxneuro.launch.config import ConfigError
from tests.experiments.small import run

SMALL = ("tasks=3", "units=64", "seeds=2", "steps=100", "tuning_seeds=1")


def learner(name, rates="[3e-3]", **changes):
    told = {"dendrites": "true", "winners": "0.2", "weight_sparsity": "0.5", **changes}
    return f"{{name: {name}, learning_rates: {rates}, {', '.join(f'{k}: {v}' for k, v in told.items())}}}"


@pytest.mark.slow
def test_dendrites_forget_less_than_a_perceptron_and_the_page_has_every_network(tmp_path):
    plain = "{name: perceptron, dendrites: false, learning_rates: [1e-3]}"
    held = learner("held", strengths="[10]")
    learners = f"learners=[{learner('active')}, {plain}, {held}]"
    results, sections = run(
        "permuted_digits/quickstart.yaml", tmp_path / "run", *SMALL, learners, "pairs=[[active, perceptron]]"
    )
    active, perceptron, intelligent = results["learners"]
    assert results["tasks"] == 3
    for row in (active, perceptron, intelligent):
        for curve, tasks, accuracy in zip(row["curve"], row["tasks"], row["accuracy"], strict=True):
            assert curve[-1] == pytest.approx(sum(tasks) / 3, rel=1e-5)
            assert accuracy == pytest.approx(curve[-1], rel=1e-5)
            # Right after a task it is known.
            assert min(curve[0], tasks[-1]) > 0.6
    assert min(active["context_found"]) > 0.97
    for known, inferred in zip(active["accuracy"], active["inferred"], strict=True):
        assert abs(known - inferred) < 0.05
    assert perceptron["inferred"] == []
    assert intelligent["strength"] == 10
    # Half of the connections are missing: 64 neurons of 32 and of 32 inputs, with 3 segments of 64 each.
    assert active["parameters"] == 64 * (32 + 32 + 2) + 2 * 64 * 3 * 64 + 650
    assert perceptron["parameters"] == 64 * (64 + 64 + 2) + 650
    assert results["differences"][0]["mean"] > 0
    assert [section.title for section in sections][:3] == [
        "Answer",
        "Accuracy over all tasks at the end",
        "Accuracy against the number of tasks learned",
    ]
    assert len(sections[1].rows) == len(sections[3].rows) == 3


def test_every_network_must_try_as_many_settings(tmp_path):
    learners = f"learners=[{learner('one')}, {learner('two', rates='[1e-3, 3e-3]')}]"
    with pytest.raises(ConfigError, match="all must try as many settings"):
        run("permuted_digits/quickstart.yaml", tmp_path / "run", *SMALL, learners, "pairs=[]")


def test_mnist_needs_a_folder(tmp_path):
    with pytest.raises(ConfigError, match="mnist is asked for; name the folder"):
        run("permuted_digits/quickstart.yaml", tmp_path / "run", *SMALL, "images.name=mnist")
