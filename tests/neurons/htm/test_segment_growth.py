"""Growth of synapses against rules followed one by one in Python."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.neurons.htm import segment_growth

ROWS, SLOTS, CANDIDATES = 40, 6, 9


def situation(seed):
    generator = np.random.default_rng(seed)
    sources = np.stack([generator.permutation(20)[:SLOTS] for _ in range(ROWS)]).astype(np.int32)
    kept = generator.random((ROWS, SLOTS)) < 0.8
    # A few levels, so that permanences are often equal.
    permanences = generator.integers(1, 5, size=(ROWS, SLOTS)).astype(np.float32) / 10
    candidates = np.sort(generator.permutation(20)[:CANDIDATES]).astype(np.int32)
    wanted = generator.integers(0, 7, size=ROWS).astype(np.int32)
    chances = generator.integers(0, 2**32, size=(ROWS, CANDIDATES), dtype=np.uint32)
    return sources, permanences, kept, wanted, candidates, generator.random(CANDIDATES) < 0.9, chances


def by_hand(sources, permanences, kept, wanted, candidates, valid, chances):
    """Which slots stay, and which sources are new, of one segment."""
    there = {sources[slot] for slot in range(SLOTS) if kept[slot]}
    able = [i for i in range(CANDIDATES) if valid[i] and candidates[i] not in there]
    number = min(wanted, len(able))
    stay = [slot for slot in range(SLOTS) if kept[slot]]
    excess = len(stay) + number - SLOTS
    weak = sorted((permanences[slot], slot) for slot in stay if sources[slot] not in candidates)
    gone = {slot for _, slot in weak[: max(excess, 0)]}
    stay = [slot for slot in stay if slot not in gone]
    number = min(number, SLOTS - len(stay))
    # The lowest four bits number the candidates.
    order = sorted(able, key=lambda i: (chances[i] >> 4, i))
    return stay, sorted(order[:number])


@pytest.mark.parametrize("written_out", [segment_growth.WRITTEN_OUT, 0])
def test_births_follow_the_rules(written_out, monkeypatch):
    monkeypatch.setattr(segment_growth, "WRITTEN_OUT", written_out)
    full = 0
    for seed in range(3):
        given = situation(seed)
        stay, born = segment_growth.births(*map(jnp.asarray, given))
        origin, sizes = segment_growth.repacked(stay, born)
        for row in range(ROWS):
            own = [part[row] if part.shape[0] == ROWS else part for part in given]
            kept, new = by_hand(*own)
            assert np.flatnonzero(stay[row]).tolist() == kept
            assert np.flatnonzero(born[row]).tolist() == new
            assert origin[row, : int(sizes[row])].tolist() == kept + [SLOTS + i for i in new]
            full += len(kept) < int(given[2][row].sum())
    assert full > 5


def test_all_subsets_are_equally_likely():
    chances = np.random.default_rng(0).integers(0, 2**32, size=(6000, 4), dtype=np.uint32)
    chosen = segment_growth.chosen(jnp.ones((6000, 4), bool), jnp.full(6000, 2, jnp.int32), jnp.asarray(chances))
    pairs, counts = np.unique(np.asarray(chosen), axis=0, return_counts=True)
    assert len(pairs) == 6
    # 1,000 of each of the six pairs; five standard deviations of a binomial number are 144.
    assert np.abs(counts - 1000).max() < 144
