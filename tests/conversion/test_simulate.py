"""Outputs and costs of a run against a plain loop over steps, neurons and connections in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro import conversion
from jaxneuro.measure import Work
from tests.conversion.networks import FAMILIES, perceptron, vgg


def images(shape, count=4):
    pixels = jax.random.uniform(jax.random.key(5), (count, *shape))
    return jnp.where(pixels < 0.3, 0, pixels)


@pytest.mark.parametrize("poisson", [False, True])
def test_events_are_spikes_times_connections(key, poisson):
    network, inputs, steps = perceptron(conversion.Rectifier, key), images((6,)), 12
    spiking = conversion.with_thresholds(network, (6,), [1.5, 1.2])
    noise = jax.random.key(3) if poisson else None
    found = conversion.simulate(spiking, inputs, steps, key=noise)
    first, second, last = (np.asarray(part.weights) for part in network.machines[::2])
    pixels, one, two, total = np.asarray(inputs), np.zeros((4, 9)), np.zeros((4, 7)), np.zeros((4, 4))
    for step in range(steps):
        now = pixels
        if poisson:
            now = np.asarray(conversion.encode(inputs, jax.random.fold_in(noise, step)))
            assert set(np.unique(now)) <= {0, 1}
        one += now @ first.T
        fired = one >= 1.5
        one -= 1.5 * fired
        two += 1.5 * fired @ second.T
        fired_too = two >= 1.2
        two -= 1.2 * fired_too
        total += 1.2 * fired_too @ last.T
        events = fired.sum() * 7 + fired_too.sum() * 4 + (now.sum() * 9 if poisson else 0)
        assert found.events[step] == pytest.approx(events / 4)
        assert found.spikes[step] == pytest.approx((fired.sum() + fired_too.sum()) / 4)
        np.testing.assert_allclose(found.outputs[step], total, rtol=1e-4, atol=1e-4)
    assert found.macs == pytest.approx(0 if poisson else (pixels != 0).sum() * 9 / 4)
    assert (found.neurons, found.driven) == (16, 0 if poisson else 9)


def test_pooled_spikes_are_counted_one_by_one(key):
    network = vgg(conversion.Rectifier, key)
    spiking = conversion.with_thresholds(network, (6, 6, 1), [0.8, 0.8])
    inputs = images((6, 6, 1), 1)
    found = conversion.simulate(spiking, inputs, 1)
    spikes = np.asarray(network.machines[0].respond(inputs[0])) >= 0.8
    assert spikes.sum() > 4
    squares = spikes.reshape(3, 2, 3, 2, 4).sum(axis=(1, 3, 4))
    # A pooled pixel of a 3 x 3 image reaches 4, 6 or 9 places of 6 channels each.
    places = np.outer([2, 3, 2], [2, 3, 2])
    second = float(found.spikes[0]) - spikes.sum()
    assert found.events[0] == pytest.approx((squares * places * 6).sum() + 4 * second)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_way_of_a_network_is_counted(family, key):
    build, shape = FAMILIES[family]
    network, inputs = build(conversion.Rectifier, key), images(shape)
    outputs, dense, effective = conversion.graded_work(network, inputs)
    # 3 x 3 kernels reach 16 * 16 of 6 x 6 pixels and their like, 7 * 7 of 3 x 3; with a stride of 2, 8 * 8.
    macs = {
        "perceptron": 6 * 9 + 9 * 7 + 7 * 4,
        "vgg": 256 * 4 + 49 * 4 * 6 + 54 * 4,
        "residual": 256 * 4 + 2 * 256 * 16 + 6 * 6 * 4 + 64 * 24 + 49 * 36 + 9 * 24 + 54 * 4,
    }[family]
    neurons = {"perceptron": 16, "vgg": 144 + 54, "residual": 3 * 144 + 2 * 54}[family]
    assert dense == Work(macs=macs, comparisons=neurons, traffic_bytes=4 * (2 * macs + neurons))
    assert 0 < effective.macs < macs
    assert outputs.shape == (4, 4)


def test_work_adds_up_over_steps(key):
    network = perceptron(conversion.Rectifier, key)
    found = conversion.simulate(conversion.with_thresholds(network, (6,), [1.5, 1.2]), images((6,)), 5)
    work, events, spikes = found.work(3), float(found.events[:3].sum()), float(found.spikes[:3].sum())
    assert work.macs == pytest.approx(float(found.macs))
    assert work.accumulates == pytest.approx(events)
    assert work.comparisons == 3 * 16
    assert work.additions == pytest.approx(spikes + 3 * 9)
    traffic = 2 * float(found.macs) + 9 + 3 * 2 * 9 + 3 * events + 3 * 16 + spikes
    assert work.traffic_bytes == pytest.approx(4 * traffic)


def test_layers_have_no_more_than_their_pixels():
    pooled = conversion.AveragePool(2).respond(jnp.arange(30.0).reshape(5, 6, 1))
    np.testing.assert_array_equal(pooled[..., 0], [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]])
    with pytest.raises(ValueError, match="AveragePool of size 4 got an image of 3 x 9"):
        conversion.AveragePool(4).respond(jnp.zeros((3, 9, 1)))
    with pytest.raises(ValueError, match="AveragePool got size=0"):
        conversion.AveragePool(0)
    np.testing.assert_array_equal(conversion.Flat().respond(jnp.arange(6.0).reshape(2, 3)), jnp.arange(6.0))
    np.testing.assert_array_equal(conversion.Rectifier().respond(jnp.asarray([-1.0, 2.0])), [0, 2])


def test_a_way_around_must_fit(key):
    block = conversion.Residual(jn.Dense(3, 4, key=key))
    with pytest.raises(ValueError, match=r"Residual adds \(4,\) and \(3,\); give it a shortcut"):
        block.step(block.init(key), jnp.zeros(3))
