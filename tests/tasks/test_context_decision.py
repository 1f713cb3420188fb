import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from jaxneuro.tasks.context_decision import COLOUR, MOTION, ContextDecision
from tests.tasks.rules import check_even, draw

TASK = ContextDecision(steps=16, noise=1.0)


def posterior(seen, context, noise):
    """The log-odds of a positive strength, by the densities of all strengths."""
    levels = np.where(context[:, None] == 0, np.asarray(MOTION), np.asarray(COLOUR))
    up, down = (norm.pdf(seen[:, None], sign * levels, noise).sum(axis=1) for sign in (1, -1))
    return np.log(up / down)


def told(batch):
    inputs = np.asarray(batch.inputs, np.float64)
    context = inputs[:, 0, 2:].argmax(-1)
    assert (inputs[..., 2:] == inputs[:, :1, 2:]).all()
    return np.take_along_axis(inputs[..., :2], context[:, None, None], axis=-1)[..., 0], context


@pytest.mark.parametrize("which", ["optimum", "baseline"])
def test_bayes_rule_on_the_stream_that_counts_attains_what_is_said(which):
    batch = draw(TASK, 40_000)
    stream, context = told(batch)
    seen, noise = (stream.mean(axis=1), 0.25) if which == "optimum" else (stream[:, -1], 1.0)
    odds = posterior(seen, context, noise)
    outputs = np.zeros((40_000, 16, 2))
    outputs[:, -1, 1] = odds
    assert float(TASK.loss(jnp.asarray(outputs), batch)) == pytest.approx(getattr(TASK, which), abs=0.008)
    if which == "optimum":
        assert float(TASK.accuracy(jnp.asarray(outputs), batch)) == pytest.approx(TASK.best_accuracy, abs=0.008)


def test_the_best_accuracy_is_that_of_the_normal_distribution():
    levels = np.asarray([*MOTION, *COLOUR])
    assert TASK.best_accuracy == pytest.approx(norm.cdf(levels * 4).mean(), abs=1e-5)


def test_the_other_stream_says_nothing():
    batch = draw(TASK, 8000)
    _, context = told(batch)
    other = np.take_along_axis(np.asarray(batch.inputs)[..., :2], 1 - context[:, None, None], axis=-1)[..., 0]
    check_even(context, (other.mean(axis=1) > 0).astype(int), np.asarray(batch.targets)[:, -1], sizes=(2, 2, 2))


def test_noise_must_be_there():
    with pytest.raises(ValueError, match=r"ContextDecision got noise=0\.0"):
        ContextDecision(noise=0.0)
