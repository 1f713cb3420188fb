"""Cells whose states are linear in themselves, and cells that almost are, as text; and populations of both."""

import jax
import numpy as np

from jaxneuro.search.genome import largest
from jaxneuro.search.named import named
from jaxneuro.search.text import parse, show
from tests.search.drawn import random_genomes
from tests.search.mutants import DEFAULT, MANY, SPACE, drawn, keys, many

# A state of its own; then two that turn by an angle that the first decides; the output reads old and new values.
CASCADE = """
    states h p q
    stage
    z = sigmoid(W x + b)
    g = W x
    kept = (1 - z) * h
    written = z * g
    new = kept + written
    stage reads new
    c = sigmoid(U new + b)
    d = W x + U new
    s = complement(c)
    cp = c * p
    sq = s * q
    sp = s * p
    cq = c * q
    turned_p = cp - sq
    turned_q = sp + cq
    new_p = turned_p + d
    shown = tanh(new_p * q)
    out = shown + h
    h <- new
    p <- new_p
    q <- turned_q
    output out
"""
# A tapped delay line, its end accumulated: three states that read no later one.
DELAYS = """
    states p q sum
    stage
    g = tanh(W x)
    f = sigmoid(b from 4)
    stage reads q
    u = U q
    kept = f * sum
    new = kept - u
    p <- g
    q <- p
    sum <- new
    output new
"""
# Three states in a ring, with signs, complements and a product whose factor is on the right.
RING = """
    states p q r
    stage
    f = sigmoid(W x + b)
    g = tanh(W x + b)
    left = complement(p - q)
    moved = q * f
    held = (1 - g) * r
    turned = (1 - left) * f
    new_p = negate(held + f)
    new_q = turned - p
    p <- new_p
    q <- new_q
    r <- moved
    output left
"""
SWAP = """
    states p q
    stage
    g = W x
    half = sigmoid(b)
    new = q + g
    next = half * new
    p <- next
    q <- p
    output next
"""
FEEDFORWARD = """
    stage
    g = tanh(W x + b)
    stage reads g
    u = W x + U g
    output u
"""
PARALLEL = {"CASCADE": CASCADE, "DELAYS": DELAYS, "RING": RING, "SWAP": SWAP, "FEEDFORWARD": FEEDFORWARD}

_STEP = """
    states h
    stage
    f = sigmoid(W x + b)
    g = W x
    {lines}
    new = {inside}
    h <- new
    output new
"""
# With the line that is to blame.
SEQUENTIAL = {
    "an activation of a state": (_STEP.format(lines="kept = f * h", inside="tanh(kept + g)"), "tanh(g1 + n1)"),
    "a square": (_STEP.format(lines="kept = h * h", inside="kept + g"), "h1 * h1"),
    "a product of two linear ones": (
        _STEP.format(lines="kept = f * h\n    moved = kept + g\n    left = complement(h)", inside="moved * left"),
        " * n",
    ),
    "a gate that sees the state": (_STEP.format(lines="kept = (1 - h) * h", inside="kept + g"), "(1 - h1) * h1"),
    "a weight from each neuron to each": (
        """
        states h
        stage reads h
        new = W x + U h
        h <- new
        output new
        """,
        "g1 = W x + U h1",
    ),
    "a gate that sees a state that sees the gate": (
        """
        states h k
        stage
        g = W x
        f = sigmoid(k)
        kept = f * h
        new = kept + g
        h <- new
        k <- h
        output new
        """,
        "sigmoid(h",
    ),
}
FOUR = """
    states p q r s
    stage
    g = W x
    new = s + g
    p <- new
    q <- p
    r <- q
    s <- r
    output new
"""


def mutants(count, seed):
    """What one and two mutations make of parallel cells, `count` of each."""
    texts = [parse(text, SPACE) for text in PARALLEL.values()] + [named("MinGRU", SPACE)]
    parents = jax.tree.map(lambda *leaves: np.stack([leaves[i % len(leaves)] for i in range(MANY)]), *texts)
    with jax.enable_x64(False):
        once, _ = many(keys(3 * seed), parents, DEFAULT)
        twice, _ = many(keys(3 * seed + 1), once, DEFAULT)
    return joined(count, once, twice)


def random_cells(count, seed):
    """Random cells as a search begins with, and cells of which every entry is drawn evenly, `count` of each."""
    with jax.enable_x64(False):
        return joined(count, drawn(keys(3 * seed + 2), SPACE), random_genomes(seed, MANY, SPACE, late=True))


def edited(count, seed):
    """Parallel cells in which one to three entries of the genome are drawn anew; no operator needs to be compiled."""
    generator, found = np.random.default_rng(seed), []
    parents = [parse(text) for text in PARALLEL.values()] + [named("MinGRU")]
    for i in range(count):
        genome = jax.tree.map(np.copy, parents[i % len(parents)])
        limits = largest(genome.space)
        for _ in range(generator.integers(1, 4)):
            name = generator.choice(("recurrent", "squash", "combine", "first", "second", "activation", "next"))
            array = getattr(genome, name)
            if array.size:
                place = tuple(generator.integers(0, array.shape))
                array[place] = generator.integers(0, getattr(limits, name)[place] + 1)
        found.append(parse(show(genome), SPACE))
    return jax.tree.map(lambda *leaves: np.stack(leaves), *found)


def joined(count, *populations):
    return jax.tree.map(lambda *leaves: np.concatenate([leaf[:count] for leaf in leaves]), *populations)
