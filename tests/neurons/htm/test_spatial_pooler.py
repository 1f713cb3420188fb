"""The spatial pooler against a slow loop in NumPy, the unit tests of its first program by hand, and its entropy."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.htm.plain_pooler import PlainPooler

Bits, SpatialPooler = jn.htm.Bits, jn.htm.SpatialPooler


def of(machine, permanences, potential, **others):
    """A state with given synapses."""
    potential = jnp.asarray(potential, bool)
    state = machine.init(jax.random.key(0))
    permanences = jnp.asarray(permanences, state.permanences.dtype)
    connected = jn.htm.proximal.connected_words(permanences, machine.connected_permanence)
    return dataclasses.replace(state, permanences=permanences, potential=potential, connected=connected, **others)


def random_bits(steps, inputs, share=0.3, seed=0):
    return np.random.default_rng(seed).uniform(size=(steps, inputs)) < share


GLOBAL = {
    "plain": {},
    "boosted": {"boost_strength": 3.0, "duty_period": 20.0},
    "thresholds": {"stimulus_threshold": 4.0, "boost_strength": 1.0},
    "weak": {"least_duty_share": 0.7, "update_period": 5.0, "connected_share": 0.1, "connected_permanence": 0.3},
    "pools": {"potential_radius": 6, "wrap": False, "increment": 0.1, "decrement": 0.05},
    "all": {
        "stimulus_threshold": 2.0,
        "boost_strength": 4.0,
        "least_duty_share": 0.6,
        "update_period": 7.0,
        "connected_share": 0.2,
        "increment": 0.12,
        "decrement": 0.03,
        "connected_permanence": 0.35,
    },
}
LOCAL = {
    "line": {"inputs": 40, "columns": 20, "area_winners": 2.0, "boost_strength": 2.0},
    "open line": {"inputs": 40, "columns": 20, "area_winners": 2.0, "wrap": False, "stimulus_threshold": 2.0},
    "dense": {"inputs": 30, "columns": 30, "density": 0.3, "least_duty_share": 0.8, "connected_share": 0.2},
    "grid": {"inputs": (6, 8), "columns": (5, 4), "area_winners": 2.0, "boost_strength": 2.0, "potential_radius": 2},
    "open grid": {"inputs": (6, 8), "columns": (3, 8), "density": 0.2, "wrap": False, "potential_radius": 2},
    "few places": {"inputs": 40, "columns": 20, "winners": 3, "density": 0.4},
}
CONFIGURATIONS = {
    **{name: {"inputs": 45, "columns": 24, "winners": 4, **more} for name, more in GLOBAL.items()},
    **{
        name: {"winners": 20, "local": True, "potential_radius": 5, "update_period": 6.0, **more}
        for name, more in LOCAL.items()
    },
}


# Every one is another program; in the quick pass a few.
QUICK = ("all", "open grid", "few places")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(options, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, options in CONFIGURATIONS.items()
    ],
)
def test_equals_a_slow_loop(options, float64):
    machine = SpatialPooler(**options)
    state = machine.init(jax.random.key(3))
    plain = PlainPooler(machine, state)
    inputs = random_bits(60, plain.potential.shape[1])
    learns = np.random.default_rng(1).uniform(size=60) < 0.85
    state, winners = jn.run(machine, Bits(jnp.asarray(inputs), jnp.asarray(learns)), state=state)
    for time, (bits, learn) in enumerate(zip(inputs, learns, strict=True)):
        expected = plain.step(bits, learn)
        expected = expected + [plain.size] * (machine.winners - len(expected))
        np.testing.assert_array_equal(winners[time], expected, err_msg=f"step {time}")
    for name, expected in {
        "permanences": plain.permanences,
        "overlap_duty": plain.overlap_duty,
        "active_duty": plain.active_duty,
        "least_duty": plain.least,
        "boost": plain.boost,
        "radius": plain.radius,
        "overflow": plain.lost,
    }.items():
        np.testing.assert_allclose(getattr(state, name), expected, rtol=0, atol=1e-9, err_msg=name)
    assert (plain.lost > 0) == (options["winners"] == 3)
    synapses = jn.htm.proximal.unpack(state.connected, plain.potential.shape[1])
    np.testing.assert_array_equal(synapses, plain.permanences >= float(machine.connected_permanence) - 1e-6)


def test_winners_learn_and_nobody_else(float64):
    machine = SpatialPooler(8, 4, winners=3, increment=0.1, decrement=0.01)
    potential = [[1, 1, 1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 1, 1, 0, 1], [0, 0, 1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0, 1, 0]]
    before = [
        [0.200, 0.120, 0.090, 0.040, 0, 0, 0, 0],
        [0.150, 0, 0, 0, 0.180, 0.120, 0, 0.450],
        [0, 0, 0.014, 0, 0, 0, 0.110, 0],
        [0.040, 0, 0, 0, 0, 0, 0.178, 0],
    ]
    after = [
        [0.300, 0.110, 0.080, 0.140, 0, 0, 0, 0],
        [0.250, 0, 0, 0, 0.280, 0.110, 0, 0.440],
        [0, 0, 0, 0, 0, 0, 0.210, 0],
        [0.040, 0, 0, 0, 0, 0, 0.178, 0],
    ]
    bits, winners = jnp.asarray([1, 0, 0, 1, 1, 0, 1, 0], bool), jnp.asarray([0, 1, 2], jnp.int32)
    permanences, connected = machine.adapt(of(machine, before, potential), bits, winners, jnp.asarray(True))
    np.testing.assert_allclose(permanences, after, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(jn.htm.proximal.unpack(connected, 8), np.array(after) >= 0.1 - 1e-6)
    unchanged, _ = machine.adapt(of(machine, before, potential), bits, winners, jnp.asarray(False))
    np.testing.assert_array_equal(unchanged, before)
    # A list with fewer winners ends in the number of columns; the last column must not learn for it.
    permanences, _ = machine.adapt(
        of(machine, before, potential), bits, jnp.asarray([1, 4, 4], jnp.int32), jnp.asarray(True)
    )
    np.testing.assert_allclose(permanences, [before[0], after[1], *before[2:]], rtol=0, atol=1e-12)


def test_boost_is_the_exponential_of_what_is_missing(float64):
    duties = jnp.asarray([0.1, 0.3, 0.02, 0.04, 0.7, 0.12])
    machine = SpatialPooler(6, 6, winners=1, boost_strength=2.0, duty_period=1e9)
    state = dataclasses.replace(machine.init(jax.random.key(0)), active_duty=duties, steps=jnp.asarray(10**8))
    after, _ = machine.step(state, jnp.zeros(6, bool))
    # exp(2 (1/6 - duty)), to the digits shown.
    expected = [1.1426, 0.7659, 1.3409, 1.2883, 0.3442, 1.0978]
    np.testing.assert_allclose(after.boost, expected, rtol=0, atol=1e-4)
    local = SpatialPooler(6, 6, winners=6, boost_strength=10.0, local=True)
    mean = [3.10599, 0.42035, 6.91251, 5.65949, 0.00769898, 2.54297]
    everywhere = jnp.asarray(5, jnp.int32)
    np.testing.assert_allclose(jnp.exp(10 * (local.target(duties, everywhere) - duties)), mean, rtol=1e-5)


def test_the_start_is_as_drawn(key):
    machine = SpatialPooler(400, 300, potential_share=0.3, connected_share=0.6, winners=5)
    state = machine.init(key)
    pools, permanences = np.array(state.potential), np.array(state.permanences, float)
    np.testing.assert_array_equal(pools.sum(axis=1), 120)
    assert np.ptp(pools.sum(axis=0)) < 100, "every input is in as many pools"
    values = permanences[pools]
    # Of those not connected a quarter is below 0.025, and trimmed.
    assert np.mean(values >= 0.1) == pytest.approx(0.6, abs=0.01)
    assert np.mean(values == 0) == pytest.approx(0.1, abs=0.01)
    assert np.mean(values[values >= 0.1]) == pytest.approx(0.55, abs=0.01)
    assert np.all((values == 0) | (values >= 0.02499))
    np.testing.assert_allclose(values * 1e5, np.round(values * 1e5), rtol=0, atol=0.01)
    assert not permanences[~pools].any()


def test_equal_overlaps_go_to_the_higher_index():
    machine = SpatialPooler(8, 10, winners=3)
    state, winners = machine.step(machine.init(jax.random.key(0)), jnp.zeros(8, bool))
    np.testing.assert_array_equal(winners, [7, 8, 9])
    np.testing.assert_array_equal(state.overlaps, 0)


def entropy(boost_strength, epochs=25):
    """Mean entropy of the columns' activity over a last epoch without learning, as a share of the highest."""
    columns, patterns = 256, 50
    machine = SpatialPooler(
        256,
        columns,
        winners=5,
        increment=0.1,
        decrement=0.02,
        connected_permanence=0.5,
        boost_strength=boost_strength,
        duty_period=float(patterns),
    )
    inputs = jnp.asarray(random_bits(patterns, 256, 0.1))
    state, _ = jn.run(machine, jnp.tile(inputs, (epochs, 1)))
    _, winners = jn.run(machine, Bits(jnp.tile(inputs, (2, 1)), jnp.ones(2 * patterns, bool)), state=state)
    share = np.bincount(np.ravel(winners), minlength=columns) / (2 * patterns)

    def bits(p):
        return -sum(q * np.log2(np.where(q > 0, q, 1)) for q in (p, 1 - p))

    return np.mean(bits(share)) / bits(5 / columns)


@pytest.mark.slow
def test_boosting_makes_all_columns_take_part():
    boosted, plain = entropy(100.0), entropy(0.0)
    assert boosted >= 0.99
    assert plain < boosted - 0.05


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="not so many"):
        SpatialPooler(8, 4, winners=5)
    with pytest.raises(ValueError, match="as many dimensions"):
        SpatialPooler((2, 4), 8, winners=2)
    with pytest.raises(ValueError, match="at least 1"):
        SpatialPooler(0, 8, winners=2)
    with pytest.raises(ValueError, match="density"):
        SpatialPooler(8, 8, winners=2, density=0.6)


def test_its_fields_are_parameters():
    machine = SpatialPooler(8, 4, winners=1)
    assert len(jax.tree.leaves(eqx.filter(machine, eqx.is_inexact_array))) == 12
