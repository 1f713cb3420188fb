"""The neuron with heterogeneous branches: its equations in plain NumPy, closed forms, and its wiring."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.learning.train import count_trained
from tests.neurons.gated.by_hand import with_weights

DHLIF = jn.dendritic.DHLIF
TRAINED = ("weights", "bias", "branch_logits", "soma_logits")


def by_hand(machine, inputs):
    """Spikes, neuron by neuron and branch by branch."""
    wiring, weights, bias = (np.asarray(part) for part in (machine.wiring, machine.weights, machine.bias))
    theta = float(machine.threshold)
    spikes = np.zeros((len(inputs), len(weights)))
    for n in range(len(weights)):
        alpha = 1 / (1 + np.exp(-float(machine.soma_logits[n])))
        current, m, z = np.zeros(wiring.shape[1]), 0.0, 0.0
        for t, x in enumerate(inputs):
            for b in range(len(current)):
                beta = 1 / (1 + np.exp(-float(machine.branch_logits[n, b])))
                mine = np.flatnonzero(wiring[n, b])
                current[b] = beta * current[b] + (1 - beta) * (weights[n, mine] @ x[mine] + bias[n, b])
            m = alpha * m + (1 - alpha) * sum(current) - theta * z
            z = float(m >= theta)
            spikes[t, n] = z
    return spikes


@pytest.mark.parametrize("branches", [1, 3])
def test_follows_the_equations(branches, key, float64):
    machine = DHLIF(8, 6, branches, branch_range=(-1.0, 3.0), threshold=0.15, key=key)
    inputs = np.random.default_rng(0).normal(0.3, 1.5, (200, 8))
    _, spikes = jn.run(machine, jnp.asarray(inputs))
    assert 20 < float(spikes.sum()) < 1000
    np.testing.assert_array_equal(spikes, by_hand(machine, inputs))


def test_branches_share_out_the_inputs(key):
    machine = DHLIF(10, 50, 4, key=key)
    sizes = np.asarray(machine.wiring).sum(axis=2)
    np.testing.assert_array_equal(np.asarray(machine.wiring).sum(axis=1), 1)
    assert set(sizes.ravel()) == {2, 3}
    # Neurons are wired differently, unless told not to be.
    assert len({part.tobytes() for part in np.asarray(machine.wiring)}) == 50
    plain = np.asarray(DHLIF(10, 3, 2, shuffled=False, key=key).wiring)
    np.testing.assert_array_equal(plain, [[[1] * 5 + [0] * 5, [0] * 5 + [1] * 5]] * 3)


def test_a_branch_forgets_with_its_own_time_constant(key, float64):
    machine = DHLIF(4, 1, 2, shuffled=False, threshold=1e3, key=key)
    changes = {"bias": jnp.zeros((1, 2)), "branch_logits": jnp.asarray([[1.0, 5.0]]), "weights": jnp.ones((1, 4))}
    machine = with_weights(machine, **changes)
    inputs = jnp.zeros((41, 4)).at[0].set(1.0)
    state, _ = jn.run(machine, inputs)
    beta = 1 / (1 + np.exp([-1.0, -5.0]))
    np.testing.assert_allclose(state.branches[0], 2 * (1 - beta) * beta**40, rtol=1e-10)


def test_without_memory_in_its_branch_it_is_the_plain_neuron(key, float64):
    machine = DHLIF(6, 5, 1, branch_range=(-60.0, -50.0), threshold=0.1, key=key)
    inputs = np.random.default_rng(1).normal(0.2, 1, (100, 6))
    alpha, m, z = 1 / (1 + np.exp(-np.asarray(machine.soma_logits))), np.zeros(5), np.zeros(5)
    expected = []
    for x in inputs:
        drive = np.asarray(machine.weights) @ x + np.asarray(machine.bias)[:, 0]
        m = alpha * m + (1 - alpha) * drive - 0.1 * z
        z = (m >= 0.1).astype(float)
        expected.append(z)
    assert 0 < np.sum(expected) < 500
    np.testing.assert_array_equal(jn.run(machine, jnp.asarray(inputs))[1], expected)


def test_the_number_of_parameters(key):
    machine = DHLIF(20, 16, 4, key=key)
    assert count_trained(machine, TRAINED) == 16 * (20 + 2 * 4 + 1)


def test_a_detached_reset_has_no_gradient(key):
    inputs = jnp.ones((30, 3))

    def slope(detach):
        def last(weights):
            machine = DHLIF(3, 1, 1, branch_range=(-2.0, -2.0), threshold=0.2, detach_reset=detach, key=key)
            state, spikes = jn.run(with_weights(machine, weights=weights), inputs)
            return state.potential.sum(), spikes.sum()

        value, back, fired = jax.vjp(last, jnp.ones((1, 3)), has_aux=True)
        assert float(fired) > 0
        return float(back(jnp.ones_like(value))[0].sum())

    # Without the reset, what a weight does to a potential has settled at its input, 1, for each of three weights.
    assert slope(1.0) == pytest.approx(3, abs=1e-4)
    assert slope(0.0) != pytest.approx(3, abs=1e-2)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [((0, 1, 1), "DHLIF got inputs=0, units=1, branches=1; all must"), ((2, 1, 3), "branches=3; each needs one of")],
)
def test_bad_sizes_are_refused(sizes, message, key):
    with pytest.raises(ValueError, match=message):
        DHLIF(*sizes, key=key)
