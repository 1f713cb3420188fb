import dataclasses
import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks import data, text
from jaxneuro.tasks.characters import NextCharacter
from tests.tasks.rules import certain, draw, symbols


def test_batches_are_stretches_of_the_text_and_reach_both_ends():
    codes = np.arange(12)
    batch = draw(NextCharacter(codes, 12, steps=4), 400)
    starts = symbols(batch)[:, 0]
    assert set(starts.tolist()) == set(range(8))
    np.testing.assert_array_equal(symbols(batch), starts[:, None] + np.arange(4))
    np.testing.assert_array_equal(batch.targets, starts[:, None] + np.arange(1, 5))


def test_remembering_the_character_before_solves_what_a_table_of_pairs_cannot():
    codes = np.tile([0, 0, 1, 1], 20)
    task = NextCharacter(codes, 2, steps=6)
    batch = draw(task, 32)
    answers = np.concatenate([np.zeros((32, 1), int), 1 - symbols(batch)[:, :-1]], axis=1)
    # The first step has nothing before it.
    batch = dataclasses.replace(batch, weights=batch.weights.at[:, 0].set(0))
    assert float(task.accuracy(certain(answers, 2), batch)) == 1
    assert float(task.loss(certain(answers, 2), batch)) == 0
    assert task.baseline == pytest.approx(np.log(2), rel=1e-3)
    assert task.optimum is None


def test_a_table_of_pairs_has_the_baseline_and_no_table_has_less():
    codes, alphabet = text.encode(data.topics().text[:20_001])
    size = len(alphabet)
    task = NextCharacter(codes, size, steps=100)
    batch = task.take(jnp.arange(0, 20_000, 100))
    pairs = np.zeros((size, size))
    for first, second in itertools.pairwise(codes):
        pairs[first, second] += 1
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(pairs), -1e4)
    present = symbols(batch)
    assert float(task.loss(jnp.asarray(logits)[present], batch)) == pytest.approx(task.baseline, rel=1e-5)
    blurred = jnp.asarray(np.log(pairs + 0.1))[present]
    assert float(task.loss(blurred, batch)) > task.baseline


def test_the_baseline_of_a_chain_is_its_entropy_rate():
    # From each of two characters the next is the same with probability 0.9.
    codes = np.cumsum(np.random.default_rng(0).random(400_000) < 0.1) % 2
    entropy = -0.9 * np.log(0.9) - 0.1 * np.log(0.1)
    # The standard error of the estimate: log(0.9 / 0.1) sqrt(0.9 * 0.1 / n).
    assert NextCharacter(codes, 2).baseline == pytest.approx(entropy, abs=4 * np.log(9) * (0.09 / 400_000) ** 0.5)


def test_codes_outside_the_alphabet_are_refused():
    with pytest.raises(ValueError, match="NextCharacter got codes from 0 to 3; they must be from 0 to 2"):
        NextCharacter(np.array([0, 1, 3, 2]), 3, steps=2)
