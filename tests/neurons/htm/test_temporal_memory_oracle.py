"""The temporal memory is the oracle, step by step and bit by bit: 20 machines, 10,000 steps, nothing of it chance."""

import functools
from collections import Counter
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.htm.chanceless import SETTINGS, STEPS
from tests.neurons.htm.memories import grown, segments_of, unpacked
from tests.neurons.htm.oracle import Oracle, Segment, Synapse

EVERY = 25
BY_NAME = {setting.name: setting for setting in SETTINGS}
SHAPES = list({setting.shape: None for setting in SETTINGS})
# What the settings must see of the rules, all together; of chance they must see nothing.
EVENTS = {
    "matched",
    "predicted",
    "punished",
    "segment created",
    "segment destroyed",
    "segment evicted",
    "synapse destroyed",
    "synapse evicted",
}

pytestmark = pytest.mark.skipif(not hasattr(jn, "htm"), reason="there is no temporal memory yet")


@dataclass
class Run:
    """What happened: cells `[STEPS, columns * cells]`, and every so many steps all segments, by cell and age."""

    active: np.ndarray
    winners: np.ndarray
    predicted: np.ndarray
    anomaly: np.ndarray
    segments: list[list[tuple[int, list[tuple[int, np.float32]]]]] = field(default_factory=list)
    events: Counter = field(default_factory=Counter)


@functools.cache
def asked(name):
    """The run of the oracle."""
    setting = BY_NAME[name]
    shape = setting.shape
    sizes = {"segments_per_cell": shape.segments_per_cell, "synapses": shape.synapses}
    oracle = Oracle(shape.columns, shape.cells, **sizes, **setting.numbers)
    for cell, synapses in setting.placed():
        listed = [Synapse(presynaptic, np.float32(permanence)) for presynaptic, permanence in sorted(synapses.items())]
        oracle.segments[cell].append(Segment(cell, 0, listed))
    cells = [np.zeros((STEPS, shape.columns * shape.cells), bool) for _ in range(3)]
    run = Run(*cells, np.zeros(STEPS, np.float32), events=oracle.events)
    for time, (columns, learn, reset) in enumerate(zip(*setting.stream(), strict=True)):
        oracle.step(columns[columns < shape.columns].tolist(), bool(learn), bool(reset))
        run.active[time, oracle.active] = run.winners[time, oracle.winners] = True
        run.predicted[time, oracle.predicted] = True
        run.anomaly[time] = oracle.anomaly
        if time % EVERY == EVERY - 1:
            found = [segment for segments in oracle.segments for segment in segments]
            run.segments.append([(s.cell, [(each.presynaptic, each.permanence) for each in s.synapses]) for s in found])
    return run


@jax.jit
def ran(machine, state, inputs):
    return jn.run(machine, inputs, state=state, observe="pool", every=EVERY)


@functools.cache
def given(name, listed):
    """The run of the machine: one program for all of a shape."""
    setting = BY_NAME[name]
    shape = setting.shape
    machine = jn.htm.TemporalMemory(
        shape.columns,
        shape.cells,
        segments=shape.cells * shape.segments_per_cell,
        segments_per_cell=shape.segments_per_cell,
        synapses=shape.synapses,
        fan_out=shape.fan_out if listed else None,
        winners=shape.winners,
        learning_rows=shape.rows,
        punished_rows=shape.rows,
        **setting.numbers,
    )
    state = grown(machine, machine.init(jax.random.key(0)), setting.placed())
    columns, learn, reset = map(jnp.asarray, setting.stream())
    _, output, pools = jax.device_get(ran(machine, state, jn.htm.Columns(columns, learn, reset)))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(output.overflow))
    cells = [unpacked(words, shape.cells) for words in (output.active, output.winners, output.predicted)]
    snapshots = [jax.tree.map(lambda leaf, time=time: leaf[time], pools) for time in range(STEPS // EVERY)]
    return Run(*cells, output.anomaly, [segments_of(each, shape.cells) for each in snapshots])


def test_the_settings_see_all_rules_and_no_chance():
    events = sum((asked(name).events for name in BY_NAME), Counter())
    assert {name for name, count in events.items() if count > 50} == EVENTS
    assert len(BY_NAME) * STEPS == 10_000


@pytest.mark.parametrize("listed", [False, True], ids=["pool", "lists"])
@pytest.mark.parametrize("name", BY_NAME)
def test_the_same_cells_are_active_winners_and_predicted(name, listed):
    ours, theirs = given(name, listed), asked(name)
    for part in ("active", "winners", "predicted", "anomaly"):
        differing = np.flatnonzero((getattr(ours, part) != getattr(theirs, part)).reshape(STEPS, -1).any(1))
        assert differing.size == 0, f"{part} first differ at step {differing[0]}"


@pytest.mark.parametrize("listed", [False, True], ids=["pool", "lists"])
@pytest.mark.parametrize("name", BY_NAME)
def test_the_segments_are_the_same_bit_by_bit(name, listed):
    ours, theirs = given(name, listed), asked(name)
    for time, (our_segments, their_segments) in enumerate(zip(ours.segments, theirs.segments, strict=True)):
        assert our_segments == their_segments, f"after step {EVERY * (time + 1)}"
