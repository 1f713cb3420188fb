"""Random wiring against the distributions that it is named after."""

import jax
import numpy as np
import pytest
from scipy import stats

from jaxneuro.synapses import bernoulli_targets, in_degree_targets


@pytest.mark.parametrize("probability", [0.02, 0.5])
def test_bernoulli_joins_each_pair_with_one_probability(probability, key):
    sources, targets = 300, 400
    lists = np.asarray(bernoulli_targets(sources, targets, probability, key=key))
    used = lists < targets
    assert (np.diff(lists, axis=1)[used[:, 1:]] > 0).all()  # rising, no pair twice
    assert not (np.diff(used.astype(int), axis=1) > 0).any()  # free places come last
    joined = np.zeros((sources, targets), bool)
    for row, row_used, row_lists in zip(joined, used, lists, strict=True):
        row[row_lists[row_used]] = True
    deviation = (probability * (1 - probability)) ** 0.5
    assert joined.mean() == pytest.approx(probability, abs=4 * deviation / joined.size**0.5)
    # The numbers of synapses of a row, and those on a target, are binomial.
    for axis, trials in ((1, targets), (0, sources)):
        counts = joined.sum(axis)
        expected = trials * probability * (1 - probability)
        error = expected * (2 / len(counts)) ** 0.5
        assert counts.var() == pytest.approx(expected, abs=4.5 * error)


def test_bernoulli_of_certainty_joins_all(key):
    np.testing.assert_array_equal(bernoulli_targets(2, 3, 1.0, key=key), [[0, 1, 2]] * 2)


def test_every_target_has_its_in_degree_from_sources_at_random(key):
    sources, targets, degree = 50, 80, 20
    lists = np.asarray(in_degree_targets(sources, targets, degree, key=key))
    reached = lists[lists < targets]
    np.testing.assert_array_equal(np.bincount(reached, minlength=targets), degree)
    sent = (lists < targets).sum(1)
    assert stats.chisquare(sent).pvalue > 1e-3
    assert (np.diff(lists, axis=1) >= 0).all()


def test_another_key_draws_other_synapses():
    first, second = (bernoulli_targets(20, 30, 0.2, key=jax.random.key(k)) for k in (1, 2))
    assert first.shape == second.shape
    assert (first != second).any()


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match=r"bernoulli_targets got probability=0.0; it must be above 0"):
        bernoulli_targets(2, 3, 0.0, key=key)
    with pytest.raises(ValueError, match="in_degree_targets got degree=0; it must be at least 1"):
        in_degree_targets(2, 3, 0, key=key)
