"""Polyphonic music: which notes sound next?"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt8

from jaxneuro.tasks.batch import Batch, Task, frame_cross_entropy


class NextChord(Task):
    """Read a piece frame by frame, and say after each how likely every note is to sound in the next frame.

    Pieces are padded with silence to the longest; only frames of the piece count. A frame is what sounds at one time:
    one line per note, 1 if it sounds, else 0.

    Input lines and outputs: the notes; an output is the logit of its note.

    Baseline: `sum_n H(f_n)`, with f_n the share of all predicted frames in which note n sounds: the negative
    log-likelihood of a frame for the best rule that sees nothing, on these very pieces. The optimum is not known.

    Reference: Boulanger-Lewandowski, Bengio and Vincent 2012, arXiv:1206.6392 (the data, and the likelihood per frame).
    """

    notes: UInt8[Array, "pieces frames notes"]
    lengths: Int[Array, "pieces"]

    def __init__(self, pieces: Sequence[np.ndarray]) -> None:
        """Pad the pieces.

        Args:
            pieces: piano rolls, `[frames, notes]` of 0 and 1 with at least two frames, all with the same notes.
        """
        shapes = {piece.shape[1:] for piece in pieces}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1 or min(len(piece) for piece in pieces) < 2:
            raise ValueError(
                "NextChord got pieces that are not all [frames, notes], with at least two frames and the same notes."
            )
        if not all(np.isin(piece, (0, 1)).all() for piece in pieces):
            raise ValueError("NextChord got notes that are not 0 or 1.")
        longest = max(len(piece) for piece in pieces)
        padded = [np.pad(np.asarray(piece, np.uint8), ((0, longest - len(piece)), (0, 0))) for piece in pieces]
        self.notes = jnp.asarray(np.stack(padded))
        self.lengths = jnp.asarray([len(piece) for piece in pieces], jnp.int32)

    @property
    def inputs(self) -> int:
        """The notes."""
        return self.notes.shape[2]

    @property
    def outputs(self) -> int:
        """The notes."""
        return self.notes.shape[2]

    @property
    def baseline(self) -> float:
        """Sum of the entropies of the notes (nats)."""
        sounding = np.asarray(self.notes[:, 1:], np.float64).sum(axis=(0, 1))
        shares = sounding / (np.asarray(self.lengths) - 1).sum()
        shares = shares[(shares > 0) & (shares < 1)]
        return float(-(shares * np.log(shares) + (1 - shares) * np.log(1 - shares)).sum())

    @property
    def optimum(self) -> None:
        """Not known."""
        return

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` pieces drawn with replacement."""
        return self.take(jax.random.randint(key, (size,), 0, self.lengths.shape[0]))

    def take(self, indices: Int[Array, "batch"]) -> Batch:
        """These pieces."""
        rolls = self.notes[indices].astype(jnp.result_type(float))
        counts = jnp.arange(rolls.shape[1] - 1, dtype=jnp.int32)[None] < self.lengths[indices][:, None] - 1
        return Batch(rolls[:, :-1], rolls[:, 1:], counts.astype(rolls.dtype))

    def loss(self, outputs: Float[Array, "batch time notes"], batch: Batch) -> Float[Array, ""]:
        """Mean negative log-likelihood of a frame (nats)."""
        return frame_cross_entropy(outputs, batch)
