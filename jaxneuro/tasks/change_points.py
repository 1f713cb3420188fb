"""Change points: has the regime of a series changed just now?"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from jaxneuro.tasks import annotated
from jaxneuro.tasks.batch import Batch, Classification, check_least


class ChangePoints(Classification):
    """Read `steps` observations of a series, and say after each whether the regime changed in the last `window` ones.

    It did if at least half of the annotators put a change there: its first observation is the present one or one of
    the `window - 1` before. A series begins without a change. The first `window` steps of a stretch do not count, as a
    change there is not to be seen; nor do steps without an observation, or with one of which a number is missing.

    A series is drawn evenly, then one of its stretches; one that is shorter than `steps` is filled up at its end.
    Numbers are standardised by all of the series up to and with the present observation.

    Input lines: the numbers of an observation, 0 where there is none; 1 if it is complete, else 0. Classes: no, yes.

    Baseline: the entropy of the share of steps with "yes", that of a rule which sees nothing, on these very series.
    The optimum is not known.

    Reference: van den Burg and Williams 2020, arXiv:2003.06222 (series and annotations; there whole series are seen
    before an answer, here nothing of the future).
    """

    shown: Float[Array, "observations features"]
    changed: Int[Array, "observations"]
    first: Int[Array, "series"]
    lengths: Int[Array, "series"]
    steps: int = eqx.field(static=True)
    window: int = eqx.field(static=True)

    def __init__(self, corpus: annotated.Corpus | None = None, *, steps: int = 100, window: int = 10) -> None:
        """Standardise the series, and lay them end to end.

        Args:
            corpus: annotated series; made-up ones if None.
            steps: of a stretch, more than `window`.
            window: how many observations a change is of interest.
        """
        self.steps, self.window = steps, window
        check_least(self, window=1, steps=window + 1)
        corpus = annotated.made_up(0) if corpus is None else corpus
        shown, changed, lengths = [], [], []
        for series in corpus.series:
            numbers = standardised(series.values)
            numbers = np.pad(numbers, ((0, 0), (0, corpus.dimensions - numbers.shape[1])))
            complete = np.isfinite(series.values).all(axis=1, keepdims=True)
            shown.append(np.concatenate([numbers, complete], axis=1))
            changed.append(recently_changed(series, window))
            lengths.append(len(numbers))
        # A stretch from the end of the last series stays inside.
        shown.append(np.zeros((steps, corpus.dimensions + 1)))
        changed.append(np.zeros(steps, bool))
        self.shown = jnp.asarray(np.concatenate(shown), jnp.result_type(float))
        self.changed = jnp.asarray(np.concatenate(changed), jnp.int32)
        self.first = jnp.asarray(np.cumsum([0, *lengths[:-1]]), jnp.int32)
        self.lengths = jnp.asarray(lengths, jnp.int32)
        share = _share([array[:, -1] for array in shown[:-1]], changed[:-1], steps, window)
        if not 0 < share < 1:
            raise ValueError(
                f"ChangePoints got series ({corpus.provenance}) in which {share:.0%} of the steps that count have a "
                f"change within window={window}; some must have one, and some none."
            )

    @property
    def inputs(self) -> int:
        """Numbers of an observation, and whether it is complete."""
        return self.shown.shape[1]

    @property
    def outputs(self) -> int:
        """No and yes."""
        return 2

    @property
    def baseline(self) -> float:
        """Entropy of the share of steps with a change (nats)."""
        ends = np.asarray(self.first)[1:].tolist()
        last = int(self.first[-1] + self.lengths[-1])
        complete, changed = np.asarray(self.shown)[:last, -1], np.asarray(self.changed)[:last]
        share = _share(np.split(complete, ends), np.split(changed, ends), self.steps, self.window)
        return -share * math.log(share) - (1 - share) * math.log(1 - share)

    @property
    def optimum(self) -> None:
        """Not known."""
        return

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` stretches from random places of random series."""
        series_key, start_key = jax.random.split(key)
        series = jax.random.randint(series_key, (size,), 0, self.lengths.shape[0])
        starts = jnp.maximum(self.lengths[series] - self.steps + 1, 1)
        return self.take(series, jax.random.randint(start_key, (size,), 0, starts))

    def take(self, series: Int[Array, "batch"], starts: Int[Array, "batch"]) -> Batch:
        """The stretches of these series that begin at these observations."""
        step = jnp.arange(self.steps, dtype=jnp.int32)
        start = starts.astype(jnp.int32)[:, None]
        places = self.first[series][:, None] + start + step[None]
        inside = start + step[None] < self.lengths[series][:, None]
        inputs = jnp.where(inside[..., None], self.shown[places], 0).astype(jnp.result_type(float))
        weights = jnp.where(step[None] >= self.window, inputs[..., -1], 0)
        return Batch(inputs, jnp.where(inside, self.changed[places], 0), weights)


def standardised(values: Float[np.ndarray, "observations dimensions"]) -> Float[np.ndarray, "observations dimensions"]:
    """Each number less the mean, over the standard deviation, of all up to and with it; 0 while that is 0.

    Args:
        values: nan where one is missing.

    Returns:
        The numbers, 0 where one is missing.
    """
    there = np.isfinite(values)
    count = np.maximum(there.cumsum(axis=0), 1)
    # The result does not depend on origin and scale, only its rounding does.
    origin = values[there.argmax(axis=0), np.arange(values.shape[1])]
    centred = np.where(there, values, origin) - origin
    centred = centred / np.maximum(np.abs(centred).max(axis=0), np.finfo(float).tiny)
    mean = centred.cumsum(axis=0) / count
    variance = (centred**2).cumsum(axis=0) / count - mean**2
    deviation = np.sqrt(np.maximum(variance, 0))
    return np.where(there & (deviation > 0), (centred - mean) / np.where(deviation > 0, deviation, 1), 0.0)


def recently_changed(series: annotated.Series, window: int) -> Bool[np.ndarray, "observations"]:
    """Whether at least half of the annotators put a change at an observation or the `window - 1` before it."""
    votes = np.zeros(len(series.values), int)
    for marks in series.annotations:
        seen = np.zeros(len(votes), bool)
        for mark in marks[marks > 0]:
            seen[mark : mark + window] = True
        votes += seen
    return 2 * votes >= len(series.annotations)


def _share(complete: list[np.ndarray], changed: list[np.ndarray], steps: int, window: int) -> float:
    """The share of steps with a change among those that count, in all stretches, each series weighing the same."""
    counted, positive = 0.0, 0.0
    for whole, yes in zip(complete, changed, strict=True):
        starts = np.arange(max(len(whole) - steps + 1, 1))
        low, high = np.minimum(starts + window, len(whole)), np.minimum(starts + steps, len(whole))
        for_all, for_yes = (np.concatenate([[0.0], np.cumsum(array)]) for array in (whole, whole * yes))
        counted += float((for_all[high] - for_all[low]).mean())
        positive += float((for_yes[high] - for_yes[low]).mean())
    return positive / counted if counted else 0.0
