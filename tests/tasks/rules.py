"""What the tests of tasks share: certain answers as outputs, and how likely a table of counts is."""

import jax
import jax.numpy as jnp
import numpy as np


def draw(task, size, seed=0):
    """A batch, compiled."""
    return jax.jit(lambda key: task.batch(key, size))(jax.random.key(seed))


def symbols(batch):
    """The inputs as whole numbers, and that each step has exactly one line on."""
    inputs = np.asarray(batch.inputs)
    assert ((inputs == 0) | (inputs == 1)).all()
    assert (inputs.sum(-1) == 1).all()
    return inputs.argmax(-1)


def certain(answers, outputs):
    """Outputs that leave no doubt; where a rule has no answer (-1) they say the first class."""
    return 1e4 * jax.nn.one_hot(jnp.maximum(jnp.asarray(answers), 0), outputs)


def check_solved(task, batch, answers):
    """The rule that found these answers by reading the inputs attains the optimum."""
    outputs = certain(answers, task.outputs)
    assert float(task.accuracy(outputs, batch)) == 1
    assert float(task.loss(outputs, batch)) == task.optimum == 0


def check_even(*columns, sizes):
    """Independent samples of several whole numbers are even over all their combinations, by the chi-squared test.

    The statistic has mean n and variance 2 n for n degrees of freedom; five samples per cell make that a good guide.
    """
    counts = np.bincount(np.ravel_multi_index(columns, sizes), minlength=np.prod(sizes))
    expected, freedom = counts.mean(), counts.size - 1
    assert expected >= 5
    statistic = ((counts - expected) ** 2 / expected).sum()
    assert abs(statistic - freedom) < 4 * (2 * freedom) ** 0.5


def check_mean(samples, expected):
    """The mean of independent samples is within four standard errors of what is expected."""
    samples = np.asarray(samples, np.float64)
    assert abs(samples.mean() - expected) < 4 * samples.std(ddof=1) / len(samples) ** 0.5
