"""Experiments with electrodes: thresholds against closed forms, waveforms told apart, every model by name."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.measure import electrodes
from jaxneuro.measure.electrodes import CODES, EXPERIMENTS, WAVEFORM, Bench, Trials

THRESHOLDS, TAUS = [15.0, 11.0, 18.0], [20.0, 12.0, 25.0]
QUIET = {"jitter": 0.0, "background_na": 0.0, "recording_mv": 0.0}


def cell(gating, independence, springs=(11.0, 18.0)):
    neuron = jn.dendritic.MultiThreshold(
        2,
        threshold_mv=jnp.asarray([15.0, *springs]),
        tau_ms=jnp.asarray(TAUS),
        resistance_mohm=100.0,
        gating=gating,
        independence=independence,
        sharpness_per_mv=20.0,
    )
    time_ms = 0.1 * jnp.arange(100.0)[None]
    kernels = jnp.asarray([[90.0], [80.0], [100.0]]) * time_ms / 0.3 * jnp.exp(1 - time_ms / 0.3)
    return jn.Chain(neuron, jn.dendritic.SpikeWaveform(kernels))


def test_there_are_fifty_trials():
    assert electrodes.trials(Bench()) == 50


def test_pulses_are_where_and_as_strong_as_planned():
    class Wire(jn.machine.Stateless):
        """The electrodes' currents, each at a scale of its own."""

        def respond(self, input):
            return input @ jnp.asarray([1.0, 100.0, 10_000.0])

    planned = Trials(np.asarray([[1.0, 2.0, 3.0]]), np.asarray([[0.0, 4.0, 2.0]]))
    (trace,) = electrodes.record(Wire(), Bench(**QUIET), planned, jnp.asarray([2.0, 3.0, 4.0]), jax.random.key(0))
    expected = np.zeros(300)
    for begin, current in ((10.0, 2.0), (14.0, 600.0), (12.0, 120_000.0)):
        expected[round(begin / 0.1) : round((begin + 2) / 0.1)] += current
    np.testing.assert_allclose(trace, expected, rtol=1e-6)


def test_the_noise_is_as_large_as_the_bench_says():
    class Wire(jn.machine.Stateless):
        """The current at the first electrode."""

        def respond(self, input):
            return input[0]

    def spread(**noise):
        bench = Bench(**QUIET | noise)
        planned = Trials(np.ones((200, 3)), np.zeros((200, 3)))
        return np.asarray(electrodes.record(Wire(), bench, planned, jnp.full(3, 5.0), jax.random.key(0)))

    assert spread(recording_mv=2.0)[:, :90].std() == pytest.approx(2.0, rel=0.05)
    # Means over 1 ms, which are ten steps.
    assert spread(background_na=0.3)[:, :90].reshape(-1, 10).mean(axis=1).std() == pytest.approx(0.3, rel=0.06)
    assert spread(jitter=0.1)[:, 105].std() == pytest.approx(0.5, rel=0.15)


def test_the_calibration_finds_the_threshold_of_every_electrode():
    needed = electrodes.calibrate(cell(1.0, 1.0), Bench(**QUIET), jax.random.key(0))
    # V at the end of a pulse of 2 ms is R I (1 - exp(-2 / tau)); the interval's logarithm is halved six times.
    exact = [theta / 100 / -math.expm1(-2 / tau) for theta, tau in zip(THRESHOLDS, TAUS, strict=True)]
    within = math.log(10 / 0.3) / 2**7
    np.testing.assert_allclose(np.log(needed), np.log(exact), rtol=0, atol=1.01 * within)


def test_lags_are_as_planned():
    near = EXPERIMENTS[0]
    np.testing.assert_array_equal(near.onset_ms[:, 2] - near.onset_ms[:, 1], [-4, -2, -1, 0, 0, 1, 2, 4])
    assert near.onset_ms.min() == 0
    assert WAVEFORM.strength.sum(axis=0).tolist() == [0, 7.5, 7.5]


@pytest.mark.computing
def test_every_model_has_its_code_where_there_is_no_noise():
    bench = Bench(jitter=0.0, background_na=0.0, recording_mv=1e-3)
    examine = jax.jit(electrodes.examine)
    for number, (gating, independence) in enumerate([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]):
        springs = (8.0, 8.2) if number == 1 else (11.0, 18.0)
        found = examine(cell(gating, independence, springs), bench, jax.random.key(number))
        assert int(found.model) == number
        np.testing.assert_allclose(found.code[1:], CODES[number][1:], atol=1e-6)
        assert (float(found.code[0]) > 0.9) == (number == 2)


def by_hand(waveforms, fired, first):
    right = []
    for i in range(len(waveforms)):
        if fired[i]:
            means = [
                np.mean(
                    [waveforms[j] for j in range(len(waveforms)) if j != i and fired[j] and first[j] == kind], axis=0
                )
                for kind in (True, False)
            ]
            distances = [((waveforms[i] - mean) ** 2).sum() for mean in means]
            right.append((distances[0] < distances[1]) == first[i])
    return max(2 * np.mean(right) - 1, 0)


@pytest.mark.parametrize("difference", [0.0, 0.7, 5.0])
def test_waveforms_are_told_apart_by_the_nearest_mean_of_the_others(difference):
    generator = np.random.default_rng(3)
    first, fired = np.arange(12) % 2 == 0, np.arange(12) != 5
    waveforms = generator.normal(size=(12, 6)) + difference * first[:, None]
    told = electrodes.told_apart(jnp.asarray(waveforms, jnp.float32), jnp.asarray(fired), jnp.asarray(first))
    assert float(told) == pytest.approx(by_hand(waveforms, fired, first), abs=1e-6)
    assert difference < 5 or told == 1
    nothing = electrodes.told_apart(jnp.zeros((12, 6)), jnp.zeros(12, bool), jnp.asarray(first))
    assert float(nothing) == 0


def test_a_waveform_is_aligned_at_its_crossing():
    trace = jnp.full(300, -70.0).at[140:].set(-40.0)
    fired, window = electrodes.aligned(trace, Bench())
    assert bool(fired)
    assert window.shape == (130,)
    np.testing.assert_array_equal(window, [-70.0] * 50 + [-40.0] * 80)
    assert not bool(electrodes.aligned(jnp.full(300, -70.0), Bench())[0])
