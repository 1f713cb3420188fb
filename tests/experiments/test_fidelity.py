"""The ledger of errors: all within what is allowed, and a coarse step is not."""

import pytest

from tests.experiments.small import run

pytestmark = pytest.mark.computing


@pytest.mark.slow
def test_all_comparisons_are_within_what_is_allowed(tmp_path):
    results, sections = run("fidelity.yaml", tmp_path / "run")
    missed = [(row["model"], row["what"], row["error"]) for row in results["checks"] if not row["kept"]]
    assert not missed
    assert results["kept"] == results["of"] == len(sections[0].rows) + len(sections[1].rows)
    assert len(sections[0].rows) >= 19
    assert len(sections[1].rows) >= 40


@pytest.mark.slow
def test_a_coarse_step_is_told(tmp_path):
    results, _ = run("fidelity.yaml", tmp_path / "run", "membrane_dt_ms=0.25")
    missed = {(row["model"], row["peer"]) for row in results["checks"] if not row["kept"]}
    assert missed == {("HodgkinHuxley", "")}
