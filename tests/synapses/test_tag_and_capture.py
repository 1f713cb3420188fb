"""Tagging and capture against small Euler steps, over hours in a few large steps, and the experiments it explains."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.synapses import Episode, Firing, TagAndCapture

BASELINE = 4.20075
HOUR = 3_600_000.0


def tetanus(pulses, interval_ms=10.0, trains=1, pause_ms=600_000.0):
    """Durations between pulses; the last pulse of each train is followed by a pause."""
    return np.tile(np.append(np.full(pulses - 1, interval_ms), pause_ms), trains)


STRONG = tetanus(100, trains=3)
WEAK = tetanus(21)


def episodes(*protocols, inputs=1, multiple=1024):
    """Protocols one after the other: (durations, the inputs that get a pulse).

    Steps of no duration follow, up to a multiple of some number: programs are made for a length.
    """
    durations = np.concatenate([durations for durations, _ in protocols])
    durations = np.append(durations, np.zeros(-len(durations) % multiple))
    before = np.zeros((len(durations), inputs))
    at = 0
    for lengths, stimulated in protocols:
        before[at : at + len(lengths), stimulated] = 1
        at += len(lengths)
    as_float = lambda x: jnp.asarray(x, jnp.result_type(float))  # noqa: E731
    return Episode(Firing(as_float(before), jnp.zeros((len(durations), 1))), as_float(durations))


def silence(hours, steps=1):
    return np.full(steps, hours * HOUR / steps), []


def after(machine, *protocols, inputs=1):
    return jn.run(machine, episodes(*protocols, inputs=inputs))[0]


def synapses(inputs=1, **changes):
    changes = {"noise_mv": 0.0, **changes}
    return TagAndCapture(jnp.full((1, inputs), BASELINE), **changes)


def by_small_steps(durations, hours, synthesis=1.0):
    """One synapse, stimulated at every start, by Euler steps of 0.1 ms and, where calcium is low, of 2 s."""
    h, z, p, calcium = BASELINE, 0.0, 0.0, 0.0
    for duration in [*durations, hours * HOUR]:
        calcium += 1 if duration != hours * HOUR else 0
        left = duration
        while left > 0:
            dt = min(left, 0.1 if calcium > 1e-3 else 2000.0)
            up, down = calcium > 3, calcium > 1.2
            slope = 0.1 * (BASELINE - h) + 1645.6 * (10 - h) * up - 313.1 * h * down
            away = h - BASELINE
            z += dt / HOUR * p * ((1 - z) * (away > 0.840149) - (z + 0.5) * (-away > 0.840149))
            p += dt / HOUR * (-p + synthesis * (abs(away) > 2.10037))
            h += dt / 688_400 * slope
            calcium *= np.exp(-dt / 48.8)
            left -= dt
    return h, z, p


@pytest.mark.parametrize(("protocol", "hours"), [(WEAK, 2.0), (tetanus(100), 8.0), (tetanus(40, 50.0), 8.0)])
def test_equals_many_small_steps(protocol, hours, float64):
    state = after(synapses(), (protocol, [0]), silence(hours))
    h, z, p = by_small_steps(protocol, hours)
    assert float(state.early_mv[0, 0]) == pytest.approx(h, abs=2e-3)
    assert float(state.late[0, 0]) == pytest.approx(z, abs=2e-3)
    assert float(state.protein[0]) == pytest.approx(p, abs=2e-3)


def test_depression_has_a_late_phase_too(float64):
    # 20 Hz keeps calcium between both thresholds for most of the time.
    state = after(synapses(), (tetanus(900, 50.0), [0]), silence(8))
    h, z, _ = by_small_steps(tetanus(900, 50.0), 8)
    assert -0.5 < float(state.late[0, 0]) < -0.1
    assert float(state.late[0, 0]) == pytest.approx(z, abs=3e-3)
    assert float(state.early_mv[0, 0]) == pytest.approx(h, abs=3e-3)


def test_early_weights_are_forgotten_by_a_factor_e_in_6884_s(float64):
    start = np.asarray([[BASELINE + 0.8]])
    state = after(TagAndCapture(start, noise_mv=0.0), (np.asarray([6_884_000.0]), []))
    assert float(state.early_mv[0, 0]) - BASELINE == pytest.approx(0.8 / np.e, abs=1e-12)


def test_a_strong_tetanus_is_kept_a_weak_one_forgotten():
    strong, weak = (after(synapses(), (protocol, [0]), silence(8)) for protocol in (STRONG, WEAK))
    soon = after(synapses(), (WEAK[:-1], [0]), (np.asarray([10_000.0]), []))
    assert strong.late[0, 0] > 0.4
    assert weak.late[0, 0] == 0
    # Tagged, but without proteins; after 8 h a fraction e^(-8 h / 1.9 h) of the early phase is left.
    assert 0.840149 < soon.early_mv[0, 0] - BASELINE < 2.10037
    assert weak.early_mv[0, 0] - BASELINE < 0.03


def test_without_proteins_nothing_is_kept_and_the_early_phase_is_the_same():
    blocked, free = (
        [
            after(synapses(synthesis=synthesis), (tetanus(100, pause_ms=10_000.0), [0])),
            after(synapses(synthesis=synthesis), (STRONG, [0]), silence(8)),
        ]
        for synthesis in (0.0, 1.0)
    )
    np.testing.assert_array_equal(blocked[0].early_mv, free[0].early_mv)
    assert free[0].early_mv[0, 0] > BASELINE + 3
    assert blocked[1].late[0, 0] == 0
    assert free[1].late[0, 0] > 0.4


def test_a_weakly_tagged_synapse_captures_the_proteins_of_a_strong_one():
    state = after(synapses(2), (STRONG, [0]), (WEAK, [1]), silence(8), inputs=2)
    alone = after(synapses(2), (WEAK, [1]), silence(8), inputs=2)
    assert state.late[0, 1] > 0.2
    assert alone.late[0, 1] == 0
    assert state.late[0, 0] > state.late[0, 1]


def test_hours_in_one_step_equal_hours_in_many(float64):
    one, many = (after(synapses(), (STRONG, [0]), silence(20, steps)) for steps in (1, 5000))
    np.testing.assert_allclose(one.early_mv, many.early_mv, rtol=0, atol=1e-9)
    np.testing.assert_allclose(one.late, many.late, rtol=0, atol=1e-9)


def test_noise_has_the_variance_of_the_time_above_the_thresholds(float64):
    count = 4000
    machine = synapses(count, noise_mv=0.29, potentiation=1e-6, depression=1e-6, presynaptic_calcium=4.0)
    state, _ = jn.run(machine, episodes((np.asarray([1000.0]), np.arange(count)), inputs=count, multiple=1))
    time = 48.8 * (np.log(4 / 3) + np.log(4 / 1.2))
    assert float(state.early_mv.var()) == pytest.approx(0.29**2 * time / 688_400, rel=5 * (2 / count) ** 0.5)


def test_the_state_is_complete(float64):
    inputs = episodes((STRONG, [0]), silence(8))
    machine = synapses(noise_mv=0.29)
    middle, _ = jn.run(machine, jax.tree.map(lambda leaf: leaf[:150], inputs))
    resumed, _ = jn.run(machine, jax.tree.map(lambda leaf: leaf[150:], inputs), state=middle)
    whole, _ = jn.run(machine, inputs)
    np.testing.assert_array_equal(resumed.early_mv, whole.early_mv)
    np.testing.assert_array_equal(resumed.late, whole.late)


def test_late_weights_stay_within_bounds_under_violent_changes():
    generator = np.random.default_rng(0)
    steps = 12_000
    machine = TagAndCapture(jnp.full((2, 3), BASELINE), tau_late_ms=1e4, tau_protein_ms=1e3, noise_mv=5.0)
    spikes = Firing(*(jnp.asarray(generator.uniform(size=(steps, n)) < 0.4, jnp.float32) for n in (3, 2)))
    inputs = Episode(spikes, jnp.asarray(np.exp(generator.uniform(-2, 7, steps)), jnp.float32))
    _, _, late = jn.run(machine, inputs, observe="late")
    assert float(late.min()) >= -0.5
    assert float(late.max()) <= 1
    assert len(np.unique(late)) > 10


def test_thresholds_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="depression_threshold=4 above potentiation_threshold=3"):
        synapses(depression_threshold=4.0)
