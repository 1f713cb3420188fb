"""Anomaly scores against the closed numbers of the first program's tests, and likelihoods against a plain loop."""

import math
from collections import deque

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

htm = jn.htm


@pytest.mark.parametrize(
    ("active", "predicted", "expected"),
    [([2, 3, 6], [3, 5, 7], 2 / 3), ([2, 3, 6], [2, 3, 6], 0), ([2, 3, 6], [], 1), ([], [3, 5], 0), ([], [], 0)],
)
def test_the_raw_score_is_the_share_that_was_not_predicted(active, predicted, expected):
    active, predicted = (jnp.asarray(np.isin(np.arange(9), chosen)) for chosen in (active, predicted))
    assert float(htm.raw_anomaly(active, predicted)) == pytest.approx(expected, rel=1e-6)


def test_tails_of_the_normal_distribution():
    zero, one = jnp.asarray(0.0), jnp.asarray(1.0)
    for x, expected in [(0.0, 0.5), (0.3, 0.38209), (1.0, 0.1587), (1.5, 0.0668), (2.0, 0.02275), (3.0, 0.00135)]:
        assert float(htm.tail(jnp.asarray(x), zero, one)) == pytest.approx(expected, abs=5e-5), x
        assert float(htm.tail(jnp.asarray(-x), zero, one)) == pytest.approx(expected, abs=5e-5), "the same below"
    wide = htm.tail(jnp.asarray(15.0), jnp.asarray(20.0), jnp.asarray(10.0))
    assert float(wide) == pytest.approx(0.3085, abs=1e-4)


def plain_likelihoods(values, scores, history, average, learning, samples, period):
    """The published algorithm with a queue of records, in double precision."""
    records, found, normal = deque(maxlen=history), [], None

    def tail_of(x):
        mean, deviation = normal
        return 0.5 * math.erfc(abs(x - mean) / deviation / 1.4142)

    for step, (value, score) in enumerate(zip(values, scores, strict=True)):
        if step < learning + samples:
            found.append(0.5)
        else:
            kept = [record[1] for record in records]
            if normal is None or step % period == 0:
                smooth = [np.mean(kept[max(0, i - average + 1) : i + 1]) for i in range(len(kept))]
                skip = int(min(step, max(0, learning - max(0, step - history))))
                normal = (0.5, 1000.0)
                if len(kept) > skip and np.var([record[0] for record in records][skip:]) >= 1.5e-5:
                    normal = (max(0.03, np.mean(smooth[skip:])), math.sqrt(max(3e-4, np.var(smooth[skip:]))))
            now, before = tail_of(np.mean([*kept, score][-average:])), tail_of(np.mean(kept[-average:]))
            found.append(1 - (1e-3 if now <= 1e-5 and before <= 1e-5 else now))
        records.append((value, score))
    return np.asarray(found)


CASES = {
    "growing history": {"history": 400, "average": 10, "learning": 50, "samples": 30, "period": 25},
    "moving history": {"history": 90, "average": 10, "learning": 40, "samples": 20, "period": 10},
    "short average": {"history": 60, "average": 3, "learning": 100, "samples": 11, "period": 7},
}


@pytest.mark.parametrize("values", ["various", "constant", "constant at first"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_equals_the_published_algorithm(case, values, float64):
    generator = np.random.default_rng(1)
    scores = np.clip(generator.normal(0.1, 0.05, 300) + (generator.uniform(size=300) < 0.04), 0, 1)
    scores[200:212] = 1.0
    watched = generator.normal(size=300) * (values != "constant")
    if values == "constant at first":
        watched[:150] = 3.0
    machine = htm.AnomalyLikelihood(
        history=case["history"],
        average=case["average"],
        learning_period=float(case["learning"]),
        estimation_samples=float(case["samples"]),
        estimation_period=float(case["period"]),
    )
    _, found = jn.run(machine, htm.Surprise(jnp.asarray(watched), jnp.asarray(scores)))
    expected = plain_likelihoods(watched, scores, **case)
    np.testing.assert_allclose(found.likelihood, expected, rtol=0, atol=1e-12)
    logs = np.log(1.0000000001 - expected) / -23.02585084720009
    np.testing.assert_allclose(found.log_score, logs, rtol=0, atol=1e-6)
    if values == "various":
        assert np.sum(expected > 0.99999) > 0
        assert np.sum(np.abs(expected - 0.999) < 1e-12) > 3, "told once"


def test_defaults_are_the_published_ones():
    machine = htm.AnomalyLikelihood()
    assert (machine.history, machine.average) == (8640, 10)
    numbers = (machine.learning_period, machine.estimation_samples, machine.estimation_period)
    assert [float(number) for number in numbers] == [288, 100, 100]
    inputs = htm.Surprise((jnp.arange(400) % 7).astype(jnp.float32), jnp.full(400, 0.2))
    _, found = jn.run(machine, inputs)
    np.testing.assert_array_equal(found.likelihood[:388], 0.5)
    # A constant score is the mean: half of the distribution is above it.
    np.testing.assert_allclose(found.likelihood[388:], 0.5, rtol=0, atol=1e-5)


def test_single_precision_tells_rare_from_rarer():
    quiet = jnp.where(jnp.arange(200) < 199, 0.1, 1.0)
    machine = htm.AnomalyLikelihood(100, 1, learning_period=20.0, estimation_samples=20.0)
    watched = jax.random.normal(jax.random.key(0), (200,))
    _, found = jn.run(machine, htm.Surprise(watched, quiet))
    assert float(found.log_score[-1]) == pytest.approx(1.0, abs=1e-6)
    assert float(found.log_score[-2]) == pytest.approx(math.log(0.5) / math.log(1e-10), abs=1e-5)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="at most history"):
        htm.AnomalyLikelihood(5, 6)
