"""Tasks as streams: every step is shown, and what counts is followed by its answer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.tasks.batch import Batch
from jaxneuro.tasks.interleaved import interleaved


def test_a_stream_is_what_is_shown_and_after_what_counts_its_answer():
    rows = {"a": [0.0, 1.0], "b": [1.0, 0.0], "c": [1.0, 1.0]}
    batch = Batch(
        jnp.array([[rows[name] for name in word] for word in ("bac", "aab")]),
        jnp.array([[0, 2, 1], [1, 1, 0]]),
        jnp.array([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]),
    )
    (stream,), shown = interleaved([batch])
    assert shown == 3
    # By hand: a, b, c are 0, 1, 2; answers 0, 1, 2 are 3, 4, 5.
    assert stream.symbols.tolist() == [1, 0, 5, 2, 4, 0, 0, 1, 3]
    assert stream.first.tolist() == [True, *[False] * 4, True, *[False] * 3]
    assert np.flatnonzero(stream.asks).tolist() == [1, 3, 7]
    assert np.flatnonzero(stream.told).tolist() == [2, 4, 8]
    assert stream.answers.tolist() == [0, 2, 0, 1, 0, 0, 0, 0, 0]


def test_an_input_is_the_same_symbol_in_all_batches_and_new_ones_are_others():
    task = jn.tasks.NBack(steps=6)
    batches = [one.batch(jax.random.key(0), 50) for one in (task, task, task.transfer())]
    (first, second, novel), shown = interleaved(batches)
    assert shown == 32
    np.testing.assert_array_equal(first.symbols, second.symbols)
    assert not set(first.symbols[~first.told]) & set(novel.symbols[~novel.told])
    assert set(novel.symbols[novel.told]) == {32, 33}


def test_who_reads_the_stream_can_solve_the_task():
    # Flip-flop: what is read is what was written last; the symbols are told apart by what their inputs are.
    task = jn.tasks.FlipFlop(steps=12, symbols=3)
    batch = task.batch(jax.random.key(1), 40)
    (stream,), _ = interleaved([batch])
    inputs = np.asarray(batch.inputs).reshape(-1, 6)
    shown = stream.symbols[~stream.told]
    written = {int(symbol): int(row[3:].argmax()) for symbol, row in zip(shown, inputs, strict=True) if row[0] == 1}
    last, right = None, []
    for symbol, asks, answer in zip(stream.symbols, stream.asks, stream.answers, strict=True):
        last = written.get(int(symbol), last)
        if asks:
            right.append(last == answer)
    assert len(right) == int(np.asarray(batch.weights).sum())
    assert all(right)


def test_targets_that_are_no_classes_are_refused():
    with pytest.raises(ValueError, match="interleaved got targets of float32 with 3 axes"):
        interleaved([jn.tasks.Adding(steps=5).batch(jax.random.key(0), 2)])
