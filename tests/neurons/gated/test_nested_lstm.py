"""The Nested LSTM against its equations, written out, and against the LSTM that it becomes around a sum."""

from typing import Annotated

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

import jaxneuro as jn
from jaxneuro.launch.config import ConfigPart, load
from jaxneuro.launch.kinds import Kind, MachineSpec, build
from jaxneuro.launch.reading import read_text
from tests.neurons.gated.by_hand import STEPS, as_machine, drawn, rows, sigmoid
from tests.neurons.gated.recorded import whole

NestedLSTM, LSTM, GRU = jn.gated.NestedLSTM, jn.LSTM, jn.gated.GRU
INPUTS, UNITS = 3, 4


class Layer(ConfigPart):
    neuron: Annotated[MachineSpec, Kind(supplied=("inputs", "units"))]


class SumState(eqx.Module):
    hidden: Float[Array, "units"]


class Sum(jn.StateMachine[SumState, Float[Array, "units"], Float[Array, "units"]]):
    """What the cell of an LSTM does: `h <- h + x`."""

    size: int = eqx.field(static=True)

    def init(self, key):
        return SumState(jnp.zeros(self.size))

    def step(self, state, input):
        total = state.hidden + input
        return SumState(total), total


class Wide(Sum):
    """A machine with another output than its `hidden`."""

    def step(self, state, input):
        return state, jnp.concatenate([input, input])


def of_depth(depth, key, inputs=INPUTS, units=UNITS, **arguments):
    outer, inner = jax.random.split(key)
    if depth == 1:
        return LSTM(inputs, units, key=key)
    return NestedLSTM(inputs, units, of_depth(depth - 1, inner, units, units, **arguments), key=outer, **arguments)


def around_gru(key):
    return NestedLSTM(INPUTS, UNITS, GRU(UNITS, UNITS, key=key), candidate="tanh", key=key)


def lstm_step(machine, memory, x, h):
    """The equations of the inner or the outer LSTM; `memory` is its list of c, its own first and the innermost last."""
    w, u, b = (rows(m, UNITS) for m in (machine.input_weights, machine.recurrent_weights, machine.bias))
    i, f, g, o = (w[k] @ x + u[k] @ h + b[k] for k in range(4))
    if not isinstance(machine, NestedLSTM):
        memory = [sigmoid(f) * memory[0] + sigmoid(i) * np.tanh(g)]
    else:
        g = np.tanh(g) if machine.candidate == "tanh" else g
        cell, deeper = inner_step(machine.inner, memory[1:], sigmoid(i) * g, sigmoid(f) * memory[0])
        memory = [cell, *deeper]
    return sigmoid(o) * np.tanh(memory[0]), memory


def inner_step(machine, memory, x, h):
    if not isinstance(machine, GRU):
        return lstm_step(machine, memory, x, h)
    w, u, b = (rows(m, UNITS) for m in (machine.input_weights, machine.recurrent_weights, machine.bias))
    r, z = (sigmoid(w[k] @ x + u[k] @ h + b[k]) for k in (0, 1))
    candidate = np.tanh(w[2] @ x + u[2] @ (r * h) + b[2])
    return z * h + (1 - z) * candidate, memory


def all_parts(state):
    """The output, every cell, and what the innermost machine keeps besides."""
    parts = []
    while True:
        parts.append(state.hidden)
        if not hasattr(state, "inner"):
            return [*parts, state.cell] if hasattr(state, "cell") else parts
        state = state.inner


@pytest.mark.parametrize(
    "make",
    [
        lambda key: of_depth(2, key),
        lambda key: of_depth(2, key, candidate="tanh"),
        lambda key: of_depth(3, key),
        around_gru,
    ],
    ids=["depth 2", "depth 2 tanh", "depth 3", "around GRU"],
)
def test_follows_the_equations_of_the_paper(make):
    generator = np.random.default_rng(1)
    exact = drawn(make(jax.random.key(0)), generator)
    sequence = generator.normal(size=(STEPS, INPUTS))
    hidden, memory, expected = np.zeros(UNITS), [np.zeros(UNITS)] * 4, []
    for x in sequence:
        hidden, memory = lstm_step(exact, memory, x, hidden)
        expected.append([hidden, *memory])
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-12)):
        with jax.enable_x64(dtype == "float64"):
            _, outputs, states = jn.run(as_machine(exact, dtype), jnp.asarray(sequence, dtype), observe=whole)
            found = [outputs, *all_parts(states)[1:]]
            assert len(found) >= 2
            for number, ours in enumerate(found):
                assert ours.dtype == dtype
                np.testing.assert_allclose(ours, np.stack([step[number] for step in expected]), rtol=0, atol=tolerance)


def test_around_a_sum_is_an_lstm(key):
    lstm = LSTM(INPUTS, UNITS, key=key)
    nested = NestedLSTM(INPUTS, UNITS, Sum(UNITS), candidate="tanh", key=jax.random.key(1))
    nested = with_weights(nested, lstm)
    sequence = jax.random.normal(jax.random.key(2), (20, INPUTS))
    (state, outputs), (expected_state, expected) = jn.run(nested, sequence), jn.run(lstm, sequence)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(state.inner.hidden, expected_state.cell, rtol=0, atol=1e-6)


def with_weights(nested, lstm):
    """The Nested LSTM with the weights of an LSTM."""
    return eqx.tree_at(
        lambda m: (m.input_weights, m.recurrent_weights, m.bias),
        nested,
        (lstm.input_weights, lstm.recurrent_weights, lstm.bias),
    )


@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 4), (49, 100)])
def test_every_further_depth_adds_an_lstm_of_parameters(depth, inputs, units):
    machine = jax.eval_shape(lambda key: of_depth(depth, key, inputs, units), jax.random.key(0))
    expected = 4 * units * (inputs + units + 1) + (depth - 1) * 4 * units * (2 * units + 1)
    assert jn.count_parameters(machine) == expected


def test_starts_at_zero_by_remembering(key):
    machine = of_depth(3, key)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0, 1.0, 0.0, 0.0], UNITS))
    for gate in np.split(np.asarray(machine.recurrent_weights), 4):
        np.testing.assert_allclose(gate @ gate.T, np.eye(UNITS), atol=1e-5)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


@pytest.mark.parametrize("depth", [2, 3])
def test_a_config_builds_it_to_any_depth(depth, key):
    text = "{kind: LSTM}"
    for _ in range(depth - 1):
        text = f"{{kind: NestedLSTM, inner: {text}}}"
    spec = load(Layer, read_text(f"neuron: {text}", "x.yaml")).neuron
    machine = build(spec, key=key, inputs=INPUTS, units=UNITS)
    assert jax.tree.structure(machine) == jax.tree.structure(of_depth(depth, key))
    assert [leaf.shape for leaf in jax.tree.leaves(machine)] == [
        leaf.shape for leaf in jax.tree.leaves(of_depth(depth, key))
    ]
    assert jn.run(machine, jnp.ones((2, INPUTS)))[1].shape == (2, UNITS)


def test_a_config_chooses_the_candidate_and_another_inner_machine(key):
    text = "neuron: {kind: NestedLSTM, candidate: tanh, inner: {kind: GRU, reset_after: true}}"
    machine = build(load(Layer, read_text(text, "x.yaml")).neuron, key=key, inputs=INPUTS, units=UNITS)
    assert (machine.candidate, type(machine.inner)) == ("tanh", GRU)
    assert machine.inner.recurrent_bias.shape == (UNITS,)


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (lambda key: jn.Dense(4, 4, key=key), "inner=Dense, whose state has no field `hidden`"),
        (lambda key: LSTM(4, 5, key=key), r"inner=LSTM with hidden of shape \[5\]"),
        (lambda key: LSTM(3, 4, key=key), r"inner=LSTM, which takes no input of shape \[4\]"),
        (lambda key: Wide(4), "inner=Wide with another output than its hidden"),
    ],
)
def test_an_inner_machine_that_does_not_fit_is_refused_and_one_that_does_is_shown(inner, message, key):
    with pytest.raises(ValueError, match=message) as caught:
        NestedLSTM(INPUTS, 4, inner(key), key=key)
    assert "NestedLSTM(inputs, 4, LSTM(4, 4, key=...), key=...)" in str(caught.value)


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(ValueError, match=f"NestedLSTM got inputs={inputs}, units={units}; both must be at least 1"):
        NestedLSTM(inputs, units, LSTM(3, 3, key=key), key=key)
