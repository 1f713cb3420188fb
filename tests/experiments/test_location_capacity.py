"""Capacity by touch in small: it is read off the curve, and larger columns have more of it."""

import numpy as np
import pytest

from experiments.location_capacity import capacity
from tests.experiments.small import run

SMALL = ("seeds=2", "every=6", "sample=12", "touched=6", "width=3", "sensory_columns=24", "enough=0.9")
COLUMNS = "columns=[{modules: 4, cells: 4, pool: 8, largest: 24}, {modules: 8, cells: 12, pool: 8, largest: 24}]"


@pytest.mark.parametrize(
    ("shares", "objects"),
    [([1.0, 0.95, 0.85], 25), ([0.8, 1.0], 5), ([0.9, 0.9], 20), ([1.0, 0.4, 0.95], 10 + 10 / 6)],
)
def test_capacity_is_where_the_share_first_falls_below_enough(shares, objects):
    np.testing.assert_allclose(capacity(shares, 10, 0.9), objects)


@pytest.mark.slow
def test_a_larger_column_keeps_more_objects_apart(tmp_path):
    results, sections = run("locations/capacity.yaml", tmp_path / "run", *SMALL, COLUMNS)
    small, large = results["rows"]
    assert small["lost"] == large["lost"] == 0
    assert max(small["capacities"]) < min(large["capacities"])
    # The small ones were no longer tested once they recognised too little; nobody learnt more than there was.
    assert all(len(found) <= 4 for row in (small, large) for found in row["shares"])
    assert all(share < 0.45 for share in (found[-1] for found in small["shares"] if len(found) < 4))
    assert [section.title for section in sections] == ["Capacity", "Recognition against objects learnt"]
    assert [row[:3] for row in sections[0].rows] == [["4", "16", "8"], ["8", "144", "8"]]
