"""Several thresholds in one neuron: a plain loop, the leaky integrate-and-fire neuron, closed forms of the limits."""

import decimal
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.dendritic import MultiThreshold

THRESHOLDS, TAUS, RESISTANCES = [15.0, 9.0, 12.0], [20.0, 11.0, 16.0], [1.0, 2.0, 0.5]


def made(**changes):
    return MultiThreshold(
        2,
        threshold_mv=jnp.asarray(THRESHOLDS),
        tau_ms=jnp.asarray(TAUS),
        resistance_mohm=jnp.asarray(RESISTANCES),
        **changes,
    )


def logistic(x):
    return 1 / (1 + math.exp(-x))


def loop(currents, gating, independence, sharpness, held_steps, dt):
    """Spikes and the weights of their origins, site by site in plain Python."""
    voltage, held, spikes, origins = [0.0, 0.0, 0.0], 0, [], []
    for current in currents:
        fired, weights = False, [0.0] * 3
        if held:
            held -= 1
        else:
            for i in range(3):
                end = RESISTANCES[i] * current[i]
                voltage[i] = end + (voltage[i] - end) * math.exp(-dt / TAUS[i])
            silent, total = 1.0, voltage[0]
            for i in range(3):
                open_ = logistic(sharpness * (voltage[i] - THRESHOLDS[i]))
                silent *= 1 - open_
                total += 0 if i == 0 else voltage[i] * (1 - gating + gating * open_)
            any_ = math.log((1 - silent) / silent) / sharpness
            fired = (1 - independence) * (total - THRESHOLDS[0]) + independence * any_ >= 0
            if fired:
                share = [math.exp(sharpness * (voltage[i] - THRESHOLDS[i])) for i in range(3)]
                weights = [independence * part / sum(share) for part in share]
                weights[0] += 1 - independence
                voltage, held = [0.0, 0.0, 0.0], held_steps
        spikes.append(float(fired))
        origins.append(weights)
    return np.asarray(spikes), np.asarray(origins)


@pytest.mark.parametrize(("gating", "independence"), [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.4, 0.3), (0.8, 0.7)])
def test_fires_when_and_where_a_plain_loop_does(gating, independence, float64):
    currents = np.random.default_rng(1).uniform(-5, 22, size=(600, 3))
    machine = made(gating=gating, independence=independence, sharpness_per_mv=1.3, refractory_ms=1.5, dt_ms=0.5)
    _, fired = jn.run(machine, jnp.asarray(currents))
    spikes, origins = loop(currents, gating, independence, 1.3, 3, 0.5)
    assert 10 < spikes.sum() < 150
    np.testing.assert_allclose(fired.sum(axis=1), spikes, rtol=0, atol=1e-12)
    np.testing.assert_allclose(fired, origins, rtol=0, atol=1e-12)


def test_model_one_is_the_leaky_integrate_and_fire_neuron_of_the_sum_with_its_gradient(float64):
    currents = jnp.asarray(np.random.default_rng(2).uniform(-6, 22, size=(800, 4)))
    one = MultiThreshold(3, gating=0.0, independence=0.0)

    def count(fire, currents):
        return (fire(currents) * jnp.cos(jnp.arange(800.0))).sum()

    def ours(currents):
        return jn.run(one, currents)[1].sum(axis=1)

    def theirs(currents):
        return jn.run(jn.LIF(), currents.sum(axis=1))[1]

    assert ours(currents).sum() > 4
    np.testing.assert_array_equal(ours(currents), theirs(currents))
    slope, expected = (jax.grad(lambda c, f=fire: count(f, c))(currents) for fire in (ours, theirs))
    np.testing.assert_allclose(slope, expected, rtol=1e-9, atol=1e-12)
    assert float(abs(slope).max()) > 0


@pytest.mark.parametrize("site", [0, 1, 2])
def test_a_site_of_model_three_fires_alone_at_the_closed_form_of_its_own_threshold(site, float64):
    drive, dt = 30.0, 0.05
    three = made(sharpness_per_mv=200.0, refractory_ms=2.0, dt_ms=dt)
    currents = jnp.zeros((4000, 3)).at[:, site].set(drive)
    _, fired = jn.run(three, currents)
    steps = np.flatnonzero(fired.sum(axis=1))
    end = RESISTANCES[site] * drive
    interval = 2.0 + TAUS[site] * math.log(end / (end - THRESHOLDS[site]))
    np.testing.assert_allclose(np.diff(steps) * dt, math.ceil(interval / dt - 1e-9) * dt, rtol=1e-12)
    np.testing.assert_allclose(fired[steps], np.eye(3)[[site] * len(steps)], rtol=0, atol=1e-12)


def distance(voltage, **changes):
    return made(**changes).distance(jnp.asarray(voltage))[0]


def test_the_noisy_or_is_the_product_of_silences(float64):
    for voltage in np.random.default_rng(3).normal(10, 8, size=(40, 3)):
        silent = math.prod(1 - logistic(0.4 * (v - t)) for v, t in zip(voltage, THRESHOLDS, strict=True))
        u = float(distance(voltage, sharpness_per_mv=0.4))
        assert logistic(0.4 * u) == pytest.approx(1 - silent, rel=1e-10)


@pytest.mark.parametrize("dendrites", [1, 15, 16, 40])
@pytest.mark.parametrize(("gating", "independence"), [(0.7, 0.0), (1.0, 1.0), (0.4, 0.3)])
def test_few_and_many_sites_follow_the_same_equations(dendrites, gating, independence, float64):
    machine = MultiThreshold(dendrites, threshold_mv=12.0, gating=gating, independence=independence)
    voltage = np.random.default_rng(dendrites).normal(4, 6, size=dendrites + 1)
    opened = [logistic(2.0 * (v - 12.0)) for v in voltage]
    silent = math.prod(1 - part for part in opened)
    total = voltage[0] + sum(v * (1 - gating + gating * part) for v, part in zip(voltage[1:], opened[1:], strict=True))
    expected = (1 - independence) * (total - 12.0) + independence * math.log((1 - silent) / silent) / 2.0
    weights = np.exp(2.0 * (voltage - voltage.max()))
    u, origins = machine.distance(jnp.asarray(voltage))
    np.testing.assert_allclose(u, expected, rtol=1e-9)
    soma = np.arange(dendrites + 1) == 0
    np.testing.assert_allclose(
        origins, (1 - independence) * soma + independence * weights / weights.sum(), rtol=1e-9, atol=1e-15
    )


@pytest.mark.parametrize(("dendrites", "reductions"), [(3, 0), (15, 0), (17, 5)])
def test_reductions_over_few_sites_are_written_out(dendrites, reductions):
    machine = MultiThreshold(dendrites)
    program = jax.make_jaxpr(machine.distance)(machine.threshold_mv)
    # `reduce_` of sites: a maximum and four sums.
    assert str(program).count("= reduce_") == reductions


@pytest.mark.parametrize("highest", [-14.9, -15.1, -40.0, -400.0])
def test_far_below_the_odds_are_as_exact(highest, float64):
    heights = [highest, highest - 0.3, highest - 2.0]
    u, slope = jax.value_and_grad(lambda v: made(sharpness_per_mv=1.0).distance(v)[0])(
        jnp.asarray(THRESHOLDS) + jnp.asarray(heights)
    )
    with decimal.localcontext(prec=400):
        factors = [1 + decimal.Decimal(height).exp() for height in heights]
        odds = math.prod(factors) - 1
        expected = float(odds.ln())
        slopes = [float((factor - 1) / factor * (odds + 1) / odds) for factor in factors]
    assert float(u) == pytest.approx(expected, abs=1e-9)
    np.testing.assert_allclose(slope, slopes, rtol=1e-8)


@pytest.mark.parametrize("shift", [-2000.0, -40.0, 0.0, 40.0, 2000.0])
def test_sharp_thresholds_are_independent_and_nothing_overflows(shift):
    voltage = jnp.asarray([3.0, 2.0, 8.0]) + shift
    u, slope = jax.value_and_grad(lambda v: made(sharpness_per_mv=50.0).distance(v)[0])(voltage)
    highest = np.asarray(voltage) - np.asarray(THRESHOLDS)
    if shift < 2:
        assert float(u) == pytest.approx(highest.max(), abs=0.02)
        np.testing.assert_allclose(slope, np.eye(3)[highest.argmax()], atol=1e-6)
    # Above, the log odds of several sites add up: all of them are sure to fire.
    assert np.isfinite(np.asarray(slope)).all()
    assert float(u) * highest.max() > 0


def pulses(*sites_and_voltages):
    """A step long enough to reach these voltages."""
    currents = np.zeros((1, 3))
    for site, voltage in sites_and_voltages:
        currents[0, site] = voltage / RESISTANCES[site]
    return jnp.asarray(currents, jnp.float32)


@pytest.mark.parametrize(
    ("stimuli", "one", "two", "three"),
    [
        # Two that nearly reach their own thresholds.
        ([(1, 8.5), (2, 11.5)], 1, 0, 0),
        # Two that are let through, and reach the central threshold together alone.
        ([(1, 9.5), (2, 12.5)], 1, 1, 1),
        # From soma and dendrite.
        ([(0, 8.0), (1, 8.5)], 1, 0, 0),
        # One dendrite beyond its own threshold, which is below the central one.
        ([(1, 10.0)], 0, 0, 1),
        # Inhibition of one dendrite: subtracted, not let through, not noticed.
        ([(1, 18.0), (2, -6.0)], 0, 1, 1),
    ],
)
def test_the_models_sum_differently(stimuli, one, two, three):
    # The step is long: the voltage is at its end.
    given = {"sharpness_per_mv": 40.0, "dt_ms": 1000.0, "refractory_ms": 0.0}
    mixtures = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    found = [
        float(jn.run(made(gating=g, independence=h, **given), pulses(*stimuli))[1].sum().round()) for g, h in mixtures
    ]
    assert found == [one, two, three]


def test_the_mixture_has_a_gradient_that_leads_from_one_model_to_another():
    # Both dendrites just below threshold: they fire together in model I, not in III.
    voltage = jnp.asarray([0.0, 8.0, 11.0])

    def u(independence):
        return made(gating=0.0, independence=independence).distance(voltage)[0]

    for h in (0.1, 0.5, 0.9):
        assert float(jax.grad(u)(jnp.asarray(h))) == pytest.approx(float(u(1.0) - u(0.0)), rel=1e-4)
    assert float(u(0.0)) == pytest.approx(4.0, abs=1e-4)
    assert float(u(1.0)) < 0


def test_a_neuron_needs_a_dendrite():
    with pytest.raises(ValueError, match="MultiThreshold got dendrites=0"):
        MultiThreshold(0)
    with pytest.raises(ValueError, match=r"threshold_mv is -1; it must be above 0 mV"):
        MultiThreshold(2, threshold_mv=-1.0)
