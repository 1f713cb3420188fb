"""Poisson spikes against the distribution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jaxneuro as jn
from jaxneuro.networks import PoissonSource


@pytest.mark.parametrize("mean", [0.05, 2.0, 9.0])
def test_numbers_of_spikes_are_poisson(mean):
    size, steps, dt = 200, 400, 0.5
    source = PoissonSource(1000 * mean / dt, dt, size, most=40)
    _, counts = jn.run(source, jnp.zeros(steps))
    counts = np.asarray(counts)
    expected = stats.poisson(mean)
    assert counts.mean() == pytest.approx(mean, abs=4 * (mean / counts.size) ** 0.5)
    numbers = np.arange(int(mean) + 3)
    seen = np.append([(counts == k).sum() for k in numbers], (counts > numbers[-1]).sum())
    chances = np.append(expected.pmf(numbers), expected.sf(numbers[-1]))
    assert stats.chisquare(seen, chances * counts.size).pvalue > 1e-3
    # One neuron's numbers know nothing of the next step's or of the next neuron's.
    for a, b in ((counts[1:], counts[:-1]), (counts[:, 1:], counts[:, :-1])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4 / counts.size**0.5


def test_the_input_is_added_to_the_rate_of_each_neuron():
    source = PoissonSource(100.0, 1.0, 3)
    _, counts = jn.run(source, jnp.broadcast_to(jnp.asarray([-100.0, 0.0, 300.0]), (5000, 3)))
    np.testing.assert_allclose(counts.mean(0), [0.0, 0.1, 0.4], atol=4 * (0.4 / 5000) ** 0.5)
    assert counts[:, 0].sum() == 0


def test_more_than_most_are_most():
    _, counts = jn.run(PoissonSource(1e5, 1.0, 4, most=3), jnp.zeros(10))
    np.testing.assert_array_equal(counts, 3)


def test_a_key_gives_its_own_spikes():
    source = PoissonSource(500.0, 1.0, 50)
    first, again, other = (jn.run(source, jnp.zeros(5), key=jax.random.key(k))[1] for k in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match="PoissonSource got size=0, most=8; both must be at least 1"):
        PoissonSource(size=0)
