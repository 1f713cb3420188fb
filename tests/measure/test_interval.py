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
