import json
import subprocess
import sys

import numpy as np
import pytest

from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.directory import read_arrays
from tests.experiments.small import ROOT, run

QUICK = ("steps=60", "chunk=30", "seeds=2")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    path = tmp_path_factory.mktemp("digits") / "run"
    return path, *run("quickstart.yaml", path, *QUICK)


def scores(results):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in results["networks"]]


@pytest.mark.slow
def test_three_kinds_of_neuron_learn_the_digits_with_equally_many_parameters(done):
    _, results, _ = done
    assert [row["neuron"] for row in results["networks"]] == ["Rate", "LIF", "LSTM"]
    # Dense(8, 82) + Dense(82, 82) without bias + Dense(82, 10); LSTM: 4 * 40 * (8 + 40 + 1) + Dense(40, 10).
    assert [row["parameters"] for row in results["networks"]] == [8292, 8292, 8250]
    assert results["samples"] == {"training": 1168, "validation": 270, "test": 359}
    for row in results["networks"]:
        assert len(row["accuracy"]) == 2
        assert min(row["accuracy"]) > 0.3  # chance is 0.1


@pytest.mark.slow
def test_the_report_has_curves_spikes_a_membrane_and_gates_in_less_than_a_megabyte(done):
    path, _, sections = done
    titles = [section.title for section in sections]
    assert titles == ["Test accuracy", "Learning curves", "Spikes of lif", "One membrane of lif", "Gates of lstm"]
    assert [bool(section.figure) for section in sections] == [False, True, True, True, True]
    assert (path / "report.html").stat().st_size < 1_000_000


@pytest.mark.slow
def test_a_sweep_has_a_row_for_every_point_and_the_unswept_lanes_keep_their_numbers(done, tmp_path):
    swept, sections = run("quickstart.yaml", tmp_path / "run", *QUICK, "sweep.networks.1.neuron.tau_ms=[3, 30]")
    assert [row["networks.1.neuron.tau_ms"] for row in swept["networks"]] == [3, 30] * 3
    assert swept["networks"][2]["accuracy"] != swept["networks"][3]["accuracy"]
    assert "networks.1.neuron.tau_ms" in sections[0].columns
    kept = [{key: row[key] for key in scores(done[1])[0]} for row in swept["networks"][::2]]
    for row, alone in zip(kept, scores(done[1]), strict=True):
        assert row["accuracy"] == pytest.approx(alone["accuracy"], abs=0.02)


def test_networks_of_unequal_size_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"lstm has 12\d{3} trained parameters, similarity has 8292.* Change units"):
        run("quickstart.yaml", tmp_path / "run", *QUICK, "networks.2.units=50")


@pytest.mark.slow
def test_lanes_on_several_devices_give_the_numbers_of_one(tmp_path):
    found = []
    for devices in (1, 8):
        out = tmp_path / str(devices)
        words = [sys.executable, "-m", "jaxneuro", "run", "configs/quickstart.yaml", *QUICK[:2]]
        words += [f"devices={devices}", "--out", str(out)]
        ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        found.append((json.loads((out / "results.json").read_text()), read_arrays(out)))
    (one, one_arrays), (eight, eight_arrays) = found
    assert (one["device"]["count"], eight["device"]["count"]) == (1, 8)
    assert scores(one["results"]) == scores(eight["results"])
    for name, array in one_arrays.items():
        np.testing.assert_array_equal(array, eight_arrays[name], err_msg=name)
