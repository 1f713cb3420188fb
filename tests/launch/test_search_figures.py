import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from jaxneuro.launch import figures, search_figures

SVG = "{http://www.w3.org/2000/svg}"
LOSSES = np.array([3.0, 1.0, 2.0, np.inf, 2.5, 2.9, 2.8, 2.7, 2.6, 2.55, 40.0, 50.0])
COSTS = np.array([10, 50, 20, 30, 40, 45, 35, 25, 30, 33, 44, 22])
FRONT = np.array([0, 2, 1])
RUNGS = np.array([2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1])
VALUES = {"h1": np.sin(np.arange(40.0)).reshape(8, 5), "g1": np.eye(8, 5), "output": np.zeros((8, 5))}
INPUTS = np.eye(8, 20)


def front(**changed):
    arguments = {"losses": LOSSES, "costs": COSTS, "on_front": FRONT, "labels": ["1", "", "2"], "label": "loss (nats)"}
    return search_figures.pareto_front(**(arguments | {"cost": "operations", "rungs": RUNGS} | changed))


PANELS = {
    "front": front,
    "gates": lambda: search_figures.gates_over_time(VALUES, INPUTS, {"g1": "g1 = sigmoid(W x)"}, list("abcdefgh")),
}


def texts(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", PANELS)
def test_a_figure_is_one_svg_element_that_is_the_same_each_time(name):
    found = figures.svg(PANELS[name]())
    assert ElementTree.fromstring(found).tag == f"{SVG}svg"
    assert found == figures.svg(PANELS[name]())
    assert len(found) < 200_000
    ids = re.findall(r'\bid="([^"]*)"', found)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]*)', found)) <= set(ids)


def drawn(panel):
    """The axes that a panel draws, laid out."""
    figure = Figure(layout="constrained")
    panel(figure)
    figure.draw_without_rendering()
    return figure.axes


def marks(panel):
    """Places of all marks, `[marks, 2]`, those of the front left out."""
    return np.concatenate([np.asarray(marks.get_offsets()) for marks in drawn(panel)[0].collections[:-1]])


def test_a_front_has_a_mark_for_every_candidate_that_did_not_diverge():
    found = marks(front())
    assert len(found) == 11
    assert {tuple(place) for place in found} >= {(50, 1.0), (20, 2.0), (40, 2.5)}
    assert {"loss (nats)", "operations", "1 rung", "2 rungs", "front", "1", "2"} <= set(texts(figures.svg(front())))


def test_losses_far_above_stay_at_the_edge():
    heights = dict(marks(front()).tolist())
    assert heights[44.0] == 40.0
    assert heights[22.0] == 40.0
    steep = front(losses=np.where(LOSSES == 3.0, 60.0, LOSSES))
    assert marks(steep)[:, 1].max() == 60.0  # all of the front is drawn to scale


def test_the_front_is_a_line_of_stairs_through_its_cells():
    (line,) = drawn(front())[0].lines
    np.testing.assert_array_equal(line.get_xydata(), [[10, 3], [20, 2], [50, 1]])
    assert line.get_drawstyle() == "steps-post"


def test_many_candidates_are_an_image():
    count = 20_000
    generator = np.random.default_rng(0)
    many = front(losses=generator.random(count) + 1, costs=generator.integers(1, 99, count), rungs=np.ones(count, int))
    found = figures.svg(many)
    assert len(found) < 300_000
    assert "<image" in found


def test_labels_of_a_crowded_front_stand_apart():
    crowded = np.linspace(1.0, 1.01, 8)
    losses = np.concatenate([crowded[::-1], np.linspace(2, 3, 20)])
    costs = np.concatenate([np.arange(8), np.arange(20) * 50])
    labels = [str(i) for i in range(1, 9)]
    (axes,) = drawn(front(losses=losses, costs=costs, on_front=np.arange(8), labels=labels, rungs=None))
    areas = [Text.get_window_extent(text) for text in axes.texts]  # without the line to its point
    assert [text.get_text() for text in axes.texts] == labels
    assert not [pair for pair in itertools.combinations(areas, 2) if pair[0].overlaps(pair[1])]


def test_every_wire_has_a_row_with_its_scale():
    found = figures.svg(PANELS["gates"]())
    assert {"input", "h1", "g1 = sigmoid(W x)", "output", "time step", "0 to 1", "±1", *"abcdefgh"} <= set(texts(found))
    assert found.count("<image") == 4
    assert texts(found).count("0 to 1") == 3


def test_inputs_that_are_zero_throughout_are_left_out():
    first = figures.svg(search_figures.gates_over_time(VALUES, INPUTS))
    assert first == figures.svg(search_figures.gates_over_time(VALUES, INPUTS[:, :8]))
    assert first != figures.svg(search_figures.gates_over_time(VALUES, INPUTS[:, :7]))
    assert figures.svg(search_figures.gates_over_time(VALUES, np.zeros((8, 3)))).count("<image") == 4
