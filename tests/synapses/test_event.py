"""Event-driven synapses against a plain loop over all synapses, and their derivatives against finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.synapses.event import SHORT, pack, unpack

SOURCES, TARGETS, MOST = 70, 23, 6


def listed(seed=0):
    """Lists with free places, with two synapses on one target, and an empty one."""
    generator = np.random.default_rng(seed)
    targets = generator.integers(0, TARGETS, (SOURCES, MOST)).astype(np.int32)
    targets[generator.random((SOURCES, MOST)) < 0.3] = TARGETS
    targets[5], targets[6, :2] = TARGETS, 3
    return targets


def summed(targets, weights, spikes):
    """`y_j = sum_i sum_k weights_ik x_i [targets_ik = j]`, one synapse after the other."""
    total = np.zeros(TARGETS)
    for i, row in enumerate(targets):
        for k, j in enumerate(row):
            if j < TARGETS:
                total[j] += (weights[i, k] if np.ndim(weights) else weights) * spikes[i]
    return total


@pytest.mark.parametrize("events", [True, False])
@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("spikes", ["none", "some", "all", "graded"])
def test_sums_are_those_of_a_loop_over_all_synapses(events, equal, spikes, float64):
    generator, targets = np.random.default_rng(1), listed()
    weights = 0.7 if equal else generator.normal(size=targets.shape)
    x = {
        "none": np.zeros(SOURCES),
        "some": (generator.random(SOURCES) < 0.2).astype(float),
        "all": np.ones(SOURCES),
        "graded": generator.normal(size=SOURCES) * (generator.random(SOURCES) < 0.5),
    }[spikes]
    synapses = jn.synapses.EventSynapses(weights, jnp.asarray(targets), TARGETS, events)
    np.testing.assert_allclose(synapses.respond(jnp.asarray(x)), summed(targets, weights, x), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("most", [SHORT, SHORT + 1])
def test_short_rows_and_long_ones_are_summed_alike(most, equal, float64):
    generator = np.random.default_rng(3)
    targets = generator.integers(0, TARGETS + 1, (SOURCES, most)).astype(np.int32)
    weights = 0.7 if equal else generator.normal(size=targets.shape)
    x = generator.normal(size=SOURCES) * (generator.random(SOURCES) < 0.5)
    synapses = jn.synapses.EventSynapses(weights, jnp.asarray(targets), TARGETS)
    np.testing.assert_allclose(synapses.respond(jnp.asarray(x)), summed(targets, weights, x), rtol=1e-12, atol=1e-12)
    # A scatter would keep XLA's CPU compiler from making one kernel of all loops.
    program = jax.jit(lambda synapses, x: synapses.respond(x)).lower(synapses, jnp.asarray(x)).as_text()
    assert ("scatter" in program) == (most > SHORT)


@pytest.mark.parametrize("equal", [True, False])
def test_gradients_with_and_without_events_are_those_of_the_matrix(equal, float64):
    generator, targets = np.random.default_rng(2), listed()
    weights = jnp.asarray(0.7 if equal else generator.normal(size=targets.shape))
    spikes = jnp.asarray((generator.random(SOURCES) < 0.2).astype(float))
    pull = jnp.asarray(generator.normal(size=TARGETS))
    matrix = np.stack([summed(targets, np.asarray(weights), one) for one in np.eye(SOURCES)])

    def loss(events, weights, spikes):
        synapses = jn.synapses.EventSynapses(weights, jnp.asarray(targets), TARGETS, events)
        return synapses.respond(spikes) @ pull

    for events in (True, False):
        slopes, changes = jax.grad(loss, (1, 2))(events, weights, spikes)
        np.testing.assert_allclose(changes, matrix @ pull, rtol=1e-12, atol=1e-12)
        padded = np.append(pull, 0)[targets]
        each = np.asarray(spikes)[:, None] * padded
        np.testing.assert_allclose(slopes, each.sum() if equal else each, rtol=1e-12, atol=1e-12)
        forward = jax.jvp(lambda s, e=events: loss(e, weights, s), (spikes,), (jnp.ones(SOURCES),))[1]
        assert forward == pytest.approx(float((matrix @ pull).sum()), rel=1e-12)


def test_a_batch_of_events_equals_its_elements_one_by_one():
    generator, targets = np.random.default_rng(3), jnp.asarray(listed())
    spikes = jnp.asarray((generator.random((4, SOURCES)) < [[0.0], [0.1], [0.5], [1.0]]).astype(np.float32))
    synapses = jn.synapses.EventSynapses(0.5, targets, TARGETS)
    one_by_one = [synapses.respond(each) for each in spikes]
    np.testing.assert_array_equal(jax.vmap(synapses.respond)(spikes), one_by_one)


@pytest.mark.parametrize("neurons", [1, 31, 32, 33, 100])
def test_words_hold_one_bit_for_every_neuron(neurons):
    spikes = (np.random.default_rng(neurons).random((5, neurons)) < 0.4).astype(np.float32)
    words = jax.vmap(pack)(jnp.asarray(spikes))
    assert words.shape == (5, -(-neurons // 32))
    assert words.dtype == jnp.uint32
    np.testing.assert_array_equal(unpack(words, neurons), spikes)
    assert sum(int(word).bit_count() for word in np.asarray(words).ravel()) == spikes.sum()


def test_weights_that_fit_no_synapses_are_refused():
    with pytest.raises(ValueError, match=r"weights of shape \(3,\); it takes a scalar, or one for each place"):
        jn.synapses.EventSynapses(jnp.ones(3), jnp.asarray(listed()), TARGETS)
