"""The simplified state space layer against lrnnx, SciPy's sampled systems and the matrix it starts from."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import cont2discrete
from scipy.stats import kstest

import jaxneuro as jn
from tests.neurons.linear.oracle import check_executors, check_outputs, recorded, sequence

S5 = jn.linear.S5


def test_equals_lrnnx_with_the_same_weights(float64):
    found = recorded("S5")
    machine = S5(3, 3, states=4, conjugate=False, key=jax.random.key(0))
    machine = eqx.tree_at(
        lambda m: (m.log_decay, m.frequency, m.log_step, m.input_weights, m.output_weights, m.feedthrough),
        machine,
        (
            # The real part is -softplus there; B is real, and D a full matrix that stands right of x.
            jnp.log(jax.nn.softplus(jnp.asarray(found["A"][:, 0]))),
            jnp.asarray(found["A"][:, 1]),
            jnp.asarray(found["log_dt"]),
            jnp.concatenate([found["B"], np.zeros_like(found["B"])]),
            jnp.concatenate([found["C"][..., 0], found["C"][..., 1]], axis=1),
            jnp.asarray(found["D"].T),
        ),
    )
    check_outputs(machine, found["sequence"].astype(float), found["outputs"])


@pytest.mark.parametrize("conjugate", [False, True])
def test_equals_a_sampled_system_of_scipy(conjugate, float64):
    states, steps = 3, 60
    machine = S5(2, 4, states=states, conjugate=conjugate, step_min=0.05, step_max=0.4, key=jax.random.key(1))
    eigenvalues = -np.exp(machine.log_decay) + 1j * np.asarray(machine.frequency)
    b, c = np.asarray(machine.input_weights), np.asarray(machine.output_weights)
    b, c = b[:states] + 1j * b[states:], c[:, :states] + 1j * c[:, states:]
    dt, d, inputs = np.exp(machine.log_step), np.asarray(machine.feedthrough), sequence(steps, 2)
    expected = inputs @ d.T
    for n in range(states):
        system = (eigenvalues[n : n + 1, None], b[n : n + 1], np.eye(1), np.zeros((1, 2)))
        factor, drive, *_ = cont2discrete(system, dt[n], method="zoh")
        h = np.zeros(1, complex)
        for t in range(steps):
            h = factor[0] * h + drive @ inputs[t]
            expected[t] += (2 if conjugate else 1) * (c[:, n] * h).real
    check_outputs(machine, inputs, expected)


@pytest.mark.parametrize("size", [2, 8, 32])
def test_starts_with_the_eigenvalues_of_the_normal_part_of_hippo(size):
    order = np.arange(size)
    hippo = -np.tril(np.sqrt((2 * order[:, None] + 1) * (2 * order[None, :] + 1)), -1) - np.diag(order + 1.0)
    rank_one = np.sqrt(np.outer(order + 0.5, order + 0.5))
    expected = np.linalg.eigvals(hippo + rank_one)
    np.testing.assert_allclose(expected.real, -0.5, atol=1e-10)
    both = S5(1, 1, states=size, conjugate=False, key=jax.random.key(0))
    np.testing.assert_allclose(both.frequency, np.sort(expected.imag), rtol=1e-5, atol=1e-5)
    half = S5(1, 1, states=size // 2, key=jax.random.key(0))
    np.testing.assert_allclose(half.frequency, np.sort(expected.imag)[size // 2 :], rtol=1e-5)
    np.testing.assert_allclose(np.exp(half.log_decay), 0.5, rtol=1e-6)


def test_a_state_stands_for_its_conjugate_too(float64):
    half = S5(2, 3, states=2, key=jax.random.key(2))
    both = S5(2, 3, states=4, conjugate=False, key=jax.random.key(2))

    def doubled(array, sign):
        """Columns or rows of the two states, then of their conjugates."""
        real, imaginary = np.split(np.asarray(array), 2)
        return jnp.concatenate([real, real, imaginary, sign * imaginary])

    both = eqx.tree_at(
        lambda m: (m.log_decay, m.frequency, m.log_step, m.input_weights, m.output_weights, m.feedthrough),
        both,
        (
            jnp.tile(half.log_decay, 2),
            jnp.concatenate([half.frequency, -half.frequency]),
            jnp.tile(half.log_step, 2),
            doubled(half.input_weights, -1),
            doubled(half.output_weights.T, -1).T,
            half.feedthrough,
        ),
    )
    inputs = jnp.asarray(sequence(80, 2))
    np.testing.assert_allclose(jn.run(half, inputs)[1], jn.run(both, inputs)[1], atol=1e-13)


def test_starts_with_weights_in_the_eigenvectors_coordinates(float64):
    """Eigenvectors keep lengths: B has the norm of B0, and with half of the vectors half of its square."""
    whole = S5(400, 400, states=30, conjugate=False, key=jax.random.key(3))
    assert np.sum(whole.input_weights**2) == pytest.approx(30, rel=0.03)
    assert np.sum(whole.output_weights**2) == pytest.approx(2 * 400, rel=0.03)
    half = S5(400, 400, states=15, key=jax.random.key(3))
    assert np.sum(half.input_weights**2) == pytest.approx(15, rel=0.05)


def test_equal_blocks_have_equal_frequencies_and_do_not_mix():
    machine = S5(3, 4, states=6, blocks=3, key=jax.random.key(4))
    one = S5(3, 4, states=2, key=jax.random.key(4))
    np.testing.assert_array_equal(machine.frequency, np.tile(one.frequency, 3))


def test_starts_with_steps_uniform_in_their_logarithm():
    machine = S5(1, 1, states=500, blocks=250, step_min=0.01, step_max=0.5, key=jax.random.key(5))
    assert kstest((machine.log_step - np.log(0.01)) / np.log(50), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("conjugate", [False, True])
def test_in_parallel_it_is_the_same_over_4096_steps(conjugate, key):
    check_executors(S5(3, 4, conjugate=conjugate, key=key))


def test_the_number_of_parameters():
    def count(*sizes, **options):
        return jn.count_parameters(jax.eval_shape(lambda key: S5(*sizes, **options, key=key), jax.random.key(0)))

    assert count(7, 7, states=5) == 4 * 5 * 7 + 7 + 3 * 5
    assert count(3, 7, states=5, conjugate=False) == 2 * 5 * (3 + 7) + 3 * 5 + 7 * 3


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="S5 got inputs=0, units=3, states=3, blocks=1; all must be at least 1"):
        S5(0, 3, key=key)
    with pytest.raises(ValueError, match="states=6, blocks=4; the states must be a multiple of the blocks"):
        S5(3, 3, states=6, blocks=4, key=key)
    with pytest.raises(ValueError, match=r"step_min=0.1, step_max=0.01; they must be 0 < step_min <= step_max"):
        S5(3, 3, step_min=0.1, step_max=0.01, key=key)
