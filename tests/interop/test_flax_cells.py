"""Machines as cells of Flax: its own RNN layers must give what `run` gives."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen, nnx

import jaxneuro as jn
from jaxneuro.interop.flax import Constant, LinenCell, NNXCell, machine_of
from tests.interop.examples import BATCH, KINDS, TIME, adam, expected, lifs, sequences
from tests.laws.compare import assert_same

ULPS = 64
every_kind = pytest.mark.parametrize("kind", KINDS)


def carry_key():
    """The key that `nnx.RNN` gives the cell: of its first use of a stream of that name."""
    return nnx.RngStream(0, tag="carry")()


def both(kind, inputs, key, **options):
    """The machine, and what Flax makes of it in both of its dialects, with the keys of the carries."""
    machine = KINDS[kind](key)
    cell = LinenCell(machine)
    layer = linen.RNN(cell, **options)
    variables = jax.jit(layer.init)(key, inputs)
    return machine, {
        "nnx": nnx.jit(lambda layer: layer(inputs))(nnx.RNN(NNXCell(machine), **options)),
        "linen": jax.jit(layer.apply)(variables, inputs),
    }


@every_kind
def test_the_layers_of_flax_give_what_run_gives(kind, key):
    inputs = sequences()
    machine, given = both(kind, inputs, key, return_carry=True)
    assert_same(given["nnx"], expected(machine, inputs, carry_key()), ULPS)
    assert_same(given["linen"], expected(machine, inputs, jax.random.key(0)), ULPS)


@every_kind
def test_a_machine_comes_back_as_it_went_in(kind, key):
    machine = KINDS[kind](key)
    cell, layer = NNXCell(machine), linen.RNN(LinenCell(machine))
    assert_same(machine_of(cell), machine)
    variables = jax.jit(layer.init)(key, sequences())
    assert_same(machine_of(layer.cell, variables["params"]["cell"]), machine)


@pytest.mark.parametrize("kind", ["GRU", "LIF population"])
def test_the_carry_of_a_padded_sequence_is_its_own_last_state(kind, key):
    inputs, lengths = sequences(), jnp.asarray([TIME, 1, 4, 2, TIME])
    machine, cell = KINDS[kind](key), LinenCell(KINDS[kind](key))
    layer = linen.RNN(cell, return_carry=True)
    given, _ = nnx.RNN(NNXCell(machine), return_carry=True)(inputs, seq_lengths=lengths)
    other, _ = layer.apply(layer.init(key, inputs), inputs, seq_lengths=lengths)
    for lane, length in enumerate(lengths):
        state, _ = jn.run(machine, inputs[lane, : int(length)])
        assert_same(jax.tree.map(lambda leaf, lane=lane: leaf[lane], given), state, ULPS)
        assert_same(jax.tree.map(lambda leaf, lane=lane: leaf[lane], other), state, ULPS)


def test_a_bidirectional_layer_takes_two_cells(key):
    inputs = sequences()
    forward, backward = jn.LSTM(3, 4, key=key), jn.gated.GRU(3, 2, key=key)
    layer = nnx.Bidirectional(nnx.RNN(NNXCell(forward)), nnx.RNN(NNXCell(backward)))
    (_, ahead), (_, behind) = expected(forward, inputs, key), expected(backward, inputs[:, ::-1], key)
    assert_same(layer(inputs), jnp.concatenate([ahead, behind[:, ::-1]], axis=-1), ULPS)


def test_only_floating_leaves_are_trained(key):
    cell = NNXCell(KINDS["noisy"](key))
    kinds = {name: type(variable) for name, variable in cell.parameters.items()}
    assert kinds == {"gain": nnx.Param, "choice": Constant, "seed": Constant}
    variables = LinenCell(KINDS["noisy"](key)).init(key, cell.initialize_carry((3,)), jnp.zeros(3))
    assert jax.tree.map(jnp.shape, variables) == {"params": {"gain": ()}}


def test_names_are_the_dotted_paths_of_the_leaves(key):
    cell = NNXCell(KINDS["chain"](key))
    assert set(nnx.state(cell, nnx.Param)["parameters"]) > {"machines.0.weights", "machines.1.machine.tau_ms"}


def test_the_elements_of_a_batch_draw_numbers_of_their_own(key):
    inputs = jnp.zeros((BATCH, TIME, 3))
    _, given = both("noisy", inputs, key)
    for outputs in given.values():
        assert len(np.unique(outputs)) == BATCH * TIME


def wanted(inputs):
    return jnp.stack([inputs.mean(-1), inputs[..., 0]], -1) / 10


def losses_of(loss, parameters):
    """Sixty steps of plain optax: what was learned, and the losses."""
    optimizer = adam(2e-2)

    @jax.jit
    def train(parameters, memory):
        value, gradient = jax.value_and_grad(loss)(parameters)
        updates, memory = optimizer.update(gradient, memory)
        return optax.apply_updates(parameters, updates), memory, value

    memory, losses = optimizer.init(parameters), []
    for _ in range(60):
        parameters, memory, value = train(parameters, memory)
        losses.append(value)
    return parameters, jnp.stack(losses)


def losses_by_run(machine, inputs, target, key):
    return losses_of(lambda machine: jnp.mean((expected(machine, inputs, key)[1] - target) ** 2), machine)


def test_nnx_trains_a_spiking_network_as_plain_optax_does_and_gives_it_back(key):
    inputs, target = sequences(), wanted(sequences())
    layer = nnx.RNN(NNXCell(KINDS["chain"](key)))
    optimizer = nnx.Optimizer(layer, adam(2e-2), wrt=nnx.Param)

    @nnx.jit
    def train(layer, optimizer):
        loss, gradient = nnx.value_and_grad(lambda layer: jnp.mean((layer(inputs) - target) ** 2))(layer)
        optimizer.update(layer, gradient)
        return loss

    losses = jnp.stack([train(layer, optimizer) for _ in range(60)])
    _, own = losses_by_run(KINDS["chain"](key), inputs, target, key)
    assert losses[-1] < 0.5 * losses[0]
    np.testing.assert_allclose(losses, own, rtol=1e-3)
    assert_same(layer(inputs), expected(machine_of(layer.cell), inputs, key)[1], ULPS)


def test_linen_trains_a_spiking_network_as_plain_optax_does_and_gives_it_back(key):
    inputs, target = sequences(), wanted(sequences())
    layer = linen.RNN(LinenCell(KINDS["chain"](key)))
    variables, losses = losses_of(
        lambda variables: jnp.mean((layer.apply(variables, inputs) - target) ** 2), jax.jit(layer.init)(key, inputs)
    )
    _, own = losses_by_run(KINDS["chain"](key), inputs, target, key)
    assert losses[-1] < 0.5 * losses[0]
    np.testing.assert_allclose(losses, own, rtol=1e-3)
    machine = machine_of(layer.cell, variables["params"]["cell"])
    assert_same(layer.apply(variables, inputs), expected(machine, inputs, key)[1], ULPS)


def test_a_state_starts_from_the_learned_parameters(key):
    layer = linen.RNN(LinenCell(lifs(3)))
    variables = layer.init(key, sequences())
    variables["params"]["cell"]["machine.rest_mv"] = jnp.asarray([1.0, 2.0, 3.0])
    started = layer.bind(variables).cell.initialize_carry(key, (BATCH, 3))
    np.testing.assert_array_equal(started.voltage_mv, np.tile([1.0, 2.0, 3.0], (BATCH, 1)))
    np.testing.assert_array_equal(layer.cell.initialize_carry(key, (BATCH, 3)).voltage_mv, 0)


@pytest.mark.parametrize("dtype", [jnp.float64, jnp.bfloat16])
@pytest.mark.parametrize("kind", ["GRU", "LIF population", "chain"])
@pytest.mark.usefixtures("float64")
def test_precision_is_that_of_the_machine(kind, dtype, key):
    machine, inputs = jn.cast(KINDS[kind](key), dtype), sequences(dtype)
    layer = linen.RNN(LinenCell(machine), return_carry=True)
    given = jax.eval_shape(lambda: nnx.RNN(NNXCell(machine), return_carry=True)(inputs))
    other = jax.eval_shape(lambda: layer.apply(layer.init(key, inputs), inputs))
    assert {leaf.dtype for leaf in jax.tree.leaves((given, other))} == {jnp.dtype(dtype)}


def test_parameters_that_were_cast_start_a_state_of_their_type(key):
    layer = linen.RNN(LinenCell(jn.LSTM(3, 4, key=key)))
    variables = jn.cast(layer.init(key, sequences()), jnp.bfloat16)
    assert layer.apply(variables, sequences(jnp.bfloat16)).dtype == jnp.bfloat16


@pytest.mark.parametrize("cell", [NNXCell, LinenCell])
@pytest.mark.parametrize("machine", [jn.LIF(), jn.LeakyReadout(), jn.Rate()])
def test_a_machine_of_scalars_is_told_how_to_become_one_of_vectors(cell, machine, key):
    cell = cell(machine)
    carry = (nnx.Rngs(0) if isinstance(cell, NNXCell) else key, (2, 3))
    state = cell.initialize_carry(*(carry[::-1] if isinstance(cell, NNXCell) else carry))
    call = cell if isinstance(cell, NNXCell) else lambda *args: cell.init(key, *args)
    said = rf"Cell\({type(machine).__name__}\) got inputs of shape \(2, 3\).*Population\(stack\(machine, 3\), 3\)"
    with pytest.raises(ValueError, match=said):
        call(state, jnp.ones((2, 3)))


@pytest.mark.parametrize(("shape", "batch"), [((2, 5), (2,)), ((3,), (2,)), ((4, 3), (2,)), ((2, 2, 3), (2,))], ids=str)
def test_inputs_that_do_not_fit_are_refused(shape, batch, key):
    cell = NNXCell(jn.LSTM(3, 4, key=key))
    with pytest.raises(ValueError, match=r"NNXCell\(LSTM\) got inputs of shape .*last axis .*axes before"):
        cell(cell.initialize_carry((*batch, 3)), jnp.ones(shape))


def test_inputs_of_another_type_are_refused(key):
    cell = NNXCell(jn.LSTM(3, 4, key=key))
    with pytest.raises(ValueError, match="must have the type of the machine's"):
        cell(cell.initialize_carry((3,)), jnp.ones(3, jnp.bfloat16))


def test_what_a_machine_decides_itself_is_refused(key):
    with pytest.raises(ValueError, match="carry_init; leave it out"):
        NNXCell(jn.LSTM(3, 4, key=key)).initialize_carry((3,), nnx.Rngs(0), nnx.initializers.ones)


def test_parameters_of_something_else_are_refused(key):
    layer = linen.RNN(LinenCell(jn.LSTM(3, 4, key=key)))
    variables = layer.init(key, sequences())
    with pytest.raises(ValueError, match=r"the parameters cell; .*input_weights.*\[\"params\"\]\[\"cell\"\]"):
        machine_of(layer.cell, variables["params"])
    with pytest.raises(ValueError, match="no parameters"):
        machine_of(layer.cell)
    with pytest.raises(ValueError, match=r"write machine_of\(cell\)"):
        machine_of(NNXCell(jn.Rate()), variables["params"])
