"""The page of a search, from records, arrays, and nothing else."""

import json
from xml.etree import ElementTree

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.launch import report, search_page
from jaxneuro.launch.search_page import chosen, front, gates_section, kept, measures, sections
from jaxneuro.search import cost
from jaxneuro.search.genome import parameter_count
from jaxneuro.search.named import named
from jaxneuro.search.straight import StraightCell
from jaxneuro.search.text import show
from jaxneuro.search.watch import watch

INPUTS = 5
NAMES = ("RNN", "LSTM", "GRU", "MinGRU")


def records():
    """Each of 40 candidates comes from the one before the last; every third is trained to the end, one diverged."""
    generator, found = np.random.default_rng(0), []
    for number in range(40):
        losses = [float(loss) for loss in np.sort(1 + generator.random(3))[::-1]][: 3 if number % 3 == 0 else 1]
        parents = [number - 2] if number > 1 else []
        text, units = show(named(NAMES[number % 4])), 10 + number % 7
        entry = {"number": number, "parents": parents, "operator": "gate", "text": text, "units": [units]}
        found.append(entry | {"losses": losses})
    found[6]["losses"][-1] = None
    return found


@pytest.fixture(scope="module")
def measured():
    return measures(records(), INPUTS)


def winner():
    whole = [record for record in records() if len(record["losses"]) == 3 and record["losses"][-1] is not None]
    return min(whole, key=lambda record: record["losses"][-1])["number"]


def test_every_candidate_is_measured(measured):
    assert {len(values) for values in measured.values()} == {40}
    assert measured["loss"][6] == np.inf
    assert measured["loss"][7] == records()[7]["losses"][0]
    assert list(measured["rungs"][:4]) == [3, 1, 1, 3]
    assert measured["operations"][1] == cost.operations(named("LSTM"), INPUTS, 11)
    assert measured["parameters"][2] == parameter_count(named("GRU"), INPUTS, 12)
    assert measured["depth"][3] == cost.depth(named("MinGRU"))


def test_the_front_is_of_those_that_were_trained_to_the_end():
    made = {
        "loss": np.array([1.0, 2.0, 3.0, 0.5, 2.5, np.inf, 2.0]),
        "rungs": np.array([3, 3, 3, 2, 3, 3, 3]),
        "operations": np.array([90, 50, 10, 1, 60, 1, 55]),
    }
    assert list(front(made)) == [2, 1, 0]
    assert list(chosen(made, most=2)) == [2, 0]


def test_of_a_long_front_the_ends_and_the_loneliest_are_chosen():
    losses = np.array([9.0, 5.0, 4.99, 4.98, 4.0, 1.0])
    made = {"loss": losses, "rungs": np.ones(6, int), "operations": np.array([1, 5, 6, 7, 20, 40])}
    assert list(front(made)) == [0, 1, 2, 3, 4, 5]
    assert list(chosen(made, most=4)) == [0, 1, 4, 5]
    assert list(chosen(made)) == [0, 1, 2, 3, 4, 5]


def test_without_candidates_that_were_trained_there_is_no_front():
    made = {"loss": np.array([np.inf]), "rungs": np.ones(1, int), "operations": np.ones(1, int)}
    assert not len(front(made))
    assert not len(chosen(made))


@pytest.mark.parametrize(
    "size",
    [pytest.param("operations", marks=pytest.mark.slow), "parameters", pytest.param("depth", marks=pytest.mark.slow)],
)
def test_the_page_shows_the_front_its_cells_and_the_family(measured, size):
    found = sections("aging", records(), measured, winner(), "bits", scale=2.0, cost=size)
    drawn = chosen(measured, size)
    assert [section.title for section in found] == [
        "aging: the Pareto front",
        *(f"aging, front {place}: candidate {number}" for place, number in enumerate(drawn, 1)),
        "aging: family tree of the winner",
    ]
    table = found[0].rows
    assert [row[1] for row in table] == [str(number) for number in drawn]
    assert table[-1][2] == f"{2 * measured['loss'][drawn[-1]]:.4g}"
    assert table[0][4:] == [f"{measured[name][drawn[0]]:,}" for name in ("parameters", "operations", "depth")]
    assert found[-1].rows[-1][0] == str(winner())
    for section in found:
        assert ElementTree.fromstring(section.figure).tag.endswith("svg")
    assert "1 diverged" in found[0].text
    page = report.page("it", found, {}, "seed: 0")
    assert page.count("<svg") == len(found)
    assert len(page) < 400_000


def test_results_and_arrays_are_enough(measured):
    few = json.loads(json.dumps(kept(records(), measured, winner()), allow_nan=False))
    assert len(few) < 40
    arguments = measured, winner(), "bits", 2.0
    assert sections("aging", few, *arguments) == sections("aging", records(), *arguments)


def test_a_cell_at_work_is_shown_line_by_line():
    genome = named("LSTM")
    record = {"number": 7, "text": show(genome)}
    cell = StraightCell(INPUTS, 30, genome, key=jax.random.key(0))
    values = {name: np.asarray(value) for name, value in watch(cell, jnp.eye(8, INPUTS)).items()}
    section = gates_section("aging", record, values, np.eye(8, INPUTS), "a b\ncdef")
    texts = [text.text for text in ElementTree.fromstring(section.figure).iter("{http://www.w3.org/2000/svg}text")]
    for line in record["text"].splitlines():
        if " = " in line or line.startswith("output"):
            assert line in texts
    assert sum(text.startswith("state h") for text in texts if text) == 2
    assert {"a", "␣", "⏎", "f"} <= set(texts)
    assert "the 24 of 30 units" in section.text
    assert (
        section.figure
        == gates_section("aging", record, dict(sorted(values.items())), np.eye(8, INPUTS), "a b\ncdef").figure
    )


def test_units_are_those_that_vary_most_in_order_of_their_mean():
    output = np.array([[0.0, 5.0, 1.0, 3.0], [0.0, 5.1, -1.0, 4.0]])
    assert list(search_page._most_active(output, 3)) == [2, 3, 1]
    assert list(search_page._most_active(output)) == [0, 2, 3, 1]
