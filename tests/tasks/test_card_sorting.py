import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.card_sorting import CardSorting, asked_for
from tests.tasks.rules import check_even, draw

TASK = CardSorting(steps=15, values=3, hazard=0.15)


def read(batch, task):
    """Cards, and what was right for each but the last."""
    inputs = np.asarray(batch.inputs)
    cards = inputs[..., : 3 * task.values].reshape(*inputs.shape[:2], 3, task.values)
    told = inputs[..., 3 * task.values :]
    assert (cards.sum(-1) == 1).all()
    assert not told[:, 0].any()
    return cards.argmax(-1), told[:, 1:].argmax(-1)


def said(odds, cards, values):
    """The logarithms of the probabilities of all answers."""
    shares = (odds[..., None] * (cards[..., None] == np.arange(values))).sum(axis=2)
    return jnp.log(jnp.maximum(jnp.asarray(shares), 1e-30))


def test_the_filter_attains_the_optimum():
    batch = draw(TASK, 8192)
    cards, told = read(batch, TASK)
    np.testing.assert_array_equal(told, np.asarray(batch.targets)[:, :-1])
    right = np.concatenate([told, cards[:, -1:, 0]], axis=1)  # the last answer is never looked at
    odds = asked_for(cards, right, TASK.hazard)
    assert float(TASK.loss(said(odds, cards, 3), batch)) == pytest.approx(TASK.optimum, abs=0.008)
    assert TASK.optimum < TASK.baseline


def test_the_baseline_is_even_odds_for_all_features():
    batch = draw(TASK, 8192)
    cards, _ = read(batch, TASK)
    odds = np.full(cards.shape, 1 / 3)
    assert float(TASK.loss(said(odds, cards, 3), batch)) == pytest.approx(TASK.baseline, abs=0.01)


def test_the_filter_is_bayes_rule_over_all_histories():
    cards = np.asarray([[[0, 1, 1], [2, 2, 0], [0, 1, 2]]])
    right = np.asarray([[1, 2, 0]])
    odds = asked_for(cards, right, 0.3)[0]
    np.testing.assert_allclose(odds[0], 1 / 3)
    # After the first card: the rule was the second or third; then it stayed, or became one of the others.
    np.testing.assert_allclose(odds[1], [0.15, 0.425, 0.425])
    before = np.asarray([0.15, 0.425, 0]) / 0.575
    np.testing.assert_allclose(odds[2], 0.7 * before + 0.15 * (1 - before))


def test_the_rule_changes_as_often_as_is_said():
    batch = draw(CardSorting(steps=15, values=40, hazard=0.15), 2000)
    cards, _ = read(batch, CardSorting(values=40))
    fits = cards == np.asarray(batch.targets)[..., None]
    sure = fits.sum(-1) == 1
    rule = fits.argmax(-1)
    both = sure[:, 1:] & sure[:, :-1]
    assert (rule[:, 1:] != rule[:, :-1])[both].mean() == pytest.approx(0.15, abs=0.01)
    check_even(rule[:, 0][sure[:, 0]], sizes=(3,))


def test_a_hazard_at_which_nothing_can_be_known_is_refused():
    with pytest.raises(ValueError, match=r"CardSorting got hazard=0\.7; it must be above 0 and below 2/3"):
        CardSorting(hazard=0.7)
