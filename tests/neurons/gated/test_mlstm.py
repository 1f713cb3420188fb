"""The mLSTM against its paper's equations without stabiliser, what it recalls, and where exponentials overflow."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import as_machine, drawn, rows, sigmoid, with_weights
from tests.neurons.gated.recorded import whole

MLSTM = jn.gated.MLSTM
INPUTS, UNITS = 3, 4


def step(m, heads, c, n, x):
    """One step of the unstabilised equations, head by head."""
    size = UNITS // heads
    w, b = rows(m.input_weights, UNITS), rows(m.bias, UNITS)
    q, k, v, o = (w[gate] @ x + b[gate] for gate in range(4))
    outputs = np.zeros(UNITS)
    for head in range(heads):
        own = slice(head * size, (head + 1) * size)
        i = np.exp(m.gate_weights[head] @ x + m.gate_bias[head])
        f = sigmoid(m.gate_weights[heads + head] @ x + m.gate_bias[heads + head])
        key = k[own] / np.sqrt(size)
        c[head] = f * c[head] + i * np.outer(v[own], key)
        n[head] = f * n[head] + i * key
        outputs[own] = sigmoid(o[own]) * (c[head] @ q[own]) / max(abs(n[head] @ q[own]), 1)
    return outputs


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("shift", [-6.0, 0.0, 3.0])
def test_follows_the_equations_of_the_paper(heads, shift):
    generator = np.random.default_rng(5)
    exact = drawn(MLSTM(INPUTS, UNITS, heads=heads, key=jax.random.key(0)), generator)
    exact.gate_bias[:heads] += shift
    # Queries opposite to keys: where n'q crosses 0, single precision has few digits of it.
    exact.bias[: 2 * UNITS] += np.repeat([-3.0, 3.0], UNITS)
    sequence, size = generator.normal(size=(20, INPUTS)), UNITS // heads
    c, n = np.zeros((heads, size, size)), np.zeros((heads, size))
    expected = [(step(exact, heads, c, n, x), c.copy(), n.copy()) for x in sequence]
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-12)):
        with jax.enable_x64(dtype == "float64"):
            _, outputs, states = jn.run(as_machine(exact, dtype), jnp.asarray(sequence, dtype), observe=whole)
            scale = jnp.exp(states.stabiliser)[:, :, None]
            found = outputs, states.memory * scale[..., None], states.normaliser * scale
            for ours, theirs in zip(found, zip(*expected, strict=True), strict=True):
                assert ours.dtype == dtype
                bound = tolerance * max(1, np.abs(theirs).max())
                np.testing.assert_allclose(ours, np.stack(theirs), rtol=0, atol=bound)


def test_recalls_under_a_key_the_value_that_was_written_under_it(key):
    # Inputs: the key (4), the value (4), the query (4), and whether to write; the forget gate is open.
    eye, none = np.eye(4), np.zeros((4, 4))
    weights = np.block([[none, none, eye], [eye, none, none], [none, eye, none], [none, none, none]])
    mlstm = MLSTM(13, 4, key=key)
    mlstm = with_weights(
        mlstm,
        input_weights=np.concatenate([weights, np.zeros((16, 1))], axis=1),
        bias=np.repeat([0.0, 0.0, 0.0, 50.0], 4),
        gate_weights=np.zeros((2, 13)) + np.outer([1.0, 0.0], 40 * np.eye(13)[12]),
        gate_bias=np.asarray([-20.0, 50.0]),
    )
    keys = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    values = np.random.default_rng(1).normal(size=(4, 4))
    writing = np.concatenate([keys, values, np.zeros((4, 4)), np.ones((4, 1))], axis=1)
    reading = np.concatenate([np.zeros((4, 8)), keys, np.zeros((4, 1))], axis=1)
    _, outputs = jn.run(mlstm, jnp.asarray(np.concatenate([writing, reading]), jnp.float32))
    np.testing.assert_allclose(outputs[4:], values, rtol=0, atol=1e-5)


@pytest.mark.parametrize("shift", [-1000.0, 1000.0])
def test_outputs_and_gradients_are_finite_where_exponentials_overflow(shift, key):
    mlstm = MLSTM(INPUTS, UNITS, heads=2, key=key)
    mlstm = with_weights(mlstm, gate_bias=mlstm.gate_bias.at[:2].add(shift))
    sequence = jax.random.normal(key, (20, INPUTS)).at[:3].set(0)
    outcome = jax.value_and_grad(lambda m, s: jn.run(m, s)[1].sum(), argnums=(0, 1))(mlstm, sequence)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(outcome))


@pytest.mark.parametrize(("inputs", "units", "heads"), [(1, 1, 1), (3, 8, 2), (49, 100, 4)])
def test_the_number_of_parameters(inputs, units, heads):
    machine = jax.eval_shape(lambda key: MLSTM(inputs, units, heads=heads, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 4 * units * (inputs + 1) + 2 * heads * (inputs + 1)


def test_starts_with_constant_gates_that_remember(key):
    machine = MLSTM(3, 2000, heads=1000, key=key)
    assert not np.any(machine.gate_weights)
    assert not np.any(machine.bias)
    i, f = np.split(np.asarray(machine.gate_bias), 2)
    np.testing.assert_allclose(f, np.linspace(3, 6, 1000), rtol=1e-6)
    assert i.std() == pytest.approx(0.1, rel=4 * 2000**-0.5)


@pytest.mark.parametrize(("inputs", "units", "heads"), [(0, 3, 1), (3, 0, 1), (3, 4, 0)])
def test_bad_sizes_are_refused(inputs, units, heads, key):
    message = f"MLSTM got inputs={inputs}, units={units}, heads={heads}; all must be at least 1"
    with pytest.raises(ValueError, match=message):
        MLSTM(inputs, units, heads=heads, key=key)


def test_heads_of_unequal_size_are_refused(key):
    with pytest.raises(ValueError, match="MLSTM got units=4, heads=3; units must be a multiple of heads"):
        MLSTM(3, 4, heads=3, key=key)
