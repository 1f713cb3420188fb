"""The conductances of a membrane come back from its voltage, from guesses that are half off."""

import numpy as np
import pytest

from tests.experiments.small import run


@pytest.mark.slow
def test_a_few_steps_bring_all_guesses_nearer(tmp_path):
    small = ("steps=30", "chunk=15", "protocols=1", "duration_ms=8", "learning_rate=0.05", "dt_ms=0.05")
    results, sections = run("membrane/quickstart.yaml", tmp_path / "run", *small)
    assert len(results["guesses"]) == 8
    starts = np.array([row["start"] for row in results["guesses"]])
    np.testing.assert_allclose(np.abs(starts / results["true"] - 1), 0.5)
    errors = np.abs([row["error"] for row in results["guesses"]])
    # Sodium and potassium; a leak hardly shows in 8 ms.
    assert errors[:, :2].mean() < 0.3
    assert [section.title for section in sections] == ["Conductances", "Learning curve", "Voltage"]
    assert all(section.figure for section in sections[1:])


@pytest.mark.computing
@pytest.mark.slow
def test_the_quickstart_recovers_all_conductances(tmp_path):
    results, _ = run("membrane/quickstart.yaml", tmp_path / "run")
    assert results["largest_error"] < 0.01
    assert results["largest_error"] == np.abs([row["error"] for row in results["guesses"]]).max()
