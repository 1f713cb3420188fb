import jax
import numpy as np
import pytest

from jaxneuro.search import evolution
from jaxneuro.search.canonical import digest
from jaxneuro.search.cost import sequential
from jaxneuro.search.draw_genome import random_genome
from jaxneuro.search.evolution import NSGA2, AgingEvolution, MapElites, RandomSearch, sees_input
from jaxneuro.search.genome import Space, check, live_wires
from jaxneuro.search.named import named
from jaxneuro.search.parallel import parallel_class

SPACE = Space(stages=2, slots=3, nodes=6, states=2)


def size(candidate):
    return float(len(live_wires(candidate.genome)))


def aging(**options):
    return AgingEvolution(SPACE, 1, population=16, tournament=4, **options)


def nsga2(**options):
    return NSGA2(SPACE, 1, population=16, **options)


def elites(**options):
    return MapElites(SPACE, 1, edges=((5, 10, 15),), random=16, **options)


def told(searcher, candidates):
    """Two objectives, the number of live wires to be small, and the number of slots."""
    count = 1 if isinstance(searcher, AgingEvolution | RandomSearch) else 2
    return np.array([[size(c), float(c.genome.input.sum())][:count] for c in candidates])


def searched(searcher, generations, per_generation=8):
    found = []
    for _ in range(generations):
        candidates = searcher.ask(per_generation)
        searcher.tell(candidates, told(searcher, candidates))
        found += candidates
    return found


@pytest.mark.parametrize("make", [aging, nsga2, elites, lambda: RandomSearch(SPACE, 1)])
def test_candidates_are_distinct_valid_and_see_their_input(make):
    found = searched(make(), 8)
    assert [c.number for c in found] == list(range(64))
    assert len({c.digest for c in found}) == 64
    for candidate in found:
        check(candidate.genome)
        assert sees_input(candidate.genome)
        assert all(parent < candidate.number for parent in candidate.parents)


@pytest.mark.parametrize("make", [aging, nsga2, elites])
def test_a_searcher_that_is_told_the_same_asks_for_the_same(make):
    one, other = searched(make(), 6), searched(make(), 6)
    assert [(c.digest, c.parents, c.operator) for c in one] == [(c.digest, c.parents, c.operator) for c in other]


def test_another_seed_gives_other_candidates():
    one, other = RandomSearch(SPACE, 1).ask(5), RandomSearch(SPACE, 2).ask(5)
    assert {c.digest for c in one}.isdisjoint(c.digest for c in other)


@pytest.mark.parametrize("make", [aging, nsga2])
def test_evolution_makes_cells_smaller_where_small_is_good(make):
    found = searched(make(), 16)
    random = searched(RandomSearch(SPACE, 1), 16)
    late = np.mean([size(c) for c in found[-32:]])
    assert late < 0.5 * np.mean([size(c) for c in random])


def test_given_cells_come_first():
    searcher = aging(start=[named("LSTM", Space(2, 4, 6, 2))])
    searcher = AgingEvolution(Space(2, 4, 6, 2), 0, searcher.start)
    first = searcher.ask(2)
    assert (first[0].operator, first[1].operator) == ("given", "random")
    assert size(first[0]) == 11  # two states, four gates, five nodes


def test_the_oldest_leave_the_queue_however_good_they_are():
    searcher = aging()
    found = searched(searcher, 4)
    assert searcher.queue == [c.number for c in found[-16:]]


def test_elites_hold_the_best_of_each_kind():
    searcher = elites()
    found = searched(searcher, 8)
    for place, number in searcher.archive.items():
        rivals = [c for c in found if (int(np.searchsorted([5, 10, 15], float(c.genome.input.sum()))),) == place]
        assert size(searcher.candidates[number]) == min(map(size, rivals))
    assert len(searcher.archive) > 1


def test_the_first_front_survives():
    searcher = nsga2()
    found = searched(searcher, 8)
    values = told(searcher, found)
    best = [i for i, v in enumerate(values) if not any((w <= v).all() and (w < v).any() for w in values)]
    kept = set(searcher.survivors)
    assert len(set(best) & kept) == min(len(best), 16)


def test_what_diverged_is_never_a_parent():
    searcher = aging()
    candidates = searcher.ask(16)
    losses = np.full((16, 1), np.nan)
    losses[3] = 1.0
    searcher.tell(candidates, losses)
    searcher.tournament = 16
    assert all(child.parents == (3,) for child in searcher.ask(8))
    assert searcher.best().number == 3


def test_random_genomes_are_valid_and_mostly_alive():
    keys = jax.random.split(jax.random.key(0), 500)
    genomes = jax.vmap(lambda key: random_genome(key, SPACE))(keys)
    alive = []
    for i in range(500):
        genome = jax.tree.map(lambda leaf, i=i: np.asarray(leaf[i]), genomes)
        check(genome)
        alive.append(len(live_wires(genome)))
    assert np.mean(alive) > 8


def is_parallel(genome):
    return parallel_class(genome) == "parallel"


@pytest.mark.parametrize("make", [aging, nsga2, elites, lambda **options: RandomSearch(SPACE, 1, **options)])
def test_all_candidates_are_accepted_ones(make):
    asked = []

    def accept(genome):
        asked.append(genome)
        return is_parallel(genome)

    found = searched(make(accept=accept), 3)
    assert len(asked) > 24  # some were refused
    assert all(is_parallel(c.genome) for c in found)
    assert len({c.digest for c in found}) == 24
    assert all(sees_input(c.genome) for c in found)


def test_what_is_accepted_counts_alone_where_all_are():
    plain, all_of = searched(aging(), 4), searched(aging(accept=lambda genome: True), 4)
    assert [c.digest for c in plain] == [c.digest for c in all_of]


def test_given_cells_that_are_not_accepted_are_refused():
    start = [named("MinGRU", SPACE), named("RNN", SPACE)]
    with pytest.raises(ValueError, match=r"start\[1\] is not accepted"):
        aging(start=start, accept=is_parallel)
    assert aging(start=start[:1], accept=is_parallel).ask(1)[0].operator == "given"


def test_a_search_in_which_nothing_is_accepted_ends_with_an_error(monkeypatch):
    monkeypatch.setattr(evolution, "LONGEST", 20)
    searcher = RandomSearch(SPACE, 1, accept=lambda genome: False)
    with pytest.raises(RuntimeError, match=r"Of 20 proposals in Space.* none was accepted"):
        searcher.ask(1)
    assert searcher.candidates == []


def test_what_is_accepted_is_taken_a_second_time_rather_than_what_is_not(monkeypatch):
    monkeypatch.setattr(evolution, "LONGEST", 60)
    only = RandomSearch(SPACE, 1, accept=is_parallel).ask(1)[0].digest
    searcher = RandomSearch(SPACE, 1, accept=lambda genome: digest(genome) == only)
    first = searcher.ask(1)[0]
    # The same keys again give the same cell, which is known by now.
    searcher.candidates.clear()
    second = searcher.ask(1)[0]
    assert first.digest == second.digest == only


def test_whether_a_cell_is_sequential_can_be_an_objective():
    searcher = NSGA2(SPACE, 3, population=16)
    for _ in range(8):
        candidates = searcher.ask(8)
        searcher.tell(candidates, np.array([[1.0, sequential(c.genome)] for c in candidates]))
    assert {sequential(searcher.candidates[number].genome) for number in searcher.survivors} == {0}
