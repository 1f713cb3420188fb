"""The score of the Numenta Anomaly Benchmark: closed forms, a slow loop over thresholds, and published figures."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from jaxneuro.measure import nab

PUBLISHED = json.loads((Path(__file__).parent / "reference" / "windowed_gaussian.json").read_text())
STANDARD = nab.PROFILES[0]
NONE = np.zeros((0, 2), int)


def sigmoid(position):
    return 2 / (1 + math.exp(5 * position)) - 1


def test_a_window_counts_by_how_early_it_is_found():
    weighed = nab.weigh(400, np.asarray([[100, 109]]))
    assert weighed.weights[100] == 1.0
    # Its last row is a tenth of the window before the end.
    assert weighed.weights[109] == pytest.approx(sigmoid(-0.1) / sigmoid(-1), abs=1e-12)
    assert weighed.weights[105] == pytest.approx(sigmoid(-0.5) / 0.986614298151, abs=1e-12)
    assert np.all(np.diff(weighed.weights[100:110]) < 0)


def test_a_false_alarm_costs_little_close_behind_a_window_and_all_elsewhere():
    weights = nab.weigh(400, np.asarray([[100, 109]])).weights
    assert np.all(weights[:100] == -1)
    assert weights[112] == pytest.approx(sigmoid(3 / 9), abs=1e-12)
    # Three widths are not yet far.
    assert weights[136] == pytest.approx(sigmoid(3), abs=1e-12)
    assert weights[136] > -1
    assert np.all(weights[137:] == -1)


def test_the_start_of_a_stream_is_not_scored():
    assert [nab.probation(rows) for rows in (100, 1127, 4032, 5000, 22_695)] == [15, 169, 604, 750, 750]
    weighed = nab.weigh(100, np.asarray([[50, 59]]))
    assert np.flatnonzero(weighed.window == nab.PROBATION).tolist() == list(range(15))
    alarm = np.where(np.arange(100) < 15, 1.0, 0.0)
    assert nab.curve(alarm, weighed, STANDARD).at(0.5) == -1


@pytest.mark.parametrize("profile", nab.PROFILES, ids=lambda profile: profile.name)
def test_one_window_and_two_false_alarms_by_hand(profile):
    weighed = nab.weigh(400, np.asarray([[100, 109]]))
    anomaly = np.zeros(400)
    anomaly[[80, 105, 112, 107]] = 0.9, 0.8, 0.7, 0.6
    curve = nab.curve(anomaly, weighed, profile)
    found = sigmoid(-0.5) / sigmoid(-1)
    expected = {
        0.95: -profile.miss,
        0.85: -profile.miss - profile.false_alarm,
        0.8: found - profile.false_alarm,
        0.65: found - profile.false_alarm + profile.false_alarm * sigmoid(3 / 9),
        0.5: found - profile.false_alarm + profile.false_alarm * sigmoid(3 / 9),
    }
    for threshold, value in expected.items():
        assert curve.at(threshold) == pytest.approx(value, abs=1e-12)
    assert curve.best == (0.8, pytest.approx(max(expected.values()), abs=1e-12))


def slowly(anomaly, windows, profile, threshold):
    """A detection after the other, as the benchmark is described."""
    value, rows = 0.0, len(anomaly)
    start = min(math.floor(0.15 * rows), 750)
    detected = [row for row in range(start, rows) if anomaly[row] >= threshold]
    for first, last in windows:
        if last >= start:
            own = [row for row in detected if first <= row <= last]
            value += sigmoid(-(last - own[0] + 1) / (last - first + 1)) / sigmoid(-1) if own else -profile.miss
    for row in detected:
        if not any(first <= row <= last for first, last in windows):
            before = [(first, last) for first, last in windows if last < row]
            distance = (row - before[-1][1]) / (before[-1][1] - before[-1][0]) if before else math.inf
            value += profile.false_alarm * (sigmoid(distance) if distance <= 3 else -1)
    return value


@pytest.mark.parametrize("profile", nab.PROFILES, ids=lambda profile: profile.name)
def test_curves_and_left_out_streams_are_those_of_a_loop_over_thresholds(profile):
    generator = np.random.default_rng(3)
    windows = [np.asarray([[40, 52], [60, 75]]), np.asarray([[30, 40]]), NONE]
    anomaly = [np.round(generator.uniform(size=rows), 1) for rows in (120, 90, 50)]
    streams = [nab.weigh(len(one), own) for one, own in zip(anomaly, windows, strict=True)]
    levels = [2.0, *np.unique(np.concatenate(anomaly))[::-1]]
    slow = np.asarray(
        [
            [slowly(one, own.tolist(), profile, level) for level in levels]
            for one, own in zip(anomaly, windows, strict=True)
        ]
    )
    curves = [nab.curve(one, stream, profile) for one, stream in zip(anomaly, streams, strict=True)]
    for curve, values in zip(curves, slow, strict=True):
        np.testing.assert_allclose(curve.at(np.asarray(levels)), values, atol=1e-12)
    whole = slow.sum(axis=0)
    np.testing.assert_allclose(nab.total(curves).at(np.asarray(levels)), whole, atol=1e-12)
    left_out = sum(values[np.argmax(np.round(whole - values, 9))] for values in slow)
    nothing, perfect = -3 * profile.miss, 3.0
    result = nab.score(anomaly, streams, profile)
    assert result.final == pytest.approx(100 * (whole.max() - nothing) / (perfect - nothing), abs=1e-10)
    assert result.final_left_out == pytest.approx(100 * (left_out - nothing) / (perfect - nothing), abs=1e-10)
    assert result.scores.sum() == pytest.approx(whole.max(), abs=1e-12)


@pytest.mark.parametrize("profile", nab.PROFILES, ids=lambda profile: profile.name)
def test_silence_is_0_and_the_first_row_of_every_window_100(profile):
    windows = [np.asarray([[140, 152], [160, 175]]), np.asarray([[130, 140]])]
    streams = [nab.weigh(400, own) for own in windows]
    silent = nab.score([np.full(400, 0.5)] * 2, streams, profile)
    assert (silent.final, silent.final_left_out, silent.threshold) == (0.0, 0.0, math.inf)
    perfect = nab.score([np.isin(np.arange(400), own[:, 0]).astype(float) for own in windows], streams, profile)
    assert (perfect.final, perfect.threshold) == (100.0, 1.0)


def test_published_scores_of_every_stream_of_the_windowed_gaussian():
    finals = dict.fromkeys(PUBLISHED["finals"], 0.0)
    for name, stream in PUBLISHED["streams"].items():
        windows = np.asarray(stream["windows"], int).reshape(-1, 2)
        anomaly = np.full(stream["rows"], 0.5)
        anomaly[stream["detected"]] = 1.0
        weighed = nab.weigh(stream["rows"], windows)
        hits = (weighed.window[stream["detected"]] >= 0).sum()
        assert (hits, len(stream["detected"]) - hits) == (stream["hits"], stream["false_alarms"]), name
        for profile in nab.PROFILES:
            value = nab.curve(anomaly, weighed, profile).at(1.0)
            finals[profile.name] += value + profile.miss * len(windows)
            if profile is STANDARD:
                assert value == pytest.approx(stream["score"], abs=1e-10), name
    assert sum(len(stream["windows"]) for stream in PUBLISHED["streams"].values()) == 116
    for profile in nab.PROFILES:
        final = 100 * finals[profile.name] / (116 * (profile.hit + profile.miss))
        assert final == pytest.approx(PUBLISHED["finals"][profile.name], abs=1e-6)


@pytest.mark.parametrize("windows", [[[50, 60], [60, 70]], [[70, 80], [50, 60]], [[-1, 5]], [[90, 100]], [[50, 50]]])
def test_windows_that_are_none_are_refused(windows):
    with pytest.raises(ValueError, match="apart, in order, inside"):
        nab.weigh(100, np.asarray(windows))


def test_scores_that_do_not_fit_are_refused():
    weighed = nab.weigh(100, np.asarray([[50, 60]]))
    for wrong in (np.zeros(99), np.full(100, np.nan)):
        with pytest.raises(ValueError, match="one finite each"):
            nab.curve(wrong, weighed, STANDARD)
    with pytest.raises(ValueError, match="nothing can be detected"):
        nab.score([np.zeros(100)], [nab.weigh(100, NONE)])
