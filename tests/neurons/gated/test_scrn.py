"""The structurally constrained network against its equations, and its slow neurons against their closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_by_hand, sigmoid, size


def equations(m, sequence):
    a, b = m.input_weights[:3], m.input_weights[3:]
    h, s = np.zeros(3), np.zeros(2)
    for x in sequence:
        s = (1 - 0.9) * (b @ x) + 0.9 * s
        h = sigmoid(m.context_weights @ s + a @ x + m.recurrent_weights @ h)
        yield np.concatenate([h, s]), h, s


def test_follows_the_equations():
    def build(key):
        with jax.enable_x64(True):
            return jn.gated.SCRN(3, 5, slow=2, decay=0.9, key=key)

    check_by_hand(build, equations, "hidden", "context")


def test_slow_neurons_approach_a_constant_input_exponentially(key):
    machine = jn.gated.SCRN(3, 5, slow=2, key=key)
    x = jnp.asarray([1.0, -2.0, 0.5])
    outputs = jn.run(machine, jnp.tile(x, (100, 1)))[1]
    expected = (1 - 0.95 ** np.arange(1, 101))[:, None] * np.asarray(machine.input_weights[3:] @ x)
    np.testing.assert_allclose(outputs[:, 3:], expected, atol=1e-6)


@pytest.mark.parametrize(("inputs", "units", "slow"), [(1, 2, 1), (3, 8, 5), (20, 12, 2)])
def test_has_the_parameters_of_the_equations(inputs, units, slow):
    parameters = size(lambda key: jn.gated.SCRN(inputs, units, slow=slow, key=key))
    fast, decay = units - slow, 1
    assert parameters == inputs * (fast + slow) + fast**2 + fast * slow + decay


def test_starts_with_the_papers_proportion_and_decay(key):
    machine = jn.gated.SCRN(3, 140, key=key)
    assert [leaf.shape for leaf in jax.tree.leaves(machine.init(key))] == [(100,), (40,)]
    assert float(machine.decay) == pytest.approx(0.95)
    recurrent = np.asarray(machine.recurrent_weights)
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(100), atol=1e-5)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


@pytest.mark.parametrize(("units", "slow"), [(4, 0), (4, 4), (1, None)])
def test_bad_proportions_are_refused(units, slow, key):
    with pytest.raises(ValueError, match=rf"SCRN got units={units}, slow=\d; slow must be at least 1 and below units"):
        jn.gated.SCRN(3, units, slow=slow, key=key)


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="SCRN got inputs=0, units=4; both must be at least 1"):
        jn.gated.SCRN(0, 4, key=key)
    with pytest.raises(ValueError, match=r"SCRN\.decay is 1\.5; it must be at most 1"):
        jn.gated.SCRN(3, 4, decay=1.5, key=key)
