"""The associative LSTM against a transcription in real numbers, and as the memory of keys that it is."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.complex.transcribed import check_transcription, disturbed, sigmoid


def bound(v):
    """Of a real vector of real and imaginary parts."""
    half = v.size // 2
    length = np.maximum(1, np.sqrt(v[:half] ** 2 + v[half:] ** 2))
    return v / np.concatenate([length, length])


def product(a, b):
    """The complex elementwise product of real vectors of real and imaginary parts."""
    (ar, ai), (br, bi) = np.split(a, 2), np.split(b, 2)
    return np.concatenate([ar * br - ai * bi, ar * bi + ai * br])


def associative_lstm(p, sequence):
    copies, units = p["permutations"].shape
    hidden, cells, outputs = np.zeros(2 * units), np.zeros((copies, 2 * units)), []
    rows = {}
    for name, start, size in [("f", 0, 1), ("i", 1, 1), ("o", 2, 1), ("q", 3, 2), ("k", 5, 2), ("u", 7, 2)]:
        here = slice(start * units, (start + size) * units)
        rows[name] = p["input_weights"][here], p["recurrent_weights"][here], p["bias"][here]
    for x in sequence:
        sums = {name: w @ x + u @ hidden + b for name, (w, u, b) in rows.items()}
        f, i, o = (np.tile(sigmoid(sums[name]), 2) for name in "fio")
        q, k, u = (bound(sums[name]) for name in "qku")
        found = np.zeros(2 * units)
        for s, permutation in enumerate(p["permutations"]):
            both = np.concatenate([permutation, permutation + units])
            cells[s] = f * cells[s] + product(q[both], i * u)
            found += product(k[both], cells[s]) / copies
        hidden = o * bound(found)
        outputs.append(hidden)
    return outputs


@pytest.mark.parametrize("copies", [1, 3])
def test_equals_the_equations_of_the_paper(copies, key, float64):
    machine = disturbed(jn.complex.AssociativeLSTM(3, 4, copies=copies, key=key))
    check_transcription(
        eqx.tree_at(lambda m: m.recurrent_weights, machine, replace_fn=lambda leaf: 2 * leaf), associative_lstm
    )


def error_of_reading(copies, key, units=200, items=3):
    """Of the first of some items, each written under a random key of modulus 1, gates open and without recurrence."""
    generator = np.random.default_rng(0)
    keys, contents = np.exp(2j * np.pi * generator.random((items, units))), generator.uniform(-0.5, 0.5, (items, units))
    # The input is the rows of q, k and u themselves.
    steps = np.zeros((items + 1, 6 * units), np.float32)
    steps[:items, : 2 * units] = np.hstack([keys.real, keys.imag])
    steps[items, 2 * units : 4 * units] = np.hstack([keys[0].real, -keys[0].imag])
    steps[:items, 4 * units : 5 * units] = contents
    machine = eqx.tree_at(
        lambda m: (m.input_weights, m.recurrent_weights, m.bias),
        jn.complex.AssociativeLSTM(6 * units, units, copies=copies, key=key),
        (
            jnp.eye(9 * units)[:, 3 * units :],
            jnp.zeros((9 * units, 2 * units)),
            jnp.zeros(9 * units).at[: 3 * units].set(500.0),
        ),
    )
    _, outputs = jn.run(machine, jnp.asarray(steps))
    return np.sqrt(np.mean((np.asarray(outputs)[-1, :units] - contents[0]) ** 2))


def test_what_is_written_under_a_key_is_read_under_its_conjugate(key):
    assert error_of_reading(1, key, items=1) < 1e-6


def test_more_copies_of_the_memory_mean_less_noise(key):
    one, many = error_of_reading(1, key), error_of_reading(16, key)
    assert one > 0.1
    assert many < one / 2.5


@pytest.mark.parametrize("copies", [1, 5])
def test_copies_of_the_memory_cost_no_parameters(copies):
    machine = jax.eval_shape(lambda key: jn.complex.AssociativeLSTM(3, 8, copies=copies, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 9 * 8 * (3 + 2 * 8 + 1)
    assert machine.outputs == 16
    assert machine.permutations.shape == (copies, 8)


def test_starts_by_remembering(key):
    machine = jn.complex.AssociativeLSTM(3, 8, key=key)
    np.testing.assert_array_equal(machine.bias, np.repeat([1.0, *[0.0] * 8], 8))
    np.testing.assert_array_equal(machine.permutations[0], np.arange(8))
    for permutation in machine.permutations:
        np.testing.assert_array_equal(np.sort(permutation), np.arange(8))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


def test_outputs_are_bounded(key):
    machine = jn.complex.AssociativeLSTM(3, 8, key=key)
    real, imaginary = np.split(np.asarray(jn.run(machine, 100 * jax.random.normal(key, (200, 3)))[1]), 2, axis=1)
    assert np.hypot(real, imaginary).max() <= 1 + 1e-6


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="AssociativeLSTM got inputs=3, units=4, copies=0; all must be at least 1"):
        jn.complex.AssociativeLSTM(3, 4, copies=0, key=key)
