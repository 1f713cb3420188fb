"""Both sides of the comparison of straight cells with cells that interpret their genome."""

import contextlib

import equinox as eqx
import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np

from jaxneuro.search.cell import EvolvedCell
from jaxneuro.search.genome import empty
from jaxneuro.search.program import Functions, evaluate
from jaxneuro.search.straight import specialised
from tests.search.drawn import one_of

INPUTS, UNITS, STEPS = 3, 4, 20


def random_cell(space, dtype=np.float32, seed=0):
    """A cell of this space with random weights; no two are the same, so that none can be mistaken for another."""
    generator = np.random.default_rng(seed)
    cell = EvolvedCell(INPUTS, UNITS, empty(space), key=jax.random.key(0))

    def drawn(leaf):
        floating = jnp.issubdtype(leaf.dtype, jnp.floating)
        return (generator.normal(size=leaf.shape) / 1.5).astype(dtype) if floating else np.asarray(leaf)

    return jax.tree.map(drawn, cell)


def inputs_of(dtype=np.float32, seed=1):
    """`[time, inputs]`."""
    return jnp.asarray(np.random.default_rng(seed).normal(size=(STEPS, INPUTS)), dtype)


def with_genome(cell, genome):
    """The same weights with another genome."""
    return eqx.tree_at(lambda c: c.genome, cell, genome)


@jax.jit
def _interpreted(cell, genomes, inputs):
    def one(genome):
        alone = with_genome(cell, genome)

        def step(state, x):
            state, output = alone.step(state, x)
            return state, (output, jnp.abs(state.values).max())

        return jax.lax.scan(step, alone.init(jax.random.key(0)), inputs)[1]

    return jax.vmap(one)(genomes)


def interpreted(cell, genomes, inputs):
    """Outputs `[genomes, time, units]` of cells with the same weights, by one program.

    Also the scale `[genomes, time]` of what a cell has kept and put out so far, at least 1; it is not finite from the
    step on in which a cell that grows without bounds leaves the range of its numbers.
    """
    outputs, states = map(np.asarray, _interpreted(cell, genomes, inputs))
    with np.errstate(invalid="ignore"):
        scale = np.maximum.accumulate(np.maximum(1, np.maximum(np.abs(outputs).max(-1), states)), 1)
    return outputs, scale


@contextlib.contextmanager
def types_unchecked():
    """For thousands of genomes: half of the time is that of the checks."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


def emitted(cell, genomes, inputs):
    """The same by straight programs in NumPy, without compiling any.

    Also `[genomes, time]` how near to its threshold a spike was other than at it, and whether one was at it: of the
    first rounding decides, and of the second it may.
    """
    count, dtype = len(genomes.output), inputs.dtype
    outputs, nearest = np.zeros((count, STEPS, UNITS), dtype), np.full((count, STEPS), np.inf)
    near, met, exact = np.inf, False, np.zeros((count, STEPS), bool)

    def spike(u):
        nonlocal near, met
        met |= bool(np.any(u == 0))
        near = min(near, np.min(np.abs(u), where=u != 0, initial=np.inf))
        return (u >= 0).astype(u.dtype)

    functions = Functions(
        np.tanh, lambda u: 1 / (1 + np.exp(-u)), lambda u: np.maximum(u, 0), spike, np.concatenate, np.full
    )
    with np.errstate(all="ignore"), types_unchecked():
        for i in range(count):
            code, weights = specialised(with_genome(cell, one_of(genomes, i)))
            states = [np.zeros(UNITS, dtype)] * len(code.next)
            for t, x in enumerate(np.asarray(inputs)):
                near, met = np.inf, False
                states, outputs[i, t] = evaluate(code, weights, states, x, functions)
                nearest[i, t], exact[i, t] = near, met
    return outputs, nearest, exact


def differences(cell, genomes, inputs):
    """How far both are apart relative to the scale, where they can be compared, and where a spike was at its threshold.

    All `[genomes, time]`; the last two for all steps up to this one.
    """
    expected, scale = interpreted(cell, genomes, inputs)
    outputs, nearest, exact = emitted(cell, genomes, inputs)
    rounding = 1e4 * np.finfo(inputs.dtype).eps
    with np.errstate(invalid="ignore", over="ignore"):
        known = np.logical_and.accumulate(np.isfinite(scale) & ~(nearest <= rounding * scale), 1)
        error = np.where(known, np.abs(outputs - expected).max(-1) / scale, 0)
    return error, known, np.logical_or.accumulate(exact, 1)
