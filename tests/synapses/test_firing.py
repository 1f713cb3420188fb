"""Traces, pairs and bounds by hand."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.synapses import InhibitorySTDP, PairSTDP, RewardedFiring, RewardedSTDP, TripletSTDP, as_sparse
from jaxneuro.synapses.firing import bounded, faded, marked, pairs
from tests.synapses.spike_trains import firing, trains


def test_a_trace_fades_and_is_marked(float64):
    trace = faded(jnp.asarray([1.0, 4.0]), jnp.asarray(3.0), jnp.asarray(6.0))
    np.testing.assert_allclose(trace, np.exp(-0.5) * np.asarray([1, 4]), rtol=1e-15)
    np.testing.assert_allclose(marked(jnp.asarray([0.5, 0.25]), jnp.asarray([0.0, 1.0]), "all"), [0.5, 1.25])
    np.testing.assert_allclose(marked(jnp.asarray([0.5, 0.25]), jnp.asarray([0.0, 1.0]), "nearest"), [0.5, 1.0])


def test_rows_are_postsynaptic():
    found = pairs(jnp.zeros((2, 2)), jnp.asarray([1.0, 2.0]), jnp.asarray([3.0, 5.0]))
    np.testing.assert_array_equal(found, [[3, 5], [6, 10]])


@pytest.mark.parametrize("rule", [PairSTDP, TripletSTDP, InhibitorySTDP, RewardedSTDP])
@pytest.mark.parametrize("matrix", [[[0.4, 0.3, 0.5], [0.2, 0.7, 0.6]], [[0.4, 0.0, 0.5], [0.0, 0.0, 0.6]]])
def test_sparse_synapses_learn_as_those_of_a_matrix_do(rule, matrix, float64):
    matrix = np.asarray(matrix)
    dense, sparse = rule(jnp.asarray(matrix), dt_ms=1.0), rule(as_sparse(jnp.asarray(matrix), events=1), dt_ms=1.0)
    inputs = firing(*trains())
    if rule is RewardedSTDP:
        inputs = RewardedFiring(inputs, jnp.full(300, 0.1))
    expected, expected_drive = jn.run(dense, inputs)
    state, drive = jn.run(sparse, inputs)
    learnt = eqx.tree_at(lambda lists: lists.weights, sparse.weights, state.weights).matrix()
    # A weight of 0 in the matrix may grow; where the lists have no synapse there is none.
    np.testing.assert_allclose(learnt, np.where(matrix > 0, expected.weights, 0), rtol=0, atol=1e-14)
    assert float(jnp.abs(learnt - matrix).max()) > 1e-4
    if matrix.all():
        np.testing.assert_allclose(drive, expected_drive, rtol=0, atol=1e-14)


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


@pytest.mark.parametrize("rule", [PairSTDP, TripletSTDP, InhibitorySTDP, RewardedSTDP])
def test_weights_above_the_bound_are_refused(rule):
    with pytest.raises(ValueError, match=f"{rule.__name__} got weights up to 3; they must be at most largest=2"):
        rule(jnp.asarray([[1.0, 3.0]]), largest=2.0)
    assert rule(jnp.asarray([[1.0, 2.0]]), largest=2.0).weights.shape == (1, 2)
