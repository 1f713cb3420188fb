"""Encoders against the representations in the unit tests of their first program, closed forms, and the calendar."""

import datetime

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

htm = jn.htm


def on_bits(encoder, value):
    return np.flatnonzero(encoder.respond(jnp.asarray(value))).tolist()


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        (1.0, [0, 1, 13]),
        (2.0, [1, 2, 3]),
        (3.0, [3, 4, 5]),
        (4.0, [5, 6, 7]),
        (7.0, [11, 12, 13]),
        (7.5, [0, 12, 13]),
        (1.5, [0, 1, 2]),
    ],
)
def test_a_periodic_number_is_a_block_in_a_ring(value, bits):
    # 14 bits for numbers from 1 to 8: two for every one.
    assert on_bits(htm.ScalarEncoder(14, 3, True, low=1.0, high=8.0), value) == bits


def test_a_number_between_limits_is_a_block():
    # 14 - 5 = 9 steps from 1 to 10: one for every one.
    encoder = htm.ScalarEncoder(14, 5, low=1.0, high=10.0)
    for value, first in [(1.0, 0), (1.4, 0), (1.6, 1), (2.0, 1), (5.4, 4), (9.6, 9), (10.0, 9), (-3.0, 0), (99.0, 9)]:
        assert on_bits(encoder, value) == list(range(first, first + 5)), value


@pytest.mark.parametrize("periodic", [True, False])
def test_the_overlap_of_numbers_falls_with_their_distance(periodic):
    buckets = 40 if periodic else 33
    encoder = htm.ScalarEncoder(40, 8 if not periodic else 7, periodic, low=0.0, high=float(buckets - (not periodic)))
    found = np.asarray(jax.vmap(encoder.respond)(jnp.asarray(np.arange(buckets) + 0.25, jnp.float32)), int)
    distance = np.abs(np.subtract.outer(np.arange(buckets), np.arange(buckets)))
    distance = np.minimum(distance, buckets - distance) if periodic else distance
    np.testing.assert_array_equal(found @ found.T, np.maximum(0, encoder.on - distance))


def murmur(number):
    """The finaliser in Python's own integers."""
    number ^= number >> 16
    number = number * 0x85EBCA6B % 2**32
    number ^= number >> 13
    number = number * 0xC2B2AE35 % 2**32
    return number ^ number >> 16


def test_numbers_are_scattered_as_published():
    assert murmur(1) == 0x514E28B7
    numbers = np.random.default_rng(0).integers(0, 2**32, 100)
    found = htm.encoders.scattered(jnp.asarray(numbers, jnp.uint32))
    np.testing.assert_array_equal(found, [murmur(int(number)) for number in numbers])


def test_a_number_without_limits_has_the_bits_of_its_hash(key):
    encoder = htm.RandomScalarEncoder(400, 21, resolution=0.5, offset=3.0, key=key)
    salt = int(encoder.salt)
    for value, bucket in [(3.0, 0), (3.24, 0), (3.26, 1), (-7.0, -20), (1e6, 1_999_994)]:
        expected = {murmur(murmur((bucket + i) % 2**32) ^ salt) % 400 for i in range(21)}
        assert on_bits(encoder, value) == sorted(expected), value


def test_random_numbers_overlap_as_the_closed_form_says(key):
    bits, on, pairs = 400, 21, 3000
    encoder = htm.RandomScalarEncoder(bits, on, key=key)
    codes = np.asarray(jax.vmap(encoder.respond)(jnp.arange(-pairs // 2, pairs // 2 + 101).astype(jnp.float32)), int)
    miss = 1 - 1 / bits
    for distance in (0, 1, 5, 20, 21, 50, 100):
        overlaps = np.sum(codes[:pairs] * codes[distance : pairs + distance], axis=1)
        # A place is on in both unless it is missed by the one or by the other.
        expected = bits * (1 - 2 * miss**on + miss ** (on + min(distance, on)))
        assert overlaps.mean() == pytest.approx(expected, abs=0.15), distance
        assert expected == pytest.approx(max(on - distance, on**2 / bits), abs=1)


def test_keys_make_encoders_of_their_own():
    first, again, other = (htm.RandomScalarEncoder(400, 21, key=jax.random.key(seed)) for seed in (0, 0, 1))
    assert on_bits(first, 5.0) == on_bits(again, 5.0)
    assert len(set(on_bits(first, 5.0)) & set(on_bits(other, 5.0))) < 8


@pytest.mark.parametrize("moment", ["1970-01-01 00:00", "2014-07-04 18:59", "2015-02-28 23:59", "2026-11-27 19:00"])
@pytest.mark.parametrize("days", range(7))
def test_a_moment_has_the_bits_of_its_hour_day_and_weekend(moment, days):
    date = datetime.datetime.fromisoformat(moment).replace(tzinfo=datetime.UTC) + datetime.timedelta(days=days)
    encoder = htm.DateEncoder(time_bits=54, time_on=21, day_on=3, weekend_on=2)
    found = np.asarray(encoder.respond(jnp.asarray(int(date.timestamp()), jnp.int32)))
    assert found.shape == (54 + 21 + 4,)
    middle = int((date.hour + date.minute / 60) * 54 / 24)
    assert set(np.flatnonzero(found[:54])) == {(middle + i) % 54 for i in range(-10, 11)}
    assert set(np.flatnonzero(found[54:75])) == {3 * date.weekday() + i for i in range(3)}
    weekend = date.weekday() >= 5 or (date.weekday() == 4 and date.hour >= 19)
    np.testing.assert_array_equal(found[75:], [not weekend] * 2 + [weekend] * 2)


def test_parts_of_a_moment_can_be_left_out():
    moment = jnp.asarray(0, jnp.int32)
    assert htm.DateEncoder().respond(moment).shape == (54,)
    assert np.flatnonzero(htm.DateEncoder(time_on=0, day_on=1).respond(moment)).tolist() == [3], "a Thursday"


def test_what_cannot_be_is_refused(key):
    with pytest.raises(ValueError, match="at most bits"):
        htm.ScalarEncoder(5, 6)
    with pytest.raises(ValueError, match="second representation"):
        htm.ScalarEncoder(6, 6)
    with pytest.raises(ValueError, match="at least 1"):
        htm.RandomScalarEncoder(5, 0, key=key)
    with pytest.raises(ValueError, match="one must be above"):
        htm.DateEncoder(time_on=0)
