"""The sequence memory in small; how its measures count; that a table of sequences would be right."""

import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from jaxneuro.launch import experiments, sequence_page
from tests.experiments.small import run

SMALL = (
    "seeds=1",
    "chunk=100",
    "active=10",
    "trials.0.memory.columns=256",
    "trials.0.memory.cells=8",
    "trials.0.memory.segments=64",
    "trials.0.memory.fan_out=2048",
    "trials.0.memory.activation_threshold=5",
    "trials.0.memory.min_threshold=5",
    "trials.0.memory.new_synapses=10",
    "trials.0.elements=2000",
    "trials.0.change_at=1500",
    "trials.0.elements_after_death=200",
    "trials.0.deaths=[0.0, 1.0]",
    "trials.0.before=[[0, 2, 3, 0], [1, 2, 3, 1]]",
    "trials.0.after=[[0, 2, 3, 1], [1, 2, 3, 0]]",
    "trials.0.noise=0",
)


@pytest.fixture
def memory():
    experiments.load("sequence_memory", Path(__file__).parents[2] / "configs" / "x.yaml")
    return sys.modules["experiments.sequence_memory"]


@pytest.mark.slow
def test_two_sequences_are_learnt_and_unlearnt(tmp_path):
    results, sections = run("sequence_memory/quickstart.yaml", tmp_path / "run", *SMALL)
    (row,) = results["trials"]
    assert row["final"] == [1.0]
    assert row["learnt_at"][0] < 1500
    assert row["final_after"][0] > 0.5
    assert row["deaths"]["0.0"] == [1.0]
    # Nothing is predicted: one of four symbols is as good as another.
    assert row["deaths"]["1.0"][0] < 0.7
    assert set(row["overflow"].values()) == {0}
    assert row["hits"]["1000"][0] > 0.3
    assert {section.title for section in sections} >= {"Dead cells", "What had no room"}


def test_answers_are_asked_for_before_the_last_element(memory):
    given = memory.Material(np.zeros((1, 1)), np.arange(9), np.array([0, 0, 1, 0, 0, 1, 0, 0, 1], bool))
    trace = memory.Trace(np.array([9, 0, 9, 9, 1, 9, 9, 0]), np.zeros(8), np.zeros(8))
    due, right = memory.answers(trace, given, 1)
    np.testing.assert_array_equal(due, [1, 4, 7])
    np.testing.assert_array_equal(right, [True, False, True])
    np.testing.assert_array_equal(memory.answers(trace, given, 2)[1], [True, True, True])
    later = memory.Trace(trace.rank[4:], np.zeros(4), np.zeros(4))
    np.testing.assert_array_equal(memory.answers(later, given, 1, 4)[0], [4, 7])


def test_learnt_is_when_95_of_the_last_100_are_right(memory):
    right = np.arange(300) >= 50
    assert memory.learnt_at(10 * np.arange(300), right) == 10 * 144
    assert memory.learnt_at(np.arange(300), np.arange(300) % 10 > 0) is None
    np.testing.assert_allclose(memory.sliding(right)[[0, 60, 149, 299]], [0, 11 / 61, 1, 1])


def test_smoothed_shares_are_exponential_means_of_60(memory):
    random = np.random.default_rng(0)
    predicted = random.integers(0, 50, 200)
    hits = random.binomial(predicted, 0.5)
    slow, found = 0.0, []
    for step in range(200):
        share = hits[step] / predicted[step] if predicted[step] and step else 0.0
        slow = 0.99 * slow + 0.01 * share
        found.append(slow)
    wanted = [np.mean(found[max(0, step - 59) : step + 1]) for step in range(200)]
    np.testing.assert_allclose(memory.smoothed_hits(memory.Trace(hits, hits, predicted)), wanted)


def test_codes_are_different_minicolumns_each_drawn_evenly(memory):
    codes = memory.drawn_codes(np.random.default_rng(0), 4000, 20, 5)
    assert (np.diff(codes, axis=1) > 0).all()
    counts = np.bincount(codes.ravel(), minlength=20)
    assert abs(counts - 1000).max() < 4 * (4000 * 0.25 * 0.75) ** 0.5


def test_the_page_has_the_published_figures_of_the_stream_that_was_run():
    row = {
        "trial": "one", "final": [1.0, 0.9], "learnt_at": [4000, None], "final_after": [1.0, 1.0],
        "relearnt_after": [2000, 3000], "segments": [10, 20], "synapses": [100, 200],
        "deaths": {"0.0": [1.0, 1.0], "0.3": [0.9, 1.0]}, "hits": {"1000": [0.4, 0.5]},
        "overflow": {"winners": 0, "evicted": 7}, "seconds": 1.0,
    }  # fmt: skip
    curve = np.linspace(0, 1, 6).reshape(2, 3)
    arrays = {"one/elements": np.array([500, 1000, 1500]), "one/accuracy": curve, "one/hits": curve}
    pages = {
        name: sequence_page.sections({"trials": [row]}, arrays, {"one": 1000}, 2, endings, hits)
        for name, endings, hits in (("one", {1}, False), ("two", {2}, False), ("columns", {1}, True))
    }
    told = {name: [cells[0] for cells in page[0].rows] for name, page in pages.items()}
    assert told["one"][1:] == [f"{name} (paper)" for name in sequence_page.PUBLISHED]
    assert told["two"][1:] == [f"{name}, 2 endings (paper)" for name in sequence_page.PUBLISHED_ENDINGS]
    assert told["columns"] == ["one"]
    assert pages["one"][0].rows[0] == ["one", "0.950", "–", "1.000", "2,500"]
    dead = pages["one"][1]
    assert dead.rows[:2] == [["one", "1.000", "0.950"], ["HTM (paper)", "1.000", "1.000"]]
    assert pages["columns"][2].rows[0] == ["1,000", "0.450", "0.458"]
    assert pages["one"][-1].rows == [["one", "0", "7", "15", "150", "1"]]


def test_the_page_says_what_is_not_known():
    assert sequence_page.number(None) == "–"
    assert sequence_page.middle([1.0, None]) is None
    assert sequence_page.published((0.1,) * 6, "0.15") == ""
    assert sequence_page.published((0.1, 0.2, 0.3, 0.4, 0.5, 0.6), "0.3") == "0.400"


@pytest.mark.parametrize(("name", "endings", "symbols"), [("cui", 1, 10), ("endings", 2, 12), ("endings", 4, 16)])
def test_only_the_start_and_the_way_through_the_middle_tell_how_a_published_sequence_ends(name, endings, symbols):
    document = yaml.safe_load((Path(__file__).parents[2] / "configs" / "sequence_memory" / f"{name}.yaml").read_text())
    (trial,) = (trial for trial in document["trials"] if trial.get("endings", 1) == endings)
    rows = trial["before"]
    assert len(rows) == 8 * endings
    assert sorted({symbol for row in rows for symbol in row}) == list(range(symbols))

    def follow(sequences, length):
        known = {}
        for row in sequences:
            known.setdefault(tuple(row[-1 - length : -1]), set()).add(row[-1])
        return known

    # Without the first element two starts are possible, each with endings of its own.
    for lengths, factor in ((6, 7), 1), ((5, 6), 2):
        for length, size in zip(lengths, (7, 8), strict=True):
            found = follow([row for row in rows if len(row) == size], length)
            assert all(len(last) == factor * endings for last in found.values())
    if "after" in trial:
        assert [row[:-1] for row in trial["after"]] == [row[:-1] for row in rows]
        assert all(new[-1] != old[-1] for new, old in zip(trial["after"], rows, strict=True))
