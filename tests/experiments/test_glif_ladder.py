from typing import get_args

import numpy as np
import pytest

from experiments.glif_ladder import CellName, all_cells, ladder, noise
from jaxneuro.launch.config import ConfigError
from jaxneuro.launch.directory import read_arrays
from tests.experiments.small import run


@pytest.mark.slow
def test_a_small_ladder_has_every_level_of_every_cell_and_its_figures(tmp_path):
    small = ("piece_ms=200", "steps=4", "rounds=2", "learning_rates=[0.05, 0.1]", "cells=[AdEx adaptation, AdEx tonic]")
    results, sections = run("glif_ladder/quick.yaml", tmp_path / "run", *small)
    assert [row["cell"] for row in results["cells"]] == ["AdEx tonic", "AdEx adaptation"]
    for row in results["cells"]:
        assert 5 < row["rate_hz"] < 40
        assert 50 < row["reliability_percent"] < 100
        assert np.shape(row["explained_percent"]) == np.shape(row["by_gradient_percent"]) == (5,)
        assert len(row["nats_per_spike"]) == 5
        assert set(row["learning_rate"]) <= {0.05, 0.1}
    assert results["shown"] in ("AdEx tonic", "AdEx adaptation")
    arrays = read_arrays(tmp_path / "run")
    assert arrays["cell"].shape == (4, 600)
    assert arrays["models"].shape == (5, 600)
    assert [bool(section.figure) for section in sections] == [True, False, False, True]
    assert sections[0].rows is not None
    assert sections[0].rows[3] == ["published median", "70.2 %", "67.7 %", "72.4 %", "75.9 %", "77.6 %"]
    assert (tmp_path / "run" / "report.html").stat().st_size < 1_000_000


def test_the_shape_of_a_ladder():
    rows = np.asarray([[60.0, 58.0, 70.0, 70.0, 75.0], [70.0, 69.0, 70.0, 72.0, 73.0], [50.0, 52.0, 55.0, 54.0, 60.0]])

    def named(rows):
        return [{"explained_percent": row, "by_gradient_percent": row - 5} for row in rows]

    found = ladder(named(rows))
    assert found["by_gradient_median_percent"] == [55, 53, 65, 65, 68]
    assert found["median_percent"] == [60, 58, 70, 70, 73]
    first, *_, last = found["steps"]
    assert (first["from"], first["to"], last["from"], last["to"]) == (1, 2, 1, 5)
    assert first["mean_gain"] == pytest.approx(-1 / 3)
    # -2, -1, 2: sd of 2.08, over the root of 3.
    assert first["standard_error"] == pytest.approx(1.2019, abs=1e-4)
    assert first["cells_better"] == 1
    assert found["monotone_within_error"]
    assert found["top_above_bottom_by_3"]
    assert found["reset_rules_alone_hurt"]
    assert not ladder(named(rows[:, ::-1]))["monotone_within_error"]
    assert not ladder(named(rows[:, ::-1]))["top_above_bottom_by_3"]
    assert ladder(named(rows[:1]))["steps"][0]["standard_error"] is None


def test_filtered_noise_has_unit_variance_and_forgets_with_its_time_constant():
    values = noise(np.random.default_rng(0), (2000, 30), 10.0, 2.0)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=0.06)
    for lag in (1, 5, 10):
        assert (values[:, 29] * values[:, 29 - lag]).mean() == pytest.approx(np.exp(-lag / 5), abs=0.08)


def test_cells_are_chosen_by_name(tmp_path):
    assert tuple(cell.name for cell in all_cells()) == get_args(CellName)
    with pytest.raises(ConfigError, match="AdEx tonik"):
        run("glif_ladder/quick.yaml", tmp_path / "run", "cells=[AdEx tonik]")
