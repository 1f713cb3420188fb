import struct

import numpy as np
import pytest

from jaxneuro.launch.config import ConfigError
from tests.experiments.small import run

NETWORKS = (
    "networks=[{name: perceptron, family: perceptron, units: 6, steps: 4, learning_rate: 1e-2}, "
    "{name: vgg, family: vgg, units: 2, steps: 4, learning_rate: 1e-2}, "
    "{name: residual, family: residual, units: 2, steps: 4, learning_rate: 1e-2}]"
)


@pytest.mark.slow
def test_every_network_is_converted_by_every_scheme_and_has_its_figure(tmp_path):
    small = ("chunk=4", "seeds=2", "times=[1, 2]", "calibration_steps=2", "images.most_tested=40")
    results, sections = run("conversion/quickstart.yaml", tmp_path / "run", NETWORKS, *small)
    schemes = ["Spike-Norm", "highest activation", "QCFS"]
    assert [row["scheme"] for row in results["spiking"]] == schemes * 3
    assert [row["neurons"] for row in results["graded"]] == ["rectifier", "steps"] * 3
    assert results["samples"] == {"training": 1348, "test": 40}
    for row in results["spiking"]:
        assert np.shape(row["accuracy"]) == (2, 2)
        coded = row["scheme"] == "Spike-Norm"
        assert all((macs == 0) == coded for macs in row["macs"])
        # Chips of events alone have no use for graded inputs.
        assert all((energy["TrueNorth"]["arithmetic"] is not None) == coded for energy in row["energy_nj"])
        assert row["accumulates"][0] < row["accumulates"][1]
        assert all(e["45 nm"]["arithmetic"] < e["45 nm"]["with memory"] for e in row["energy_nj"])
    assert [bool(section.figure) for section in sections] == [False, False, True, True, True]
    assert (tmp_path / "run" / "report.html").stat().st_size < 1_000_000


@pytest.mark.computing
@pytest.mark.slow
def test_converted_perceptrons_are_as_right_as_the_graded_ones(tmp_path):
    results, _ = run("conversion/quickstart.yaml", tmp_path / "run", "networks.0.steps=2000", "times=[4, 256]")
    spiking = {row["scheme"]: row for row in results["spiking"]}
    dense = results["graded"][0]["energy_nj"]["45 nm"]["arithmetic"]
    # 64-128-128-10: 25,856 MACs of 4.6 pJ, and a comparison for each of 256 neurons.
    assert dense == pytest.approx((25_856 * 4.6 + 256 * 0.9) / 1000)
    assert min(row["accuracy"][0] for row in results["graded"]) > 97
    # Asked for: Spike-Norm at 256 steps and QCFS at 4 lose half a point at most; QCFS at 0.6 of the energy.
    assert spiking["Spike-Norm"]["change"][1] >= -0.5
    assert spiking["QCFS"]["change"][0] >= -0.5
    assert spiking["QCFS"]["energy_nj"][0]["45 nm"]["arithmetic"] < 0.6 * dense
    # And at 256 steps the rate code costs more than the network it came from.
    assert spiking["Spike-Norm"]["energy_nj"][1]["45 nm"]["arithmetic"] > 5 * dense


def test_images_from_a_folder_need_one_and_digits_have_none(tmp_path):
    with pytest.raises(ConfigError, match="mnist is asked for; name the folder"):
        run("conversion/quickstart.yaml", tmp_path / "a", "images.name=mnist")
    with pytest.raises(ConfigError, match="digits is asked for; leave it out"):
        run("conversion/quickstart.yaml", tmp_path / "b", "images.folder=x")


@pytest.mark.slow
def test_files_of_mnist_are_read_from_the_folder_that_the_user_names(tmp_path):
    generator = np.random.default_rng(0)
    for part, samples in (("train", 60_000), ("t10k", 10_000)):
        labels = generator.integers(0, 10, samples, dtype=np.uint8)
        pixels = np.zeros((samples, 28, 28), np.uint8)
        pixels[np.arange(samples), labels * 2, 3:9] = 255
        for name, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            head = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}i", *array.shape)
            (tmp_path / f"{part}-{name}-ubyte").write_bytes(head + array.tobytes())
    images = ("images.name=mnist", f"images.folder={tmp_path}", "images.most_tested=30")
    small = ("networks.0.steps=2", "chunk=2", "seeds=1", "times=[2]", "networks.0.units=4", "calibration_steps=1")
    results, _ = run("conversion/quickstart.yaml", tmp_path / "run", *images, *small)
    assert results["samples"] == {"training": 60_000, "test": 30}
    assert results["graded"][0]["macs"] == 784 * 4 + 4 * 4 + 4 * 10
