import dataclasses
import math

import jax
import numpy as np
import pytest

from jaxneuro.search.canonical import canonical, digest
from jaxneuro.search.evolution import Candidate, RandomSearch
from jaxneuro.search.genome import Space
from jaxneuro.search.named import named
from jaxneuro.search.race import Budget, Course, Outcome, Race
from jaxneuro.search.training import Trainer, trained_parameters
from jaxneuro.tasks import Adding, Modular

SPACE = Space(stages=2, slots=4, nodes=5, states=2)
BUDGET = Budget(rungs=(3, 6, 10), keep=0.5, rates=(1e-3, 1e-2), widths=(4, 8), room=16)


@pytest.fixture(scope="module")
def trainer():
    task = Adding(steps=8)
    return Trainer(task, jax.jit(lambda k: task.batch(k, 16))(jax.random.key(1)), SPACE, width=8, batch=4, chunk=4)


def race(trainer, budget=BUDGET, parameters=150):
    return Race([Course(trainer, parameters)], budget, jax.random.key(0))


def candidates(*names):
    genomes = [canonical(named(name, SPACE)).genome for name in names]
    return [Candidate(i, (), "given", genome, digest(genome)) for i, genome in enumerate(genomes)]


def test_half_goes_on_at_each_rung_and_the_best_go_on(trainer):
    found = RandomSearch(SPACE, 3).ask(12)
    outcomes = race(trainer).run(found)
    reached = [len(outcome.losses) for outcome in outcomes]
    assert (reached.count(1), reached.count(2), reached.count(3)) == (6, 3, 3)
    for rung in (0, 1):
        at = [(o.losses[rung], len(o.losses) > rung + 1) for o in outcomes if len(o.losses) > rung]
        assert max(loss for loss, on in at if on) <= min(loss for loss, on in at if not on)


def test_each_candidate_has_the_most_units_within_the_budget(trainer):
    for candidate in candidates("LSTM", "GRU", "RNN"):
        (units,) = race(trainer).units(candidate.genome)
        sizes = [trained_parameters(candidate.genome, 2, u, 1) for u in (units, units + 1)]
        assert sizes[0] <= 150
        assert sizes[1] > 150 or units == 8


def test_a_candidate_fares_the_same_alone_and_among_others(trainer):
    everyone = dataclasses.replace(BUDGET, keep=1.0)
    together = race(trainer, everyone).run(candidates("LSTM", "GRU", "MGU", "RNN", "MinGRU"))
    for candidate, outcome in zip(candidates("LSTM", "GRU", "MGU", "RNN", "MinGRU"), together, strict=True):
        (alone,) = race(trainer, everyone).run([candidate])
        assert alone == outcome


def test_groups_larger_than_the_room_are_split(trainer):
    small = dataclasses.replace(BUDGET, room=4, keep=1.0)
    large = dataclasses.replace(BUDGET, room=16, keep=1.0)
    found = candidates("LSTM", "GRU", "MGU", "RNN", "MinGRU")
    assert race(trainer, small).run(found) == race(trainer, large).run(found)


def test_a_cell_too_large_for_the_budget_is_worst(trainer):
    lstm, rnn = race(trainer, parameters=12).run(candidates("LSTM", "RNN"))
    assert lstm == Outcome((float("inf"),), (float("inf"),), (0,), (1e-3,))
    assert np.isfinite(rnn.losses[-1])


@pytest.mark.slow
def test_candidates_of_several_courses_are_judged_by_their_mean_relative_loss(trainer):
    parity = Modular(modulus=2, steps=6)
    second = dataclasses.replace(
        trainer, task=parity, validation=jax.jit(lambda k: parity.batch(k, 16))(jax.random.key(2))
    )
    courses = [Course(trainer, 150, scale=1 / 6), Course(second, 200, scale=math.log(2))]
    found = RandomSearch(SPACE, 3).ask(8)
    both = Race(courses, BUDGET, jax.random.key(0)).run(found)
    assert sorted(len(outcome.losses) for outcome in both) == [1, 1, 1, 1, 2, 2, 3, 3]
    everyone = dataclasses.replace(BUDGET, keep=1.0)
    whole = Race(courses, everyone, jax.random.key(0)).run(found)
    (alone,) = (Race(courses[:1], everyone, jax.random.key(0)).run(found),)
    for some, outcome, first in zip(both, whole, alone, strict=True):
        # The first course does not know of the second, and who goes on does not know of who stopped.
        assert outcome.parts[0] == first.parts[0]
        assert outcome.losses[-1] == pytest.approx(sum(outcome.parts) / 2)
        assert some.losses == outcome.losses[: len(some.losses)]
    assert any(outcome.units[0] != outcome.units[1] for outcome in whole)


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
        race(trainer, dataclasses.replace(BUDGET, room=6))
