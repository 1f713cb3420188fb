"""Active dendrites beside plain loops, their gradients beside finite differences, their sparsity beside counts."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

import jaxneuro as jn

INPUTS, UNITS, CONTEXT, SEGMENTS, WINNERS = 7, 6, 4, 3, 2


def layer(key, **changes):
    settings = {"segments": SEGMENTS, "activation": jn.htm.KWinners(UNITS, WINNERS, boost=0.0), **changes}
    return jn.htm.ActiveDendrites(INPUTS, UNITS, context=CONTEXT, **settings, key=key)


def by_hand(machine, input, context, gate="absolute"):
    """The scaled responses, neuron by neuron and segment by segment, and the winners' values."""
    responses = []
    for unit in range(UNITS):
        total = float(machine.bias[unit])
        for number in range(INPUTS):
            if machine.connected[unit, number]:
                total += float(machine.weights[unit, number]) * float(input[number])
        best = None
        for segment in np.asarray(machine.dendrites[unit]):
            activity = sum(float(w) * float(c) for w, c in zip(segment, context, strict=True))
            judge = abs if gate == "absolute" else float
            if best is None or judge(activity) > judge(best):
                best = activity
        responses.append(total / (1 + np.exp(-best)))
    order = np.argsort(responses)[::-1][:WINNERS]
    return np.array([value if unit in order else 0 for unit, value in enumerate(responses)])


@pytest.mark.parametrize("gate", ["absolute", "largest"])
def test_it_does_what_plain_loops_do(gate, key, float64):
    machine = layer(key, gate=gate)
    inputs, contexts = jax.random.normal(key, (20, INPUTS)), jax.random.normal(key, (20, CONTEXT))
    _, outputs = jn.run(machine, jn.htm.Contextual(inputs, contexts))
    expected = [by_hand(machine, *pair, gate) for pair in zip(inputs, contexts, strict=True)]
    np.testing.assert_allclose(outputs, expected, rtol=1e-12, atol=1e-14)
    other = jn.run(
        layer(key, gate="largest" if gate == "absolute" else "absolute"), jn.htm.Contextual(inputs, contexts)
    )
    assert np.abs(np.asarray(other[1]) - outputs).max() > 0.01


def test_gradients_are_those_of_finite_differences_in_weights_segments_and_context(key, float64):
    machine = layer(key)
    point = jax.random.normal(key, (INPUTS,)), jax.random.normal(jax.random.fold_in(key, 1), (CONTEXT,))

    def respond(machine, input, context):
        return machine.step(machine.init(key), jn.htm.Contextual(input, context))[1]

    varied, fixed = eqx.partition(machine, eqx.is_inexact_array)
    of_floats = jax.jit(lambda varied, *point: respond(eqx.combine(varied, fixed), *point))
    check_grads(of_floats, (varied, *point), order=1, atol=1e-6, rtol=1e-5)


def test_only_the_chosen_segment_of_a_winner_learns_and_missing_connections_never(key):
    machine = layer(key)
    input, context = jax.random.normal(key, (INPUTS,)), jax.random.normal(key, (CONTEXT,))

    @jax.jit
    @jax.grad
    def slope(trained):
        changed = eqx.tree_at(lambda machine: (machine.weights, machine.dendrites), machine, trained)
        return changed.step(changed.init(key), jn.htm.Contextual(input, context))[1].sum()

    weights, dendrites = slope((machine.weights, machine.dendrites))
    activity = np.asarray(machine.dendrites @ context)
    output = machine.step(machine.init(key), jn.htm.Contextual(input, context))[1]
    expected = np.zeros((UNITS, SEGMENTS), bool)
    for unit in np.flatnonzero(output):
        expected[unit, np.abs(activity[unit]).argmax()] = True
    np.testing.assert_array_equal(np.abs(dendrites).max(axis=-1) > 0, expected)
    assert not np.asarray(weights)[~np.asarray(machine.connected)].any()
    assert np.asarray(weights).any()


@pytest.mark.parametrize(("sparsity", "kept"), [(0.0, 40), (0.5, 20), (0.9, 4), (0.999, 1)])
def test_every_neuron_lacks_the_same_share_of_its_connections(sparsity, kept, key):
    machine = jn.htm.ActiveDendrites(
        40, 300, context=2, segments=1, activation=jn.htm.KWinners(300, 9), weight_sparsity=sparsity, key=key
    )
    connected = np.asarray(machine.connected)
    np.testing.assert_array_equal(connected.sum(axis=1), kept)
    np.testing.assert_array_equal(np.asarray(machine.weights) != 0, connected)
    # Every input is as likely as any other.
    expected = 300 * kept / 40
    assert np.abs(connected.sum(axis=0) - expected).max() < 5 * max(1, (expected * (1 - kept / 40)) ** 0.5)


@pytest.mark.parametrize(("sparsity", "density"), [(0.0, 1.0), (0.5, 1.0), (0.5, 0.1)])
def test_responses_have_a_third_of_the_variance_of_inputs_whatever_is_missing(sparsity, density, key):
    machine = jn.htm.ActiveDendrites(
        200,
        400,
        context=1,
        segments=0,
        activation=jn.Population(jn.Rate(), 400, shared=True),
        weight_sparsity=sparsity,
        input_density=density,
        key=key,
    )
    draw = np.random.default_rng(0)
    inputs = jnp.asarray(draw.normal(size=(100, 200)) * (draw.random((100, 200)) < density), jnp.float32)
    responses = inputs @ machine.weights.T
    assert float(responses.var()) == pytest.approx(1 / 3, rel=0.1)


def test_without_segments_the_context_does_not_matter(key):
    machine = layer(key, segments=0)
    assert machine.dendrites is None
    input = jax.random.normal(key, (INPUTS,))
    first, second = (
        machine.step(machine.init(key), jn.htm.Contextual(input, context))[1]
        for context in (jnp.zeros(CONTEXT), jnp.full(CONTEXT, 9.0))
    )
    np.testing.assert_array_equal(first, second)


def test_the_state_is_that_of_the_activation(key):
    boosted = layer(key, activation=jn.htm.KWinners(UNITS, WINNERS, period_steps=3.0))
    contextual = jn.htm.Contextual(jax.random.normal(key, (30, INPUTS)), jnp.ones((30, CONTEXT)))
    state, outputs = jn.run(boosted, contextual)
    duty = np.full(UNITS, WINNERS / UNITS)
    for output in np.asarray(outputs):
        duty += ((output != 0) - duty) / 3
    np.testing.assert_allclose(state.duty, duty, rtol=1e-5)
    assert np.ptp(duty) > 0.1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"segments": -1}, "segments=-1"),
        ({"weight_sparsity": 1.0}, "weight_sparsity=1"),
        ({"input_density": 0.0}, "input_density=0"),
        ({"gate": "softest"}, "gate='softest'; it must be 'absolute' or 'largest'"),
    ],
)
def test_impossible_settings_are_refused(changes, message, key):
    with pytest.raises(ValueError, match=message):
        layer(key, **changes)
