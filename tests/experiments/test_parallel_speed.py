import pytest

from tests.experiments.small import run

SMALL = (
    "rounds=2",
    "parameters=300",
    "batch=2",
    "lengths=[4, 9]",
    "networks=[{name: LSTM, neuron: {kind: LSTM}}, {name: linear, neuron: {kind: ParallelCell, genome: MinGRU}}]",
)


@pytest.mark.slow
def test_linear_cells_run_in_all_ways_beside_a_network_of_equal_size(tmp_path):
    results, (section,) = run("benchmark/parallel.yaml", tmp_path / "run", *SMALL)
    assert [row["length"] for row in results["lengths"]] == [4, 9]
    ways = [f"linear, {executor}" for executor in ("sequential", "parallel", "recurrent")]
    for row in results["lengths"]:
        assert list(row["milliseconds"]) == ["LSTM", *ways]
        assert set(row["peer_over_ours"]) == set(ways)
    lstm, linear = results["networks"]
    assert abs(lstm["parameters"] / linear["parameters"] - 1) <= 0.05
    assert [len(row) for row in section.rows] == [5, 5]
