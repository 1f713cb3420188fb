import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from jaxneuro.launch import figures

SVG = "{http://www.w3.org/2000/svg}"
STEPS = np.arange(1, 6) * 100
PANELS = {
    "curves": lambda: figures.learning_curves({"a": np.ones((3, 5)), "b": np.eye(5)}, STEPS, "loss", {"floor": 0.5}),
    "raster": lambda: figures.raster(np.eye(7, 4), 0.5, [1.0]),
    "membrane": lambda: figures.membrane(np.sin(np.arange(9.0)), 0.9, np.arange(9) % 3 == 0, 1.0),
    "gates": lambda: figures.gates({"input": np.eye(8, 3), "forget": np.ones((8, 3))}, np.eye(8)),
}


def texts(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", PANELS)
def test_a_figure_is_one_svg_element_that_is_the_same_each_time(name):
    found = figures.svg(PANELS[name]())
    assert ElementTree.fromstring(found).tag == f"{SVG}svg"
    assert found == figures.svg(PANELS[name]())
    assert "2026" not in found
    assert len(found) < 200_000


@pytest.mark.parametrize("name", PANELS)
def test_ids_are_those_of_no_other_figure_and_all_references_are_met(name):
    own = ids(figures.svg(PANELS[name]()))
    for other in PANELS:
        assert other == name or not own & ids(figures.svg(PANELS[other]()))


def ids(svg):
    found = re.findall(r'\bid="([^"]*)"', svg)
    assert len(found) == len(set(found))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]*)', svg)) <= set(found)
    return set(found)


def test_curves_name_networks_and_floors_and_what_is_shown():
    assert {"a", "b", "floor", "loss", "training step"} <= set(texts(figures.svg(PANELS["curves"]())))


def test_a_raster_has_a_tick_for_every_spike():
    spikes = np.zeros((20, 6))
    spikes[[3, 5, 5, 19], [0, 1, 5, 2]] = 1
    plain, marked = figures.svg(figures.raster(spikes, 1.0)), figures.svg(figures.raster(np.zeros((20, 6)), 1.0))
    assert plain.count("<use ") - marked.count("<use ") == 4


def test_a_membrane_shows_its_threshold_and_its_spikes():
    assert {"voltage", "threshold", "spike", "voltage (mV)", "time (ms)"} <= set(
        texts(figures.svg(PANELS["membrane"]()))
    )


def test_gates_are_named_beside_the_input():
    assert {"input gate", "forget gate", "open", "shut"} <= set(texts(figures.svg(PANELS["gates"]())))


def test_panels_stand_side_by_side():
    one = ElementTree.fromstring(figures.svg(PANELS["raster"](), width=4.0, height=2.0))
    four = ElementTree.fromstring(figures.svg(*[PANELS["raster"]()] * 4, columns=2, width=4.0, height=2.0))
    assert (one.get("width"), one.get("height")) == ("288pt", "144pt")
    assert (four.get("width"), four.get("height")) == ("288pt", "288pt")
    assert texts(ElementTree.tostring(four)).count("neuron") == 4
