"""Converted networks against the graded ones, and Spike-Norm against a plain loop over time in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro import conversion
from tests.conversion.networks import FAMILIES, perceptron


def images(shape, count=5):
    return jax.random.uniform(jax.random.key(5), (count, *shape))


def answers(network, inputs):
    return jax.vmap(lambda x: network.step(network.init(jax.random.key(0)), x)[1])(inputs)


@pytest.mark.parametrize("family", FAMILIES)
def test_after_many_steps_the_spiking_network_answers_what_the_graded_one_does(family, key):
    build, shape = FAMILIES[family]
    network, inputs = build(conversion.Rectifier, key), images(shape)
    thresholds = conversion.highest_activations(network, inputs)
    spiking = conversion.with_thresholds(network, shape, thresholds)
    found = conversion.simulate(spiking, inputs, 1200)
    expected = answers(network, inputs)
    np.testing.assert_allclose(found.outputs[-1] / 1200, expected, atol=0.03 * float(jnp.abs(expected).max()))


def test_one_layer_of_qcfs_is_exact_in_as_many_steps_as_levels(key):
    first, second = jax.random.split(key)
    # Whole weights and inputs: sums are exact.
    weights = jnp.round(8 * jax.random.normal(first, (9, 6))) / 8
    network = jn.Chain(
        jn.Dense(6, 9, bias=False, key=key), conversion.ClippedSteps(2.0, 8.0), jn.Dense(9, 3, bias=False, key=second)
    )
    network = jn.Chain(jax.tree.map(lambda _: weights, network.machines[0]), *network.machines[1:])
    inputs = jnp.round(16 * images((6,), 40)) / 16
    found = conversion.simulate(conversion.qcfs(network, (6,)), inputs, 8)
    np.testing.assert_allclose(found.outputs[-1] / 8, answers(network, inputs), atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_qcfs_of_many_layers_comes_near_in_few_steps(family, key):
    build, shape = FAMILIES[family]
    network, inputs = build(lambda: conversion.ClippedSteps(2.0, 16.0), key), images(shape)
    found = conversion.simulate(conversion.qcfs(network, shape), inputs, 64)
    expected = answers(network, inputs)
    scale = float(jnp.abs(expected).max())
    assert jnp.abs(found.outputs[-1] / 64 - expected).mean() < 0.1 * scale


def test_spike_norm_is_the_highest_drive_of_a_loop_over_time(key):
    network, inputs = perceptron(conversion.Rectifier, key), images((6,), 3)
    steps, noise = 20, jax.random.key(9)
    found = conversion.spike_norm(network, inputs, noise, steps=steps)
    pixels = np.asarray(inputs)
    spikes = [np.asarray(jax.random.uniform(jax.random.fold_in(noise, t), pixels.shape)) < pixels for t in range(steps)]
    weights = [np.asarray(part.weights, float) for part in network.machines[::2]]
    # The paper's own form: spikes are 1, each threshold is the highest weighted sum of spikes.
    thresholds = []
    for layer in range(2):
        membranes = [np.zeros((3, len(w))) for w in weights[:2]]
        highest = -np.inf
        for arriving in spikes:
            now = arriving.astype(float)
            for before in range(layer):
                membranes[before] += now @ weights[before].T
                now = (membranes[before] >= thresholds[before]).astype(float)
                membranes[before] -= thresholds[before] * now
            highest = max(highest, (now @ weights[layer].T).max())
        thresholds.append(highest)
    assert float(found[0]) == pytest.approx(thresholds[0], rel=1e-5)
    assert float(found[1]) == pytest.approx(thresholds[1] * thresholds[0], rel=1e-5)
    # Never below what the graded network needs on the mean, and not the same.
    assert [float(a) for a in found] != [float(a) for a in conversion.highest_activations(network, inputs)]


def test_heights_of_spikes_are_in_the_weights_behind_them_and_spikes_are_0_or_1(key):
    build, shape = FAMILIES["residual"]
    network = build(conversion.Rectifier, key)
    spiking = conversion.with_thresholds(network, shape, [2.0, 3.0, 4.0, 5.0, 6.0])
    kernel = network.machines[2].body.machines[0].weights
    block, wider = spiking.machines[2], spiking.machines[4]
    np.testing.assert_allclose(block.body.machines[0].weights, 2 * kernel)
    np.testing.assert_allclose(block.body.machines[2].weights, 3 * network.machines[2].body.machines[2].weights)
    assert float(block.gain) == 2
    np.testing.assert_allclose(wider.shortcut.weights, 4 * network.machines[4].shortcut.weights)
    assert float(wider.gain) == 1
    np.testing.assert_allclose(spiking.machines[7].weights, 6 * network.machines[7].weights, rtol=1e-6)


def test_what_cannot_be_converted_is_said(key):
    first, second = jax.random.split(key)
    with pytest.raises(TypeError, match="a network to convert has a LSTM; it may have Chain, Residual, Dense"):
        conversion.with_thresholds(jn.Chain(jn.LSTM(3, 4, key=key)), (3,), [])
    hidden = (jn.Dense(3, 4, bias=False, key=first), conversion.Rectifier())
    with pytest.raises(ValueError, match="got 2 thresholds for 1 layers of neurons"):
        conversion.with_thresholds(jn.Chain(*hidden, jn.Dense(4, 2, key=second)), (3,), [1.0, 1.0])
    with pytest.raises(ValueError, match="ends in neurons or pooling"):
        conversion.with_thresholds(jn.Chain(*hidden), (3,), [1.0])
    with pytest.raises(TypeError, match="not ClippedSteps"):
        conversion.qcfs(jn.Chain(*hidden, jn.Dense(4, 2, key=second)), (3,))
    block = conversion.Residual(jn.Chain(jn.Dense(3, 3, key=first), conversion.Rectifier()))
    with pytest.raises(ValueError, match="must end in synapses"):
        conversion.with_thresholds(jn.Chain(block, jn.Dense(3, 2, key=second)), (3,), [1.0])
