"""Evolved cells with random weights, without their constructor, which compiles for long."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxneuro.search.cell import EvolvedCell


def cells(genomes, inputs=3, units=2, dtype="float32"):
    """A cell for each genome."""
    generator = np.random.default_rng(2)
    for genome in genomes:
        like = jax.eval_shape(lambda key, genome=genome: EvolvedCell(inputs, units, genome, key=key), jax.random.key(0))
        weights = [like.input_weights, like.recurrent_weights, like.bias]
        numbers = [jnp.asarray(generator.normal(size=leaf.shape) / 2, dtype) for leaf in weights]
        yield jax.tree.unflatten(jax.tree.structure(like), [*map(jnp.asarray, jax.tree.leaves(genome)), *numbers])


def one_cell(genome, **options):
    """A cell for one genome."""
    return next(cells([genome], **options))
