"""Distances between spike trains against searches through all matchings, integrals, and closed forms."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate

import jaxneuro as jn

TRAINS = [
    ([], []),
    ([3.0], []),
    ([], [1.0, 2.0, 9.0]),
    ([3.0], [5.5]),
    ([1.0, 2.0, 4.0], [1.5, 2.1]),
    ([0.3, 2.2, 2.9, 7.0], [0.1, 2.5, 3.3, 6.0, 6.1]),
    ([4.0, 4.0, 5.0], [4.0]),
]


def padded(times, size=8):
    return jnp.asarray([*times, *[np.inf] * (size - len(times))], jnp.float32)


def cheapest(first, second, cost):
    """Every way to keep spikes in order: which ones of the first become which ones of the second."""
    best = float("inf")
    for kept in range(min(len(first), len(second)) + 1):
        for ours in itertools.combinations(first, kept):
            for theirs in itertools.combinations(second, kept):
                moved = sum(abs(a - b) for a, b in zip(ours, theirs, strict=True))
                best = min(best, len(first) + len(second) - 2 * kept + cost * moved)
    return best


@pytest.mark.parametrize(("first", "second"), TRAINS)
@pytest.mark.parametrize("cost", [0.0, 0.4, 1.3, 50.0])
def test_victor_purpura_is_the_cheapest_of_all_matchings(first, second, cost):
    found = jax.jit(jn.measure.victor_purpura)(padded(first), padded(second), cost)
    assert found == pytest.approx(cheapest(first, second, cost), rel=1e-5, abs=1e-6)


def test_victor_purpura_of_one_spike_each_is_the_smaller_of_a_move_and_two_changes():
    for gap in (0.5, 3.0, 6.0):
        found = jn.measure.victor_purpura(padded([2.0], 1), padded([2.0 + gap], 3), 0.5)
        assert found == pytest.approx(min(2.0, 0.5 * gap))


def test_victor_purpura_is_a_distance():
    generator = np.random.default_rng(0)
    trains = [padded(np.sort(generator.uniform(0, 20, generator.integers(0, 8)))) for _ in range(6)]
    table = jnp.asarray([[jn.measure.victor_purpura(a, b, 0.3) for b in trains] for a in trains])
    np.testing.assert_allclose(table, table.T, atol=1e-5)
    np.testing.assert_allclose(np.diag(table), 0, atol=1e-6)
    assert (table[:, None] <= table[:, :, None] + table[None] + 1e-5).all()


def test_the_gradient_of_victor_purpura_moves_spikes_towards_each_other():
    slope = jax.grad(jn.measure.victor_purpura)(padded([2.0, 9.0], 3), padded([2.4], 2), 0.5)
    np.testing.assert_allclose(slope, [-0.5, 0.0, 0.0])


def integral(first, second, tau):
    """The definition, piece by piece between spikes, by quadrature."""

    def squared(t):
        f, g = (sum(np.exp(-(t - s) / tau) for s in train if s <= t) for train in (first, second))
        return (f - g) ** 2

    borders = [0.0, *sorted([*first, *second]), 200.0]
    pieces = [scipy.integrate.quad(squared, a, b)[0] for a, b in itertools.pairwise(borders) if b > a]
    return sum(pieces) / tau


@pytest.mark.parametrize(("first", "second"), TRAINS)
@pytest.mark.parametrize("tau", [0.5, 3.0])
def test_van_rossum_is_the_integral_that_defines_it(first, second, tau):
    found = jax.jit(jn.measure.van_rossum)(padded(first), padded(second), tau)
    assert found == pytest.approx(integral(first, second, tau), rel=1e-4, abs=1e-5)


def test_van_rossum_of_a_spike_too_many_is_a_half_and_of_two_far_apart_one():
    assert jn.measure.van_rossum(padded([5.0]), padded([]), 2.0) == pytest.approx(0.5)
    assert jn.measure.van_rossum(padded([5.0]), padded([500.0]), 2.0) == pytest.approx(1.0)
    near = jn.measure.van_rossum(padded([5.0]), padded([5.7]), 2.0)
    assert near == pytest.approx(1 - np.exp(-0.35), rel=1e-5)


@pytest.mark.usefixtures("float64")
def test_the_gradient_of_van_rossum_is_the_closed_form_and_leaves_padding_alone():
    # D^2 = 1 - exp(-|s - t| / tau), so dD^2/ds = sign(s - t) exp(-|s - t| / tau) / tau.
    first, second = jnp.asarray([3.0, np.inf]), jnp.asarray([4.2, np.inf])
    slope = jax.grad(jn.measure.van_rossum)(first, second, 2.5)
    np.testing.assert_allclose(slope, [-np.exp(-1.2 / 2.5) / 2.5, 0.0], rtol=1e-12)


@pytest.mark.usefixtures("float64")
def test_descent_on_van_rossum_brings_one_train_onto_another():
    target = jnp.asarray([3.0, 8.0, 15.0])
    moving = jnp.asarray([4.0, 7.2, 16.1])
    descend = jax.jit(lambda t: t - 2.0 * jax.grad(jn.measure.van_rossum)(t, target, 4.0))
    for _ in range(60):
        moving = descend(moving)
    # The distance has a corner at its minimum: steps end as near as they are long.
    assert np.abs(np.asarray(moving - target)).max() < 0.6
    assert jn.measure.van_rossum(moving, target, 4.0) < 0.35


def test_trains_on_a_grid_have_the_distance_of_their_times(key):
    first, second = jax.random.bernoulli(key, 0.05, (2, 300, 4)).astype(jnp.float32)
    found = jax.jit(jn.measure.van_rossum_of_trains)(first, second, 0.5, 6.0)
    times = [jn.measure.spike_times(train, 0.5, most=60) for train in (first, second)]
    expected = jax.vmap(lambda a, b: jn.measure.van_rossum(a, b, 6.0))(*times)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
