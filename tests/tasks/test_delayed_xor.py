"""Exclusive or over time: counting spikes by Bayes' rule attains the optimum, one code alone has the baseline."""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.tasks.delayed_xor import best, evidence
from tests.tasks.rules import check_even, check_mean, draw

# Rates near each other: the best rule is often wrong.
HARD = {"channels": 3, "code": 4, "low": 0.3, "high": 0.6, "noise": 0.05}
TASKS = [jn.tasks.DelayedXOR(**HARD, steps=12), jn.tasks.MultiTimescaleXOR(**HARD, pause=2, codes=3)]


def codes(task, batch):
    """Channels of the first code at its steps; those of each later one at theirs, `[batch, codes, code, channels]`."""
    spikes = np.asarray(batch.inputs)
    first = spikes[:, : task.code, : task.channels]
    if isinstance(task, jn.tasks.DelayedXOR):
        return first, spikes[:, None, -task.code :]
    rest = spikes[:, task.code :, task.channels :]
    rest = rest.reshape(len(spikes), task.codes, task.pause + task.code, task.channels)
    return first, rest[:, :, task.pause :]


def by_bayes(task, batch):
    """Log odds of "different", from numbers of spikes; 0 where no answer counts."""
    first, later = codes(task, batch)

    def odds(spikes, seen):
        return evidence(spikes, np.broadcast_to(np.asarray(seen, float), spikes.shape), task.rates)

    known = odds(first.sum((1, 2)), task.code * task.channels)[:, None, None]
    so_far = np.cumsum(later.sum(-1), axis=-1)
    told = odds(so_far, np.arange(1, task.code + 1) * task.channels)
    p, q = 1 / (1 + np.exp(-known)), 1 / (1 + np.exp(-told))
    different = p * (1 - q) + (1 - p) * q
    return np.log(different / (1 - different))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_bayes_rule_attains_the_optimum_and_guesses_the_baseline(task):
    batch = draw(task, 4000)
    odds = by_bayes(task, batch)[:, :, 1:].reshape(-1)
    where = np.asarray(batch.weights) > 0
    assert where.sum() == odds.size
    outputs = np.zeros((*where.shape, 2), np.float32)
    outputs[where, 1] = odds
    right = (odds > 0) == np.asarray(batch.targets)[where]
    answered = np.where(np.asarray(batch.targets)[where] == 1, odds, -odds)
    per_sequence = (len(where), -1)
    check_mean(np.logaddexp(0, -answered).reshape(per_sequence).mean(1), task.optimum)
    check_mean(right.reshape(per_sequence).mean(1), task.best_accuracy)
    assert 0.7 < task.best_accuracy < 0.9
    assert float(task.loss(jnp.asarray(outputs), batch)) == pytest.approx(task.optimum, rel=0.03)
    assert float(task.loss(jnp.zeros_like(outputs), batch)) == pytest.approx(np.log(2), rel=1e-6) == task.baseline


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_channels_spike_at_their_rates_and_answers_are_even(task):
    first, later = codes(task, draw(task, 3000))
    chance = np.mean(task.rates)
    check_mean(first.mean((1, 2)), chance)
    check_mean(later.mean((1, 2, 3)), chance)
    batch = draw(task, 3000, seed=1)
    counted = np.asarray(batch.targets)[np.asarray(batch.weights) > 0].reshape(3000, -1)
    check_even(counted[:, 0], sizes=(2,))
    if task is TASKS[1]:
        check_even(counted[:, 0], counted[:, -1], sizes=(2, 2))
    # Outside of codes there is noise alone.
    inputs = np.asarray(batch.inputs)
    quiet = inputs[:, task.code : -task.code] if task is TASKS[0] else inputs[:, task.code :, : task.channels]
    check_mean(quiet.mean((1, 2)), task.noise)


def test_at_the_published_size_it_can_be_solved():
    task = jn.tasks.DelayedXOR()
    assert (task.steps, task.inputs, task.rates) == (200, 20, pytest.approx((0.208, 0.604)))
    assert task.best_accuracy > 0.999
    assert task.optimum < 0.003
    other = jn.tasks.MultiTimescaleXOR()
    assert (other.steps, other.inputs, other.optimum) == (100, 40, task.optimum)
    weights = np.asarray(draw(other, 2).weights[0])
    np.testing.assert_array_equal(np.flatnonzero(weights)[:10], [16, 17, 18, 19, 20, 21, 22, 23, 24, 31])


def test_the_optimum_is_a_sum_over_all_that_may_be_seen():
    """One channel and two steps: sixteen trains, one by one."""
    rates, loss, right = (0.3, 0.8), 0.0, 0.0
    for train in np.ndindex(2, 2, 2, 2):
        likely = np.zeros(2)
        for a in (0, 1):
            for b in (0, 1):
                each = [rates[a]] * 2 + [rates[b]] * 2
                likely[a ^ b] += np.prod([r if spike else 1 - r for r, spike in zip(each, train, strict=True)]) / 4
        share = likely / likely.sum()
        loss -= likely.sum() * (share * np.log(share)).sum()
        right += likely.max()
    assert best(1, 2, rates) == pytest.approx((loss, right), rel=1e-12)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: jn.tasks.DelayedXOR(steps=19), "DelayedXOR got steps=19; it must be at least 20"),
        (lambda: jn.tasks.DelayedXOR(code=1), "DelayedXOR got code=1; it must be at least 2"),
        (lambda: jn.tasks.DelayedXOR(low=0.6), "DelayedXOR got low=0.6, high=0.6; low must be below"),
        (lambda: jn.tasks.DelayedXOR(noise=1.0), "DelayedXOR got noise=1.0; it must be below 1"),
        (lambda: jn.tasks.MultiTimescaleXOR(codes=0), "MultiTimescaleXOR got codes=0; it must be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
