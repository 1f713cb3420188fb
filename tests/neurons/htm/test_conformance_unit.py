"""What one or two steps of a temporal memory do, with exact permanences: behaviours that NuPIC's own tests ask for.

Reference: Numenta's NuPIC, `temporal_memory_test.py`; the rules are those of "Temporal Memory", Hawkins et al.,
Biological and Machine Intelligence (2016), https://www.numenta.com/assets/pdf/temporal-memory-algorithm.
"""

import pytest

# Columns 0, 1, 2 ... own the cells 0-3, 4-7, 8-11 ... where there are four cells in a column.
FOUR = {
    "columns": 32,
    "cells": 4,
    "segments_per_cell": 4,
    "synapses": 8,
    "activation_threshold": 3,
    "min_threshold": 2,
    "initial_permanence": 0.21,
    "connected_permanence": 0.5,
    "new_synapses": 3,
    "permanence_increment": 0.1,
    "permanence_decrement": 0.1,
    "predicted_decrement": 0.0,
}
# With one cell in a column all active cells are winners.
ONE = FOUR | {"cells": 1, "segments_per_cell": 2, "synapses": 4, "min_threshold": 1}
FORGETFUL = {"permanence_decrement": 0.08}
PUNISHING = {"initial_permanence": 0.2, "new_synapses": 4, "predicted_decrement": 0.02}


def onto(cells, permanence):
    return dict.fromkeys(cells, permanence)


def about(synapses):
    return pytest.approx(synapses, abs=1e-6)


def placed(memory, settings, *segments, seed=0):
    made = memory(**settings, seed=seed)
    for cell, synapses in segments:
        made.place(cell, synapses)
    return made


def test_a_predicted_cell_is_active_alone(memory):
    made = placed(memory, FOUR, (4, onto([0, 1, 2, 3], 0.5)))
    made.step([0])
    assert made.predicted == [4]
    made.step([1])
    assert made.active == [4]
    assert made.anomaly == 0


def test_an_unpredicted_column_bursts(memory):
    made = placed(memory, FOUR)
    made.step([0])
    assert made.active == [0, 1, 2, 3]
    assert len(made.winners) == 1
    assert made.winners[0] in made.active
    assert made.anomaly == 1


def test_the_anomaly_is_the_share_of_unpredicted_columns(memory):
    made = placed(memory, FOUR, (4, onto([0, 1, 2, 3], 0.5)))
    made.step([0])
    made.step([1, 5, 6, 7])
    assert made.anomaly == 0.75


def test_without_active_columns_nothing_is_active_or_predicted(memory):
    made = placed(memory, FOUR, (4, onto([0, 1, 2, 3], 0.5)))
    made.step([0])
    assert all((made.active, made.winners, made.predicted))
    made.step([])
    assert (made.active, made.winners, made.predicted, made.anomaly) == ([], [], [], 0)


@pytest.mark.parametrize("learn", [False, True])
def test_predicted_active_cells_are_always_winners(memory, learn):
    made = placed(memory, FOUR, (4, onto([0, 1, 2], 0.5)), (6, onto([0, 1, 2], 0.5)))
    made.step([0], learn)
    made.step([1], learn)
    assert made.winners == made.active == [4, 6]


def test_a_reset_forgets_what_was_predicted(memory):
    made = placed(memory, FOUR, (4, onto([0, 1, 2, 3], 0.5)))
    made.step([0])
    made.step([1], reset=True)
    assert made.active == [4, 5, 6, 7]
    assert made.anomaly == 1
    assert made.everything() == [(4, about(onto([0, 1, 2, 3], 0.5)))]  # nothing was before, so nothing is learned


def test_correctly_active_segments_are_reinforced(memory):
    made = placed(memory, FOUR | PUNISHING | FORGETFUL, (5, onto([0, 1, 2, 81], 0.5)))
    made.step([0])
    made.step([1])
    (learned,) = made.segments(5)
    assert [learned[cell] for cell in (0, 1, 2)] == about([0.6, 0.6, 0.6])
    assert learned[81] == about(0.42)


def test_all_active_segments_of_a_predicted_column_are_reinforced(memory):
    made = placed(memory, FOUR, (5, onto([0, 1, 2], 0.5)), (5, onto([1, 2, 3], 0.6)), (6, onto([0, 2, 3], 0.7)))
    made.step([0])
    made.step([1])
    assert about(onto([0, 1, 2], 0.6)) in made.segments(5)
    assert about(onto([1, 2, 3], 0.7)) in made.segments(5)
    assert made.segments(6) == [about(onto([0, 2, 3], 0.8))]


def test_the_best_matching_segment_of_a_bursting_column_is_reinforced(memory):
    made = placed(memory, FOUR | FORGETFUL, (4, onto([0, 1, 2, 81], 0.3)), (5, onto([0, 1, 81], 0.3)))
    made.step([0])
    made.step([1])
    assert made.segments(4) == [about(onto([0, 1, 2], 0.4) | {81: 0.22})]
    assert made.active == [4, 5, 6, 7]
    assert made.winners == [4]


def test_other_matching_segments_of_a_bursting_column_are_unchanged(memory):
    made = placed(memory, FOUR | FORGETFUL, (4, onto([0, 1, 2, 81], 0.3)), (5, onto([0, 1, 81], 0.3)))
    made.step([0])
    made.step([1])
    assert made.segments(5) == [about(onto([0, 1, 81], 0.3))]


@pytest.mark.parametrize(("first", "second", "better"), [(7, 5, 5), (5, 7, 5), (6, 6, 6)])
def test_of_equally_matching_segments_the_first_by_cell_and_then_by_age_is_best(memory, first, second, better):
    made = placed(memory, FOUR | {"new_synapses": 2}, (first, onto([0, 1, 81], 0.3)), (second, onto([0, 2, 82], 0.3)))
    made.step([0])
    made.step([1])
    assert made.winners == [better]
    chosen, other = (first, second) if better == first else (second, first)
    changed = onto([0, 1], 0.4) | {81: 0.2} if better == first else onto([0, 2], 0.4) | {82: 0.2}
    same = onto([0, 2, 82], 0.3) if better == first else onto([0, 1, 81], 0.3)
    assert about(changed) in made.segments(chosen)
    assert about(same) in made.segments(other)


def test_matching_segments_of_a_predicted_active_column_are_unchanged(memory):
    active, matching = onto([0, 1, 2, 3], 0.5), onto([0, 1], 0.3)
    made = placed(memory, FOUR, (4, active), (4, matching), (5, matching))
    made.step([0])
    assert made.predicted == [4]
    made.step([1])
    assert about(matching) in made.segments(4)
    assert about(onto([0, 1, 2, 3], 0.6)) in made.segments(4)
    assert made.segments(5) == [about(matching)]


def test_no_segment_grows_without_winners_before(memory):
    made = placed(memory, FOUR)
    made.step([])
    made.step([0])
    assert made.everything() == []


def test_a_new_segment_has_synapses_onto_some_of_many_winners(memory):
    made = placed(memory, FOUR | {"new_synapses": 2})
    made.step([0, 1, 2])
    winners = made.winners
    assert len(winners) == 3
    made.step([4])
    ((cell, grown),) = made.everything()
    assert made.winners == [cell]
    assert len(grown) == 2
    assert set(grown) < set(winners)
    assert list(grown.values()) == about([0.21, 0.21])


def test_a_new_segment_has_synapses_onto_all_of_few_winners(memory):
    made = placed(memory, FOUR | {"new_synapses": 4})
    made.step([0, 1, 2])
    winners = made.winners
    made.step([4])
    assert made.everything() == [(made.winners[0], about(onto(winners, 0.21)))]


def test_a_matching_segment_grows_synapses_onto_some_of_many_winners(memory):
    made = placed(memory, ONE, (4, {0: 0.5}))
    made.step([0, 1, 2, 3])
    assert made.winners == [0, 1, 2, 3]
    made.step([4])
    (grown,) = made.segments(4)
    assert len(grown) == 3
    assert grown.pop(0) == about(0.6)
    assert set(grown) < {1, 2, 3}
    assert list(grown.values()) == about([0.21, 0.21])


def test_a_matching_segment_grows_synapses_onto_all_of_few_winners(memory):
    made = placed(memory, ONE, (4, {0: 0.5}))
    made.step([0, 1])
    made.step([4])
    assert made.segments(4) == [about({0: 0.6, 1: 0.21})]


def test_an_active_segment_grows_by_what_its_potential_overlap_leaves(memory):
    settings = ONE | {"activation_threshold": 2, "new_synapses": 4}
    made = placed(memory, settings, (5, {0: 0.5, 1: 0.5, 2: 0.2}))
    made.step([0, 1, 2, 3, 4])
    made.step([5])
    (grown,) = made.segments(5)
    assert set(grown) in ({0, 1, 2, 3}, {0, 1, 2, 4})
    assert [grown[cell] for cell in (0, 1, 2)] == about([0.6, 0.6, 0.3])


def test_growth_counts_the_synapses_onto_active_cells_that_are_no_winners(memory):
    made = placed(memory, FOUR, (4, onto([0, 1, 2, 3], 0.3)))
    made.step([0, 2])
    made.step([1])
    assert made.segments(4) == [about(onto([0, 1, 2, 3], 0.4))]  # four of them are more than the three that it may grow


def test_a_weak_synapse_is_destroyed_by_a_wrong_prediction(memory):
    made = placed(memory, FOUR | PUNISHING, (5, onto([0, 1, 2], 0.5) | {3: 0.015}))
    made.step([0])
    made.step([2])
    assert made.segments(5) == [about(onto([0, 1, 2], 0.48))]


def test_a_weak_synapse_is_destroyed_by_a_right_prediction(memory):
    made = placed(memory, FOUR | PUNISHING | {"new_synapses": 3}, (5, onto([0, 1, 2], 0.5) | {81: 0.09}))
    made.step([0])
    made.step([1])
    assert made.segments(5) == [about(onto([0, 1, 2], 0.6))]


@pytest.mark.parametrize(("permanence", "kept"), [(0.100005, False), (0.10002, True)])
def test_a_synapse_is_destroyed_below_one_hundred_thousandth(memory, permanence, kept):
    made = placed(memory, FOUR, (5, onto([0, 1, 2], 0.5) | {81: permanence}))
    made.step([0])
    made.step([1])
    assert (81 in made.segments(5)[0]) == kept


@pytest.mark.parametrize(("permanence", "connected"), [(0.5, True), (0.499995, True), (0.49998, False)])
def test_a_synapse_is_connected_down_to_one_hundred_thousandth_below_the_threshold(memory, permanence, connected):
    made = placed(memory, FOUR, (5, onto([0, 1, 2], permanence)))
    made.step([0])
    assert made.predicted == ([5] if connected else [])


def test_a_permanence_is_at_most_one(memory):
    made = placed(memory, FOUR, (5, onto([0, 1, 2], 0.95)))
    made.step([0])
    made.step([1])
    assert made.segments(5) == [onto([0, 1, 2], 1.0)]


def test_the_weakest_synapse_makes_room(memory):
    settings = ONE | {"permanence_increment": 0.02, "permanence_decrement": 0.02}
    made = placed(memory, settings, (4, {31: 0.6, 0: 0.11, 1: 0.2, 30: 0.6}))
    made.step([1, 2, 3])
    made.step([4])
    # The weakest goes first; then of two as strong the one that was made first.
    assert made.segments(4) == [about({1: 0.22, 31: 0.58, 2: 0.21, 3: 0.21})]


def test_of_synapses_as_strong_the_older_makes_room(memory):
    made = placed(memory, ONE | {"initial_permanence": 0.5, "permanence_decrement": 0.0, "new_synapses": 4})
    for pattern in ([7, 20], [1, 20], [1], [2, 3, 7]):
        made.feed([pattern])
        made.step([9])
    assert made.segments(9) == [about({7: 0.6, 1: 0.6, 2: 0.5, 3: 0.5})]  # 1 and 20 were as strong


def test_of_synapses_that_grew_together_the_one_onto_the_first_cell_is_the_oldest(memory):
    made = placed(memory, ONE)
    for pattern in ([1, 2, 3], [3, 4, 5]):
        made.feed([pattern])
        made.step([9])
    assert made.segments(9) == [about({2: 0.11, 3: 0.31, 4: 0.21, 5: 0.21})]


def test_synapses_onto_the_winners_before_do_not_make_room(memory):
    settings = ONE | {"permanence_increment": 0.02, "permanence_decrement": 0.02, "new_synapses": 4}
    made = placed(memory, settings, (4, {1: 0.1, 2: 0.1, 20: 0.6, 3: 0.1}))
    made.step([1, 2, 3, 5])
    made.step([4])
    assert made.segments(4) == [about({1: 0.12, 2: 0.12, 3: 0.12, 5: 0.21})]


def test_without_room_no_more_synapses_grow_than_there_is_room_for(memory):
    settings = ONE | {"new_synapses": 8}
    made = placed(memory, settings, (9, onto([1, 2, 3], 0.3)))
    made.step([1, 2, 3, 4, 5, 6])
    made.step([9])
    (grown,) = made.segments(9)
    assert len(grown) == 4
    assert {cell: grown[cell] for cell in (1, 2, 3)} == about(onto([1, 2, 3], 0.4))


RECYCLING = ONE | {
    "min_threshold": 2,
    "initial_permanence": 0.5,
    "permanence_increment": 0.02,
    "permanence_decrement": 0.02,
}


def test_the_least_recently_used_segment_makes_room(memory):
    made = placed(memory, RECYCLING)
    for pattern in ([0, 1, 2], [3, 4, 5], [6, 7, 8]):
        made.feed([pattern])
        made.step([9])
    assert sorted(map(sorted, made.segments(9))) == [[3, 4, 5], [6, 7, 8]]


def test_a_segment_that_was_active_since_is_not_the_least_recently_used(memory):
    made = placed(memory, RECYCLING)
    for pattern in ([0, 1, 2], [3, 4, 5]):
        made.feed([pattern])
        made.step([9])
    made.feed([[0, 1, 2]])
    made.feed([[6, 7, 8]])
    made.step([9])
    assert sorted(map(sorted, made.segments(9))) == [[0, 1, 2], [6, 7, 8]]


def test_a_new_segment_counts_as_used_when_it_is_made(memory):
    made = placed(memory, RECYCLING)
    for pattern in ([0, 1, 2], [0, 1, 2], [3, 4, 5], [6, 7, 8]):
        made.feed([pattern])
        made.step([9])
    assert sorted(map(sorted, made.segments(9))) == [[3, 4, 5], [6, 7, 8]]


def test_activity_without_learning_is_no_use(memory):
    made = placed(memory, RECYCLING)
    for pattern in ([0, 1, 2], [3, 4, 5]):
        made.feed([pattern])
        made.step([9])
    made.feed([[0, 1, 2]], learn=False)
    made.feed([[6, 7, 8]])
    made.step([9])
    assert sorted(map(sorted, made.segments(9))) == [[3, 4, 5], [6, 7, 8]]


def test_of_segments_used_at_the_same_time_the_older_makes_room(memory):
    made = placed(memory, RECYCLING, (9, onto([0, 1, 2], 0.5)), (9, onto([0, 1, 3], 0.5)))
    made.feed([[0, 1, 2, 3]])
    made.feed([[6, 7, 8]])
    made.step([9])
    assert sorted(map(sorted, made.segments(9))) == [[0, 1, 3], [6, 7, 8]]


def test_a_cell_never_has_more_segments_than_it_may(memory):
    made = placed(memory, RECYCLING)
    for count in range(7):
        made.feed([[3 * count, 3 * count + 1, 3 * count + 2]])
        made.step([31])
        assert len(made.segments(31)) == min(count + 1, 2)
    assert sorted(map(sorted, made.segments(31))) == [[15, 16, 17], [18, 19, 20]]


def test_the_limit_holds_after_segments_were_destroyed(memory):
    made = placed(memory, RECYCLING | {"predicted_decrement": 1.0})
    for pattern in ([0, 1, 2], [3, 4, 5]):
        made.feed([pattern])
        made.step([9])
    for pattern in ([0, 1, 2], [3, 4, 5]):
        made.feed([pattern])
        made.step([10])
    assert made.segments(9) == []
    for count, pattern in enumerate(([0, 1, 2], [3, 4, 5], [6, 7, 8])):
        made.feed([pattern])
        made.step([9])
        assert len(made.segments(9)) == min(count + 1, 2)


def test_a_segment_is_destroyed_with_its_last_synapse(memory):
    made = placed(memory, FOUR | PUNISHING, (5, onto([0, 1, 2, 3], 0.015)))
    made.step([0])
    made.step([2])
    assert made.segments(5) == []


def test_matching_segments_of_inactive_columns_are_punished(memory):
    made = placed(memory, FOUR | PUNISHING, (42, onto([0, 1, 2, 81], 0.5)), (43, onto([0, 1, 81], 0.5)))
    made.step([0])
    made.step([1])
    assert made.segments(42) == [about(onto([0, 1, 2], 0.48) | {81: 0.5})]
    assert made.segments(43) == [about(onto([0, 1], 0.48) | {81: 0.5})]


def test_segments_that_do_not_match_are_not_punished(memory):
    made = placed(memory, FOUR | PUNISHING, (42, onto([0, 81, 82], 0.5)))
    made.step([0])
    made.step([1])
    assert made.segments(42) == [about(onto([0, 81, 82], 0.5))]


def test_a_segment_is_added_to_a_cell_with_the_fewest(memory):
    grown_on = set()
    for seed in range(20):
        made = placed(memory, FOUR | PUNISHING, (0, {4: 0.5}), (3, {5: 0.5}), seed=seed)
        made.step([1, 2, 3, 4])
        winners = made.winners
        made.step([0])
        assert made.active == [0, 1, 2, 3]
        (cell,) = made.winners
        assert made.segments(cell) == [about(onto(winners, 0.2))]
        assert made.segments(0) == [about({4: 0.5})]
        assert made.segments(3) == [about({5: 0.5})]
        assert len(made.everything()) == 3
        grown_on.add(cell)
    assert grown_on == {1, 2}


def test_the_cell_with_the_fewest_segments_wins_without_learning_too(memory):
    made = placed(memory, FOUR, (0, {40: 0.5}), (1, {40: 0.5}), (3, {40: 0.5}))
    made.step([0], learn=False)
    assert made.winners == [2]


def test_segments_never_change_without_learning(memory):
    segments = (4, onto([0, 1, 2], 0.5)), (43, onto([0, 1, 81], 0.5)), (13, onto([0, 1], 0.3))
    made = placed(memory, FOUR | PUNISHING, *segments)
    before = made.everything()
    made.step([0], learn=False)
    assert made.predicted == [4]
    made.step([1, 2, 3], learn=False)  # predicted, new, matching; and the column of cell 43 was wrongly predicted
    assert made.active == [4, *range(8, 16)]
    assert made.winners[0] == 4
    assert made.winners[2] == 13
    assert made.everything() == before


def test_predicted_matching_and_new_columns_learn_side_by_side(memory):
    active, matching, best = onto([0, 1, 2, 3], 0.5), onto([0, 1, 2], 0.4), onto([0, 1, 2, 3], 0.4)
    made = placed(memory, FOUR, (4, active), (8, matching), (9, best))
    made.step([0])
    (winner,) = made.winners
    made.step([1, 2, 3])
    assert made.active == [4, *range(8, 16)]
    assert made.winners[:2] == [4, 9]
    assert made.segments(4) == [about(onto([0, 1, 2, 3], 0.6))]
    assert made.segments(8) == [about(matching)]
    assert made.segments(9) == [about(onto([0, 1, 2, 3], 0.5))]
    assert made.winners[2] in range(12, 16)
    assert made.segments(made.winners[2]) == [about({winner: 0.21})]
    assert len(made.everything()) == 4
