"""What a memory is told: one flag for all of time, or one for each step."""

import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

ACTIVE = jnp.asarray([[0, 2], [1, 3], [2, 4]], jnp.int32)
ABOVE = jnp.zeros((3, 1), jnp.uint32)
NEW = jnp.full((3, 2), 9, jnp.int32)


def test_one_flag_stands_for_every_step_and_many_stay_as_they_are():
    told = jn.htm.ColumnsInContext(ACTIVE, ABOVE, NEW, learn=False)
    np.testing.assert_array_equal(told.learn, [False] * 3)
    np.testing.assert_array_equal(told.reset, [False] * 3)
    told = jn.htm.ColumnsInContext(ACTIVE, ABOVE, NEW, reset=jnp.asarray([True, False, True]))
    np.testing.assert_array_equal(told.learn, [True] * 3)
    np.testing.assert_array_equal(told.reset, [True, False, True])
    assert told.basal is None
    assert told.basal_candidates is None


def test_a_single_step_has_flags_without_an_axis():
    told = jn.htm.ColumnsInContext(ACTIVE[0], ABOVE[0], NEW[0], ABOVE[0], NEW[0])
    assert told.learn.shape == told.reset.shape == ()
    assert told.basal is not None
