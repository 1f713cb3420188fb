"""EventProp: spike times against a solver, gradients against automatic differentiation and finite differences."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from jaxneuro.learning.event_prop import Neuron, simulate, spike_times

HIDDEN = Neuron(tau_ms=20.0, synapse_ms=5.0, threshold=1.0, spikes=4, horizon_ms=60.0)
OUTPUT = Neuron(tau_ms=8.0, synapse_ms=8.0, threshold=1.0, spikes=3, horizon_ms=60.0)
TARGETS = np.array([[10.0, 20.0, 30.0], [15.0, 25.0, 35.0], [40.0, 45.0, 50.0]])


def network(dtype="float64"):
    """Weights of two layers, and input times."""
    generator = np.random.default_rng(4)
    inputs = generator.uniform(0, 40, (6, 3))
    parts = generator.normal(2.0, 2.0, (5, 6)), generator.normal(1.0, 1.5, (3, 5)), inputs
    return tuple(jnp.asarray(part, dtype) for part in parts)


def differentiated(neuron, weights, times):
    """The same layer without the adjoint of its own: automatic differentiation goes through the events."""
    times = jnp.minimum(times, neuron.horizon_ms)
    order = jnp.argsort(times.ravel())
    repeated = jnp.repeat(weights, times.shape[1], axis=1)[:, order]
    return jax.vmap(lambda w: simulate(neuron, w, times.ravel()[order])[0])(repeated)


def loss(layer, first, second, inputs):
    times = layer(OUTPUT, second, layer(HIDDEN, first, inputs))
    return jnp.mean(jnp.where(times < OUTPUT.horizon_ms, times - TARGETS, 0) ** 2)


def solved(neuron, weights, times):
    """Spikes of one neuron by a solver that is started anew at every event."""
    arrivals = sorted((t, w) for w, row in zip(weights, times, strict=True) for t in row)
    now, y, found = 0.0, [0.0, 0.0], []

    def slope(t, y):
        return [(y[1] - y[0]) / neuron.tau_ms, -y[1] / neuron.synapse_ms]

    def crossing(t, y):
        return y[0] - neuron.threshold

    crossing.terminal, crossing.direction = True, 1
    for end, weight in [*arrivals, (neuron.horizon_ms, 0.0)]:
        while now < end:
            ended = solve_ivp(slope, (now, end), y, method="DOP853", rtol=1e-11, atol=1e-12, events=crossing)
            now, y = ended.t[-1], ended.y[:, -1]
            if ended.t_events[0].size:
                found.append(now)
                y = [0.0, y[1]]
        y = [y[0], y[1] + weight]
    return np.array([*found, *[neuron.horizon_ms] * neuron.spikes])[: neuron.spikes]


def test_spikes_come_when_a_solver_says_so(float64):
    first, second, inputs = network()
    hidden = spike_times(HIDDEN, first, inputs)
    expected = [solved(HIDDEN, row, np.asarray(inputs)) for row in np.asarray(first)]
    np.testing.assert_allclose(hidden, expected, rtol=0, atol=1e-8)
    output = spike_times(OUTPUT, second, hidden)
    np.testing.assert_allclose(
        output, [solved(OUTPUT, row, np.asarray(hidden)) for row in np.asarray(second)], rtol=0, atol=1e-8
    )
    assert 5 < (hidden < 60).sum() < hidden.size
    assert (output < 60).sum() >= 4


def test_the_adjoint_of_two_layers_is_automatic_differentiation_through_the_events(float64):
    ours, theirs = (
        jax.jit(jax.value_and_grad(functools.partial(loss, layer), argnums=(0, 1, 2)))(*network())
        for layer in (spike_times, differentiated)
    )
    assert ours[0] == theirs[0]
    for a, b in zip(ours[1], theirs[1], strict=True):
        assert np.abs(b).max() > 0
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9 * float(np.abs(b).max()))


def test_the_adjoint_is_that_of_finite_differences(float64):
    value = jax.jit(functools.partial(loss, spike_times))
    slopes = jax.jit(jax.grad(functools.partial(loss, spike_times), argnums=(0, 1, 2)))(*network())
    generator = np.random.default_rng(1)
    for which in range(3):
        direction = jnp.asarray(generator.normal(size=network()[which].shape))
        above, below = (
            value(*[part + sign * 1e-6 * direction if i == which else part for i, part in enumerate(network())])
            for sign in (1, -1)
        )
        assert jnp.sum(slopes[which] * direction) == pytest.approx(float(above - below) / 2e-6, rel=1e-5)


@pytest.mark.slow
def test_single_precision_agrees():
    first, second, inputs = network("float32")
    ours, theirs = (
        jax.jit(jax.grad(functools.partial(loss, layer), argnums=(0, 1)))(first, second, inputs)
        for layer in (spike_times, differentiated)
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3 * float(np.abs(b).max()))


def test_learning_moves_spikes_to_their_targets(float64):
    inputs, target = jnp.asarray([[1.0], [4.0], [9.0]]), jnp.asarray([[7.0], [11.0]])
    neuron = HIDDEN._replace(spikes=1)
    weights = jnp.full((2, 3), 4.0)

    @jax.jit
    def improve(weights):
        def error(weights):
            return jnp.sum((spike_times(neuron, weights, inputs) - target) ** 2)

        return weights - 0.01 * jax.grad(error)(weights)

    for _ in range(300):
        weights = improve(weights)
    np.testing.assert_allclose(spike_times(neuron, weights, inputs), target, atol=0.05)
