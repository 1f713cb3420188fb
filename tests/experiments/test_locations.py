"""Recognition by touch in small: nothing is lost, and no one is better than the ideal observer."""

import numpy as np
import pytest

from experiments import locations
from tests.experiments.small import run

SMALL = ("seeds=2", "objects=8", "touched=6", "pool=4", "width=3", "cells=[16]", "modules=6", "sensory_columns=20")


class Hand:
    """Two objects that differ at one place, and one that is one of them moved to the right."""

    width = 3
    places = np.array([[0, 1, 4], [0, 1, 4], [1, 2, 5]])
    features = np.array([[0, 1, 2], [0, 1, 3], [0, 1, 2]])
    order = np.array([[1, 2, 0], [0, 1, 2], [0, 1, 2]])


def test_observers_know_an_object_when_no_other_fits():
    # Of the first and the third no one can tell which it is: the same features at the same distances.
    assert locations.ideal_observer(Hand()).tolist() == [0, 3, 0]
    assert locations.bag_of_features(Hand()).tolist() == [0, 3, 0]
    assert locations.shares(np.array([0, 3, 2, 3]), 3) == [0.0, 0.25, 0.75]
    apart = Hand()
    apart.features = np.array([[0, 1, 2], [1, 0, 2], [2, 0, 1]])
    assert locations.bag_of_features(apart).tolist() == [0, 0, 0]
    assert locations.ideal_observer(apart).tolist() == [2, 2, 2]


@pytest.mark.slow
def test_a_column_comes_close_to_the_ideal_observer(tmp_path):
    results, sections = run("locations/quickstart.yaml", tmp_path / "run", *SMALL)
    ideal, bag, column = results["rows"]
    assert [row["who"] for row in results["rows"]] == ["ideal observer", "bag of features", "16 x 16 cells"]
    assert column["lost"] == 0
    found = {row["who"]: np.mean(row["recognised"], axis=0) for row in results["rows"]}
    assert (np.diff(found["16 x 16 cells"]) >= 0).all()
    assert found["16 x 16 cells"][-1] >= 0.8
    assert (found["bag of features"] <= found["ideal observer"]).all()
    assert np.mean(ideal["recognised"]) > np.mean(bag["recognised"])
    assert [section.title for section in sections] == ["Objects recognised", "Recognition over touches"]
    assert len(sections[0].rows) == 3
