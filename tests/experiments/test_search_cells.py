import json

import numpy as np
import pytest

from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.lock import RunError
from jaxneuro.search.canonical import digest
from jaxneuro.search.genome import check
from jaxneuro.search.lineage import ancestors
from jaxneuro.search.race import Race
from jaxneuro.search.storage import load
from jaxneuro.search.text import parse
from tests.experiments.small import run

CONFIG = "search/quickstart.yaml"
SMALL = (
    "devices=1",
    "trials=[{name: adding, task: {kind: Adding, steps: 8}, evaluation: 32, budget: {parameters: 400, "
    "parameter_tolerance: 0.2, learning_rates: [1e-2], seeds: 2, steps: 20, chunk: 10, batch: 4}}]",
    "searches=[{name: aging, method: aging, population: 8}, {name: random, method: random}]",
    "race={candidates: 20, generation: 8, rungs: [2, 4], widths: [16], room: 8, batch: 4, chunk: 4}",
    "space={stages: 2, slots: 4, nodes: 5, states: 2}",
)


def candidates(path):
    """The lines of all candidates in a run's log."""
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["name"] in ("aging", "random", "other")]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    path = tmp_path_factory.mktemp("search") / "run"
    return path, *run(CONFIG, path, *SMALL)


@pytest.mark.slow
def test_search_and_random_search_spend_the_same_and_the_best_are_compared(done):
    _, results, sections = done
    assert {name: told["candidates"] for name, told in results["searches"].items()} == {"aging": 20, "random": 20}
    assert [row["network"] for row in results["scores"]] == ["aging-1", "random-1", "LSTM", "GRU"]
    pairs = {(row["ours"], row["theirs"]) for row in results["differences"]}
    assert {("aging-1", "LSTM"), ("aging-1", "random-1"), ("random-1", "GRU")} <= pairs
    assert sum("<svg" in section.figure for section in sections) >= 3


@pytest.mark.slow
def test_every_candidate_is_in_the_log_with_its_parents_and_scores(done):
    path, results, _ = done
    log = candidates(path)
    assert len(log) == 40
    for line in log:
        check(parse(line["text"]))
        assert all(parent < line["number"] for parent in line["parents"])
        assert len(line["losses"]) in (1, 2)
    assert len({line["digest"] for line in log if line["name"] == "aging"}) == 20
    assert any(line["parents"] for line in log if line["name"] == "aging")
    best = min(line["losses"][-1] for line in log if line["name"] == "aging" and line["losses"][-1] is not None)
    assert results["searches"]["aging"]["best"] == pytest.approx(best)
    assert results["searches"]["aging"]["winner"] == "aging-1"
    cell = load(path / "cells" / "aging.json")
    assert digest(cell) == results["searches"]["aging"]["finalists"][0]["digest"]


@pytest.mark.slow
def test_the_winners_line_of_descent_ends_with_it(done):
    _, results, _ = done
    for told in results["searches"].values():
        (finalist,) = told["finalists"]
        assert "\\begin" in finalist["latex"]
        line = ancestors({record["number"]: record for record in told["records"]}, finalist["number"])
        assert line[-1]["number"] == finalist["number"]
        assert len(line[-1]["losses"]) == 2
        assert not line[0]["parents"]


@pytest.mark.slow
@pytest.mark.parametrize("torn", [0, 3])
def test_a_run_that_was_stopped_goes_on_with_the_same_candidates_and_scores(done, tmp_path, monkeypatch, torn):
    path, results, _ = done
    trained, race = [], Race.run

    def stops(self, candidates):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(len(candidates))
        return race(self, candidates)

    monkeypatch.setattr(Race, "run", stops)
    with pytest.raises(KeyboardInterrupt):
        run(CONFIG, tmp_path / "run", *SMALL)
    monkeypatch.setattr(Race, "run", race)
    journal = tmp_path / "run" / "metrics.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: len(lines) - torn]))  # a generation of which a part was lost
    again, _ = run(CONFIG, tmp_path / "run", *SMALL)
    assert candidates(tmp_path / "run") == candidates(path)
    assert [row["score"] for row in again["scores"]] == [row["score"] for row in results["scores"]]


@pytest.mark.slow
def test_a_log_of_other_candidates_is_refused(done, tmp_path):
    path, _, _ = done
    with pytest.raises(RunError, match="belongs to another config"):
        run(CONFIG, path, *SMALL, "seed=7")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["nsga2", "map_elites"])
def test_other_methods_run_too(tmp_path, method):
    results, _ = run(CONFIG, tmp_path / "run", *SMALL, f"searches.0={{name: other, method: {method}, population: 8}}")
    assert results["searches"]["other"]["distinct"] == 20
    assert np.isfinite([row["mean"] for row in results["scores"]]).all()


def test_unknown_cells_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"controls: there is no cell 'LSTN'. Allowed: .*LSTM"):
        run(CONFIG, tmp_path / "run", *SMALL, "controls=[LSTN]")
    with pytest.raises(ConfigError, match=r"searches.0.start does not fit the space: the cell has 3 stages"):
        run(CONFIG, tmp_path / "other", *SMALL, "searches.0.start=[NestedLSTM]")
