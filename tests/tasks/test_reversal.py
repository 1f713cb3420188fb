import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.reversal import Reversal, reversed_odds
from tests.tasks.rules import certain, check_even, draw

TASK = Reversal(steps=12, hazard=0.2, valid=0.8)


def read(batch):
    """Cues, and what was told of each step but the last."""
    inputs = np.asarray(batch.inputs)
    assert (inputs[..., :2].sum(-1) == 1).all()
    assert (inputs[:, 0, 2:] == 0).all()
    assert (inputs[:, 1:, 2:].sum(-1) == 1).all()
    return inputs[..., :2].argmax(-1), inputs[:, 1:, 2:].argmax(-1)


def test_the_filter_attains_the_optimum():
    batch = draw(TASK, 8192)
    cue, told = read(batch)
    speaks = np.concatenate([told ^ cue[:, :-1], np.zeros((8192, 1), int)], axis=1)
    odds = reversed_odds(speaks, TASK.hazard, TASK.valid)
    right = np.where(cue == 1, 1 - odds, odds)  # the probability of answer 1
    found = float(TASK.loss(jnp.log(jnp.stack([1 - right, right], -1)), batch))
    assert found == pytest.approx(TASK.optimum, abs=0.005)
    assert TASK.optimum < TASK.baseline


def test_the_filter_is_bayes_rule_over_all_histories():
    # All hidden pairings of three steps, by their probabilities.
    told = np.asarray([[1, 0, 1]])
    odds = reversed_odds(told, 0.2, 0.8)[0]
    for step in range(3):
        weight = np.zeros(2)
        for code in range(2 ** (step + 1)):
            pairing = [code >> place & 1 for place in range(step + 1)]
            likely = 0.5
            for place in range(step):
                likely *= 0.2 if pairing[place] != pairing[place + 1] else 0.8
                likely *= 0.8 if told[0, place] == pairing[place] else 0.2
            weight[pairing[step]] += likely
        assert odds[step] == pytest.approx(weight[1] / weight.sum())


def test_who_is_always_told_the_truth_errs_after_reversals_alone():
    task = Reversal(steps=20, hazard=0.1, valid=1.0)
    batch = draw(task, 4096)
    cue, told = read(batch)
    last = told ^ cue[:, :-1]
    answers = np.concatenate([np.zeros((4096, 1), int), last ^ cue[:, 1:]], axis=1)
    right = (answers == np.asarray(batch.targets))[:, 1:].mean()
    assert right == pytest.approx(0.9, abs=0.005)
    # One step in twenty is a guess; in all others the entropy of the hazard is left.
    entropy = -0.1 * np.log(0.1) - 0.9 * np.log(0.9)
    assert task.optimum == pytest.approx((np.log(2) + 19 * entropy) / 20, rel=0.01)


def test_what_is_told_says_nothing_alone():
    batch = draw(TASK, 4000)
    cue, told = read(batch)
    check_even(cue[:, 5], told[:, 4], np.asarray(batch.targets)[:, 5], sizes=(2, 2, 2))
    assert float(TASK.accuracy(certain(np.zeros((4000, 12), int), 2), batch)) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("wrong", [{"hazard": 0.0}, {"hazard": 0.6}, {"valid": 0.5}, {"valid": 1.1}])
def test_odds_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=f"Reversal got {next(iter(wrong))}="):
        Reversal(**wrong)
