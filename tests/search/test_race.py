import dataclasses

import jax
import numpy as np
import pytest

from jaxneuro.search.canonical import canonical, digest
from jaxneuro.search.evolution import Candidate, RandomSearch
from jaxneuro.search.genome import Space
from jaxneuro.search.named import named
from jaxneuro.search.race import Budget, Outcome, Race
from jaxneuro.search.training import Trainer, trained_parameters
from jaxneuro.tasks import Adding

SPACE = Space(stages=2, slots=4, nodes=5, states=2)
BUDGET = Budget(parameters=150, rungs=(3, 6, 10), keep=0.5, rates=(1e-3, 1e-2), widths=(4, 8), room=16)


@pytest.fixture(scope="module")
def trainer():
    task = Adding(steps=8)
    return Trainer(task, jax.jit(lambda k: task.batch(k, 16))(jax.random.key(1)), SPACE, width=8, batch=4, chunk=4)


def candidates(*names):
    genomes = [canonical(named(name, SPACE)).genome for name in names]
    return [Candidate(i, (), "given", genome, digest(genome)) for i, genome in enumerate(genomes)]


def test_half_goes_on_at_each_rung_and_the_best_go_on(trainer):
    found = RandomSearch(SPACE, 3).ask(12)
    outcomes = Race(trainer, BUDGET, jax.random.key(0)).run(found)
    reached = [len(outcome.losses) for outcome in outcomes]
    assert (reached.count(1), reached.count(2), reached.count(3)) == (6, 3, 3)
    for rung in (0, 1):
        at = [(o.losses[rung], len(o.losses) > rung + 1) for o in outcomes if len(o.losses) > rung]
        assert max(loss for loss, on in at if on) <= min(loss for loss, on in at if not on)


def test_each_candidate_has_the_most_units_within_the_budget(trainer):
    race = Race(trainer, BUDGET, jax.random.key(0))
    for candidate in candidates("LSTM", "GRU", "RNN"):
        units = race.units(candidate)
        sizes = [trained_parameters(candidate.genome, 2, u, 1) for u in (units, units + 1)]
        assert sizes[0] <= 150
        assert sizes[1] > 150 or units == 8


def test_a_candidate_fares_the_same_alone_and_among_others(trainer):
    everyone = dataclasses.replace(BUDGET, keep=1.0)
    together = Race(trainer, everyone, jax.random.key(0)).run(candidates("LSTM", "GRU", "MGU", "RNN", "MinGRU"))
    for candidate, outcome in zip(candidates("LSTM", "GRU", "MGU", "RNN", "MinGRU"), together, strict=True):
        (alone,) = Race(trainer, everyone, jax.random.key(0)).run([candidate])
        assert alone == outcome


def test_groups_larger_than_the_room_are_split(trainer):
    small = dataclasses.replace(BUDGET, room=4, keep=1.0)
    large = dataclasses.replace(BUDGET, room=16, keep=1.0)
    found = candidates("LSTM", "GRU", "MGU", "RNN", "MinGRU")
    assert Race(trainer, small, jax.random.key(0)).run(found) == Race(trainer, large, jax.random.key(0)).run(found)


def test_a_cell_too_large_for_the_budget_is_worst(trainer):
    tiny = dataclasses.replace(BUDGET, parameters=12)
    lstm, rnn = Race(trainer, tiny, jax.random.key(0)).run(candidates("LSTM", "RNN"))
    assert lstm == Outcome(0, (float("inf"),), 1e-3)
    assert np.isfinite(rnn.losses[-1])
    assert rnn.rank < lstm.rank


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rungs": (5, 3)}, "increasing"),
        ({"widths": ()}, "increasing"),
        ({"keep": 0.0}, "above 0 and at most 1"),
        ({"rates": (0.0,)}, "above 0"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(BUDGET, **change)


def test_room_must_hold_whole_chunks(trainer):
    with pytest.raises(ValueError, match="multiple of chunk x devices, 4"):
        Race(trainer, dataclasses.replace(BUDGET, room=6), jax.random.key(0))
