"""The machine whose structure is data: one program for all cells of a space, alone or side by side."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.search.cell import EvolvedCell, initial_bias
from jaxneuro.search.cell_file import genome_called
from jaxneuro.search.genome import BIASES, Space, largest, parameter_count
from jaxneuro.search.named import named
from jaxneuro.search.storage import save
from jaxneuro.search.text import parse
from tests.laws.gradient import QUICK
from tests.search.equivalents import EQUAL
from tests.search.evolved import cells, one_cell
from tests.search.genomes import same_arrays

SPACE = Space(2, 4, 6, 2)
quickly = functools.partial(jax.jit, compiler_options=QUICK)


def stacked(trees):
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def run_and_slope(cell, inputs):
    numbers, rest = eqx.partition(cell, eqx.is_inexact_array)

    def total(numbers):
        cell = eqx.combine(numbers, rest)
        _, outputs = jax.lax.scan(cell.step, cell.init(jax.random.key(0)), inputs)
        return jnp.sum(outputs * outputs), outputs

    slopes, outputs = jax.grad(total, has_aux=True)(numbers)
    return outputs, slopes


alone = quickly(run_and_slope)


def test_a_population_equals_its_cells_one_by_one():
    """No cell of a product of products of states: those leave every range."""
    population = list(cells([named("GRU", SPACE), named("LSTM", SPACE), named("LIF", SPACE), named("MinGRU", SPACE)]))
    inputs = jnp.asarray(np.random.default_rng(1).normal(size=(12, 3)), jnp.float32)
    together = quickly(jax.vmap(run_and_slope, in_axes=(0, None)))(stacked(population), inputs)
    for i, cell in enumerate(population):
        expected = alone(cell, inputs)
        assert np.std(expected[0]) > 0.01
        for ours, theirs in zip(jax.tree.leaves(together), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(ours[i], theirs, rtol=1e-5, atol=1e-6)


def test_ten_thousand_genomes_are_one_program():
    traces = []

    @quickly
    def outputs(cell, inputs):
        traces.append(1)
        return jax.lax.scan(cell.step, cell.init(jax.random.key(0)), inputs)[1]

    cell = one_cell(named("GRU", SPACE))
    leaves, structure = jax.tree.flatten(cell)
    most = jax.tree.leaves(largest(SPACE))
    generator, count, inputs = np.random.default_rng(4), 10_000, jnp.ones((2, 3))
    drawn = [generator.integers(0, limit + 1, (count, *limit.shape), np.int32) for limit in most]
    assert len({b"".join(array[i].tobytes() for array in drawn) for i in range(count)}) == count
    for genes in zip(*drawn, strict=True):
        outputs(jax.tree.unflatten(structure, [*map(np.asarray, genes), *leaves[len(most) :]]), inputs)
    assert len(traces) == 1
    assert outputs._cache_size() == 1


COUNTED = [name for name in EQUAL if name not in ("MUT1", "MUT2", "LIF", "ComplexLinear")]


@pytest.mark.parametrize(("inputs", "units"), [(3, 4), (4, 4)])
@pytest.mark.parametrize("name", COUNTED)
def test_a_known_cell_has_as_many_parameters_as_its_machine(name, inputs, units):
    kinds = {"LSTM": jn.LSTM, "MinGRU": jn.linear.MinGRU}

    def build(key):
        if name == "NestedLSTM":
            return jn.gated.NestedLSTM(inputs, units, jn.LSTM(units, units, key=key), key=key)
        return kinds.get(name, getattr(jn.gated, name, None))(inputs, units, key=key)

    machine = jax.eval_shape(build, jax.random.key(0))
    assert parameter_count(named(name), inputs, units) == jn.count_parameters(machine)


def test_known_cells_that_are_not_quite_their_machines_have_the_parameters_that_they_add():
    inputs, units = 5, 5
    matrices = {"MUT1": (1, 0), "MUT2": (1, 0)}  # the W before x, where the machine takes x as it is
    for name, (more, _) in matrices.items():
        kind = getattr(jn.gated, name)
        machine = jax.eval_shape(lambda key, kind=kind: kind(inputs, units, key=key), jax.random.key(0))
        assert parameter_count(named(name), inputs, units) == jn.count_parameters(machine) + more * units * inputs
    # A weight from each input and neuron to each neuron, a bias and a decay for each.
    assert parameter_count(named("LIF"), 3, 4) == 4 * (3 + 4 + 1) + 4
    # B and C of two parts each, D a full matrix, and lambda.
    assert parameter_count(named("ComplexLinear"), 3, 4) == 2 * 4 * 3 + 2 * 4 * 4 + 4 * 3 + 2 * 4


def test_weights_without_a_term_have_no_effect():
    text = "states h\nstage reads h\ng = W x\nf = tanh(U h + b)\nn = f + g\nh <- n\noutput n"
    cell = one_cell(parse(text, SPACE))
    inputs = jnp.ones((12, 3))
    other = eqx.tree_at(lambda m: (m.recurrent_weights, m.bias), cell, (
        cell.recurrent_weights.at[0, 0].set(7).at[0, 2:].set(7).at[1].set(7),
        cell.bias.at[0, 0].set(7).at[0, 2:].set(7).at[1].set(7),
    ))  # fmt: skip
    expected, slopes = alone(cell, inputs)
    np.testing.assert_array_equal(alone(other, inputs)[0], expected)
    for name in ("input_weights", "recurrent_weights", "bias"):
        used = np.abs(np.asarray(getattr(slopes, name))).sum(axis=tuple(range(2, getattr(slopes, name).ndim))) > 0
        assert used.sum() == 1, name


def test_biases_start_as_the_genome_says(key):
    none, zero, one, minus, four, minus_four, long, minus_long = np.asarray(initial_bias(key, jnp.arange(8), 400))
    assert list(BIASES) == ["none", "0", "1", "-1", "4", "-4", "long", "-long"]
    for values, expected in ((none, 0), (zero, 0), (one, 1), (minus, -1), (four, 4), (minus_four, -4)):
        np.testing.assert_array_equal(values, expected)
    assert 0 <= long.min() < 1.5 < 4 < long.max() <= np.log(100)
    assert -np.log(100) <= minus_long.min() < -4 < -1.5 < minus_long.max() <= 0
    assert np.abs(np.exp(long).mean() - 50.5) < 5
    assert abs(np.corrcoef(long, minus_long)[0, 1]) < 0.2, "each slot has its own times"


def test_weights_start_as_those_of_layers(key):
    cell = EvolvedCell(9, 16, named("RNN", Space(1, 3, 1, 1)), key=key)
    for matrix in np.asarray(cell.recurrent_weights[0]):
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(16), atol=1e-5)
    bound = (6 / (9 + 16)) ** 0.5
    assert 0.95 * bound < np.abs(cell.input_weights).max() <= bound
    assert not np.any(cell.init(key).values)
    assert cell.units == 16


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_biases_have_the_type_of_their_time(dtype):
    assert initial_bias(jax.random.key(0), jnp.zeros((2, 3), jnp.int32), 4).shape == (2, 3, 4)
    cell = one_cell(named("LIF", SPACE), dtype=dtype)
    state, output = jax.eval_shape(lambda cell: cell.step(cell.init(jax.random.key(0)), jnp.ones(3, dtype)), cell)
    assert output.dtype == state.values.dtype == dtype


def test_a_genome_may_be_given_by_name_or_file(key, tmp_path):
    cell = jax.eval_shape(lambda key: EvolvedCell(3, 4, named("GRU"), key=key), key)
    by_name = jax.eval_shape(lambda key: EvolvedCell(3, 4, "GRU", key=key), key)
    assert jax.tree.structure(by_name) == jax.tree.structure(cell)
    genome = named("LSTM", SPACE)
    save(genome, tmp_path / "cell.json")
    path = str(tmp_path / "cell.json")
    assert same_arrays(genome_called(path), genome)
    from_file = jax.eval_shape(lambda key: EvolvedCell(3, 4, path, key=key), key)
    assert from_file.input_weights.shape == (SPACE.stages, SPACE.slots, 4, 3)


@pytest.mark.parametrize(
    ("genome", "message"),
    [
        ("LSTMM", r"genome='LSTMM' is no known cell. Did you mean LSTM\? Allowed: RNN, .*or the path of a file"),
        ("lstm", r"genome='lstm' is no known cell. Did you mean LSTM\?"),
        ("", r"genome='' is no known cell"),
        ("./LSTM", r"LSTM: there is no such file"),
        ("cell.json", r"cell.json: there is no such file"),
    ],
)
def test_a_genome_of_no_name_and_no_file_is_refused(genome, message, key):
    with pytest.raises(ValueError, match=message):
        EvolvedCell(3, 4, genome, key=key)


def test_bad_sizes_and_genomes_are_refused(key):
    with pytest.raises(ValueError, match=r"EvolvedCell got inputs=0, units=4; both must be at least 1"):
        EvolvedCell(0, 4, named("RNN"), key=key)
    wrong = eqx.tree_at(lambda g: g.output, named("RNN"), np.asarray(77, np.int32))
    with pytest.raises(ValueError, match=r"Genome.output is 77; it must be 0 to 3."):
        EvolvedCell(3, 4, wrong, key=key)
