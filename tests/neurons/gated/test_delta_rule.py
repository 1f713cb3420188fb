"""The delta rule against its equations; it remembers, overwrites, and with negative eigenvalues tells odd from even."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.launch.kinds import Kind, parse
from tests.neurons.gated.by_hand import check_by_hand, sigmoid, size, with_weights


def normalised(kind, key):
    if kind == "sum":
        positive = np.where(key > 0, key + 1, np.exp(key))
        return positive / positive.sum()
    key = key * sigmoid(key)
    return key / np.sqrt(key @ key + 1e-6)


def equations(m, sequence):
    w_k, w_v, w_q = np.split(m.input_weights, 3)
    fast = np.zeros((4, 4))
    for x in sequence:
        k, v, q = normalised(m.keys, w_k @ x), w_v @ x, normalised(m.keys, w_q @ x)
        beta = sigmoid(m.rate_weights @ x) * (2 if m.negative else 1)
        recalled = fast @ k
        fast = fast - np.outer(recalled, beta * k) + np.outer(v, beta * k)
        yield fast @ q, fast


@pytest.mark.parametrize("keys", ["length", "sum"])
@pytest.mark.parametrize("negative", [False, True])
def test_follows_the_equations(keys, negative):
    check_by_hand(lambda key: jn.gated.DeltaRule(3, 4, keys=keys, negative=negative, key=key), equations, "fast")


def test_recalls_the_last_value_of_each_key(key):
    # The first two inputs are keys, the other two values.
    weights = np.zeros((6, 4))
    weights[0, 0] = weights[1, 1] = weights[4, 0] = weights[5, 1] = 100
    weights[2, 2] = weights[3, 3] = 1
    machine = jn.gated.DeltaRule(4, 2, key=key)
    machine = with_weights(machine, input_weights=weights, rate_weights=np.array([50.0, 50.0, 0.0, 0.0]))
    inputs = jnp.asarray([[1.0, 0, 3, 4], [0, 1, -1, 7], [1, 0, 5, -6]])
    state, outputs = jn.run(machine, inputs)
    np.testing.assert_allclose(outputs, inputs[:, 2:], rtol=1e-5)
    np.testing.assert_allclose(state.fast, [[5, -1], [-6, 7]], rtol=1e-5)


def test_one_neuron_with_negative_eigenvalues_counts_modulo_two(key):
    machine = with_weights(
        jn.gated.DeltaRule(1, 1, negative=True, key=key),
        input_weights=np.array([[100.0], [0.0], [100.0]]),
        rate_weights=np.array([50.0]),
    )
    bits = jax.random.bernoulli(key, shape=(200,)).astype(float)
    start = jax.tree.map(jnp.ones_like, machine.init(key))
    _, _, states = jn.run(machine, bits[:, None], state=start, observe=lambda state: state.fast[0, 0])
    np.testing.assert_allclose(states, 1 - 2 * (np.cumsum(bits) % 2), rtol=1e-5)


@pytest.mark.parametrize(("negative", "least"), [(False, 0), (True, -1)])
@pytest.mark.parametrize("keys", ["length", "sum"])
def test_no_state_grows_by_itself(negative, least, keys, key):
    machine = jn.gated.DeltaRule(3, 4, keys=keys, negative=negative, key=key)
    machine = jax.tree.map(lambda leaf: 5 * leaf, machine)

    def eigenvalue(x):
        written = machine.drive(x)
        return 1 - written.rate * (written.key**2).sum()

    found = jax.vmap(eigenvalue)(jax.random.normal(key, (1000, 3)))
    assert least - 1e-6 <= found.min() < least + 0.6
    assert found.max() <= 1


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (20, 12)])
def test_has_three_products_and_a_rate(inputs, units, key):
    assert size(lambda key: jn.gated.DeltaRule(inputs, units, key=key)) == inputs * (3 * units + 1)
    assert not np.any(jn.gated.DeltaRule(inputs, units, key=key).init(key).fast)


def test_starts_with_glorots_variance(key):
    machine = jn.gated.DeltaRule(100, 60, key=key)
    assert np.var(np.asarray(machine.input_weights)) == pytest.approx(2 / 160, rel=0.03)


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="DeltaRule got inputs=3, units=0; both must be at least 1"):
        jn.gated.DeltaRule(3, 0, key=key)
    with pytest.raises(ValueError, match="is 'softmax'; it must be one of length, sum"):
        parse({"kind": "DeltaRule", "keys": "softmax"}, Kind(supplied=("inputs", "units")))
