"""The soft memory: cold, it is the hard one; warm, its gradients are those of finite differences."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

import jaxneuro as jn

COLUMNS, CELLS, ACTIVE = 120, 6, 5
# Sequences with a common middle, as numbers of patterns: what follows the middle depends on how it began.
FIRST_ORDER = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]]
HIGH_ORDER = [[0, 1, 2, 3, 4], [5, 1, 2, 3, 6], [7, 3, 2, 1, 8]]


def patterns():
    draw = np.random.default_rng(0)
    return np.stack([np.sort(draw.choice(COLUMNS, ACTIVE, replace=False)) for _ in range(15)])


def steps(sequences, learn):
    """The sequences one after the other, each after a reset."""
    order = [number for sequence in sequences for number in sequence]
    reset = [place == 0 for sequence in sequences for place in range(len(sequence))]
    active = jnp.asarray(patterns()[order], jnp.int32)
    return jax.vmap(jn.htm.Columns)(active, jnp.full(len(order), learn), jnp.asarray(reset))


def memory():
    return jn.htm.TemporalMemory(
        COLUMNS,
        CELLS,
        segments=8,
        synapses=12,
        fan_out=None,
        learning_rows=32,
        punished_rows=16,
        winners=8,
        activation_threshold=4.0,
        min_threshold=3.0,
        new_synapses=5.0,
        initial_permanence=0.31,
        predicted_decrement=0.03,
    )


@functools.cache
def learned(name, repeats):
    """The hard memory's segments after so many repeats, in single precision, and what it then says."""
    with jax.enable_x64(False):
        hard, sequences = memory(), {"first order": FIRST_ORDER, "high order": HIGH_ORDER}[name]
        state = hard.init(jax.random.key(0))
        for _ in range(repeats):
            state, _ = jn.run(hard, steps(sequences, True), state=state)
        return state.pool, jn.run(hard, steps(sequences, False), state=state)[1]


def softened(pool, **changes):
    return jn.htm.SoftTemporalMemory(pool, CELLS, **{"activation_threshold": 4.0, **changes})


COLD = {"segment_temperature": 1e-3, "permanence_temperature": 1e-7}


def run_soft(soft, given):
    """With a new state at every reset."""

    def step(state, column):
        fresh = jax.tree.map(lambda new, old: jnp.where(column.reset, new, old), soft.init(jax.random.key(0)), state)
        return soft.step(fresh, column.active)

    return jax.jit(lambda given: jax.lax.scan(step, soft.init(jax.random.key(0)), given)[1])(given)


@pytest.mark.parametrize("straight", [False, True], ids=["cold", "straight through"])
@pytest.mark.parametrize(
    ("name", "repeats"), [("first order", 3), ("first order", 10), ("high order", 4), ("high order", 30)]
)
def test_cold_or_straight_through_it_has_exactly_the_cells_of_the_hard_memory(name, repeats, straight):
    pool, expected = learned(name, repeats)
    soft = softened(pool, **({"hardness": 1.0} if straight else COLD))
    found = run_soft(soft, steps(FIRST_ORDER if name == "first order" else HIGH_ORDER, False))
    predicted = np.asarray(jn.htm.unpack(expected.predicted, CELLS))
    assert predicted.any()
    np.testing.assert_array_equal(found.depolarised, predicted)
    np.testing.assert_allclose(found.active, np.asarray(jn.htm.unpack(expected.active, CELLS)), atol=1e-6)
    np.testing.assert_allclose(found.anomaly, expected.anomaly, atol=1e-6)


def test_the_high_order_sequences_are_told_apart_by_context():
    found = run_soft(softened(learned("high order", 30)[0], **COLD), steps(HIGH_ORDER, False))
    expected = np.asarray(found.depolarised).max(axis=2)
    shown = np.zeros((15, COLUMNS))
    np.put_along_axis(shown, patterns(), 1, axis=1)
    # After the fourth element of the first two sequences, which share the middle.
    np.testing.assert_array_equal(expected[3], shown[4])
    np.testing.assert_array_equal(expected[8], shown[6])


def test_it_does_what_plain_loops_do_at_any_temperature(float64):
    pool = jn.cast(learned("high order", 4)[0], jnp.float64)
    soft = softened(pool, segment_temperature=0.8, permanence_temperature=0.07)
    given = steps(HIGH_ORDER[:1], False)
    found = run_soft(soft, given)

    def sigmoid(number):
        return 1 / (1 + np.exp(-number))

    depolarised = np.zeros((COLUMNS, CELLS))
    for time in range(4):
        active = np.zeros((COLUMNS, CELLS))
        for column in np.asarray(given.active[time]):
            active[column] = depolarised[column] + (1 - depolarised[column]).prod()
        kept, absent = np.ones((COLUMNS, CELLS)), np.full(COLUMNS, 0.99)
        for segment in range(8):
            for column in range(COLUMNS):
                place, total = segment * COLUMNS + column, 0.0
                for slot in range(int(pool.sizes[segment, column])):
                    source = int(pool.sources[place, slot])
                    strength = sigmoid((float(pool.permanences[place, slot]) - 0.5 + 1e-5) / 0.07)
                    total += strength * active[source // CELLS, source % CELLS]
                if pool.sizes[segment, column]:
                    silent = 1 - sigmoid((total - 4.0 + 0.5) / 0.8)
                    kept[column, int(pool.owners[segment, column])] *= silent
                    absent[column] *= silent
        depolarised = 1 - kept
        np.testing.assert_allclose(found.active[time], active, rtol=1e-9)
        np.testing.assert_allclose(found.depolarised[time], depolarised, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.absent[time], np.log(absent), rtol=1e-9)


def test_gradients_are_those_of_finite_differences(float64):
    pool = jn.cast(learned("high order", 4)[0], jnp.float64)
    soft = softened(pool, segment_temperature=1.0, permanence_temperature=0.2)
    sequence = patterns()[HIGH_ORDER[0]]
    columns = np.zeros((5, COLUMNS))
    np.put_along_axis(columns, sequence, 1.0, axis=1)

    @jax.jit
    def loss(permanences, columns, temperature):
        where = lambda soft: (soft.pool.permanences, soft.segment_temperature)  # noqa: E731
        changed = eqx.tree_at(where, soft, (permanences, temperature))
        _, found = jn.run(changed, columns)
        return jax.vmap(jn.htm.surprise)(found.absent[:-1], columns[1:]).mean()

    point = (pool.permanences, jnp.asarray(columns), soft.segment_temperature)
    check_grads(loss, point, order=1, modes=["rev"], rtol=1e-5, atol=1e-6)
    slope = np.asarray(jax.grad(loss)(*point))
    # Element by element, too, where it is largest: by far-apart places nothing may be mixed up.
    for place in np.argsort(-np.abs(slope).ravel())[:5]:
        above, below = (
            loss(pool.permanences.ravel().at[place].add(by).reshape(slope.shape), *point[1:]) for by in (1e-5, -1e-5)
        )
        np.testing.assert_allclose(slope.ravel()[place], (above - below) / 2e-5, rtol=1e-5)
    held = np.arange(12)[None] < np.asarray(pool.sizes).reshape(-1, 1)
    assert not slope[~held].any()


def test_straight_through_the_values_are_hard_and_the_gradient_is_not_zero(float64):
    soft = softened(jn.cast(learned("high order", 4)[0], jnp.float64), hardness=1.0)
    columns = np.zeros((5, COLUMNS))
    np.put_along_axis(columns, patterns()[HIGH_ORDER[0]], 1.0, axis=1)

    def total(permanences):
        changed = eqx.tree_at(lambda soft: soft.pool.permanences, soft, permanences)
        active = jn.run(changed, jnp.asarray(columns))[1].active
        return (active * jnp.cos(jnp.arange(active.size)).reshape(active.shape)).sum(), active

    slope, active = jax.jit(jax.grad(total, has_aux=True))(soft.pool.permanences)
    assert np.isin(np.asarray(active), (0, 1)).all()
    assert np.abs(slope).max() > 1e-4


def test_surprise_is_minus_the_log_likelihood_and_stays_finite():
    probability = np.array([0.01, 0.3, 0.5, 0.9, 0.999], np.float64)
    came = np.array([0.0, 1.0, 0.0, 1.0, 1.0])
    expected = -np.log(np.where(came == 1, probability, 1 - probability)).sum()
    found = jn.htm.surprise(jnp.asarray(np.log1p(-probability), jnp.float32), jnp.asarray(came, jnp.float32))
    assert float(found) == pytest.approx(expected, rel=1e-5)
    far = jnp.array([-1e7, -0.01, -0.7])
    value, slope = jax.value_and_grad(jn.htm.surprise)(far, jnp.ones(3))
    assert np.isfinite(value)
    assert np.isfinite(slope).all()


def test_numbers_of_columns_and_their_activity_are_the_same_input():
    soft = softened(learned("first order", 3)[0])
    numbers = jnp.asarray(patterns()[:6], jnp.int32)
    filled = jnp.concatenate([numbers, jnp.full((6, 3), COLUMNS)], axis=1)
    columns = np.zeros((6, COLUMNS), np.float32)
    np.put_along_axis(columns, patterns()[:6], 1.0, axis=1)
    results = [jn.run(soft, given)[1] for given in (numbers, filled, jnp.asarray(columns))]
    for other in results[1:]:
        for a, b in zip(jax.tree.leaves(results[0]), jax.tree.leaves(other), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)
