"""The layer that any task can be put to, against loops over its neurons that know nothing of its parts."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.networks import ArcLayer

INPUTS, UNITS, STEPS, ADDRESS, CAPACITY = 3, 5, 12, 2, 2


def sigmoid(value):
    return 1 / (1 + np.exp(-value))


def lively(layer, key):
    """The layer with other numbers than those at birth, so that its packets say something."""
    keys = iter(jax.random.split(key, 100))

    def other(path, leaf):
        names = ("weights", "bias", "gain", "threshold", "memory")
        changed = jax.tree_util.keystr(path).endswith(names)
        return leaf + 0.5 * jax.random.normal(next(keys), leaf.shape, leaf.dtype) if changed else leaf

    return jax.tree_util.tree_map_with_path(other, layer)


def looped(layer, inputs):
    """What the neurons put out, written with loops from the equations of the conversation and of the neuron."""
    conversation = layer.neurons
    genome = conversation.genome
    w, u, b = map(np.asarray, (layer.input_weights, layer.recurrent_weights, layer.bias))
    program = np.stack([conversation.machine.gain, conversation.machine.threshold, conversation.machine.memory], 1)
    limits = np.asarray([4.0, 4.0, 6.0])
    thresholds = [
        float(part)
        for part in (
            conversation.expression_threshold,
            conversation.export_threshold,
            conversation.translation_threshold,
        )
    ]
    y, arc, calcium = np.zeros((3, UNITS))
    mail = [[] for _ in range(UNITS)]
    keep, outputs = np.exp(-1 / 4), []
    for x in np.asarray(inputs):
        drive = w @ x + u @ y + b
        share = sigmoid(program[:, 2])
        y = share * y + (1 - share) * np.tanh(program[:, 0] * (drive - program[:, 1]))
        outputs.append(y)
        arc = keep * arc + (1 - keep) * sigmoid(calcium**2 - thresholds[0])
        calcium = keep * calcium + y**3
        said = []
        for i in range(UNITS):
            hidden = np.tanh(genome.inner_weights @ np.asarray([arc[i], y[i], calcium[i] / 2]) + genome.inner_bias)
            parts = np.asarray(genome.outer_weights @ hidden + genome.outer_bias)
            logits = parts[2 * ADDRESS : 2 * ADDRESS + 8]
            shares = np.exp(logits - logits.max())
            said.append((parts[:ADDRESS], parts[ADDRESS : 2 * ADDRESS], shares / shares.sum(), parts[-3:], program[i]))
        sent = []
        for i in range(UNITS):
            others = [j for j in range(UNITS) if j != i]
            scores = np.asarray([said[i][1] @ said[j][0] / ADDRESS**0.5 for j in others])
            heard = np.exp(scores - scores.max())
            heard = heard / heard.sum() * sigmoid(10 * (arc[others] - thresholds[1]))
            first = np.argsort(-heard, kind="stable")[:CAPACITY]
            sent.append([(heard[place], *said[others[place]][2:]) for place in first])
        changed = program.copy()
        for i in range(UNITS):
            opened = sigmoid(10 * (y[i] ** 2 - thresholds[2]))
            for weight, shares, payload, senders in mail[i]:
                changed[i] = changed[i] + opened * weight * executed(program[i], shares, payload, senders)
        program, mail = np.clip(changed, -limits, limits), sent
    return np.asarray(outputs)


def executed(program, shares, payload, senders):
    """What a packet changes: NOP, ADD, SCALE, SET, ROTATE, COPY; the last two instructions want synapses."""
    _, add, scale, replace, rotate, copy, _, _ = shares
    rotor = 1 + payload[0] + 1j * payload[1]
    turned = rotor / abs(rotor) * (program[0] + 1j * program[1])
    change = add * payload + scale * payload * program + replace * (payload - program) + copy * (senders - program)
    return change + rotate * np.asarray([turned.real - program[0], turned.imag - program[1], 0])


def test_it_does_what_loops_over_its_equations_do(key, float64):
    layer = lively(ArcLayer(INPUTS, UNITS, address=ADDRESS, capacity=CAPACITY, key=key), jax.random.key(1))
    layer = jn.cast(layer, jnp.float64)
    inputs = jax.random.normal(jax.random.key(2), (STEPS, INPUTS), jnp.float64)
    state, found = jn.run(layer, inputs)
    np.testing.assert_allclose(found, looped(layer, inputs), rtol=1e-10, atol=1e-12)
    start = jnp.stack([layer.neurons.machine.gain, layer.neurons.machine.threshold, layer.neurons.machine.memory])
    assert np.abs(jnp.stack(state.neurons.programs) - start).max() > 0.1, "packets changed programs"


def test_without_packets_it_is_a_leaky_recurrent_network(key):
    layer = lively(ArcLayer(INPUTS, UNITS, packets="none", key=key), jax.random.key(1))
    into = eqx.tree_at(
        lambda dense: (dense.weights, dense.bias), jn.Dense(INPUTS, UNITS, key=key), (layer.input_weights, layer.bias)
    )
    back = eqx.tree_at(
        lambda dense: dense.weights, jn.Dense(UNITS, UNITS, bias=False, key=key), layer.recurrent_weights
    )
    network = jn.Chain(into, jn.Feedback(layer.neurons, back, jnp.zeros(UNITS)))
    inputs = jax.random.normal(jax.random.key(2), (STEPS, INPUTS))
    np.testing.assert_allclose(jn.run(layer, inputs)[1], jn.run(network, inputs)[1], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("packets", ["instructions", "numbers"])
def test_where_nothing_is_exported_no_bit_differs_from_neurons_without_packets(packets, key):
    layer = ArcLayer(INPUTS, UNITS, packets=packets, key=key)
    mute = eqx.tree_at(lambda layer: layer.neurons.export_threshold, layer, jnp.asarray(jnp.inf))
    silent = ArcLayer(INPUTS, UNITS, packets="none", key=key)
    inputs = jax.random.normal(jax.random.key(2), (STEPS, INPUTS))
    np.testing.assert_array_equal(jn.run(mute, inputs)[1], jn.run(silent, inputs)[1])
    assert np.abs(jn.run(layer, inputs)[1] - jn.run(silent, inputs)[1]).max() > 1e-4


def test_instructions_change_programs_and_numbers_change_none(key):
    inputs = jax.random.normal(jax.random.key(2), (STEPS, INPUTS))
    changed = {}
    for packets in ("instructions", "numbers"):
        layer = lively(ArcLayer(INPUTS, UNITS, packets=packets, key=key), jax.random.key(1))
        state, _ = jn.run(layer, inputs)
        born = [layer.neurons.machine.gain, layer.neurons.machine.threshold, layer.neurons.machine.memory]
        changed[packets] = max(
            float(abs(now - then).max()) for now, then in zip(state.neurons.programs, born, strict=True)
        )
    assert changed["numbers"] == 0
    assert changed["instructions"] > 0.01


def test_gradients_reach_weights_genome_and_programs(key):
    layer = lively(ArcLayer(INPUTS, UNITS, key=key), jax.random.key(1))
    inputs = jax.random.normal(jax.random.key(2), (STEPS, INPUTS))
    slopes = jax.grad(lambda layer: (jn.run(layer, inputs)[1] ** 2).mean())(layer)
    genome, neuron = slopes.neurons.genome, slopes.neurons.machine
    for part in (slopes.input_weights, slopes.recurrent_weights, genome.inner_weights, genome.outer_bias):
        assert float(abs(part).max()) > 1e-6
    for part in (neuron.gain, neuron.threshold, neuron.memory, slopes.neurons.export_threshold):
        assert float(abs(part).max()) > 1e-6


def test_a_layer_without_neurons_is_refused(key):
    with pytest.raises(ValueError, match="units=0"):
        ArcLayer(INPUTS, 0, key=key)
