"""Evidence accumulation: counting the cues solves it, guessing has the baseline."""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.tasks.rules import check_even, check_solved, draw

TASK = jn.tasks.Evidence(cues=3, cue_ms=30, gap_ms=10, shortest_ms=20, longest_ms=60, question_ms=15, lines=6)


def lines(task, batch):
    """Spikes per step of left, right, question and noise."""
    inputs = np.asarray(batch.inputs)
    return inputs.reshape(*inputs.shape[:2], 4, task.lines).sum(-1)


def test_counting_the_cues_solves_it():
    task = jn.tasks.Evidence(cues=3, cue_ms=60, gap_ms=10, shortest_ms=20, longest_ms=60, question_ms=15, rate_hz=200.0)
    batch = draw(task, 32)
    left, right, *_ = np.moveaxis(lines(task, batch), -1, 0)
    period = 70
    sides = [
        (right[:, i * period : i * period + 60].sum(1) > left[:, i * period : i * period + 60].sum(1)) for i in range(3)
    ]
    answer = (np.sum(sides, 0) >= 2).astype(int)
    check_solved(task, batch, np.broadcast_to(answer[:, None], batch.targets.shape))


def test_cues_come_one_at_a_time_and_the_question_within_the_delay():
    batch = draw(TASK, 200)
    left, right, question, _ = np.moveaxis(lines(TASK, batch), -1, 0)
    time = np.arange(TASK.steps)
    in_cue = (time < 120) & (time % 40 < 30)
    assert not left[:, ~in_cue].any()
    assert not right[:, ~in_cue].any()
    assert not (left * right).any()
    asked = np.asarray(batch.weights) == 1
    assert not question[~asked].any()
    assert (asked.sum(1) == 15).all()
    start = asked.argmax(1) - 120
    assert start.min() == 20
    assert start.max() == 60


def test_lines_spike_at_their_rates(float64):
    task = jn.tasks.Evidence(cues=1, cue_ms=100, gap_ms=0, shortest_ms=50, longest_ms=50, question_ms=50, favour=1.0)
    batch = draw(task, 500)
    left, right, question, noise = np.moveaxis(lines(task, batch), -1, 0)
    for spikes, rate, steps in ((left + right, 40, 100), (question, 40, 50), (noise, 10, 200)):
        expected = 500 * 10 * steps * rate / 1000
        assert spikes.sum() == pytest.approx(expected, abs=4 * expected**0.5)


def test_the_baseline_is_even_guesses():
    batch = draw(TASK, 2000)
    assert float(TASK.loss(jnp.zeros((2000, TASK.steps, 2)), batch)) == pytest.approx(TASK.baseline, rel=1e-6)
    check_even(np.asarray(batch.targets)[:, 0], sizes=(2,))


def test_a_cue_is_on_the_favoured_side_as_often_as_said():
    task = jn.tasks.Evidence(cues=1, cue_ms=60, gap_ms=0, shortest_ms=0, longest_ms=0, question_ms=1, favour=0.7)
    assert task.steps == 61
    three = jn.tasks.Evidence(
        cues=3, cue_ms=40, gap_ms=0, shortest_ms=0, longest_ms=0, question_ms=1, favour=0.7, rate_hz=500.0
    )
    _, right, *_ = np.moveaxis(lines(three, draw(three, 3000)), -1, 0)
    sides = right[:, :120].reshape(3000, 3, 40).sum(-1) > 0
    # Both cues of a pair are on one side with probability .7 * .7 + .3 * .3.
    same = (sides[:, 0] == sides[:, 1]).mean()
    assert same == pytest.approx(0.58, abs=4 * (0.58 * 0.42 / 3000) ** 0.5)


@pytest.mark.parametrize(
    ("field", "value"), [("cues", 4), ("favour", 0.4), ("favour", 1.1), ("rate_hz", 1001.0), ("longest_ms", 100)]
)
def test_what_makes_no_sense_is_refused(field, value):
    with pytest.raises(ValueError, match=f"Evidence got {field}="):
        jn.tasks.Evidence(**{field: value})
