import numpy as np
import pytest

from experiments.search_speed import SPACE, draw, drawn
from jaxneuro.search.canonical import digest
from jaxneuro.search.genome import live_wires
from tests.experiments.small import run
from tests.search.drawn import one_of

SIZE = "{name: tiny, steps: 4, batch: 2, units: 4, inputs: 3, population: 8, chunk: 2}"


@pytest.mark.slow
def test_both_ways_are_timed_and_new_cells_compile_nothing(tmp_path):
    changes = ("devices=1", "rounds=2", "sample=2", "whole=16", f"sizes=[{SIZE}]")
    results, sections = run("benchmark/search.yaml", tmp_path / "run", *changes)
    (row,) = results["sizes"]
    assert row["new_programs"] == 0
    assert row["one_core"]["min"] <= row["one_core"]["median"] <= row["one_core"]["max"]
    assert row["whole_run"]["candidates"] == 16
    assert set(row["times_faster"]) == {"20", "100", "300"}
    assert row["times_faster"]["20"] > row["times_faster"]["300"] > 0
    assert len(sections) == 1


def test_cells_of_the_benchmark_are_different_and_were_all_alive():
    genome = draw(np.random.default_rng(0))
    assert {SPACE.node(0, node) for node in range(12)} <= live_wires(genome)
    cells = drawn(20, 0)
    assert len({digest(one_of(cells, number)) for number in range(20)}) == 20
