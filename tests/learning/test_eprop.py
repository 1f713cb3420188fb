"""E-prop: exact with the total learning signal, else what is left if spikes reach the loss through no other neuron."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.learning.eprop import begin, eligibility_traces, eprop, eprop_loss, parts
from jaxneuro.networks.recurrent import recurrent_network

INPUTS, UNITS, OUTPUTS, STEPS = 4, 5, 2, 40
KEY = jax.random.key(7)


class Cut(jn.Stateless):
    """Dense synapses through which no gradient returns to the neurons they come from."""

    dense: jn.Dense

    def respond(self, input):
        """`W stop(x)`."""
        return self.dense.respond(jax.lax.stop_gradient(input))


class Nudged(jn.StateMachine):
    """Neurons to whose outputs a number of the input is added, seen by all that hear them."""

    machine: jn.StateMachine

    def init(self, key):
        """The neurons' own."""
        return self.machine.init(key)

    def step(self, state, input):
        """The first half of the input is the current, the second what is added."""
        current, nudge = jnp.split(input, 2)
        state, output = self.machine.step(state, current)
        return state, output + nudge


def lif(**changes):
    return jn.LIF(tau_ms=8.0, dt_ms=1.0, threshold_mv=1.0, refractory_ms=2.0, **changes)


def network(neuron=lif, readout=True):
    leak = jn.LeakyReadout(tau_ms=6.0) if readout else None
    made = recurrent_network(
        neuron, False, INPUTS, UNITS, OUTPUTS, readout=leak, input_gain=5.0, recurrent_gain=2.0, key=jax.random.key(1)
    )
    return jax.tree.map(lambda leaf: leaf + 0.05 if leaf.ndim == 1 else leaf, made)


def sequence():
    generator = np.random.default_rng(3)
    real = jnp.result_type(float)
    inputs = jnp.asarray(generator.random((STEPS, INPUTS)) < 0.3, real)
    return inputs, jnp.asarray(generator.normal(size=(STEPS, OUTPUTS)), real)


def loss(output, target):
    return ((output - target) ** 2).sum()


def total(machine, inputs, targets):
    _, outputs = jn.run(machine, inputs, state=machine.init(KEY))
    return ((outputs - targets) ** 2).sum()


def same(found, expected, tolerance=1e-10):
    for name, value in expected.items():
        scale = float(np.abs(value).max()) or 1.0
        np.testing.assert_allclose(found[name], value, rtol=0, atol=tolerance * scale, err_msg=name)


def weights(machine):
    layer = machine.machines[1]
    path = layer.path.dense if isinstance(layer.path, Cut) else layer.path
    return {
        "in": machine.machines[0].weights,
        "in bias": machine.machines[0].bias,
        "recurrent": path.weights,
        "out": machine.machines[2].weights,
        "out bias": machine.machines[2].bias,
    }


@pytest.mark.parametrize("readout", [True, False])
@pytest.mark.parametrize("detach", [1.0, 0.0])
def test_it_is_backpropagation_through_everything_but_other_neurons(readout, detach, float64):
    made = network(lambda: lif(detach_reset=detach), readout)
    inputs, targets = sequence()
    value, gradient = jax.jit(lambda made: eprop(made, inputs, targets, loss, key=KEY))(made)
    cut = eqx.tree_at(lambda chain: chain.machines[1].path, made, Cut(made.machines[1].path))
    expected, by_cut = jax.value_and_grad(total)(cut, inputs, targets)
    assert float(value) == pytest.approx(float(expected), rel=1e-12)
    same(weights(gradient), weights(by_cut))
    # And it is not the whole gradient: spikes do reach the loss through other neurons.
    whole = weights(jax.grad(total)(made, inputs, targets))
    assert np.abs(whole["recurrent"] - weights(gradient)["recurrent"]).max() > 1e-3 * np.abs(whole["recurrent"]).max()
    same(
        {name: weights(gradient)[name] for name in ("out", "out bias")},
        {name: whole[name] for name in ("out", "out bias")},
    )


def test_with_the_total_learning_signal_it_is_backpropagation_through_time(float64):
    made = network()
    inputs, targets = sequence()
    layer = made.machines[1]

    def nudged(nudges):
        known = parts(made)
        currents = jax.vmap(known.incoming.respond)(inputs)
        path = jn.Chain(layer.path, Widened())
        body = jn.Feedback(Nudged(layer.machine), path, layer.initial)
        rest = jn.Chain(body, *made.machines[2:])
        _, outputs = jn.run(rest, jnp.concatenate([currents, nudges], 1), state=rest.init(KEY))
        return ((outputs - targets) ** 2).sum()

    signal = jax.grad(nudged)(jnp.zeros((STEPS, UNITS)))
    traces = eligibility_traces(made, inputs, key=KEY)
    summed = jnp.einsum("tj,tji->ji", signal, traces)
    expected = weights(jax.grad(total)(made, inputs, targets))
    found = {"in": summed[:, :INPUTS], "recurrent": summed[:, INPUTS:-1], "in bias": summed[:, -1]}
    same(found, {name: expected[name] for name in found})


class Widened(jn.Stateless):
    """A current beside which nothing is added to the outputs."""

    def respond(self, input):
        """`[I, 0]`."""
        return jnp.concatenate([input, jnp.zeros_like(input)])


def test_by_hand_for_a_leaky_neuron(float64):
    """Bellec et al. 2020, eqs. 22 and 23: the trace of an LIF neuron is its slope times the filtered input spikes."""
    made = network(lambda: jn.LIF(tau_ms=8.0, dt_ms=1.0, threshold_mv=1.0, refractory_ms=0.0))
    inputs, _ = sequence()
    traces = np.asarray(eligibility_traces(made, inputs, key=KEY))
    layer, known = made.machines[1], parts(made)
    neuron = layer.machine.machine
    decay = np.exp(-1 / 8)
    voltage, spikes = np.zeros(UNITS), np.asarray(layer.initial)
    vectors = np.zeros((UNITS, INPUTS + UNITS + 1))
    for step in range(STEPS):
        sources = np.concatenate([inputs[step], spikes, [1.0]])
        drive = np.asarray(known.incoming.weights) @ sources[:INPUTS] + np.asarray(known.incoming.bias)
        drive = drive + np.asarray(layer.path.weights) @ spikes
        before = decay * voltage + (1 - decay) * drive
        filtered = decay * vectors + (1 - decay) * sources[None]
        slope = 1 / (1 + 10 * np.abs(before - 1.0)) ** 2
        spikes = (before >= 1.0).astype(float)
        np.testing.assert_allclose(traces[step], slope[:, None] * filtered, atol=1e-12)
        # A reset to a voltage of its own makes the cell forget, and its vectors with it.
        vectors = np.where(spikes[:, None] > 0, 0.0, filtered)
        voltage = np.where(spikes > 0, 0.0, before)
    assert float(neuron.spike.slope) == 10
    assert np.abs(traces).max() > 0.1


def test_random_feedback_takes_the_place_of_the_readout():
    made = network()
    inputs, targets = sequence()
    feedback = jax.random.normal(jax.random.key(9), (UNITS, OUTPUTS))
    _, random = eprop(made, inputs, targets, loss, key=KEY, feedback=feedback)
    _, symmetric = eprop(made, inputs, targets, loss, key=KEY, feedback=made.machines[2].weights.T)
    _, default = eprop(made, inputs, targets, loss, key=KEY)
    same(weights(symmetric), weights(default), 1e-6)
    np.testing.assert_array_equal(random.machines[2].weights, default.machines[2].weights)
    assert np.abs(random.machines[1].path.weights - default.machines[1].path.weights).max() > 1e-3


def test_neurons_that_all_differ(float64):
    made = network()
    taus = jnp.linspace(4.0, 12.0, UNITS)
    various = jn.Population(jax.vmap(lambda tau: jn.LIF(tau_ms=tau, dt_ms=1.0, threshold_mv=1.0))(taus), UNITS)
    made = eqx.tree_at(lambda chain: chain.machines[1].machine, made, various)
    inputs, targets = sequence()
    _, gradient = eprop(made, inputs, targets, loss, key=KEY)
    cut = eqx.tree_at(lambda chain: chain.machines[1].path, made, Cut(made.machines[1].path))
    same(weights(gradient), weights(jax.grad(total)(cut, inputs, targets)))


def test_as_a_loss_it_goes_into_any_trainer():
    made = network()
    inputs, targets = sequence()

    def mean(made, sequences):
        one = lambda inputs: eprop_loss(made, inputs, targets, loss, key=KEY)  # noqa: E731
        return jax.vmap(one)(sequences).mean()

    sequences = jnp.stack([inputs, 1 - inputs])
    value, gradient = jax.jit(jax.value_and_grad(mean))(made, sequences)
    each = [eprop(made, one, targets, loss, key=KEY) for one in sequences]
    assert float(value) == pytest.approx(float(each[0][0] + each[1][0]) / 2, rel=1e-6)
    expected = jax.tree.map(lambda a, b: (a + b) / 2, weights(each[0][1]), weights(each[1][1]))
    same(weights(gradient), expected, 1e-5)


def test_memory_does_not_grow_with_time():
    made = network()

    def program(steps):
        inputs, targets = jnp.zeros((steps, INPUTS)), jnp.zeros((steps, OUTPUTS))
        lowered = jax.jit(lambda inputs, targets: eprop(made, inputs, targets, loss, key=KEY)).lower(inputs, targets)
        return lowered.compile().memory_analysis().temp_size_in_bytes

    assert program(4000) <= 1.05 * program(400)


def test_sources_without_a_bias():
    made = eqx.tree_at(lambda chain: chain.machines[0], network(), jn.Dense(INPUTS, UNITS, bias=False, key=KEY))
    assert begin(parts(made), KEY).vectors.shape[1:] == (UNITS, INPUTS + UNITS)
    _, gradient = eprop(made, *sequence(), loss, key=KEY)
    assert gradient.machines[0].bias is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda made: made.machines[0], "got Dense"),
        (lambda made: jn.Chain(*made.machines[:2]), "got Dense -> Feedback"),
        (lambda made: jn.Chain(made.machines[0], *made.machines[2:]), "Dense -> Dense -> Population"),
        (
            lambda made: eqx.tree_at(
                lambda chain: chain.machines[1].path, made, jn.Dense(UNITS, UNITS, key=KEY), is_leaf=lambda x: x is None
            ),
            "with a bias",
        ),
    ],
)
def test_another_network_is_refused(change, told):
    with pytest.raises(TypeError, match=told):
        eprop(change(network()), *sequence(), loss, key=KEY)
