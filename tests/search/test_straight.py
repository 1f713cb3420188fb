"""The straight cell against the cell that interprets its genome: outputs, gradients, weights, operations."""

import collections
import dataclasses
import importlib

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

import jaxneuro as jn
from jaxneuro.interop.equinox import EquinoxCell
from jaxneuro.interop.flax import LinenCell, NNXCell
from jaxneuro.search.canonical import canonical
from jaxneuro.search.genome import FIRST, FIRST_STATE, ONE, ZERO, Genome, Space, empty, live_wires, parameter_count
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.program import Node, Slot, program
from jaxneuro.search.straight import StraightCell, specialised, straight
from tests.search.drawn import one_of, random_genomes
from tests.search.interpreted import INPUTS, UNITS, differences, inputs_of, interpreted, random_cell, with_genome

SPACE = Space(2, 4, 8, 3)
SMALL, FITTING = Space(2, 4, 9, 2), ("LSTM", "GRU", "MUT1", "LIF")
ROOM = Space(3, 9, 16, 3)  # for all known cells
every_name = pytest.mark.parametrize("name", TEXTS)


def drawn(count=300, seed=0, space=SPACE):
    """Random genomes, in half of which late wires are read more often."""
    halves = random_genomes(seed, count // 2, space), random_genomes(seed, count // 2, space, late=True)
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *halves)


def of_shape(genome, inputs=INPUTS, units=UNITS):
    """The machine without its numbers."""
    return jax.eval_shape(lambda key: StraightCell(inputs, units, genome, key=key), jax.random.key(0))


def of_weights(name):
    """A known cell with random weights."""
    leaves, structure = jax.tree.flatten(of_shape(named(name)))
    generator = np.random.default_rng(5)
    return jax.tree.unflatten(structure, [jnp.asarray(generator.normal(size=leaf.shape)) / 2 for leaf in leaves])


def known(names, space):
    return jax.tree.map(lambda *leaves: np.stack(leaves), *(named(name, space) for name in names))


def emitted_one(cell, genomes, number):
    return straight(jax.tree.map(jnp.asarray, with_genome(cell, one_of(genomes, number))))


@pytest.mark.parametrize(
    ("names", "space", "dtype", "tolerance"),
    [
        (FITTING, SMALL, np.float64, 1e-12),
        pytest.param(tuple(TEXTS), ROOM, np.float64, 1e-12, marks=pytest.mark.slow),
        pytest.param(tuple(TEXTS), ROOM, np.float32, 1e-6, marks=pytest.mark.slow),
    ],
)
def test_known_cells_give_what_their_genomes_give(names, space, dtype, tolerance, float64):
    cell, inputs, genomes = random_cell(space, dtype), inputs_of(dtype), known(names, space)
    expected, scale = interpreted(cell, genomes, inputs)
    for i, name in enumerate(names):
        outputs = jn.run(emitted_one(cell, genomes, i), inputs)[1]
        assert outputs.dtype == dtype
        np.testing.assert_array_less(np.abs(outputs - expected[i]).max(-1), tolerance * scale[i], err_msg=name)


def test_random_cells_give_what_their_genomes_give(float64):
    cell, inputs = random_cell(SPACE, np.float64), inputs_of(np.float64)
    error, known, _ = differences(cell, drawn(), inputs)
    assert error.max() < 1e-12
    assert known.mean() > 0.99


def test_random_cells_give_what_their_genomes_give_in_single_precision():
    cell, inputs, genomes = random_cell(SPACE), inputs_of(), drawn()
    error, known, _ = differences(cell, genomes, inputs)
    with jax.enable_x64(True):
        double = jax.tree.map(lambda leaf: leaf.astype(np.float64) if leaf.dtype == np.float32 else leaf, cell)
        exact, scale = interpreted(double, genomes, jnp.asarray(inputs, np.float64))
    with np.errstate(invalid="ignore"):
        # Of a cell that makes much of rounding, single precision says too little.
        resolved = np.abs(interpreted(cell, genomes, inputs)[0] - exact).max(-1) <= 2.5e-7 * scale
    resolved = np.logical_and.accumulate(resolved, 1)
    assert np.where(resolved, error, 0).max() < 1e-6
    assert (known & resolved).mean() > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("space", [SPACE, Space(3, 2, 12, 2)])
def test_five_thousand_random_cells_of_each_space_give_what_their_genomes_give(space, float64):
    cell, inputs = random_cell(space, np.float64), inputs_of(np.float64)
    error, known, at_threshold = differences(cell, drawn(5_000, 1, space), inputs)
    apart = error > 1e-6
    # Where what is 0 by algebra alone, such as n - (1 - (1 - n)), meets a threshold, both are right.
    assert at_threshold[apart].all()
    assert apart.any(1).sum() <= 3
    assert (error > 1e-12).any(1).sum() <= 6  # cells that make much of rounding
    assert known.mean() > 0.99


def test_a_wrong_operation_is_noticed(float64):
    cell, inputs, genomes = random_cell(SMALL, np.float64), inputs_of(np.float64), known(FITTING, SMALL)
    expected, machine = interpreted(cell, genomes, inputs)[0][0], emitted_one(cell, genomes, 0)
    right = machine.program
    step = eqx.filter_jit(lambda m, state, x: m.step(state, x))
    for place, line in enumerate(right.lines):
        if isinstance(line, Slot):
            wrong = dataclasses.replace(line, squash=line.squash ^ 1)
        elif line.combine == FIRST:
            wrong = dataclasses.replace(line, activation=line.activation ^ 1)
        else:
            wrong = dataclasses.replace(line, combine=line.combine % 3 + 1)
        lines = (*right.lines[:place], wrong, *right.lines[place + 1 :])
        changed = jax.tree.unflatten(jax.tree.structure(machine), jax.tree.leaves(machine))
        object.__setattr__(changed, "program", dataclasses.replace(right, lines=lines))
        state, error = changed.init(jax.random.key(0)), 0.0
        for x, output in zip(inputs[:5], expected, strict=False):
            state, given = step(changed, state, x)
            error = max(error, np.abs(given - output).max())
        assert error > 1e-3, line


def loss(machine, inputs):
    return jnp.mean(jnp.sin(jn.run(machine, inputs)[1]))


def plain(machine, inputs):
    """The same without the executors of `run`."""
    return jnp.mean(jnp.sin(jax.lax.scan(machine.step, machine.init(jax.random.key(0)), inputs)[1]))


def check_gradients(space, dtype, tolerance, genomes):
    """Of all weights, for the cells that stay in bounds; the interpreter's by one program."""
    cell, inputs = random_cell(space, dtype), inputs_of(dtype)[:8]
    _, scale = interpreted(cell, genomes, inputs_of(dtype))

    @jax.jit
    def of_all(cell, genomes):
        def one(genome):
            weights, rest = eqx.partition(with_genome(cell, genome), eqx.is_inexact_array)
            return jax.grad(lambda weights: plain(eqx.combine(weights, rest), inputs))(weights)

        return jax.vmap(one)(genomes)

    gradients = of_all(cell, genomes)
    compared = 0
    for i in np.flatnonzero(scale[:, 7] < 10):
        genome = one_of(genomes, i)
        expected = jax.tree.map(lambda leaf, i=i: np.asarray(leaf[i]), gradients)
        machine = emitted_one(cell, genomes, i)
        found = jax.jit(jax.grad(loss))(machine, inputs).weights
        _, wanted = specialised(with_genome(expected, genome))
        for one, other in zip(found, wanted, strict=True):
            size = max(1, np.abs(other).max(initial=0))
            np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * size)
        for field in ("input_weights", "recurrent_weights", "bias"):
            carried = getattr(wanted, field.removesuffix("_weights"))
            np.testing.assert_allclose(getattr(expected, field).sum(), carried.sum(), rtol=0, atol=tolerance * 100)
        compared += 1
    return compared


def test_gradients_are_those_of_the_genomes(float64):
    space = Space(2, 2, 3, 2)
    assert check_gradients(space, np.float64, 1e-12, random_genomes(2, 4, space, late=True)) >= 3


@pytest.mark.slow
def test_gradients_of_known_cells_are_those_of_their_genomes(float64):
    assert check_gradients(ROOM, np.float64, 1e-12, known(TEXTS, ROOM)) >= len(TEXTS) - 1


@pytest.mark.slow
def test_gradients_of_random_cells_are_those_of_their_genomes(float64):
    assert check_gradients(SPACE, np.float64, 1e-12, random_genomes(2, 16, SPACE, late=True)) >= 12


@every_name
def test_it_has_the_parameters_that_the_genome_has(name):
    genome = named(name)
    machine = of_shape(genome, 5, 7)
    assert jn.count_parameters(machine) == parameter_count(genome, 5, 7)


def test_it_has_the_parameters_that_the_canonical_genome_has():
    genomes, cell = drawn(60), random_cell(SPACE)
    for i in range(60):
        genome = one_of(genomes, i)
        form = canonical(genome).genome
        count = sum(leaf.size for leaf in specialised(with_genome(cell, genome))[1])
        assert count == parameter_count(form, INPUTS, UNITS) <= parameter_count(genome, INPUTS, UNITS)


def test_a_fresh_cell_starts_as_the_genome_says(key):
    machine = StraightCell(3, 20, named("LSTM"), key=key)
    for matrix in machine.recurrent_weights:
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(20), atol=1e-5)
    assert sorted(np.unique(row).item() for row in machine.bias) == [0, 0, 0, 1]
    assert np.abs(machine.input_weights).max() <= (6 / 23) ** 0.5
    assert len(np.unique(machine.input_weights)) == machine.input_weights.size
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))
    again = StraightCell(3, 20, "LSTM", key=key)
    assert jax.tree.all(jax.tree.map(np.array_equal, machine, again))


def test_long_biases_are_random_and_their_own(key):
    bias = jax.jit(lambda key: StraightCell(3, 1000, named("ComplexLinear"), key=key).bias)(key)
    long = bias[np.argmax(np.ptp(bias, axis=1))]
    np.testing.assert_allclose(np.exp(long).mean(), 50.5, atol=3)
    assert (long >= 0).all()
    assert (long <= np.log(100)).all()


@every_name
def test_there_is_one_product_for_each_wire_that_is_read_and_each_operation_is_itself(name):
    genome, machine = named(name), of_shape(named(name))
    jaxpr = jax.make_jaxpr(lambda m, x: m.step(m.init(jax.random.key(0)), x))(machine, jnp.zeros(INPUTS))
    made = collections.Counter(equation.primitive.name for equation in every_equation(jaxpr.jaxpr))
    read = {slot.source for slot in machine.program.slots.values() if slot.source >= 0}
    assert made["dot_general"] == len(read) + bool(genome.input.any())
    text = TEXTS[name]
    assert made["tanh"] == text.count("tanh(")
    assert made["logistic"] == text.count("sigmoid(")
    assert made["mul"] <= text.count("*") + 2 * text.count("spike(")  # of its derivative
    assert not made["select_n"]
    assert not made["gather"]


def every_equation(jaxpr):
    for equation in jaxpr.eqns:
        inner = list(jax.extend.core.jaxprs_in_params(equation.params))
        yield from (e for part in inner for e in every_equation(part)) if inner else [equation]


def test_equal_cells_share_a_compiled_program():
    space = Space(2, 4, 12, 2)
    genome = named("LSTM", space)
    live, other = live_wires(genome), one_of(random_genomes(3, 1, space), 0)
    slots = np.vectorize(lambda r, g: space.slot(int(r), int(g)) in live)(*np.indices((space.stages, space.slots)))
    nodes = np.vectorize(lambda r, n: space.node(int(r), int(n)) in live)(*np.indices((space.stages, space.nodes)))
    kept = {"source": slots.any(1), **dict.fromkeys(("input", "recurrent", "bias", "squash"), slots)}
    kept |= dict.fromkeys(("combine", "first", "second", "activation"), nodes)
    same = {field: np.where(alive, getattr(genome, field), getattr(other, field)) for field, alive in kept.items()}
    twin = dataclasses.replace(genome, **same)
    assert not np.array_equal(twin.first, genome.first)
    machines = [jax.tree.map(lambda leaf: jnp.ones(leaf.shape), of_shape(g)) for g in (genome, twin)]
    traces = []

    @jax.jit
    def outputs(machine, inputs):
        traces.append(machine)
        return jn.run(machine, inputs)[1]

    for machine in machines:
        outputs(machine, inputs_of())
    assert len(traces) == 1
    assert hash(machines[0].program) == hash(machines[1].program)


def test_a_slot_is_no_node():
    assert Slot(True, 3, 0, 1) != Node(1, 3, 0, 1)


@pytest.mark.parametrize("wire", [ZERO, ONE, FIRST_STATE])
def test_an_output_that_nothing_computes_is_a_vector(wire, key):
    genome = dataclasses.replace(empty(SPACE), output=np.asarray(wire, np.int32))
    machine = StraightCell(INPUTS, UNITS, genome, key=key)
    assert jn.count_parameters(machine) == 0
    outputs = jn.run(machine, inputs_of())[1]
    np.testing.assert_array_equal(outputs, np.full((20, UNITS), float(wire == ONE), np.float32))
    assert not jax.tree.leaves(machine.init(key))


def test_it_keeps_only_the_states_that_matter():
    machine = jax.tree.map(lambda leaf: jnp.ones(leaf.shape), of_shape(named("GRU", ROOM)))
    state, _ = jn.run(machine, inputs_of())
    assert [value.shape for value in state.values] == [(UNITS,)]
    np.testing.assert_array_equal(state.values[0], jn.run(machine, inputs_of())[1][-1])


def test_a_genome_without_room_for_its_canonical_form_is_taken_as_it_is(monkeypatch, float64):
    monkeypatch.setattr(importlib.import_module(canonical.__module__), "placed", lambda *arguments: None)
    genomes = drawn(seed=4)
    error, known, _ = differences(random_cell(SPACE, np.float64), genomes, inputs_of(np.float64))
    assert error.max() < 1e-12
    assert known.mean() > 0.98
    for i in range(0, 300, 30):
        genome = one_of(genomes, i)
        machine = of_shape(genome, 5, 7)
        assert jn.count_parameters(machine) == parameter_count(genome, 5, 7)


@pytest.mark.parametrize("name", ["GRU", "MUT1", "LIF"])
def test_all_executors_and_batches_give_the_same(name, float64):
    machine, inputs = of_weights(name), inputs_of(np.float64)
    outputs = jn.run(machine, inputs)[1]
    np.testing.assert_allclose(jn.run(machine, inputs, executor="hoisted")[1], outputs, rtol=0, atol=1e-12)
    batch = jax.vmap(lambda x: jn.run(machine, x)[1])(jnp.stack([inputs, 2 * inputs]))
    np.testing.assert_allclose(batch[0], outputs, rtol=0, atol=1e-12)
    cells = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf / 2]), machine)
    each = jax.vmap(lambda m: jn.run(m, inputs)[1])(cells)
    np.testing.assert_allclose(each[0], outputs, rtol=0, atol=1e-12)
    assert not np.allclose(each[1], outputs)


@pytest.mark.parametrize("name", ["LSTM", "MUT1"])
def test_inside_equinox_and_flax_it_gives_the_same(name, key, float64):
    machine, inputs = of_weights(name), inputs_of(np.float64)
    outputs = jn.run(machine, inputs)[1]
    cell = EquinoxCell(machine)

    def step(hidden, x):
        output, hidden = cell.with_output(x, hidden)
        return hidden, output

    given = [jax.lax.scan(step, cell.init(key), inputs)[1], nnx.RNN(NNXCell(machine))(inputs[None])[0]]
    layer = linen.RNN(LinenCell(machine))
    given.append(layer.apply(layer.init(key, inputs[None]), inputs[None])[0])
    for other in given:
        np.testing.assert_allclose(other, outputs, rtol=0, atol=1e-12)


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="StraightCell got inputs=0, units=3; both must be at least 1"):
        StraightCell(0, 3, named("LSTM"), key=key)
    bad = dataclasses.replace(named("LSTM"), output=np.asarray(99, np.int32))
    with pytest.raises(ValueError, match=r"Genome\.output is 99; it must be 0 to"):
        StraightCell(3, 4, bad, key=key)
    cells = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), random_cell(SPACE))
    with pytest.raises(ValueError, match=r"Genome\.source has shape \[2, 2\]; it must be \[2\]"):
        straight(cells)
    with pytest.raises(ValueError, match="no known cell"):
        StraightCell(3, 4, "LSTN", key=key)


def test_a_program_is_of_plain_numbers():
    code = program(named("LSTM"))
    entries = [value for line in code.lines for value in dataclasses.astuple(line)]
    assert {type(entry) for entry in [*entries, *code.next, code.output]} <= {int, bool}
    assert isinstance(named("LSTM"), Genome)
