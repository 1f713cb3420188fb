"""Traces, pairs and bounds by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.synapses.firing import bounded, faded, marked, pairs


def test_a_trace_fades_and_is_marked(float64):
    trace = faded(jnp.asarray([1.0, 4.0]), jnp.asarray(3.0), jnp.asarray(6.0))
    np.testing.assert_allclose(trace, np.exp(-0.5) * np.asarray([1, 4]), rtol=1e-15)
    np.testing.assert_allclose(marked(jnp.asarray([0.5, 0.25]), jnp.asarray([0.0, 1.0]), "all"), [0.5, 1.25])
    np.testing.assert_allclose(marked(jnp.asarray([0.5, 0.25]), jnp.asarray([0.0, 1.0]), "nearest"), [0.5, 1.0])


def test_rows_are_postsynaptic():
    np.testing.assert_array_equal(pairs(jnp.asarray([1.0, 2.0]), jnp.asarray([3.0, 5.0])), [[3, 5], [6, 10]])


@pytest.mark.parametrize(
    ("softness", "expected"),
    # Of w = 0.5 in 0 .. 2: up 0.4 or 0.4 (1 - 1/4); down 0.4 or 0.4 / 4; mixed the mean of both.
    [(0.0, (0.9, 0.1)), (1.0, (0.8, 0.4)), (0.5, (0.85, 0.25))],
)
def test_softness_scales_the_change_by_the_way_to_the_bound(softness, expected, float64):
    weight, change, none = (jnp.full((1, 1), value) for value in (0.5, 0.4, 0.0))
    limits = (jnp.asarray(2.0), jnp.asarray(softness))
    assert float(bounded(weight, change, none, *limits)[0, 0]) == pytest.approx(expected[0], abs=1e-15)
    assert float(bounded(weight, none, change, *limits)[0, 0]) == pytest.approx(expected[1], abs=1e-15)


def test_no_change_leads_out_of_bounds():
    weight, much, none = (jnp.full((1, 1), value) for value in (0.5, 40.0, 0.0))
    limits = (jnp.asarray(2.0), jnp.asarray(0.0))
    assert bounded(weight, much, none, *limits)[0, 0] == 2
    assert bounded(weight, none, much, *limits)[0, 0] == 0
