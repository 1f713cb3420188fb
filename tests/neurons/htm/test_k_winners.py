"""The k-winners: exactly k, whatever ties; boosted as a plain loop says; a gradient of 1 on winners."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.htm.k_winners import largest


def by_hand(inputs, count, boost, period):
    """All outputs and the last duty, in plain Python."""
    units = inputs.shape[1]
    duty, outputs = [count / units] * units, []
    for row in inputs.tolist():
        boosted = [value * np.exp(boost * (count / units - share)) for value, share in zip(row, duty, strict=True)]
        order = sorted(range(units), key=lambda unit: (-boosted[unit], unit))[:count]
        outputs.append([row[unit] if unit in order else 0.0 for unit in range(units)])
        duty = [share + ((unit in order) - share) / period for unit, share in enumerate(duty)]
    return np.array(outputs), np.array(duty)


@pytest.mark.parametrize("boost", [0.0, 1.5, 30.0])
def test_it_does_what_a_plain_loop_does(boost, float64):
    inputs = np.random.default_rng(0).normal(size=(60, 9))
    machine = jn.htm.KWinners(9, 3, boost=boost, period_steps=5.0)
    state, outputs = jn.run(machine, jnp.asarray(inputs))
    expected, duty = by_hand(inputs, 3, boost, 5.0)
    np.testing.assert_array_equal(outputs, expected)
    np.testing.assert_allclose(state.duty, duty, rtol=1e-12)


@pytest.mark.parametrize("count", [1, 4, 11, 12])
def test_of_equal_ones_the_first_win_and_there_are_exactly_so_many(count):
    rows = np.random.default_rng(1).integers(0, 3, (200, 12)).astype(np.float32)
    chosen = np.asarray(jax.jit(jax.vmap(lambda row: largest(row, count)))(jnp.asarray(rows)))
    for row, found in zip(rows, chosen, strict=True):
        expected = sorted(range(12), key=lambda unit, row=row: (-row[unit], unit))[:count]
        assert sorted(np.flatnonzero(found)) == sorted(expected)


def test_infinite_and_equal_values_leave_no_more_and_no_fewer():
    for row in ([jnp.inf] * 4, [-jnp.inf] * 4, [0.0, -0.0, 0.0, -0.0], [5.0, -jnp.inf, jnp.inf, 1.0]):
        assert int(largest(jnp.array(row), 2).sum()) == 2


def test_winners_have_a_gradient_of_one_and_the_others_none(key):
    machine = jn.htm.KWinners(20, 6)
    point = jax.random.normal(key, (20,))
    state = machine.init(key)
    output, back = jax.vjp(lambda point: machine.step(state, point)[1], point)
    (slope,) = back(jnp.arange(1.0, 21.0))
    np.testing.assert_array_equal(slope, np.where(np.asarray(output) != 0, np.arange(1.0, 21.0), 0))
    assert int((slope != 0).sum()) == 6


def test_a_strong_boost_has_all_units_win_equally_often_where_without_one_a_few_always_win():
    def spread(boost):
        # Units of very different strength, of which without boost the strongest always win.
        inputs = jnp.tile(jnp.linspace(1.0, 2.0, 20), (2000, 1))
        state, outputs = jn.run(jn.htm.KWinners(20, 5, boost=boost, period_steps=100.0), inputs)
        assert float(state.duty.sum()) == pytest.approx(5, rel=1e-4)
        return np.asarray((outputs != 0).mean(axis=0))

    np.testing.assert_array_equal(spread(0.0), [0] * 15 + [1] * 5)
    # At rest, x exp(-beta d) is the same for all: d = 1/4 + (log x - mean log x) / beta.
    strength = np.log(np.linspace(1.0, 2.0, 20))
    np.testing.assert_allclose(spread(5.0), 0.25 + (strength - strength.mean()) / 5.0, atol=0.02)


def test_the_duty_rests_where_learning_is_off(key):
    machine = jn.htm.KWinners(8, 2, learning=0.0)
    state, _ = jn.run(machine, jax.random.normal(key, (50, 8)))
    np.testing.assert_array_equal(state.duty, np.full(8, 0.25))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((0, 1), "KWinners got units=0, winners=1; both must be at least 1"),
        ((3, 0), "both must be at least 1"),
        ((3, 4), "KWinners got winners=4; it must be at most units=3"),
    ],
)
def test_impossible_sizes_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        jn.htm.KWinners(*sizes)
