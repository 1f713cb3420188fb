"""The network that remembers in one shot: without packets it is the delta rule and forgetting in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.networks import arc_genome, arc_memory

talk = jn.conversational


def told(keys, teachers, hours, knocked_out):
    steps, size = keys.shape
    every = jnp.broadcast_to(hours[:, None], (steps, size))
    experience = talk.Experience(
        jnp.broadcast_to(keys[:, None], (steps, size, size)), teachers, jnp.zeros((steps, size)), every
    )
    return talk.Heard(experience, jnp.full((steps, size), knocked_out), hours)


def test_without_arc_it_recalls_what_the_delta_rule_stores_and_time_leaves(key):
    genome, size = arc_genome(key), 8
    keys, values = jax.random.rademacher(key, (2, 3, size), jnp.float32)
    hours = jnp.asarray([0.0, 0.1, 0.1, 5.0, 5.0, 5.0])
    silent = jnp.zeros_like(values)
    lesson = told(jnp.concatenate([keys, keys]), jnp.concatenate([values, silent]), hours, 1.0)
    _, answers = jn.run(arc_memory(genome, size, capacity=8), lesson)

    autonomy = 1 / (1 + np.exp(3.0))
    early, kept = np.zeros((size, size)), np.zeros((size, size))
    for step in range(6):
        left = np.exp(-float(hours[step]) / 1.9)
        kept += autonomy * (1 - left) * early
        early *= left
        k = np.asarray(keys)[step % 3]
        recalled = (early + kept) @ k
        if step < 3:
            early += 0.8 * np.outer(np.asarray(values)[step] - recalled, k) / size
        else:
            np.testing.assert_allclose(answers[step], np.tanh(recalled), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("numbers", [False, True])
def test_every_number_of_the_genome_matters(key, numbers):
    size = 6
    keys, values = jax.random.rademacher(key, (2, 5, size), jnp.float32)
    lesson = told(keys, values * jnp.asarray([1.0, 1.0, 1.0, 0.0, 0.0])[:, None], jnp.full(5, 0.5), 0.0)

    def answer(genome):
        return (jn.run(arc_memory(genome, size, numbers=numbers, capacity=size), lesson)[1] ** 2).sum()

    slopes = jax.grad(answer)(arc_genome(key))
    without = [
        jax.tree_util.keystr(path) for path, leaf in jax.tree_util.tree_leaves_with_path(slopes) if not leaf.any()
    ]
    assert not without
    # Of a data packet the first number alone is heard, and which instruction it is matters not.
    assert bool(slopes.packets.outer_weights[-1].any()) is not numbers
    assert bool(slopes.packets.outer_weights[8:16].any()) is not numbers


def test_the_same_genome_makes_networks_of_any_size(key):
    genome = arc_genome(key)
    starts = [jax.eval_shape(arc_memory(genome, size).init, key) for size in (4, 12)]
    assert [start.programs[-1].shape for start in starts] == [(4, 4), (12, 12)]
