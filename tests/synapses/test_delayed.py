"""Connections with delays against an explicit sum over synapses and past inputs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.synapses import Delayed, Sparse, as_sparse

INPUTS, OUTPUTS, LONGEST, STEPS = 6, 5, 7, 40


def example(longest=LONGEST):
    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(OUTPUTS, INPUTS)) * (generator.uniform(size=(OUTPUTS, INPUTS)) < 0.6)
    sparse = as_sparse(jnp.asarray(matrix))
    return Delayed(sparse, jnp.asarray(generator.integers(0, longest + 1, sparse.targets.shape)), longest)


def explicit(machine, inputs):
    out = np.zeros((len(inputs), OUTPUTS))
    targets, delays = np.asarray(machine.connections.targets), np.asarray(machine.delays)
    weights = np.asarray(machine.connections.weights)
    for now in range(len(inputs)):
        for (i, k), target in np.ndenumerate(targets):
            if target < OUTPUTS and now >= delays[i, k]:
                out[now, target] += weights[i, k] * inputs[now - delays[i, k], i]
    return out


@pytest.mark.parametrize("longest", [0, 1, 7])
def test_arrives_when_its_delay_is_over(longest, float64):
    inputs = np.random.default_rng(1).normal(size=(STEPS, INPUTS))
    machine = example(longest)
    _, out = jn.run(machine, jnp.asarray(inputs))
    np.testing.assert_allclose(out, explicit(machine, inputs), rtol=0, atol=1e-13)


def test_what_is_under_way_is_in_the_state(float64):
    inputs = jnp.asarray(np.random.default_rng(1).normal(size=(STEPS, INPUTS)))
    machine = example()
    state, before = jn.run(machine, inputs[:3])
    assert float(jnp.abs(state.arriving).sum()) > 0
    _, after = jn.run(machine, inputs[3:], state=state)
    np.testing.assert_array_equal(np.concatenate([before, after]), jn.run(machine, inputs)[1])


def test_a_batch_of_networks_runs_side_by_side(float64):
    inputs = np.random.default_rng(2).normal(size=(3, STEPS, INPUTS))
    machine = example()
    out = jax.vmap(lambda x: jn.run(machine, x)[1])(jnp.asarray(inputs))
    for lane in range(3):
        np.testing.assert_allclose(out[lane], explicit(machine, inputs[lane]), rtol=0, atol=1e-13)


def test_delays_out_of_range_are_refused():
    sparse = Sparse(3, 4, fan_out=2, key=jax.random.key(0))
    with pytest.raises(ValueError, match="delays of 0 to 5 steps; they must be 0 to 4"):
        Delayed(sparse, jnp.zeros((3, 2), jnp.int32).at[1, 1].set(5), 4)
    with pytest.raises(ValueError, match="one for each place"):
        Delayed(sparse, jnp.zeros((2, 3), jnp.int32), 4)
