import numpy as np
import pytest

import jaxneuro as jn


def test_a_textbook_interval():
    # Student's own sleep data (Biometrika 6:20, 1908): additional hours with one drug over the other.
    hours = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    found = jn.measure.mean_interval(hours)
    # The interval that R's `t.test(sleep$extra[11:20] - sleep$extra[1:10])` gives: 0.7001142 to 2.4598858.
    np.testing.assert_allclose(found, (1.58, 0.7001142, 2.4598858), atol=1e-6)


def test_it_covers_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(3.0, 2.0, size=(4000, 5))
    intervals = [jn.measure.mean_interval(row) for row in draws]
    covered = np.mean([low < 3 < high for _, low, high in intervals])
    assert abs(covered - 0.95) < 4 * (0.95 * 0.05 / len(draws)) ** 0.5


@pytest.mark.parametrize("values", [[], [1.0], np.ones((2, 2))])
def test_one_value_has_no_interval(values):
    with pytest.raises(ValueError, match="at least 2"):
        jn.measure.mean_interval(values)


def test_a_textbook_paired_test():
    # The same data: R's `t.test` gives t = 4.0621, 9 degrees of freedom, p-value = 0.002833.
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    assert jn.measure.paired_p_value(first, second) == pytest.approx(0.002833, abs=5e-7)
    assert jn.measure.paired_p_value(first, second) == jn.measure.paired_p_value(second, first)


def test_the_paired_test_agrees_with_scipys_and_raises_no_more_alarms_than_it_says():
    from scipy.stats import ttest_rel

    draws = np.random.default_rng(1).normal(size=(2000, 2, 6))
    values = [jn.measure.paired_p_value(*pair) for pair in draws]
    np.testing.assert_allclose(values, ttest_rel(draws[:, 0], draws[:, 1], axis=1).pvalue, rtol=1e-10)
    assert abs(np.mean(np.less(values, 0.05)) - 0.05) < 4 * (0.05 * 0.95 / len(draws)) ** 0.5


def test_differences_without_spread_are_certain():
    assert jn.measure.paired_p_value([1.0, 2.0], [1.0, 2.0]) == 1
    assert jn.measure.paired_p_value([1.0, 2.0], [0.5, 1.5]) == 0


@pytest.mark.parametrize(("ours", "theirs"), [([1.0], [1.0]), ([1.0, 2.0], [1.0]), (np.ones((2, 2)), np.ones((2, 2)))])
def test_lists_that_are_no_pairs_are_refused(ours, theirs):
    with pytest.raises(ValueError, match="two lists of one length"):
        jn.measure.paired_p_value(ours, theirs)


def test_holms_correction():
    # By hand: sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1 is 0.04, 0.06, 0.06, 0.04; never less than one before.
    np.testing.assert_allclose(jn.measure.holm([0.03, 0.01, 0.04, 0.02]), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(jn.measure.holm([0.9, 0.4, 0.8]), [1, 1, 1])
    assert jn.measure.holm([]) == []
    with pytest.raises(ValueError, match="from 0 to 1"):
        jn.measure.holm([0.5, float("nan")])


def test_among_many_tests_without_effect_a_false_alarm_is_as_rare_as_in_one():
    draws = np.random.default_rng(2).uniform(size=(4000, 10))
    alarms = np.mean([min(jn.measure.holm(row)) < 0.05 for row in draws])
    assert abs(alarms - (1 - (1 - 0.005) ** 10)) < 4 * (0.05 * 0.95 / len(draws)) ** 0.5


def test_a_slope_and_its_interval_are_those_of_scipy():
    from scipy.stats import linregress, t

    random = np.random.default_rng(0)
    x = random.normal(size=12)
    y = 0.3 * x + random.normal(size=12)
    found, expected = jn.measure.slope_interval(x, y), linregress(x, y)
    half = t.ppf(0.975, 10) * expected.stderr
    assert found == pytest.approx((expected.slope, expected.slope - half, expected.slope + half))
    assert jn.measure.slope_interval([0.0, 1.0, 2.0], [1.0, 3.0, 5.0]) == pytest.approx((2, 2, 2))


@pytest.mark.parametrize(
    ("x", "y"), [(np.arange(2.0), np.arange(2.0)), (np.ones(3), np.ones(3)), (np.ones(3), np.ones(2))]
)
def test_points_that_have_no_slope_are_refused(x, y):
    with pytest.raises(ValueError, match="slope_interval got shapes"):
        jn.measure.slope_interval(x, y)
