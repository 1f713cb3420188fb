"""What the temporal memory promises beside its rules: sizes change nothing, nothing is lost in silence or copied.

Its rules are held to a memory in plain Python in `test_conformance*.py` and `test_temporal_memory_oracle.py`.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.htm import temporal_memory
from tests.laws.compare import assert_same

COLUMNS, CELLS, ACTIVE, STEPS = 64, 8, 8, 500


@functools.cache
def stream():
    """Patterns that come again, and now and then one that does not; new beginnings; times without learning."""
    generator = np.random.default_rng(0)

    def draw():
        return np.sort(generator.permutation(COLUMNS)[:ACTIVE])

    known = [draw() for _ in range(12)]
    active = [draw() if generator.random() < 0.1 else known[generator.integers(12)] for _ in range(STEPS)]
    learn, reset = generator.random(STEPS) < 0.9, generator.random(STEPS) < 0.02
    return jn.htm.Columns(jnp.asarray(np.stack(active), jnp.int32), jnp.asarray(learn), jnp.asarray(reset))


def memory(**options):
    given = {"segments": 64, "synapses": 12, "winners": 32, "learning_rows": 64, "punished_rows": 512, "fan_out": 1024}
    return jn.htm.TemporalMemory(
        COLUMNS,
        CELLS,
        activation_threshold=5.0,
        min_threshold=3.0,
        new_synapses=7.0,
        predicted_decrement=0.02,
        **(given | options),
    )


@functools.cache
def traces(**options):
    """The final state and all outputs."""
    machine = memory(**options)
    return jn.run(machine, stream(), state=machine.init(jax.random.key(1)))


def without_overflow(outputs):
    return [outputs.active, outputs.winners, outputs.predicted, outputs.anomaly]


def lost(outputs):
    return {name: int(number.sum()) for name, number in vars(outputs.overflow).items()}


def test_the_stream_is_learnt_and_everything_had_room():
    state, outputs = traces()
    assert set(lost(outputs).values()) == {0}
    assert float(outputs.anomaly[:50].mean()) > 0.9
    assert int((state.pool.sizes > 0).sum()) > 500


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(
            {"segments": 128, "learning_rows": 128, "winners": 64, "punished_rows": 1024}, id="twice the room"
        ),
        pytest.param({"fan_out": 2048}, id="longer lists"),
        pytest.param({"fan_out": None}, id="no lists"),
        pytest.param({"fan_out": 320}, id="lists that must be swept"),
    ],
)
def test_sizes_and_ways_of_counting_change_nothing(options):
    _, expected = traces()
    _, outputs = traces(**options)
    assert set(lost(outputs).values()) == {0}
    assert_same(without_overflow(outputs), without_overflow(expected))


def test_learning_in_many_blocks_changes_nothing(monkeypatch):
    _, expected = traces()
    monkeypatch.setattr(temporal_memory, "CHANGED_TOGETHER", 7)
    _, outputs = traces(winners=33)  # of a size that no other test has, which is compiled with these blocks
    assert set(lost(outputs).values()) == {0}
    assert_same(without_overflow(outputs), without_overflow(expected))


def test_short_lists_are_swept():
    state, _ = traces(fan_out=320)
    unswept, _ = traces()
    # More synapses were listed than the short lists have room for.
    assert int(unswept.pool.fan_out.lengths.max()) > 320
    assert int(state.pool.fan_out.lengths.max()) <= 320


@pytest.mark.parametrize(
    ("counter", "options"),
    [
        ("winners", {"winners": 4}),
        ("learning", {"learning_rows": 4}),
        ("punished", {"punished_rows": 1}),
        ("evicted", {"segments": 4}),
        ("synapses", {"fan_out": 32}),
    ],
)
def test_what_has_no_room_is_counted(counter, options):
    _, outputs = traces(**options)
    counted = lost(outputs)
    assert counted[counter] > 0
    assert counter in ("evicted", "synapses") or {name for name, number in counted.items() if number} == {counter}


@pytest.mark.parametrize("fan_out", [None, 1024])
def test_the_pool_is_neither_sorted_nor_copied(fan_out):
    machine = jn.htm.TemporalMemory(512, 16, segments=64, fan_out=fan_out)
    state = machine.init(jax.random.key(0))
    inputs = jnp.zeros((20, 10), jnp.int32)

    def run(machine, state, inputs):
        def step(state, active):
            state, output = machine.step(state, active)
            return state, output.anomaly

        return jax.lax.scan(step, state, inputs)

    lowered = jax.jit(run, donate_argnums=1).lower(machine, state, inputs)
    text = lowered.as_text()
    for operation in ("stablehlo.sort", "top_k", "approx_top_k"):
        assert operation not in text
    if fan_out is None:
        # A copy of one of the tables of synapses would show. (Lists are copied, but only when they are swept.)
        temporary = lowered.compile().memory_analysis().temp_size_in_bytes
        assert temporary < min(state.pool.sources.nbytes, state.pool.permanences.nbytes)


def test_streams_in_one_program_are_what_they_are_alone():
    machine = memory(segments=8, fan_out=None)
    keys = jax.random.split(jax.random.key(0), 3)
    inputs = jax.tree.map(lambda leaf: leaf[:40], stream())
    alone = [jn.run(machine, inputs, key=key)[1].anomaly for key in keys]
    together = jax.vmap(lambda key: jn.run(machine, inputs, key=key)[1].anomaly)(keys)
    np.testing.assert_array_equal(together, jnp.stack(alone))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"winners": 0}, "winners is 0; it must be at least 1"),
        ({"fan_out": 33}, "fan_out is 33; it must be a multiple of 32"),
        ({"cells": 300}, "cells is 300; it must be from 1 to 256"),
        ({"synapses": 256}, "synapses is 256"),
        ({"segments": 4096, "synapses": 255}, "Use fewer segments or synapses, or fan_out=None"),
        ({"initial_permanence": 1.5}, "must be at most 1"),
    ],
)
def test_what_cannot_be_built_says_why(options, words):
    with pytest.raises(ValueError, match=words):
        jn.htm.TemporalMemory(**options)
