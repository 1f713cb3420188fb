import math

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.flip_flop import FlipFlop
from tests.tasks.rules import certain, check_even, check_solved, draw

TASK = FlipFlop(steps=12, symbols=3, ignore=0.5)


def read(batch):
    """Instructions, and symbols; -1 where none is shown."""
    inputs = np.asarray(batch.inputs)
    assert (inputs[..., :3].sum(-1) == 1).all()
    return inputs[..., :3].argmax(-1), np.where(inputs[..., 3:].any(-1), inputs[..., 3:].argmax(-1), -1)


def followed(batch, heeds):
    """What a memory answers that takes over symbols of these instructions."""
    answers = np.full(batch.targets.shape, -1)
    for row, (instructions, symbols) in enumerate(zip(*read(batch), strict=True)):
        for step, (instruction, symbol) in enumerate(zip(instructions, symbols, strict=True)):
            memory = symbol if instruction in heeds else memory
            answers[row, step] = memory
    return answers


def test_a_latch_solves_it():
    batch = draw(TASK, 64)
    assert (read(batch)[0][:, 0] == 0).all()
    check_solved(TASK, batch, followed(batch, heeds=(0,)))


def test_a_memory_that_ignores_nothing_does_not():
    batch = draw(TASK, 1000)
    right = float(TASK.accuracy(certain(followed(batch, heeds=(0, 1)), 3), batch))
    assert 1 / 3 < right < 0.8


def test_instructions_come_as_often_as_is_said():
    instructions, symbols = read(draw(TASK, 4000))
    shares = [(instructions[:, 1:] == kind).mean() for kind in range(3)]
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.01)
    assert ((symbols == -1) == (instructions == 2)).all()


def test_the_baseline_is_even_guesses():
    batch = draw(TASK, 4000)
    assert float(TASK.loss(jnp.zeros((4000, 12, 3)), batch)) == pytest.approx(math.log(3), rel=1e-6)
    check_even(np.asarray(batch.targets)[:, 11], sizes=(3,))


def test_the_test_may_have_more_to_be_ignored():
    assert TASK.transfer() is TASK
    harder = FlipFlop(steps=12, symbols=3, ignore=0.5, test_ignore=0.9).transfer()
    assert (harder.ignore, harder.steps, harder.symbols) == (0.9, 12, 3)
    with pytest.raises(ValueError, match=r"FlipFlop got test_ignore=1\.0; it must be at least 0 and below 1"):
        FlipFlop(test_ignore=1.0)
