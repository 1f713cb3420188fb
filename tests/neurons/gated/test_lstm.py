"""The LSTM against the cells of flax and equinox with the same weights, and its initialisation against its papers."""

import functools

import equinox as eqx
import flax.linen
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

INPUTS, UNITS, STEPS = 5, 7, 30


@functools.cache
def drawn():
    """A large layer as its constructor draws it."""
    return jax.jit(lambda key: jn.LSTM(300, 100, key=key))(jax.random.key(5))


def jaxneuro(weights, sequence):
    lstm = eqx.tree_at(
        lambda m: (m.input_weights, m.recurrent_weights, m.bias), jn.LSTM(INPUTS, UNITS, key=jax.random.key(0)), weights
    )
    state, outputs = jn.run(lstm, sequence)
    return outputs, state.cell


def flax_linen(weights, sequence):
    parameters = {}
    for gate, w, u, b in zip("ifgo", *(jnp.split(leaf, 4) for leaf in weights), strict=True):
        parameters |= {f"i{gate}": {"kernel": w.T}, f"h{gate}": {"kernel": u.T, "bias": b}}
    cell = flax.linen.OptimizedLSTMCell(UNITS, param_dtype=sequence.dtype)
    zero = jnp.zeros(UNITS, sequence.dtype)
    (memory, _), outputs = jax.lax.scan(lambda s, x: cell.apply({"params": parameters}, s, x), (zero, zero), sequence)
    return outputs, memory


def equinox(weights, sequence):
    cell = eqx.nn.LSTMCell(INPUTS, UNITS, key=jax.random.key(0))
    cell = eqx.tree_at(lambda m: (m.weight_ih, m.weight_hh, m.bias), cell, weights)
    zero = jnp.zeros(UNITS, sequence.dtype)

    def step(state, x):
        hidden, memory = cell(x, state)
        return (hidden, memory), hidden

    (_, memory), outputs = jax.lax.scan(step, (zero, zero), sequence)
    return outputs, memory


@functools.cache
def evaluated(cell, dtype):
    """The outputs and the last memory of a cell on one sequence, and the gradients of their sums."""
    keys = jax.random.split(jax.random.key(3), 5)
    shapes = (4 * UNITS, INPUTS), (4 * UNITS, UNITS), (4 * UNITS,)
    weights = tuple(jax.random.normal(key, shape, dtype) / 2 for key, shape in zip(keys, shapes, strict=False))
    sequence = jax.random.normal(keys[3], (STEPS, INPUTS), dtype)
    cotangents = jax.random.normal(keys[4], (STEPS, UNITS), dtype)

    def loss(weights, sequence):
        outputs, memory = cell(weights, sequence)
        return (outputs * cotangents).sum() + memory.sum(), (outputs, memory)

    return jax.tree.leaves(jax.jit(jax.grad(loss, argnums=(0, 1), has_aux=True))(weights, sequence))


@pytest.mark.parametrize("peer", [flax_linen, equinox])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
def test_equals_its_peers_with_the_same_weights_and_so_do_its_gradients(peer, dtype, tolerance, float64):
    for own, theirs in zip(evaluated(jaxneuro, dtype), evaluated(peer, dtype), strict=True):
        assert own.dtype == dtype
        np.testing.assert_allclose(own, theirs, rtol=0, atol=tolerance * max(1, np.abs(theirs).max()))


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (700, 128)])
def test_has_four_gates_of_parameters(inputs, units):
    lstm = jax.eval_shape(lambda key: jn.LSTM(inputs, units, key=key), jax.random.key(0))
    assert jn.count_parameters(lstm) == 4 * units * (inputs + units + 1)


def test_starts_with_orthogonal_recurrence_in_each_gate():
    for gate in np.split(np.asarray(drawn().recurrent_weights), 4):
        np.testing.assert_allclose(gate @ gate.T, np.eye(100), atol=1e-5)


def test_starts_with_input_weights_of_glorots_variance():
    weights, variance = np.asarray(drawn().input_weights), 2 / (300 + 100)
    # The variance of a sample of a uniform distribution has a relative standard error of sqrt(0.8 / n).
    assert weights.var() == pytest.approx(variance, rel=4 * (0.8 / weights.size) ** 0.5)
    assert abs(weights.mean()) < 4 * (variance / weights.size) ** 0.5
    assert np.abs(weights).max() <= (3 * variance) ** 0.5


def test_starts_by_remembering(key):
    lstm = drawn()
    np.testing.assert_array_equal(lstm.bias, np.repeat([0.0, 1.0, 0.0, 0.0], 100))
    gates = jax.jit(jn.LSTM.gates)(lstm, lstm.init(key), jnp.zeros(300))
    np.testing.assert_allclose(gates.forget, 1 / (1 + np.exp(-1)), rtol=1e-6)
    np.testing.assert_array_equal(gates.input, 0.5)
    np.testing.assert_array_equal(gates.candidate, 0)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(lstm.init(key)))


def test_the_gates_it_shows_are_the_gates_it_uses(key):
    lstm, inputs = drawn(), jax.random.normal(key, (13, 300))
    state, _ = jn.run(lstm, inputs[:12])
    gates, (after, output) = jax.jit(lambda m, s, x: (m.gates(s, x), m.step(s, x)))(lstm, state, inputs[12])
    np.testing.assert_allclose(after.cell, gates.forget * state.cell + gates.input * gates.candidate, atol=1e-6)
    np.testing.assert_allclose(output, gates.output * jnp.tanh(after.cell), atol=1e-6)


def inputs_and_bias(key):
    lstm = jn.LSTM(3, 4000, longest=100.0, key=key)
    return lstm.input_weights, lstm.bias


def test_starts_by_remembering_for_up_to_the_longest_time(key):
    plain = jax.jit(lambda key: jn.LSTM(3, 4000, key=key).input_weights)(key)
    weights, bias = jax.jit(inputs_and_bias)(key)
    np.testing.assert_array_equal(weights, plain)
    i, f, g, o = np.split(np.asarray(bias), 4)
    times = np.exp(f)
    assert times.min() >= 1
    assert times.max() <= 99
    # The mean of a sample of a uniform distribution on [1, 99].
    assert times.mean() == pytest.approx(50, abs=4 * 98 / 12**0.5 / 4000**0.5)
    np.testing.assert_array_equal(i, -f)
    assert not np.any([g, o])


@pytest.mark.parametrize("longest", [2.0, 0.0, -5.0, float("nan")])
def test_a_longest_time_that_is_none_is_refused(longest, key):
    with pytest.raises(ValueError, match=r"longest=.* steps; it must be above 2"):
        jn.LSTM(3, 4, longest=longest, key=key)


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(ValueError, match=f"LSTM got inputs={inputs}, units={units}; both must be at least 1"):
        jn.LSTM(inputs, units, key=key)
