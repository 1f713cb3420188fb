"""The source of a cell, executed by itself, against the straight cell; it must be plain, short and always the same."""

import ast
import dataclasses
import importlib.util
import re
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.search.genome import BIASES, ONE, ZERO, Genome, Space, empty, parameter_count
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.program import NOTHING, Slot
from jaxneuro.search.source import source
from jaxneuro.search.straight import StraightCell
from tests.search.drawn import one_of, random_genomes
from tests.search.interpreted import INPUTS, UNITS, inputs_of

SPACE = Space(2, 4, 8, 3)
every_name = pytest.mark.parametrize("name", TEXTS)


@pytest.fixture
def load(tmp_path):
    """Imports a text as a module."""

    def load(text):
        path = tmp_path / "cell.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location("cell", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def of_weights(genome):
    """A straight cell with random weights, in double precision."""
    machine = jax.eval_shape(lambda key: StraightCell(INPUTS, UNITS, genome, key=key), jax.random.key(0))
    generator = np.random.default_rng(2)
    return jax.tree.map(lambda leaf: jnp.asarray(generator.normal(size=leaf.shape)) / 2, machine)


def params_of(machine, text):
    """The weights of a straight cell by the names of its source."""
    code, at, params = machine.program, 0, {"W": machine.input_weights, "b": machine.bias}
    read = re.findall(r'params\["U_(\w+)"\] @ (\w+)', text)
    assert all(one == other for one, other in read)
    lines = [line for line in code.lines if isinstance(line, Slot) and line.source != NOTHING]
    name_of = dict(zip(dict.fromkeys(line.source for line in lines), (name for name, _ in read), strict=True))
    for source_wire in dict.fromkeys(code.slots[wire].source for wire in code.recurrent):
        count = sum(line.source == source_wire for line in lines)
        params[f"U_{name_of[source_wire]}"] = machine.recurrent_weights[at : at + count]
        at += count
    return params


def check(genome, load):
    machine, inputs, text = of_weights(genome), inputs_of(np.float64)[:6], source(genome)
    module, params, state = load(text), params_of(machine, text), machine.init(jax.random.key(0))
    named_state = module.start(UNITS)
    for x in inputs:
        state, expected = machine.step(state, x)
        named_state, output = module.step(params, named_state, x)
        scale = max(1, *(float(jnp.abs(value).max()) for value in (expected, *state.values)))
        if not np.isfinite(scale):
            break
        for value, other in zip((output, *named_state.values()), (expected, *state.values), strict=True):
            np.testing.assert_allclose(value, other, rtol=0, atol=1e-12 * scale)
            assert value.shape == (UNITS,)
            assert value.dtype == np.float64


@every_name
def test_a_known_cell_computes_what_the_straight_cell_does(name, load, float64):
    check(named(name), load)


def test_random_cells_compute_what_the_straight_cells_do(load, float64):
    for late in (False, True):
        genomes = random_genomes(11, 12, SPACE, late)
        for i in range(12):
            check(one_of(genomes, i), load)


@pytest.mark.slow
def test_many_random_cells_compute_what_the_straight_cells_do(load, float64):
    genomes = random_genomes(12, 100, SPACE, late=True)
    for i in range(100):
        check(one_of(genomes, i), load)


@pytest.mark.parametrize("wire", [ZERO, ONE])
def test_a_constant_output_is_a_vector(wire, load, float64):
    check(dataclasses.replace(empty(SPACE), output=np.asarray(wire, np.int32)), load)


def test_numbers_are_vectors_where_they_must_be(load, float64):
    genome = empty(Space(1, 2, 3, 1))
    genome.source[0], genome.recurrent[0, 0] = ONE, 1
    for node, (combine, first, second, activation) in enumerate([(0, 1, 0, 1), (2, 1, 3, 0), (3, 5, 6, 2)]):
        genome.combine[0, node], genome.first[0, node] = combine, first
        genome.second[0, node], genome.activation[0, node] = second, activation
    genome.next[0] = ONE
    check(dataclasses.replace(genome, output=np.asarray(7, np.int32)), load)


@pytest.mark.parametrize(
    ("name", "starts"), [("LSTM", [0, 0, 0, 1]), ("MinGRU", [0, 0]), ("LIF", [0, 4]), ("MUT1", [0, 0, 0])]
)
def test_its_own_weights_are_as_the_genome_asks(name, starts, load, key):
    params = load(source(named(name))).init(key, 3, 9)
    assert sum(leaf.size for leaf in params.values()) == parameter_count(named(name), 3, 9)
    np.testing.assert_array_equal(np.sort(params["b"].mean(1)), starts)
    assert not np.ptp(params["b"], axis=1).any()
    assert 0.9 * 0.5**0.5 < np.abs(params["W"]).max() <= 0.5**0.5
    matrices = np.concatenate([leaf for label, leaf in params.items() if label.startswith("U_")] or [np.eye(9)[None]])
    for matrix in matrices:
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(9), atol=1e-5)
    assert len(np.unique(matrices[:, 0, 0])) == len(matrices), "each slot has its own"


def test_long_biases_are_random_and_their_own(load, key):
    genome = empty(Space(1, 3, 0, 1))
    genome.bias[0], genome.input[0, 1] = list(BIASES).index("-long"), 1
    bias = load(source(dataclasses.replace(genome, output=np.asarray(4, np.int32)))).init(key, 3, 4000)["b"]
    assert bias.shape == (1, 4000)
    times = np.exp(-bias)
    np.testing.assert_allclose([times.min(), times.mean(), times.max()], [1, 50.5, 100], atol=1.5)


def test_it_can_be_compiled_differentiated_and_run_over_time(load, float64):
    machine, inputs, text = of_weights(named("GRU")), inputs_of(np.float64), source(named("GRU"))
    module, params = load(text), params_of(machine, text)

    @jax.jit
    @jax.grad
    def gradient(params):
        _, outputs = jax.lax.scan(lambda state, x: module.step(params, state, x), module.start(UNITS), inputs)
        return jnp.sum(jnp.sin(outputs))

    expected = jax.jit(jax.grad(lambda machine: jnp.sum(jnp.sin(jn.run(machine, inputs)[1]))))(machine)
    for name, value in gradient(params).items():
        np.testing.assert_allclose(value, params_of(expected, text)[name], rtol=0, atol=1e-11)


def test_a_spike_has_the_derivative_of_the_straight_cell(load, float64):
    machine, inputs, text = of_weights(named("LIF")), inputs_of(np.float64)[:4], source(named("LIF"))
    module, params = load(text), params_of(machine, text)

    def loss(step, weights, state):
        total = 0.0
        for x in inputs:
            state, output = step(weights, state, x)
            total += jnp.sum(output * jnp.arange(1.0, UNITS + 1))
        return total

    found = jax.grad(lambda p: loss(module.step, p, module.start(UNITS)))(params)
    expected = jax.grad(lambda m: loss(StraightCell.step, m, m.init(jax.random.key(0))))(machine)
    assert np.abs(expected.input_weights).max() > 0
    for name, value in params_of(expected, text).items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=1e-12)


def test_it_stands_alone_in_a_process_of_its_own(tmp_path):
    (tmp_path / "cell.py").write_text(source(named("NestedLSTM")))
    code = (
        "import sys; sys.modules['jaxneuro'] = sys.modules['equinox'] = None\n"
        "import cell, jax, jax.numpy as jnp\n"
        "params = cell.init(jax.random.key(0), 3, 4)\n"
        "state, y = cell.step(params, cell.start(4), jnp.ones(3))\n"
        "print(y.shape, sorted(state))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.stdout == "(4,) ['h1', 'h2', 'h3']\n", ended.stderr


@every_name
def test_it_imports_jax_alone_and_its_functions_are_documented(name):
    tree = ast.parse(source(named(name)))
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert imported == ["jax", "jax.numpy"]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom | ast.For | ast.While | ast.If)]
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {"init", "start", "step"} <= set(functions)
    assert all(ast.get_docstring(node) for label, node in functions.items() if not label.startswith("_"))
    for statement in ast.walk(functions["step"]):
        if isinstance(statement, ast.Assign):
            targets = [node.id for node in ast.walk(statement.targets[0]) if isinstance(node, ast.Name)]
            assert all(name.isidentifier() for name in targets)
    assigned = [
        node.id
        for node in ast.walk(functions["step"])
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    assert len(assigned) == len(set(assigned)), "a name means one thing"


@pytest.mark.parametrize("name", ["LIF", "NAS", "ComplexLinear"])
def test_it_passes_the_linter(name, tmp_path):
    (tmp_path / "cell.py").write_text(source(named(name)))
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length=120", "--select=E,F,W,B,D,PLE"]
    command += ["--config=lint.pydocstyle.convention='google'", str(tmp_path / "cell.py")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_equal_cells_have_equal_sources():
    genome = named("MUT1", Space(3, 5, 12, 3))
    texts = {source(genome), source(named("MUT1", Space(3, 5, 12, 3)))}
    other = Genome(*(np.array(getattr(genome, field.name)) for field in dataclasses.fields(genome)))
    other.combine[2, 11], other.first[2, 11] = 3, 2  # dead
    assert texts == {source(other)}
    assert source(named("GRU")) not in texts


def test_the_docstring_says_what_is_computed():
    text = ast.get_docstring(ast.parse(source(named("LSTM"))))
    assert "new_h1 = product1 + product2" in text
    assert "h1 <- new_h1" in text
    assert "output new_h2" in text
    assert len(re.findall(r"= sigmoid\(W x \+ U h2 \+ b\)", text)) == 3


def test_a_wrong_source_is_noticed(load, float64):
    def wrong(text):
        changed = text.replace(
            "    new_h1 = product1 + product2\n    bounded", "    new_h1 = product1 - product2\n    bounded"
        )
        assert changed != text
        return load(changed)

    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check(named("LSTM"), wrong)


def test_a_genome_out_of_range_is_refused():
    bad = dataclasses.replace(named("LSTM"), output=np.asarray(99, np.int32))
    with pytest.raises(ValueError, match=r"Genome\.output is 99"):
        source(bad)
