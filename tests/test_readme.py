"""The README is true: its code runs, and its numbers are those that the project's own commands wrote."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from jaxneuro.launch import experiments
from jaxneuro.launch.config import load
from jaxneuro.launch.reading import read_text
from tests.tables import TABLES as OTHER_TABLES
from tests.tables_battery import BATTERY_TABLES
from tests.tables_htm import HTM_TABLES
from tests.tables_inside import INSIDE_TABLES

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
FINDINGS = ROOT / "experiments" / "README.md"
TABLES = OTHER_TABLES | HTM_TABLES | INSIDE_TABLES | BATTERY_TABLES


def shown(name):
    words = README.read_text() + FINDINGS.read_text()
    found = set(re.findall(rf"<!-- results: {name} -->\n(.*?)\n?<!-- end -->", words, re.DOTALL))
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize("name", TABLES)
def test_tables_hold_the_numbers_of_the_results(name):
    assert shown(name) == TABLES[name]()


def test_every_table_is_checked_and_every_file_exists():
    found = []
    for file in (README, FINDINGS):
        words = file.read_text()
        found += re.findall(r"<!-- results: ([\w ]+) -->", words)
        for link, path in re.findall(r"\]\(([^)#]+)\)|`((?:configs|jaxneuro|tests|experiments)/[\w./-]+)`", words):
            assert (file.parent / link if link else ROOT / path).exists()
    assert set(found) == set(TABLES)


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


def test_code_runs_one_block_after_the_other_as_in_a_notebook():
    names = {}
    assert len(blocks("python")) == 12
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)
    rates = names["rates"]
    assert rates[0] == 0
    assert names["automaton"].states == 5
    # The spike that starts at the far end reaches the soma.
    assert float(names["voltage"][:, 0].max()) > 20
    # 1000 / (2 + 20 ln(60 / 45)) Hz, on a grid of 0.1 ms: at most one step more per interval.
    assert 127 < rates[-1] < 129
    assert names["hertz"][0] == 0
    assert abs(names["hertz"][-1] - 117.0) <= 5  # 117.0 Hz, counted in 200 ms
    np.testing.assert_allclose(np.exp(names["log_g"]), [120, 36], rtol=1e-3)
    assert len(names["figure"].axes[0].collections) >= 3


def test_the_config_is_a_config():
    (block,) = blocks("yaml")
    document = read_text(block, "README.md")
    experiment = experiments.load(document.data["experiment"], ROOT / "configs" / "x.yaml")
    assert load(experiment.config, document).networks[0].units == yaml.safe_load(block)["networks"][0]["units"]
