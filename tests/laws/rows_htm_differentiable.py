"""Rows of the laws for the differentiable neurons of hierarchical temporal memory."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from tests.laws.row import Row, floats, vectors


def contextual(generator, steps):
    return jn.htm.Contextual(floats(generator.normal(size=(steps, 6))), floats(generator.normal(size=(steps, 3))))


def winners(boost=1.5):
    return jn.htm.KWinners(5, 2, boost=boost, period_steps=7.0)


def dendrites(key, activation=None, **changes):
    activation = winners() if activation is None else activation
    return jn.htm.ActiveDendrites(6, 5, context=3, **{"segments": 3, **changes}, activation=activation, key=key)


def pool(key):
    """Four minicolumns of three cells with two segments each, of one to five synapses, or none."""
    keys = jax.random.split(key, 4)
    segments = jn.htm.Segments(groups=4, cells=3, segments=2, synapses=5, source_groups=4, source_cells=3)
    found = segments.init()
    parts = (
        jax.random.randint(keys[0], (8, 5), 0, 12).astype(found.sources.dtype),
        jax.random.uniform(keys[1], (8, 5), found.permanences.dtype),
        jax.random.randint(keys[2], (2, 4), 0, 6).astype(found.sizes.dtype),
        jax.random.randint(keys[3], (2, 4), 0, 3).astype(found.owners.dtype),
    )
    return eqx.tree_at(lambda pool: (pool.sources, pool.permanences, pool.sizes, pool.owners), found, parts)


def memory(key, **changes):
    settings = {"permanence_temperature": 0.3, **changes}
    return jn.htm.SoftTemporalMemory(pool(key), 3, activation_threshold=1.0, **settings)


def shares(generator, steps):
    return floats(generator.uniform(0, 1, size=(steps, 4)))


def numbers(generator, steps):
    active = np.stack([generator.permutation(5)[:2] for _ in range(steps)])
    return jnp.asarray(np.sort(active, axis=1), jnp.int32)


HTM_DIFFERENTIABLE: tuple[Row, ...] = (
    Row("KWinners", lambda key: winners(), vectors(5), smooth=True),
    Row("ActiveDendrites", dendrites, contextual, smooth=True, quick=False),
    Row(
        "ActiveDendrites without dendrites",
        lambda key: dendrites(key, jn.Population(jn.Rate(), 5, shared=True), segments=0),
        contextual,
        smooth=True,
        quick=False,
    ),
    Row(
        "ActiveDendrites by the largest",
        lambda key: dendrites(jax.random.fold_in(key, 1), gate="largest", weight_sparsity=0.2),
        contextual,
        smooth=True,
        quick=False,
    ),
    Row("SoftTemporalMemory", memory, shares, smooth=True, quick=False),
    Row("SoftTemporalMemory of numbers", memory, numbers, smooth=True, quick=False),
)
