"""Counts of spikes against closed forms; a layer of them against the steps it stands for."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxneuro as jn
from jaxneuro.conversion import ClippedSteps, SpikingReLU


def spikes_of(drive, steps, threshold=1.0, share=0.0):
    drive = jnp.asarray(drive)
    return jn.run(SpikingReLU(drive.shape, threshold, share), jnp.broadcast_to(drive, (steps, *drive.shape)))


@given(
    # Multiples of a power of two: sums are exact, and ties are met.
    drive=st.lists(st.integers(-300, 600), min_size=5, max_size=5),
    threshold=st.integers(1, 512),
    levels=st.integers(1, 16),
)
@settings(max_examples=25, deadline=None)
def test_a_layer_answers_in_as_many_steps_as_levels_exactly_what_the_steps_say(drive, threshold, levels):
    drive, theta = jnp.asarray(drive, jnp.float32) / 256, threshold / 256
    _, spikes = spikes_of(drive, levels, theta, 0.5)
    counts = np.asarray(spikes.sum(axis=0), int)
    # In whole numbers, without rounding: floor((2 L x + theta) / (2 theta)), clipped to 0 and L.
    whole = np.asarray(drive * 256, int)
    np.testing.assert_array_equal(counts, np.clip((2 * levels * whole + threshold) // (2 * threshold), 0, levels))
    quantised = ClippedSteps(theta, float(levels)).respond(drive)
    np.testing.assert_allclose(theta * counts / levels, quantised, rtol=1e-5, atol=theta * 1e-5)


@given(drive=st.integers(0, 512), threshold=st.integers(256, 1024), steps=st.integers(1, 40))
@settings(max_examples=25, deadline=None)
def test_what_came_in_is_what_the_spikes_took_out_and_what_is_left(drive, threshold, steps):
    drive = min(drive, threshold)
    state, spikes = spikes_of(np.float32([drive / 256]), steps, threshold / 256)
    count = int(spikes.sum())
    assert count == steps * drive // threshold
    assert float(state.membrane[0]) * 256 == steps * drive - count * threshold
    assert abs(steps * drive - count * threshold) <= threshold


def test_negative_drives_are_kept_and_pay_back():
    _, spikes = jn.run(SpikingReLU((1,)), jnp.asarray([[-2.0], [1.0], [1.0], [1.0], [1.5], [0.0]]))
    np.testing.assert_array_equal(spikes[:, 0], [0, 0, 0, 1, 1, 0])


def test_a_drive_of_another_shape_is_refused(key):
    with pytest.raises(ValueError, match=r"SpikingReLU of shape \(2,\) got a drive of shape \(3,\)"):
        SpikingReLU((2,)).step(SpikingReLU((2,)).init(key), jnp.zeros(3))
