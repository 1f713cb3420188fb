"""Machines as cells of Equinox, and its cells as machines: a scan over the cell must give what `run` gives."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxneuro as jn
from jaxneuro.interop.equinox import EquinoxCell, EquinoxMachine
from tests.interop.examples import KINDS, TIME, adam, sequences
from tests.laws.compare import assert_same

ULPS = 64


def scanned(cell, hidden, inputs):
    """What an Equinox user writes: the hidden states of all steps."""

    def step(hidden, input):
        hidden = cell(input, hidden)
        return hidden, hidden

    return jax.lax.scan(step, hidden, inputs)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_gives_what_run_gives(kind, key):
    cell, inputs = EquinoxCell(KINDS[kind](key)), sequences()[0]
    start = cell.init(key)
    final, outputs = jn.run(cell.machine, inputs, state=start)
    assert_same(eqx.filter_jit(scanned)(cell, start, inputs)[0], final, ULPS)
    hidden, told = start, []
    for input in inputs:
        output, hidden = eqx.filter_jit(cell.with_output)(input, hidden)
        told.append(output)
    assert_same(jnp.stack(told), outputs, ULPS)


def test_a_cell_takes_the_place_of_one_of_equinox(key):
    class Model(eqx.Module):
        cell: eqx.Module
        start: jax.Array | eqx.Module
        readout: eqx.nn.Linear

        def __call__(self, inputs):
            hidden, _ = scanned(self.cell, self.start, inputs)
            return self.readout(jax.tree.leaves(hidden)[0])

    gru, cell = eqx.nn.GRUCell(3, 4, key=key), EquinoxCell(jn.LSTM(3, 4, key=key))
    readout = eqx.nn.Linear(4, 2, key=key)
    for model in (Model(gru, jnp.zeros(4), readout), Model(cell, cell.init(key), readout)):
        optimizer = adam(5e-2)
        memory, losses = optimizer.init(eqx.filter(model, eqx.is_inexact_array)), []

        @eqx.filter_jit
        def train(model, memory, optimizer=optimizer):
            value, gradient = eqx.filter_value_and_grad(
                lambda model: jnp.mean((jax.vmap(model)(sequences()) - 1) ** 2)
            )(model)
            updates, memory = optimizer.update(gradient, memory)
            return eqx.apply_updates(model, updates), memory, value

        for _ in range(20):
            model, memory, value = train(model, memory)
            losses.append(value)
        assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("bias", [True, False])
def test_a_gru_of_equinox_runs_as_in_a_scan(bias, key):
    cell, start = eqx.nn.GRUCell(3, 4, use_bias=bias, key=key), jnp.full(4, 0.1)
    final, states = scanned(cell, start, sequences()[0])
    state, outputs = jn.run(EquinoxMachine(cell, start), sequences()[0])
    assert_same((state.hidden, outputs), (final, states), ULPS)


def test_an_lstm_of_equinox_runs_as_in_a_scan(key):
    cell, start = eqx.nn.LSTMCell(3, 4, key=key), (jnp.zeros(4), jnp.ones(4))
    final, (h, c) = scanned(cell, start, sequences()[0])
    assert_same(jn.run(EquinoxMachine(cell, start), sequences()[0])[1], h, ULPS)
    state, outputs = jn.run(EquinoxMachine(cell, start, read=lambda hidden: hidden[1]), sequences()[0])
    assert_same((state.hidden, outputs), (final, c), ULPS)


def test_it_stands_in_a_chain_is_trained_by_plain_optax_and_goes_back(key):
    first, second = jax.random.split(key)
    cell = EquinoxMachine(eqx.nn.GRUCell(3, 4, key=first), np.zeros(4, np.float32))
    machine, optimizer = jn.Chain(cell, jn.Dense(4, 1, key=second)), adam(3e-2)
    inputs = sequences() / 10

    def loss(machine):
        outputs = jax.vmap(lambda x: jn.run(machine, x)[1])(inputs)
        return jnp.mean((outputs - inputs.mean(-1, keepdims=True)) ** 2)

    @jax.jit
    def train(machine, memory):
        value, gradient = jax.value_and_grad(loss)(machine)
        updates, memory = optimizer.update(gradient, memory)
        return optax.apply_updates(machine, updates), memory, value

    memory, losses = optimizer.init(machine), []
    for _ in range(20):
        machine, memory, value = train(machine, memory)
        losses.append(value)
    assert losses[-1] < 0.5 * losses[0]
    trained = machine.machines[0]
    assert isinstance(trained.cell, eqx.nn.GRUCell)
    assert not np.array_equal(trained.cell.weight_ih, cell.cell.weight_ih)
    assert_same(scanned(trained.cell, trained.initial, inputs[0])[1], jn.run(trained, inputs[0])[1], ULPS)


class Leaky(eqx.Module):
    """A module with leaves that are no arrays: a number and a function."""

    layer: eqx.nn.Linear
    activation: jax.custom_jvp | object
    rate: float

    def __call__(self, input, hidden):
        return (1 - self.rate) * hidden + self.rate * self.activation(self.layer(input))


def test_any_module_in_this_order_is_a_cell(key):
    cell = Leaky(eqx.nn.Linear(3, 2, key=key), jnp.tanh, 0.25)
    machine = EquinoxMachine(cell, jnp.zeros(2))
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(machine))
    assert_same(jn.run(machine, sequences()[0])[1], scanned(cell, jnp.zeros(2), sequences()[0])[1], ULPS)


def test_a_machine_that_was_a_cell_is_the_machine(key):
    lstm = jn.LSTM(3, 4, key=key)
    machine = EquinoxMachine(EquinoxCell(lstm), lstm.init(key))
    assert_same(jn.run(machine, sequences()[0])[1], jn.run(lstm, sequences()[0])[1], ULPS)


def test_a_machine_of_scalars_is_told_how_to_become_one_of_vectors():
    cell = EquinoxCell(jn.LIF())
    with pytest.raises(ValueError, match=r"EquinoxCell\(LIF\) got inputs of shape \(3,\).*stack\(machine, 3\), 3\)"):
        cell(jnp.ones(3), cell.init(jax.random.key(0)))


def test_inputs_that_do_not_fit_are_refused(key):
    cell = EquinoxCell(jn.LSTM(3, 4, key=key))
    with pytest.raises(ValueError, match=r"shape \(5, 3\); it must be one input.*jax.vmap\(cell\)"):
        cell(jnp.ones((5, 3)), cell.init(key))
    with pytest.raises(ValueError, match=r"EquinoxCell\(LSTM\) got inputs of shape \(5,\)"):
        cell(jnp.ones(5), cell.init(key))


def test_a_cell_with_another_hidden_state_is_refused(key):
    lstm, gru = eqx.nn.LSTMCell(3, 4, key=key), eqx.nn.GRUCell(3, 4, key=key)
    with pytest.raises(ValueError, match=r"EquinoxMachine\(LSTMCell\).*hidden state of shape \(4,\).*\(zeros, zeros\)"):
        jn.run(EquinoxMachine(lstm, jnp.zeros(4)), jnp.ones((TIME, 3)))
    with pytest.raises(ValueError, match=r"EquinoxMachine\(GRUCell\).*\(7,\)"):
        jn.run(EquinoxMachine(gru, jnp.zeros(7)), jnp.ones((TIME, 3)))
    with pytest.raises(ValueError, match="which cannot be called"):
        EquinoxMachine(jn.LSTM(3, 4, key=key), jnp.zeros(4))
