"""Learning by dendrites: sums over all pairs of times, the curve of the paper, and where learning ends."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.dendritic import DendriticAdaptation

DT = 0.5


def loop(pulses, weights, dendrite, strengths, held_steps):
    """The neuron as its documentation tells it, from lists of times, with a double sum over pairs."""
    strengths, voltage, held = list(strengths), 0.0, 0
    spikes, below, path = [], [[] for _ in strengths], []
    for step, pulse in enumerate(pulses):
        spike, voltage = False, voltage * math.exp(-DT / 20)
        if held:
            held, voltage = held - 1, 0.0
        else:
            for j, came in enumerate(pulse):
                voltage += came * weights[j] * strengths[dendrite[j]]
            spike = voltage >= 18
        changes = [0.0] * len(strengths)
        for d in range(len(strengths)):
            if spike:
                changes[d] = 0.05 * sum(math.exp(-(step - s) * DT / 15) for s in below[d])
            elif arrived := sum(came for j, came in enumerate(pulse) if dendrite[j] == d):
                changes[d] = -0.05 * arrived * sum(math.exp(-(step - s) * DT / 15) for s in spikes)
                below[d] += [step] * int(arrived)
        if spike:
            voltage, held = 0.0, held_steps
            spikes.append(step)
        strengths = [min(max(w * (1 + dw), 0.2), 3.0) for w, dw in zip(strengths, changes, strict=True)]
        path.append(strengths)
    return spikes, np.asarray(path)


def test_is_the_sum_over_all_pairs_of_spikes_and_pulses_below_threshold(float64):
    pulses = (np.random.default_rng(0).uniform(size=(400, 5)) < 0.06).astype(float)
    weights, dendrite = [9.0, 6.0, 12.0, 7.0, 5.0], [0, 2, 1, 0, 2]
    machine = DendriticAdaptation(
        5,
        3,
        weights=jnp.asarray(weights),
        dendrite=jnp.asarray(dendrite),
        smallest=0.2,
        largest=3.0,
        refractory_ms=1.0,
        dt_ms=DT,
    )
    _, fired, strengths = jn.run(machine, jnp.asarray(pulses), observe="strengths")
    spikes, path = loop(pulses, weights, dendrite, [1.0] * 3, 2)
    assert len(spikes) > 10
    assert path.min() < 0.9
    assert path.max() > 1.05
    assert np.flatnonzero(fired).tolist() == spikes
    np.testing.assert_allclose(strengths, path, rtol=1e-9)


@pytest.mark.parametrize("lag_ms", [-20.0, -5.0, -0.5, 0.0, 0.5, 5.0, 20.0])
def test_one_pair_changes_the_dendrite_by_the_curve_of_the_paper(lag_ms, float64):
    # A strong pulse on input 0 makes the spike at 30 ms, a weak one on input 1 reaches dendrite 1 the lag before it.
    machine = DendriticAdaptation(2, 2, weights=jnp.asarray([30.0, 1.0]), dt_ms=DT)
    pulses = jnp.zeros((120, 2)).at[60, 0].set(1).at[60 - round(lag_ms / DT), 1].set(1)
    state, fired = jn.run(machine, pulses)
    assert np.flatnonzero(fired).tolist() == [60]
    expected = 1 + 0.05 * np.exp(-abs(lag_ms) / 15) * np.sign(lag_ms)
    np.testing.assert_allclose(state.strengths, [1.0, expected], rtol=1e-12)


def stationary(weights, dendrite, dendrites):
    """How often each of three inputs, delayed by 19, 8 and 1 ms at 10 Hz, evokes a spike in the end."""
    machine = DendriticAdaptation(3, dendrites, weights=weights, dendrite=jnp.asarray(dendrite), dt_ms=DT)
    arrivals = jnp.asarray([38, 16, 2])
    volley = jnp.zeros((200, 3)).at[arrivals, jnp.arange(3)].set(1)
    state, fired = jn.run(machine, jnp.tile(volley, (600, 1)))
    return fired.reshape(600, 200)[-100:].mean(axis=0)[arrivals], state.strengths


@pytest.mark.computing
def test_learning_by_links_ends_alike_and_by_dendrites_not():
    starts = jnp.asarray([[14.0, 10.5, 8.5], [8.0, 15.5, 16.5]])
    links, _ = jax.vmap(lambda weights: stationary(weights, [0, 1, 2], 3))(starts)
    trees, strengths = jax.vmap(lambda weights: stationary(weights, [0, 1, 1], 2))(starts)
    # By links the input that comes first silences the others, whatever the start.
    np.testing.assert_allclose(links, [[0, 0, 1], [0, 0, 1]], atol=0.02)
    # A dendrite cannot change the ratio of its two links: the start decides whether both fire or they take turns.
    np.testing.assert_allclose(trees[0], [0, 1, 1], atol=0.02)
    np.testing.assert_allclose(trees[1], [0, 0.5, 0.5], atol=0.05)
    assert float(strengths[:, 0].max()) < 0.05


def test_what_learns_is_one_number_per_dendrite():
    for inputs in (4, 400):
        state = DendriticAdaptation(inputs, 3).init(jax.random.key(0))
        assert state.strengths.shape == state.arrived.shape == (3,)
        assert sum(leaf.size for leaf in jax.tree.leaves(state)) == 9


def test_inputs_are_shared_out_among_dendrites():
    assert DendriticAdaptation(7, 3).dendrite.tolist() == [0, 0, 0, 1, 1, 2, 2]
    with pytest.raises(ValueError, match="DendriticAdaptation got inputs=2, dendrites=0"):
        DendriticAdaptation(2, 0)
