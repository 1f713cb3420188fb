import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.search.canonical import canonical
from jaxneuro.search.genome import Space, parameter_count
from jaxneuro.search.named import named
from jaxneuro.search.training import Trainer, _train, may_spike, trained_parameters, units_within
from jaxneuro.tasks import Adding

SPACE = Space(stages=2, slots=4, nodes=5, states=2)
NAMES = ("LSTM", "GRU", "MGU", "MinGRU", "RNN")


def genomes(names=NAMES):
    return [canonical(named(name, SPACE)).genome for name in names]


def keys(count):
    return jax.vmap(lambda i: jax.random.fold_in(jax.random.key(5), i))(jnp.arange(count))


@pytest.fixture(scope="module")
def trainer():
    task = Adding(steps=10)
    validation = jax.jit(lambda key: task.batch(key, 32))(jax.random.key(8))
    return Trainer(task, validation, SPACE, width=6, batch=8, chunk=2)


def start(trainer, names=NAMES, units=None, rates=None, room=None):
    count = len(names)
    return trainer.lanes(genomes(names), units or [6] * count, rates or [1e-2] * count, keys(count), room=room)


def of_lane(lanes, lane):
    return jax.tree.map(lambda leaf: np.asarray(leaf[lane]), lanes.model)


def assert_same(one, other):
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_lowers_the_loss_of_every_cell(trainer):
    lanes = start(trainer)
    before = trainer.scores(lanes, count=5)
    after = trainer.scores(trainer.train(lanes, jax.random.key(1), 0, 300, count=5), count=5)
    assert (after < 0.7 * before).all()


def test_steps_taken_in_parts_are_the_steps_taken_at_once(trainer):
    whole = trainer.train(start(trainer), jax.random.key(1), 0, 12)
    parts = start(trainer)
    for first, last in ((0, 5), (5, 6), (6, 12)):
        parts = trainer.train(parts, jax.random.key(1), first, last)
    assert_same(whole.model, parts.model)


def test_what_becomes_of_a_lane_does_not_depend_on_its_place_or_company(trainer):
    together = trainer.train(start(trainer), jax.random.key(1), 0, 8)
    order = [4, 2, 0, 3, 1]
    moved = trainer.lanes([genomes()[i] for i in order], [6] * 5, [1e-2] * 5, keys(5)[jnp.asarray(order)], room=8)
    moved = trainer.train(moved, jax.random.key(1), 0, 8)
    for place, lane in enumerate(order):
        assert_same(of_lane(together, lane), of_lane(moved, place))


def test_a_diverged_lane_is_told_and_touches_no_other(trainer):
    clean = trainer.train(start(trainer), jax.random.key(1), 0, 6)
    for lane in range(5):
        rates = [1e-2] * 5
        rates[lane] = float("inf")
        spoilt = trainer.train(start(trainer, rates=rates), jax.random.key(1), 0, 6)
        finite = np.isfinite(np.asarray(spoilt.model.readout[:5])).all(axis=(1, 2))
        assert finite.tolist() == [i != lane for i in range(5)]
        scores = trainer.scores(spoilt, count=5)
        assert scores[lane] == np.inf
        for other in set(range(5)) - {lane}:
            assert_same(of_lane(clean, other), of_lane(spoilt, other))


def test_a_padded_cell_is_the_cell_of_its_own_width(trainer):
    """Units beyond the last have no effect: whatever their weights are, the others learn the same."""
    narrow = start(trainer, units=[4] * 5)
    trained = trainer.train(narrow, jax.random.key(1), 0, 10)
    cells = narrow.model.cells
    noise = jnp.asarray(np.random.default_rng(0).normal(size=cells.bias.shape), jnp.float32)
    beyond = jnp.arange(6) >= 4
    other = dataclasses.replace(cells, bias=jnp.where(beyond[None, None, None], noise, cells.bias))
    changed = dataclasses.replace(narrow, model=dataclasses.replace(narrow.model, cells=other))
    changed = trainer.train(changed, jax.random.key(1), 0, 10)
    np.testing.assert_array_equal(trained.model.readout[..., :4], changed.model.readout[..., :4])
    np.testing.assert_array_equal(trained.model.cells.bias[..., :4], changed.model.cells.bias[..., :4])
    assert trainer.scores(trained, count=5).tolist() == trainer.scores(changed, count=5).tolist()


def test_weights_start_orthogonal_within_the_units_of_the_cell(trainer):
    recurrent = np.asarray(start(trainer, units=[4] * 5).model.cells.recurrent)[..., :4, :4]
    unit = np.einsum("...ij,...kj->...ik", recurrent, recurrent)
    np.testing.assert_allclose(unit, np.broadcast_to(np.eye(4), unit.shape), atol=1e-6)


def test_any_graphs_any_number_of_them_and_any_steps_share_a_program(trainer):
    before = _train._cache_size()
    for names, stop in ((NAMES, 3), (NAMES[:3], 7), (("GRU",), 2)):
        lanes = start(trainer, names, room=16)
        lanes = trainer.train(lanes, jax.random.key(2), 0, stop, count=len(names))
        trainer.train(lanes, jax.random.key(2), stop, stop + 1, count=len(names))
    assert _train._cache_size() <= before + 1


def test_places_give_each_device_whole_chunks_in_turn(trainer):
    spread = dataclasses.replace(trainer, devices=3)
    assert spread.places(10, 18).tolist() == [0, 1, 6, 7, 12, 13, 2, 3, 8, 9]
    filled = spread.filled(np.arange(10), 18)
    assert filled[spread.places(10, 18)].tolist() == list(range(10))


@pytest.mark.parametrize("name", NAMES)
def test_units_are_the_most_that_the_budget_allows(name):
    genome = canonical(named(name, SPACE)).genome
    units = units_within(genome, 10, 3, 2000)
    assert trained_parameters(genome, 10, units, 3) <= 2000 < trained_parameters(genome, 10, units + 1, 3)
    assert trained_parameters(genome, 10, units, 3) == parameter_count(genome, 10, units) + 3 * units + 3
    assert units_within(genome, 10, 3, 5) == 0


def test_too_wide_or_too_many_is_refused(trainer):
    with pytest.raises(ValueError, match=r"units 6 to 7; they must be 1 to 6"):
        start(trainer, units=[6, 6, 6, 6, 7])
    with pytest.raises(ValueError, match=r"room=4 for 5 lanes"):
        start(trainer, room=4)


def test_spikes_are_noticed():
    assert may_spike(named("LIF"))
    assert not may_spike(named("LSTM"))
