import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.music import NextChord
from tests.tasks.rules import draw

RANDOM = np.random.default_rng(3)
PIECES = [(RANDOM.random((frames, 7)) < [0, 0.1, 0.2, 0.3, 0.5, 0.9, 1]).astype(np.uint8) for frames in (4, 9, 2, 6)]


def everything(task):
    return task.take(jnp.arange(task.lengths.shape[0]))


def test_frames_are_followed_by_the_next_ones_and_the_padding_does_not_count():
    batch = everything(NextChord(PIECES))
    assert batch.inputs.shape == batch.targets.shape == (4, 8, 7)
    for row, piece in enumerate(PIECES):
        frames = len(piece) - 1
        np.testing.assert_array_equal(batch.inputs[row, :frames], piece[:-1])
        np.testing.assert_array_equal(batch.targets[row, :frames], piece[1:])
        np.testing.assert_array_equal(batch.weights[row], np.arange(8) < frames)
        assert not np.asarray(batch.targets[row, frames:]).any()


def test_knowing_the_pieces_solves_it():
    task = NextChord(PIECES)
    batch = draw(task, 20)
    following = {piece[: step + 1].tobytes(): piece[step + 1] for piece in PIECES for step in range(len(piece) - 1)}
    outputs = np.zeros(batch.targets.shape)
    for row, piece in enumerate(np.asarray(batch.inputs, np.uint8)):
        for step in range(int(np.asarray(batch.weights[row]).sum())):
            outputs[row, step] = 1e4 * (2.0 * following[piece[: step + 1].tobytes()] - 1)
    assert float(task.loss(jnp.asarray(outputs), batch)) == 0
    assert task.optimum is None


def test_the_frequencies_of_the_notes_have_the_baseline_and_no_constant_has_less():
    task = NextChord(PIECES)
    batch = everything(task)
    shares = np.concatenate([piece[1:] for piece in PIECES]).mean(0)
    with np.errstate(divide="ignore"):
        logits = np.clip(np.log(shares) - np.log(1 - shares), -1e4, 1e4)

    def loss(logits):
        return float(task.loss(jnp.broadcast_to(jnp.asarray(logits), batch.targets.shape), batch))

    assert loss(logits) == pytest.approx(task.baseline, rel=1e-5)
    sometimes = np.flatnonzero((shares > 0) & (shares < 1))
    assert len(sometimes) >= 4
    for note in sometimes:
        for change in (-0.3, 0.3):
            assert loss(logits + change * np.eye(7)[note]) > task.baseline


def test_notes_that_are_not_on_or_off_are_refused():
    with pytest.raises(ValueError, match="NextChord got notes that are not 0 or 1"):
        NextChord([np.full((3, 4), 2)])
