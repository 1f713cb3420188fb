"""The network against a plain loop over neurons and synapses, its delays, and what its messages say."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.networks import Network, Projection
from jaxneuro.networks.gather import gather

TAU, TAU_SYNAPSE, DT = 10.0, 4.0, 1.0
FIRST, SECOND, STEPS = 5, 3, 60


def wiring():
    generator = np.random.default_rng(0)
    return {
        ("a", "b"): (generator.normal(20, 30, (SECOND, FIRST)), 1),
        ("b", "a"): (generator.normal(-10, 30, (FIRST, SECOND)), 3),
        ("a", "a"): (generator.normal(0, 20, (FIRST, FIRST)), 2),
    }


def lif(size):
    neuron = jn.LIF(tau_ms=TAU, dt_ms=DT, refractory_ms=2.0)
    return jn.Population(neuron, size, shared=True)


def dense(weights, key):
    outputs, inputs = weights.shape
    machine = jn.Dense(inputs, outputs, bias=False, key=key)
    return jax.tree.map(lambda _: jnp.asarray(weights), machine)


def exponential(size):
    return jn.Population(jn.synapses.Exponential(tau_ms=TAU_SYNAPSE, dt_ms=DT), size, shared=True)


def network(key, **options):
    projections = [
        Projection(source, target, dense(weights, key), exponential(len(weights)), delay)
        for (source, target), (weights, delay) in wiring().items()
    ]
    return Network({"a": lif(FIRST), "b": lif(SECOND)}, projections, **options)


def simulated(drive):
    """The equations in plain numpy: exponential currents, exact LIF, spikes that arrive after the delay."""
    sizes = {"a": FIRST, "b": SECOND}
    voltage = {p: np.zeros(n) for p, n in sizes.items()}
    left = {p: np.zeros(n, int) for p, n in sizes.items()}
    open_ = {pair: np.zeros(len(weights)) for pair, (weights, _) in wiring().items()}
    spikes = {p: np.zeros((STEPS, n)) for p, n in sizes.items()}
    for t in range(STEPS):
        current = {"a": drive[t].copy(), "b": np.zeros(SECOND)}
        for (source, target), (weights, delay) in wiring().items():
            arrived = spikes[source][t - delay] if t >= delay else np.zeros(sizes[source])
            pair = source, target
            open_[pair] = np.exp(-DT / TAU_SYNAPSE) * open_[pair] + weights @ arrived
            current[target] += open_[pair]
        for p, n in sizes.items():
            for i in range(n):
                if left[p][i]:
                    left[p][i] -= 1
                    continue
                target = current[p][i]
                voltage[p][i] = target + (voltage[p][i] - target) * np.exp(-DT / TAU)
                if voltage[p][i] >= 15.0:
                    spikes[p][t, i], voltage[p][i], left[p][i] = 1, 0.0, 2
    return spikes


def test_spikes_are_those_of_a_loop_over_neurons_and_synapses(key, float64):
    drive = np.random.default_rng(1).uniform(0, 60, (STEPS, FIRST))
    expected = simulated(drive)
    _, spikes = jn.run(network(key), {"a": jnp.asarray(drive)})
    assert expected["b"].sum() + expected["a"].sum() > 20
    assert expected["b"].any()
    for name, train in expected.items():
        np.testing.assert_array_equal(spikes[name], train)
    _, words = jn.run(network(key, outputs=["b"], packed=True), {"a": jnp.asarray(drive)})
    assert set(words) == {"b"}
    np.testing.assert_array_equal(jn.networks.unpack(words["b"], SECOND), expected["b"])


@pytest.mark.parametrize("delay", [1, 2, 5])
def test_a_spike_arrives_after_the_delay(delay):
    # A jump beyond threshold makes the target fire in the step in which it arrives.
    neuron = jn.LIF(refractory_ms=0.0)
    projection = Projection("sender", "receiver", jn.synapses.OneToOne(), jn.synapses.Delta(weight_mv=20.0), delay)
    pair = Network({"sender": lif(1), "receiver": jn.Population(neuron, 1, shared=True)}, [projection])
    pulse = np.zeros((10, 1), np.float32)
    pulse[2] = 1000.0
    _, spikes = jn.run(pair, {"sender": jnp.asarray(pulse)})
    assert np.flatnonzero(spikes["sender"]).tolist() == [2]
    assert np.flatnonzero(spikes["receiver"]).tolist() == [2 + delay]


def test_several_targets_share_one_set_of_synapses(key, float64):
    weights = np.random.default_rng(2).uniform(20, 90, (FIRST + SECOND, 4))
    populations = {"source": lif(4), "a": lif(FIRST), "b": lif(SECOND)}
    joint = Projection("source", ("a", "b"), dense(weights, key), exponential(FIRST + SECOND), 2)
    apart = [
        Projection("source", "a", dense(weights[:FIRST], key), exponential(FIRST), 2),
        Projection("source", "b", dense(weights[FIRST:], key), exponential(SECOND), 2),
    ]
    drive = {"source": jnp.asarray(np.random.default_rng(3).uniform(0, 60, (40, 4)))}
    _, together = jn.run(Network(populations, [joint]), drive)
    _, separate = jn.run(Network(populations, apart), drive)
    assert together["b"].sum() > 0
    for name in ("a", "b"):
        np.testing.assert_array_equal(together[name], separate[name])


def test_events_and_all_synapses_give_the_same_spikes():
    runs = []
    for events in (True, False):
        small = jn.networks.cuba(200, degree=20.0, events=events, key=jax.random.key(3))
        runs.append(jn.run(small, jnp.zeros(300), key=jax.random.key(4))[1]["excitatory"])
    assert runs[0].sum() > 50
    np.testing.assert_array_equal(*runs)


def test_what_reaches_neurons_is_added_up_by_type():
    jump, channels = jn.VoltageJump(jnp.ones(2)), jn.Conductance(jnp.ones(2), -70 * jnp.ones(2))
    current = jnp.asarray([1.0, 2.0])
    both = gather([current, jump, jnp.asarray(0.5), jump, channels], 2, jnp.float32)
    np.testing.assert_array_equal(both.current, [1.5, 2.5])
    np.testing.assert_array_equal(both.jump.mv, [2.0, 2.0])
    np.testing.assert_array_equal(both.channels.driving, [-70.0, -70.0])
    assert isinstance(gather([jump], 2, jnp.float32), jn.VoltageJump)
    assert isinstance(gather([current, current], 2, jnp.float32), jax.Array)
    np.testing.assert_array_equal(gather([], 2, jnp.float32), [0.0, 0.0])
    with pytest.raises(ValueError, match=r"2 neurons got an input of shape \(3,\)"):
        gather([jnp.ones(3)], 2, jnp.float32)


def test_neurons_without_spikes_are_populations_too(key):
    rates = jn.Population(jn.Rate(), 3, shared=True)
    path = Projection("rates", "rates", jn.Dense(3, 3, bias=False, key=key), jn.synapses.OneToOne())
    drive = jax.random.normal(key, (6, 3))
    _, out = jn.run(Network({"rates": rates}, [path]), {"rates": drive})
    before = jnp.zeros(3)
    for x, y in zip(drive, out["rates"], strict=True):
        before = jax.vmap(jn.Rate().respond)(x + path.connections.respond(before))
        np.testing.assert_allclose(y, before, rtol=1e-5, atol=1e-6)


def broken(key, change):
    parts = {"source": "a", "target": "b", "connections": jn.Dense(5, 3, bias=False, key=key)}
    parts |= {"kinetics": exponential(3), "delay": 1} | change
    return Network({"a": lif(5), "b": lif(3)}, [Projection(**parts)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "bb"}, r"projection 'a -> bb': there is no population 'bb'; there is a, b. Did you mean 'b'\?"),
        ({"source": "b"}, "projection 'b -> b': its connections do not take the 3 spikes of 'b'"),
        ({"target": "a"}, r"projection 'a -> a': its connections give .* for 'a', which has 5 neurons"),
        ({"kinetics": exponential(4)}, "projection 'a -> b': its kinetics do not take the 3 sums"),
        ({"delay": 0}, "Projection 'a -> b' got delay=0; it must be at least 1"),
    ],
)
def test_what_does_not_fit_is_named(change, message, key):
    with pytest.raises(ValueError, match=message):
        broken(key, change)


def test_bad_populations_and_inputs_are_named(key):
    with pytest.raises(ValueError, match=r"the population 'a', a LIF, which has no size.*Population\(LIF\(\), 100"):
        Network({"a": jn.LIF()})
    with pytest.raises(ValueError, match="needs at least one, names differ"):
        Network([("a", lif(2)), ("a", lif(2))])
    with pytest.raises(ValueError, match="Network's outputs: there is no population 'c'"):
        Network({"a": lif(2)}, outputs=["c"])
    with pytest.raises(ValueError, match=r"Network's input: there is no population 'aa'.* Did you mean 'a'"):
        jn.run(network(key), {"aa": jnp.zeros(3)})
