"""Normal noise against the distribution, and how long it holds."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jaxneuro as jn
from jaxneuro.networks import NormalNoise


def test_numbers_are_normal_and_new_at_each_step():
    _, noise = jn.run(NormalNoise(3.0, 50), jnp.full(200, 2.0))
    assert stats.kstest(np.asarray(noise).ravel(), stats.norm(2, 3).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(noise[1:].ravel(), noise[:-1].ravel())[0, 1]) < 4 / 1e4**0.5


@pytest.mark.parametrize("hold", [2, 3])
def test_numbers_hold_for_so_many_steps(hold):
    noise = np.asarray(jn.run(NormalNoise(1.0, 4, hold), jnp.zeros(6 * hold))[1]).reshape(6, hold, 4)
    assert (noise == noise[:, :1]).all()
    assert len(np.unique(noise)) == 6 * 4


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match="NormalNoise got size=1, hold=0; both must be at least 1"):
        NormalNoise(hold=0)
