import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.learning.fit_glif import (
    OPTIONAL,
    Fit,
    Known,
    Numbers,
    alone,
    fit,
    model,
    present,
    settle,
    starts,
    surprise,
)
from jaxneuro.measure import explained, smoothed
from jaxneuro.neurons.spiking import GLIF

KNOWN = Known(*(jnp.float32(value) for value in (100.0, -70.0, 200.0)))


def numbers(**changes):
    values = {
        "log_tau": np.log(20), "threshold": 0.9, "log_width": np.log(0.05), "reset_fraction": 0.3, "reset_shift": -0.1,
        "threshold_step": 0.1, "log_tau_threshold": np.log(80), "slow_step": -0.05, "log_tau_slow": np.log(150),
        "fast_step": 0.1, "log_tau_fast": np.log(8), "coupling": 0.2, "log_tau_voltage": np.log(30),
    }  # fmt: skip
    return Numbers(**{name: jnp.float32(value) for name, value in {**values, **changes}.items()})


def test_a_level_has_what_the_paper_gives_it():
    has = {
        level: [name for name, there in zip(OPTIONAL, present(level), strict=True) if there] for level in range(1, 6)
    }
    resets = ["reset_fraction", "reset_shift_mv", "threshold_step_mv"]
    currents = ["slow_step_pa", "fast_step_pa"]
    assert has == {1: [], 2: resets, 3: currents, 4: resets + currents, 5: list(OPTIONAL)}


def test_the_surprise_is_that_of_equations_written_out():
    values = numbers()
    neuron, width = model(values, jnp.asarray(present(5)), KNOWN, 1.0)
    random = np.random.default_rng(0)
    currents = 200 + 100 * random.standard_normal(60)
    spikes = np.zeros(60)
    spikes[[9, 10, 25, 26, 28, 50]] = 1  # some of them while the model is refractory
    found = surprise(neuron, width, jnp.asarray(currents, jnp.float32), jnp.asarray(spikes, jnp.float32))
    # With a fine Euler scheme of the equations of `GLIF`, unit = 200 pA / 5 nS = 40 mV.
    v, slow, fast, theta_s, theta_v, wait, expected = -70.0, 0.0, 0.0, 0.0, 0.0, 0, 0.0
    for current, spike in zip(currents, spikes, strict=True):
        if wait:
            wait -= 1
            continue
        for _ in range(4000):
            h = 1 / 4000
            dv = (current + slow + fast - 5 * (v + 70)) / 100
            theta_v += h * (0.2 / 30 * (v + 70) - theta_v / 30)
            v, slow, fast, theta_s = v + h * dv, slow - h * slow / 150, fast - h * fast / 8, theta_s - h * theta_s / 80
        above = (v - (-70 + 36 + theta_s + theta_v)) / 2
        chance = 1 / (1 + np.exp(-above))
        expected -= np.log(chance if spike else 1 - chance)
        if spike:
            v, wait = -70 + 0.3 * (v + 70) - 4, 2
            slow, fast = slow * np.exp(-2 / 150) - 10, fast * np.exp(-2 / 8) + 20
            theta_s = theta_s * np.exp(-2 / 80) + 4
    assert found == pytest.approx(expected, rel=2e-3)


def test_gradients_of_all_that_a_level_has_and_of_nothing_else():
    currents = jnp.full(200, 250.0)
    spikes = jnp.zeros(200).at[jnp.asarray([20, 60, 130])].set(1)

    @jax.jit
    @jax.grad
    def slope(values, mask):
        return surprise(*model(values, mask, KNOWN, 1.0), currents, spikes)

    for level, unused in ((1, 10), (2, 6), (3, 6), (4, 2), (5, 0)):
        gradient = slope(numbers(), jnp.asarray(present(level)))
        assert sum(float(leaf) == 0 for leaf in gradient) == unused
        assert all(np.isfinite(leaf) for leaf in gradient)


@pytest.mark.slow
def test_a_fit_finds_a_leaky_neuron_again():
    random = np.random.default_rng(1)
    currents = jnp.asarray(200 + 60 * np.repeat(random.standard_normal((2, 80)), 10, axis=1), jnp.float32)
    cell = GLIF(
        capacitance_pf=100.0, leak_ns=100 / 15, rest_mv=-70.0, threshold_mv=-45.0, refractory_ms=2.0, dt_ms=1.0,
        **dict.fromkeys(OPTIONAL, 0.0),
    )  # fmt: skip
    spikes = jax.vmap(lambda currents: jn.run(cell, currents)[1])(currents)
    assert spikes.sum() > 30
    begin = starts(np.random.default_rng(0), 2)
    lanes = jax.tree.map(lambda leaf: jnp.stack([leaf] * 2), Fit(
        numbers(), jnp.asarray(present(1)), KNOWN, jnp.float32(0.1), currents, spikes,
    ))._replace(numbers=begin)  # fmt: skip
    fitted, losses = fit(lanes, 150, 1.0)
    assert losses.shape == (150, 2)
    assert losses[-1].max() < 0.5 * losses[0].min()
    assert losses[-1].max() < 1
    np.testing.assert_allclose(np.exp(fitted.log_tau), 15, rtol=0.1)
    # 25 mV of 200 pA / (100 / 15) nS = 30 mV.
    np.testing.assert_allclose(fitted.threshold, 25 / 30, rtol=0.05)
    lanes = lanes._replace(numbers=fitted)
    shifts, keys = jnp.asarray([-2.0, 0.0, 2.0]), jax.random.split(jax.random.key(0), 2)
    for settled in settle(lanes, keys, shifts, 4, 1.0):
        found = np.asarray(alone(lanes._replace(numbers=settled), lanes.currents, 1.0))
        right = smoothed(np.asarray(spikes), 1.0)
        assert min(explained(train, right) for train in smoothed(found, 1.0)) > 0.9
