import pytest

from tests.experiments.small import run


@pytest.mark.slow
def test_a_cable_and_a_tree_are_timed_at_a_tiny_size(tmp_path):
    results, sections = run(
        "benchmark/cables.yaml", tmp_path / "run", "rounds=2", "calls=2", "compartments=10", "steps=5", "fit_steps=5"
    )
    assert set(results["forward"]["peer_over_ours"]) == {"tree"}
    assert results["levels"]["tree"] < results["levels"]["cable"]
    assert results["gradient first"]["seconds"]["jaxneuro"] > 0
    # 0.9 of the conductances makes another voltage.
    assert results["fit"]["squared_distance_mv2"]["jaxneuro"] > 0
    assert len(sections[0].rows) == 2
