"""Learning permanences by gradient in small: the surprise falls, all contend, the page tells it."""

import pytest

from jaxneuro.launch.config import ConfigError
from tests.experiments.small import run

SMALL = ("columns=40", "active=6", "cells=3", "pairs=1", "growing=8", "steps=40", "held_out=4", "segments=6")


@pytest.mark.slow
def test_the_surprise_falls_and_every_contender_is_on_the_page(tmp_path):
    changes = ("activation_threshold=4", "min_threshold=3", "tested_noise=[0.0, 0.2]")
    results, sections = run("soft_memory/quickstart.yaml", tmp_path / "run", *SMALL, *changes)
    rows = {row["contender"]: row for row in results["contenders"]}
    assert len(rows) == 6
    for row in rows.values():
        assert len(row["accuracy"]) == 2
        # Better than by chance, one of 8, without noise.
        assert min(seed[0] for seed in row["accuracy"]) > 0.3
    for learned, before in zip(rows["learned"]["surprise"], rows["Hebbian, soft"]["surprise"], strict=True):
        assert learned[1] < before[1]
    assert rows["Hebbian"]["surprise"] is None
    assert len(results["differences"]) == 9
    assert [section.title for section in sections] == [
        "Answer",
        "Elements foretold",
        "Against noise",
        "Learning by gradient",
    ]


def test_the_noise_of_training_must_be_tested(tmp_path):
    with pytest.raises(ConfigError, match=r"0\.2, the noise of training, is missing"):
        run("soft_memory/quickstart.yaml", tmp_path / "run", *SMALL, "tested_noise=[0.0]")
