import xml.etree.ElementTree as ElementTree

import pytest

from jaxneuro.launch import conversion_page, figures

TABLES = ("45 nm", "7 nm", "TrueNorth", "Loihi")


def energy(value):
    return {name: {"arithmetic": value, "with memory": 3 * value} for name in TABLES}


def results():
    """One network, as the experiment reports it, with made-up numbers."""
    graded = [
        {
            "network": "net",
            "neurons": neurons,
            "accuracy": [98.0, 99.0],
            "macs": 100.0,
            "macs_not_zero": 60.0,
            "energy_nj": energy(5.0),
            "energy_skipping_zeros_nj": energy(3.0),
        }
        for neurons in ("rectifier", "steps")
    ]
    spiking = {
        "network": "net",
        "scheme": "QCFS",
        "neurons": "steps",
        "times": [1, 4],
        "accuracy": [[91.0, 98.0], [93.0, 99.0]],
        "accumulates": [1234.0, 5000.0],
        "macs": [40.0, 40.0],
        "energy_nj": [{**energy(1.0), "TrueNorth": {"arithmetic": None, "with memory": None}}, energy(2.0)],
    }
    told = answer(4, 0.4, 0.7, 0.4, 0.7)
    samples = {"training": 10, "test": 5}
    return {"data": "made up", "samples": samples, "graded": graded, "spiking": [spiking], "answers": [told]}


def test_the_page_has_a_verdict_an_answer_a_table_and_a_figure():
    found = conversion_page.sections(results(), 2)
    assert [section.title for section in found] == ["Do spikes pay?", "Answers", "Accuracy and energy of net"]
    assert found[0].text.startswith("Spikes win whichever way it is counted for a by b, and for no other.")
    rows = found[2].rows
    assert [row[0] for row in rows] == [
        "graded, rectifier",
        "graded, rectifier without zeros",
        "graded, steps",
        "graded, steps without zeros",
        "QCFS",
        "QCFS",
    ]
    assert rows[0] == ["graded, rectifier", "", "98.50", "", "100", "5.0", "15.0", "5.0", "15.0", "5.0", "5.0"]
    assert rows[4] == ["QCFS", "1", "92.00", "1,234", "40", "1.0", "3.0", "1.0", "3.0", "", "1.0"]
    assert all(len(row) == len(found[2].columns) for row in rows)
    assert ElementTree.fromstring(found[2].figure).tag.endswith("svg")


def test_a_loss_everywhere_is_said_first():
    lost = {**results(), "answers": [answer(4, 1.3, 1.6, 4.2, 8.4)]}
    assert conversion_page.sections(lost, 2)[0].text.startswith("No spiking network wins over its graded one")


def test_figures_name_schemes_and_graded_networks_and_axes():
    found = results()
    drawn = figures.svg(*conversion_page.panels(found["graded"], found["spiking"]), columns=3)
    words = {element.text for element in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")}
    assert {"QCFS", "graded, steps", "graded, rectifier, zeros skipped", "accuracy (%)", "time steps", "4"} <= words
    assert {"energy, 45 nm, arithmetic (nJ)", "energy, 45 nm, with memory (nJ)"} <= words


def answer(steps, *ratios):
    told = dict(zip(conversion_page.RATIOS, ratios or [None] * 4, strict=True))
    wins = bool(ratios) and max(ratios) < 1
    return {"network": "a", "scheme": "b", "steps": steps, **told, "wins": wins}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (answer(4, 0.3, 0.6, 0.7, 0.9), "It wins."),
        (answer(4, 0.3, 0.6, 1.2, 2.4), "It does not win."),
        (answer(4, 1.3, 1.6, 4.2, 8.4), "It loses."),
        (answer(None), "It loses."),
    ],
)
def test_the_page_says_when_spikes_do_not_win(row, words):
    assert conversion_page.sentence(row).endswith(words)
