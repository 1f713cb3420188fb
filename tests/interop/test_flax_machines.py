"""The cells of Flax as machines: `run` must give what Flax's own RNN layers give."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen, nnx
from flax.core import freeze

import jaxneuro as jn
from jaxneuro.interop.flax import LinenMachine, NNXCell, NNXMachine
from tests.interop.examples import BATCH, TIME, adam, expected
from tests.laws.compare import assert_same, first

ULPS = 64
NNX_CELLS = (nnx.LSTMCell, nnx.OptimizedLSTMCell, nnx.GRUCell, nnx.SimpleCell)
LINEN_CELLS = (linen.LSTMCell, linen.OptimizedLSTMCell, linen.GRUCell, linen.MGUCell, linen.SimpleCell)


def sequences():
    return jnp.asarray(np.random.default_rng(0).normal(size=(BATCH, TIME, 3)), jnp.float32)


def layer_and_variables(cell, key):
    layer = linen.RNN(cell)
    return layer, jax.jit(layer.init)(key, sequences())


@pytest.mark.parametrize("kind", NNX_CELLS)
def test_an_nnx_cell_runs_as_in_its_own_layer(kind, key):
    cell = kind(3, 4, rngs=nnx.Rngs(0))
    carry, outputs = nnx.RNN(cell, return_carry=True)(sequences())
    state, given = expected(NNXMachine(cell), sequences(), key)
    assert_same((state.carry, given), (carry, outputs), ULPS)


@pytest.mark.parametrize("kind", LINEN_CELLS)
def test_a_linen_cell_runs_as_in_its_own_layer(kind, key):
    layer, variables = layer_and_variables(kind(4), key)
    carry, outputs = layer.apply(variables, sequences(), return_carry=True)
    state, given = expected(LinenMachine(layer.cell, {"params": variables["params"]["cell"]}), sequences(), key)
    assert_same((state.carry, given), (carry, outputs), ULPS)


def test_a_cell_of_images_runs_when_it_is_told_their_shape(key):
    images = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3, 4, 4, 2)), jnp.float32)
    layer = linen.RNN(linen.ConvLSTMCell(2, (2, 2)))
    variables = jax.jit(layer.init)(key, images)
    machine = LinenMachine(layer.cell, {"params": variables["params"]["cell"]}, input_shape=(4, 4, 2))
    assert_same(expected(machine, images, key)[1], jax.jit(layer.apply)(variables, images), ULPS)


def test_gradients_are_those_of_flax(key):
    layer, variables = layer_and_variables(linen.GRUCell(4), key)
    machine = LinenMachine(layer.cell, {"params": variables["params"]["cell"]})
    ours = jax.jit(jax.grad(lambda machine: jnp.sum(expected(machine, sequences(), key)[1] ** 2)))(machine)
    theirs = jax.jit(jax.grad(lambda variables: jnp.sum(layer.apply(variables, sequences()) ** 2)))(variables)
    assert_same(ours.parameters, theirs["params"]["cell"], ULPS)


def trained(machine, key):
    """The machine after twenty steps of plain optax, and the losses."""
    optimizer, target = adam(3e-2), sequences().mean(-1, keepdims=True)

    @jax.jit
    def train(machine, memory):
        value, gradient = jax.value_and_grad(
            lambda machine: jnp.mean((expected(machine, sequences(), key)[1] - target) ** 2)
        )(machine)
        updates, memory = optimizer.update(gradient, memory)
        return optax.apply_updates(machine, updates), memory, value

    memory, losses = optimizer.init(machine), []
    for _ in range(20):
        machine, memory, value = train(machine, memory)
        losses.append(value)
    return machine, losses


def test_an_nnx_cell_is_trained_by_plain_optax_and_goes_back(key):
    machine, losses = trained(NNXMachine(nnx.GRUCell(3, 4, rngs=nnx.Rngs(0))), key)
    assert losses[-1] < 0.7 * losses[0]
    assert_same(nnx.RNN(machine.cell)(sequences()), expected(machine, sequences(), key)[1], ULPS)


def test_a_linen_cell_is_trained_by_plain_optax_and_goes_back(key):
    layer, variables = layer_and_variables(linen.GRUCell(4), key)
    machine, losses = trained(LinenMachine(layer.cell, freeze({"params": variables["params"]["cell"]})), key)
    assert losses[-1] < 0.7 * losses[0]
    variables = {"params": {"cell": machine.variables["params"]}}
    assert_same(layer.apply(variables, sequences()), expected(machine, sequences(), key)[1], ULPS)


def test_the_parameters_are_those_of_the_cell(key):
    machine = NNXMachine(nnx.GRUCell(3, 4, rngs=nnx.Rngs(0)))
    assert jax.tree.map(jnp.shape, machine.parameters) == {
        "dense_h": {"kernel": (4, 12)},
        "dense_i": {"kernel": (3, 12), "bias": (12,)},
    }
    assert jn.count_parameters(machine) == 4 * 12 + 3 * 12 + 12


class Dropped(nnx.RNNCellBase):
    num_feature_axes = 1

    def __init__(self, rngs):
        self.dropout, self.cell = nnx.Dropout(0.5, rngs=rngs), nnx.GRUCell(3, 4, rngs=rngs)

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        return self.cell.initialize_carry(input_shape, rngs, carry_init)

    def __call__(self, carry, inputs):
        return self.cell(carry, self.dropout(inputs))


def test_the_random_numbers_of_an_nnx_cell_are_in_the_state():
    inputs, cell = jnp.ones((TIME, 3)), Dropped(nnx.Rngs(0))
    machine = NNXMachine(cell)
    final, outputs = jn.run(machine, inputs)
    middle, _ = jn.run(machine, first(inputs, 4))
    assert final.mutable["dropout"]["rngs"]["count"] == TIME
    assert middle.mutable["dropout"]["rngs"]["count"] == 4
    assert_same(jn.run(machine, inputs[4:], state=middle)[1], outputs[4:], ULPS)
    assert cell.dropout.rngs.count[...] == 0
    # Flax itself draws the same numbers.
    carry = cell.initialize_carry((3,), nnx.Rngs(0))
    for output in outputs:
        carry, y = cell(carry, inputs[0])
        assert_same(output, y, ULPS)


class Counting(linen.RNNCellBase):
    num_feature_axes = 1

    @linen.nowrap
    def initialize_carry(self, rng, input_shape):
        return jnp.zeros(input_shape)

    @linen.compact
    def __call__(self, carry, inputs):
        count = self.variable("counts", "calls", lambda: jnp.asarray(0))
        count.value += 1
        carry = carry + self.param("gain", linen.initializers.ones, (), jnp.float32) * inputs
        return carry, carry * count.value.astype(carry.dtype)


def test_the_collections_that_a_linen_cell_changes_are_in_the_state():
    variables = {"params": {"gain": jnp.asarray(2.0)}, "counts": {"calls": np.asarray(3)}}
    machine = LinenMachine(Counting(), variables, input_shape=(2,))
    state, outputs = jn.run(machine, jnp.ones((4, 2)))
    assert state.mutable["counts"]["calls"] == 7
    np.testing.assert_array_equal(outputs[:, 0], [2 * 4, 4 * 5, 6 * 6, 8 * 7])
    assert machine.variables["counts"]["calls"] == 3


def test_a_machine_that_was_a_cell_is_the_machine(key):
    lstm = jn.LSTM(3, 4, key=key)
    assert_same(expected(NNXMachine(NNXCell(lstm)), sequences(), key)[1], expected(lstm, sequences(), key)[1], ULPS)


def test_a_cell_of_fixed_precision_is_refused_with_another(key):
    machine = NNXMachine(nnx.SimpleCell(3, 4, rngs=nnx.Rngs(0)))  # its dtype is float32 unless it is told
    with pytest.raises(ValueError, match=r"NNXMachine\(SimpleCell\).*dtype=float32 is fixed \(None follows"):
        jn.run(jn.cast(machine, jnp.bfloat16), sequences()[0].astype(jnp.bfloat16))
    free = NNXMachine(nnx.SimpleCell(3, 4, dtype=None, rngs=nnx.Rngs(0)))
    _, outputs = jn.run(jn.cast(free, jnp.bfloat16), sequences()[0].astype(jnp.bfloat16))
    assert outputs.dtype == jnp.bfloat16


def test_what_is_not_a_cell_is_refused(key):
    layer, variables = layer_and_variables(linen.GRUCell(4), key)
    with pytest.raises(ValueError, match=r"LinenMachine got a RNN; .*an linen.RNNCellBase.*Give the cell that it runs"):
        LinenMachine(layer, variables)
    with pytest.raises(ValueError, match=r"NNXMachine got a Linear; it must be an nnx.RNNCellBase"):
        NNXMachine(nnx.Linear(3, 4, rngs=nnx.Rngs(0)))
    with pytest.raises(ValueError, match=r'variables with hf, .*there must be "params".*\["cell"\]'):
        LinenMachine(linen.LSTMCell(4), layer_and_variables(linen.LSTMCell(4), key)[1]["params"]["cell"])


def test_a_shape_that_is_needed_is_asked_for(key):
    with pytest.raises(ValueError, match=r"input_shape=None for a ConvLSTMCell.*3 axes.*input_shape=\(8, 8, 3\)"):
        LinenMachine(linen.ConvLSTMCell(2, (3, 3)), {"params": {}})
    with pytest.raises(ValueError, match=r"input_shape=\(2, 3\) for a GRUCell"):
        NNXMachine(nnx.GRUCell(3, 4, rngs=nnx.Rngs(0)), input_shape=(2, 3))


def test_inputs_that_do_not_fit_are_refused(key):
    machine = NNXMachine(nnx.GRUCell(3, 4, rngs=nnx.Rngs(0)))
    with pytest.raises(ValueError, match=r"NNXMachine\(GRUCell\) got an input of shape \(5,\).*cannot take"):
        jn.run(machine, jnp.ones((TIME, 5)))
    with pytest.raises(ValueError, match=r"got an input of shape \(2, 3\).*There must be no batch axis"):
        jn.run(machine, jnp.ones((TIME, 2, 3)))
