"""The linear recurrent unit against lrnnx, its impulse response and the distributions of its paper."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import kstest

import jaxneuro as jn
from tests.neurons.linear.oracle import check_executors, check_outputs, recorded, sequence

LRU = jn.linear.LRU


def of(found):
    """Our layer with the parameters of lrnnx's."""
    units, states = found["C_re"].shape
    machine = LRU(found["B_re"].shape[1], units, states=states, key=jax.random.key(0))
    return eqx.tree_at(
        lambda m: (m.log_decay, m.log_phase, m.log_gain, m.input_weights, m.output_weights, m.feedthrough),
        machine,
        (
            *(jnp.asarray(found[name]) for name in ("nu_log", "theta_log", "gamma_log")),
            jnp.concatenate([found["B_re"], found["B_im"]]),
            jnp.concatenate([found["C_re"], found["C_im"]], axis=1),
            jnp.asarray(found["D"]),
        ),
    )


def test_equals_lrnnx_with_the_same_weights(float64):
    found = recorded("LRU")
    check_outputs(of(found), found["sequence"].astype(float), found["outputs"])


@pytest.mark.parametrize(("inputs", "units", "states"), [(3, 3, 5), (2, 4, 3)])
def test_equals_a_plain_loop_of_complex_numbers(inputs, units, states, float64):
    machine = LRU(inputs, units, states=states, key=jax.random.key(1))
    eigenvalues = np.exp(-np.exp(machine.log_decay) + 1j * np.exp(machine.log_phase))
    (b_real, b_imaginary), c = np.split(np.asarray(machine.input_weights), 2), np.asarray(machine.output_weights)
    d = np.asarray(machine.feedthrough)
    d = np.diag(d) if d.ndim == 1 else d
    inputs_over_time = sequence(50, inputs)
    h, expected = np.zeros(states, complex), []
    for x in inputs_over_time:
        h = eigenvalues * h + np.exp(machine.log_gain) * ((b_real + 1j * b_imaginary) @ x)
        expected.append(((c[:, :states] + 1j * c[:, states:]) @ h).real + d @ x)
    check_outputs(machine, inputs_over_time, np.array(expected))


def test_its_impulse_response_is_a_sum_of_powers(float64):
    machine = LRU(1, 2, states=3, key=jax.random.key(2))
    steps = np.arange(300)
    _, response = jn.run(machine, jnp.zeros((300, 1)).at[0].set(1.0))
    eigenvalues = np.exp(-np.exp(machine.log_decay) + 1j * np.exp(machine.log_phase))
    b, c = np.asarray(machine.input_weights)[:, 0], np.asarray(machine.output_weights)
    gains = (c[:, :3] + 1j * c[:, 3:]) * (b[:3] + 1j * b[3:]) * np.exp(machine.log_gain)
    powers = eigenvalues[None, :] ** steps[:, None]
    expected = (powers @ gains.T).real
    expected[0] += np.asarray(machine.feedthrough)[:, 0]
    np.testing.assert_allclose(response, expected, atol=1e-12)


def test_starts_uniform_in_area_on_the_ring():
    machine = LRU(1, 1, states=4000, r_min=0.6, r_max=0.9, max_phase=1.5, key=jax.random.key(3))
    modulus, phase = np.exp(-np.exp(machine.log_decay)), np.exp(machine.log_phase)
    assert kstest((modulus**2 - 0.36) / (0.81 - 0.36), "uniform").pvalue > 1e-3
    assert kstest(phase / 1.5, "uniform").pvalue > 1e-3


def test_white_noise_starts_with_states_of_the_inputs_variance():
    machine = LRU(20, 20, states=200, r_min=0.5, r_max=0.95, key=jax.random.key(4))
    inputs = jax.random.normal(jax.random.key(5), (2000, 20))
    *_, states = jn.run(machine, inputs, observe="hidden")
    # B x has variance 1: one half from the real, one half from the imaginary parts.
    assert np.mean(np.abs(states[200:]) ** 2) == pytest.approx(1, rel=0.05)


def test_starts_with_the_variances_of_its_paper():
    machine = LRU(50, 80, states=100, key=jax.random.key(6))
    for weights, variance in (
        (machine.input_weights, 1 / 100),
        (machine.output_weights, 1 / 100),
        (machine.feedthrough, 1 / 50),
    ):
        assert np.var(weights) == pytest.approx(variance, rel=4 * (2 / weights.size) ** 0.5)


@pytest.mark.slow
def test_in_parallel_it_is_the_same_over_4096_steps(key):
    check_executors(LRU(3, 4, key=key))


def test_the_number_of_parameters():
    def count(*sizes, **options):
        return jn.count_parameters(jax.eval_shape(lambda key: LRU(*sizes, **options, key=key), jax.random.key(0)))

    assert count(7, 7, states=5) == 4 * 5 * 7 + 7 + 3 * 5
    assert count(3, 7, states=5) == 2 * 5 * (3 + 7) + 3 * 5 + 7 * 3
    assert count(7, 7) == count(7, 7, states=7)


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="LRU got inputs=3, units=3, states=0; all must be at least 1"):
        LRU(3, 3, states=0, key=key)
    with pytest.raises(ValueError, match=r"r_min=0.9, r_max=0.5; they must be 0 <= r_min < r_max <= 1"):
        LRU(3, 3, r_min=0.9, r_max=0.5, key=key)
    with pytest.raises(ValueError, match=r"r_max=1\.5"):
        LRU(3, 3, r_max=1.5, key=key)
    with pytest.raises(ValueError, match=r"max_phase=0\.0; it must be above 0"):
        LRU(3, 3, max_phase=0.0, key=key)
