"""Plain detectors: a slow loop, closed forms, and the published figures where the benchmark is on the machine."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from jaxneuro.measure import nab, plain_detectors
from jaxneuro.tasks import anomalies

FOLDER = "JAXNEURO_NAB"
PUBLISHED = json.loads((Path(__file__).parent / "reference" / "windowed_gaussian.json").read_text())


def test_silent_says_the_same_of_every_row_and_uniform_covers_0_to_1():
    assert plain_detectors.silent(np.arange(5.0)).tolist() == [0.5] * 5
    drawn = plain_detectors.uniform(np.zeros(10_000), np.random.default_rng(1))
    assert (drawn.min() >= 0, drawn.max() <= 1) == (True, True)
    assert drawn.mean() == pytest.approx(0.5, abs=4 / math.sqrt(12 * 10_000))


def slowly(values, window, step):
    """Value by value, with a list of those in the window and one of those that wait."""
    inside, waiting, scores, mean, deviation = [], [], [], 0.0, 1.0
    for value in values:
        distance = abs(value - mean) / deviation
        scores.append(round(1 - 0.5 * math.erfc(distance / math.sqrt(2)), 12) if inside else 0.0)
        if len(inside) < window:
            inside.append(value)
        else:
            waiting.append(value)
            if len(waiting) < step:
                continue
            inside, waiting = inside[step:] + waiting, []
        mean, deviation = np.mean(inside), np.std(inside) or 1e-6
    return scores


@pytest.mark.parametrize(("window", "step"), [(40, 7), (100, 1), (500, 100)])
def test_the_windowed_gaussian_is_that_of_a_loop(window, step):
    generator = np.random.default_rng(5)
    values = 1e4 + generator.normal(size=300)
    values[:20] = 1e4  # a deviation of 0
    values[200] += 30
    found = plain_detectors.windowed_gaussian(values, window, step)
    np.testing.assert_allclose(found, slowly(values.tolist(), window, step), atol=2e-10)
    assert found[200] == 1.0


def test_the_tail_of_a_known_gaussian():
    # Mean 0 and deviation 1 of what came before: Q(1) = 0.158655, Q(2) = 0.022750.
    before = [1.0, -1.0] * 50
    for value, tail in ((1.0, 0.158655253931), (-2.0, 0.022750131948), (0.0, 0.5)):
        assert plain_detectors.windowed_gaussian(np.asarray([*before, value]))[-1] == pytest.approx(1 - tail, abs=1e-11)


@pytest.mark.skipif(FOLDER not in os.environ, reason=f"{FOLDER} names no folder with the Numenta Anomaly Benchmark")
def test_published_final_scores_of_the_benchmark():
    corpus = anomalies.nab(os.environ[FOLDER])
    assert [one.name for one in corpus.series] == list(PUBLISHED["streams"])
    streams = [nab.weigh(len(one.values), one.windows) for one in corpus.series]
    scores = [plain_detectors.windowed_gaussian(one.values) for one in corpus.series]
    silent = [plain_detectors.silent(one.values) for one in corpus.series]
    for profile in nab.PROFILES:
        result = nab.score(scores, streams, profile)
        assert result.final == pytest.approx(PUBLISHED["finals"][profile.name], abs=1e-6)
        assert result.threshold == 1.0
        assert nab.score(silent, streams, profile).final == 0.0
    for name, value in zip(PUBLISHED["streams"], nab.score(scores, streams).scores, strict=True):
        assert value == pytest.approx(PUBLISHED["streams"][name]["score"], abs=1e-10), name


def test_a_value_out_of_range_is_one_beyond_all_before_by_a_share_of_their_range():
    values = np.asarray([5.0, 5.0, 9.0, 5.0, 9.2, 9.3, 9.5, 4.9, 4.6, 4.6])
    # Range 5 to 9, margin 0.2; then 5 to 9.3, margin 0.215; 4.9 is inside, 4.6 is below 4.9 - 0.23, then it is known.
    assert plain_detectors.out_of_range(values).tolist() == [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0, 0.5]
    assert plain_detectors.out_of_range(np.asarray([0.0, 1.0, 1.06, -0.06, 1.1])).tolist() == [0.5, 0.5, 1.0, 1.0, 0.5]
