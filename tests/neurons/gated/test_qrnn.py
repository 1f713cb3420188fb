"""The quasi-recurrent neuron against its equations, tap by tap; what its window sees."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_by_hand, sigmoid, size, with_weights


def equations(m, sequence):
    width, inputs, units = 3, 2, 4
    padded = np.concatenate([np.zeros((width - 1, inputs)), sequence])
    taps = m.input_weights.reshape(3, units, width, inputs)

    def convolved(gate, t):
        total = m.bias[gate * units : (gate + 1) * units].copy()
        for lag in range(width):
            total += taps[gate, :, width - 1 - lag] @ padded[t + width - 1 - lag]
        return total

    c = np.zeros(units)
    for t in range(len(sequence)):
        z, f, o = np.tanh(convolved(0, t)), sigmoid(convolved(1, t)), sigmoid(convolved(2, t))
        c = f * c + (1 - f) * z
        yield o * c, c, padded[t + 1 : t + width]


def test_follows_the_equations():
    check_by_hand(lambda key: jn.gated.QRNN(2, 4, width=3, key=key), equations, "cell", "past", inputs=2)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_without_memory_it_sees_its_window_and_no_further(width, key):
    machine = jn.gated.QRNN(2, 4, width=width, key=key)
    machine = with_weights(machine, bias=np.repeat([0.0, -100.0, 0.0], 4))

    def last(inputs):
        return jn.run(machine, inputs)[1][-1].sum()

    seen = np.abs(jax.grad(last)(jax.random.normal(key, (9, 2)))).max(axis=1) > 1e-6
    np.testing.assert_array_equal(seen, np.arange(9) >= 9 - width)


@pytest.mark.parametrize(("inputs", "units", "width"), [(1, 1, 1), (3, 8, 2), (20, 12, 4)])
def test_has_three_gates_of_parameters_for_each_tap(inputs, units, width):
    parameters = size(lambda key: jn.gated.QRNN(inputs, units, width=width, key=key))
    assert parameters == 3 * width * inputs * units + 3 * units


def test_starts_by_remembering_and_with_silence_before(key):
    machine = jn.gated.QRNN(50, 100, width=2, key=key)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0, 1.0, 0.0], 100))
    assert np.var(np.asarray(machine.input_weights)) == pytest.approx(2 / (2 * 50 + 100), rel=0.03)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))
    np.testing.assert_array_equal(jn.run(machine, jnp.zeros((5, 50)))[1], 0)


def test_a_window_of_nothing_is_refused(key):
    with pytest.raises(ValueError, match="QRNN got inputs=3, units=4, width=0; all must be at least 1"):
        jn.gated.QRNN(3, 4, width=0, key=key)
