"""Basal segments predict, apical ones choose: each behaviour by itself, and all of it beside lists in plain Python."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.htm.apical_by_hand import ByHand, close, listed

COLUMNS, CELLS, BELOW, ABOVE = 5, 3, 12, 8
WRONG = (0.03, 0.02)


@functools.cache
def memory(sequence=False):
    with jax.enable_x64(False):
        return jn.htm.ApicalTiebreakMemory(
            COLUMNS,
            CELLS,
            basal_inputs=None if sequence else BELOW,
            apical_inputs=ABOVE,
            segments=40,
            apical_segments=16,
            synapses=20,
            winners=15,
            apical_candidates=4,
            activation_threshold=3.0,
            reduced_basal_threshold=2.0,
            min_threshold=2.0,
            new_synapses=40.0,
            initial_permanence=0.45,
            permanence_decrement=0.04,
            basal_predicted_decrement=WRONG[0],
            apical_predicted_decrement=WRONG[1],
        )


@functools.cache
def program(sequence):
    return jax.jit(lambda state, given: memory(sequence).step(state, given))


def padded(numbers, size, outside):
    return jnp.asarray([*sorted(numbers), *[outside] * (size - len(numbers))], jnp.int32)


def words(numbers, size):
    return jn.htm.pack(jnp.asarray(np.isin(np.arange(size), sorted(numbers))))


def step(
    state, columns, below=(), above=(), *, sequence=False, below_new=None, above_new=None, learn=False, reset=False
):
    below_new = below if below_new is None else below_new
    above_new = above if above_new is None else above_new
    given = jn.htm.ColumnsInContext(
        padded(columns, COLUMNS, COLUMNS),
        words(above, ABOVE),
        padded(above_new, 4, ABOVE),
        None if sequence else words(below, BELOW),
        None if sequence else padded(below_new, 4, BELOW),
        learn=learn,
        reset=reset,
    )
    return program(sequence)(state, given)


def cells(packed):
    return set(np.flatnonzero(jn.htm.unpack(packed, CELLS)).tolist())


def start(basal=(), apical=(), sequence=False):
    """The state with some connected segments, `(cell, sources)`."""
    machine = memory(sequence)
    state = machine.init(jax.random.key(0))
    below, above = state.basal, state.apical
    for cell, sources in basal:
        below = machine.basal.segments.placed(below, cell, sources, 0.6)
    for cell, sources in apical:
        above = machine.apical.segments.placed(above, cell, sources, 0.6)
    return eqx.tree_at(lambda state: (state.basal, state.apical), state, (below, above))


def segments(pool):
    """All segments of a pool as lists of a cell and its synapses."""
    sizes, owners = np.asarray(pool.sizes).ravel(), np.asarray(pool.owners).ravel()
    groups = pool.sizes.shape[1]
    own = CELLS if groups == COLUMNS else 1
    found = []
    for place in np.flatnonzero(sizes):
        row = zip(
            np.asarray(pool.sources[place]).tolist(),
            np.round(np.asarray(pool.permanences[place], float), 4).tolist(),
            strict=True,
        )
        found.append([int(place % groups * own + owners[place]), sorted(list(row)[: sizes[place]])])
    return sorted(found)


BASAL, OTHER, APICAL = (1, 2, 3), (5, 6, 7), (0, 2, 4)


def test_only_a_cell_with_an_active_basal_segment_is_predicted_and_becomes_active_alone():
    state = start([(1, BASAL)])
    _, output = step(state, [0, 2], BASAL)
    assert cells(output.predicted) == {1}
    assert cells(output.active) == {1, 6, 7, 8}
    assert float(output.anomaly) == 0.5
    _, output = step(state, [0], BASAL[:2])
    assert not cells(output.predicted)
    assert cells(output.active) == {0, 1, 2}


def test_apical_segments_choose_among_the_predicted_cells_of_a_minicolumn():
    state = start([(0, BASAL), (1, BASAL), (4, BASAL)], [(1, APICAL)])
    _, output = step(state, [0, 1], BASAL, APICAL)
    # Cell 4 has no rival that is supported from above.
    assert cells(output.active) == {1, 4}
    _, output = step(state, [0, 1], BASAL)
    assert cells(output.active) == {0, 1, 4}


def test_apical_segments_alone_never_predict():
    _, output = step(start([(0, BASAL)], [(1, APICAL)]), [0], (), APICAL)
    assert not cells(output.predicted)
    assert cells(output.active) == {0, 1, 2}
    # Nor do they take a minicolumn away from a cell with basal support alone.
    _, output = step(start([(0, BASAL)], [(1, APICAL)]), [0], BASAL, APICAL)
    assert cells(output.active) == {0}


def test_support_from_above_lowers_the_basal_threshold_when_nothing_is_learnt():
    state = start([(0, BASAL), (4, BASAL)], [(0, APICAL)])
    _, output = step(state, [0, 1], BASAL[:2], APICAL)
    assert cells(output.predicted) == {0}
    _, output = step(state, [0, 1], BASAL[:1], APICAL)
    assert not cells(output.predicted)
    _, output = step(state, [0, 1], BASAL[:2], APICAL, learn=True)
    assert not cells(output.predicted)


def test_winners_are_a_matter_of_basal_segments():
    # Cell 2 has an apical segment, cell 1 the best matching basal one.
    state = start([(0, (1, 2, 8)), (1, (1, 2, 3, 9))], [(2, APICAL)])
    before = segments(state.apical)
    state, output = step(state, [0], (1, 2, 3, 10), APICAL, learn=True, below_new=(10,))
    assert cells(output.winners) == {1}
    assert [one for one in segments(state.apical) if one[0] == 2] == before
    assert [one[0] for one in segments(state.apical)] == [1, 2]
    # The basal segment was reinforced where active, weakened elsewhere, and grew to the candidate.
    assert next(one for one in segments(state.basal) if one[0] == 1)[1] == [
        (1, 0.7),
        (2, 0.7),
        (3, 0.7),
        (9, 0.56),
        (10, 0.45),
    ]


def test_both_kinds_of_segments_are_learnt_at_once_and_predict_after():
    state = start()
    for _ in range(2):
        state, output = step(state, [0, 3], BASAL, APICAL, learn=True)
    (first,) = cells(output.winners) & {0, 1, 2}
    (second,) = cells(output.winners) & {9, 10, 11}
    assert segments(state.basal) == [[cell, [(s, 0.55) for s in BASAL]] for cell in (first, second)]
    assert segments(state.apical) == [[cell, [(s, 0.55) for s in APICAL]] for cell in (first, second)]
    _, output = step(state, [0, 3], BASAL, APICAL)
    assert cells(output.active) == {first, second}
    # The same location in another object: other cells win, and the object above says which of them it is.
    shared = state
    for _ in range(3):
        shared, output = step(shared, [0], OTHER, (1, 3, 5), learn=True)
    assert not cells(output.winners) & {first}


def test_wrong_segments_lose_each_their_own_decrement():
    state = start([(0, BASAL)], [(1, APICAL)])
    state, _ = step(state, [4], BASAL, APICAL, learn=True)
    ours = [one for one in segments(state.basal) if one[0] == 0]
    theirs = [one for one in segments(state.apical) if one[0] == 1]
    assert ours == [[0, [(s, 0.57) for s in BASAL]]]
    assert theirs == [[1, [(s, 0.58) for s in APICAL]]]


def test_a_sequence_is_predicted_one_step_ahead_and_forgotten_at_a_reset():
    state = start(sequence=True)
    for _ in range(8):
        for place, columns in enumerate(([0, 1], [2, 3], [1, 4])):
            state, output = step(state, columns, (), APICAL, sequence=True, learn=True, reset=place == 0)
    state, output = step(state, [0, 1], (), APICAL, sequence=True, reset=True)
    assert float(output.anomaly) == 1.0
    assert {cell // CELLS for cell in cells(output.predicted)} == {2, 3}
    state, output = step(state, [2, 3], (), APICAL, sequence=True)
    assert float(output.anomaly) == 0.0
    assert {cell // CELLS for cell in cells(output.predicted)} == {1, 4}
    _, output = step(state, [1, 4], (), APICAL, sequence=True, reset=True)
    assert float(output.anomaly) == 1.0


@pytest.mark.parametrize("sequence", [False, True])
def test_long_runs_are_those_of_lists_in_plain_python(sequence):
    generator = np.random.default_rng(7)
    hand = ByHand(COLUMNS, CELLS, sequence, active=3, least=2, reduced=2, initial=0.45, up=0.1, down=0.04, wrong=WRONG)
    state = memory(sequence).init(jax.random.key(1))
    contexts = [
        (
            generator.permutation(COLUMNS)[:2].tolist(),
            generator.permutation(BELOW)[:4].tolist(),
            generator.permutation(ABOVE)[:4].tolist(),
        )
        for _ in range(5)
    ]
    anomalies = []
    for time in range(90):
        columns, below, above = contexts[generator.integers(5) if generator.random() < 0.3 else time % 5]
        above = above[: generator.integers(2, 5)]
        learn, reset = bool(generator.random() < 0.8), bool(generator.random() < 0.05)
        below_new, above_new = below[: generator.integers(2, 5)], above[:3]
        state, output = step(
            state, columns, below, above,
            sequence=sequence, below_new=below_new, above_new=above_new, learn=learn, reset=reset,
        )  # fmt: skip
        active, winners, predicted = hand.step(
            set(columns), set(below), set(below_new), set(above), set(above_new), learn, reset, cells(output.winners)
        )
        assert cells(output.active) == active
        assert cells(output.winners) == winners
        assert cells(output.predicted) == predicted
        anomalies.append(float(output.anomaly))
        assert sum(int(number) for number in jax.tree.leaves((output.basal_lost, output.apical_lost))) == 0
    assert close(segments(state.basal), listed(hand.basal))
    assert close(segments(state.apical), listed(hand.apical))
    # It is no comparison of nothing: much is predicted in the end, and both kinds of segments are there.
    assert np.mean(anomalies[-30:]) < 0.6 < np.mean(anomalies[:5])
    assert min(len(hand.basal), len(hand.apical)) >= 6


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="winners is 0"):
        jn.htm.ApicalTiebreakMemory(4, 2, winners=0)
    with pytest.raises(ValueError, match="learning_rows is 0"):
        jn.htm.ApicalTiebreakMemory(4, 2, learning_rows=0)
    machine = jn.htm.ApicalTiebreakMemory(4, 2, basal_inputs=6, apical_inputs=5, apical_candidates=3)
    state = machine.init(jax.random.key(0))
    given = jn.htm.ColumnsInContext(padded([0], 1, 4), words([], 5), padded([], 3, 5), learn=False)
    with pytest.raises(ValueError, match="must have basal inputs"):
        machine.step(state, given)
    given = jn.htm.ColumnsInContext(padded([0], 1, 4), words([], 5), padded([], 2, 5), learn=False)
    with pytest.raises(ValueError, match=r"has shape \(2,\); it must be \(3,\)"):
        machine.step(state, given)
