"""The fast-slow network of LSTM cells against its equations, written out in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_by_hand, sigmoid, size


def build(fast, slow=4):
    def of(key):
        keys = jax.random.split(key, fast + 1)
        cells = tuple(jn.LSTM(4 if i else 3, 4, key=keys[i]) for i in range(fast))
        return jn.gated.FastSlow(cells, jn.LSTM(4, slow, key=keys[fast]))

    return of


def lstm(m, state, x):
    h, c = state
    i, f, g, o = np.split(m.input_weights @ x + m.recurrent_weights @ h + m.bias, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def equations(m, sequence):
    fast = slow = np.zeros(4), np.zeros(4)
    for x in sequence:
        fast = lstm(m.fast[0], fast, x)
        slow = lstm(m.slow, slow, fast[0])
        fast = lstm(m.fast[1], fast, slow[0])
        for cell in m.fast[2:]:
            fast = lstm(cell, fast, np.zeros(4))
        yield (fast[0],)


@pytest.mark.parametrize("fast", [2, 4])
def test_follows_the_equations(fast):
    check_by_hand(build(fast), equations)


def test_the_slow_cell_steps_once_and_the_fast_state_many_times(key):
    machine = build(3)(key)
    state, output = machine.step(machine.init(key), jnp.ones(3))
    first, shown = machine.fast[0].step(machine.fast[0].init(key), jnp.ones(3))
    slow, _ = machine.slow.step(machine.slow.init(key), shown)
    np.testing.assert_allclose(state.slow.cell, slow.cell, rtol=1e-6)
    np.testing.assert_array_equal(output, state.fast.hidden)
    assert np.abs(state.fast.cell - first.cell).min() > 1e-4


def test_has_the_parameters_of_its_machines():
    assert size(build(3)) == 4 * 4 * (3 + 4 + 1) + 3 * 4 * 4 * (4 + 4 + 1)


def test_starts_with_the_initial_states_of_its_machines(key):
    state = build(2)(key).init(key)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(state))
    assert [leaf.shape for leaf in jax.tree.leaves(state)] == [(4,)] * 4


def test_a_single_fast_machine_is_refused(key):
    with pytest.raises(ValueError, match="FastSlow got 1 fast machines; it must be at least 2"):
        build(1)(key)
