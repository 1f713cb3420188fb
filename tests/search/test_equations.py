"""LaTeX equations: read back as mathematics they must compute what the straight cell does."""

import dataclasses
import re

import numpy as np
import pytest

from jaxneuro.search import equations
from jaxneuro.search.equations import latex
from jaxneuro.search.genome import ONE, Space, empty
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.program import Functions, Weights, evaluate, program
from tests.search.drawn import one_of, random_genomes

SPACE = Space(2, 4, 8, 3)
INPUTS, UNITS = 3, 4
FUNCTIONS = Functions(
    np.tanh,
    lambda u: 1 / (1 + np.exp(-u)),
    lambda u: np.maximum(u, 0),
    lambda u: np.greater_equal(u, 0) * 1.0,
    np.concatenate,
    np.full,
)
# LaTeX as Python, in this order.
READ = (
    (r"\\mathbf\{1\}", "one"),
    (r"\\mathbf\{0\}", "zero"),
    (r"h(?:\^\{\((\d+)\)\})?_\{t-1\}", r"old\1"),
    (r"h(?:\^\{\((\d+)\)\})?_\{t\}", r"new\1"),
    (r"([gn])_\{(\d+)\}", r"\1\2"),
    (r"W_\{(\d+)\} x_\{t\}", r"(W[\1] @ x)"),
    (r"U_\{(\d+)\} (\w+)", r"(U[\1] @ \2)"),
    (r"b_\{(\d+)\}", r"b[\1]"),
    (r"\\sigma", "sigmoid"),
    (r"\\Theta", "spike"),
    (r"\\tanh", "tanh"),
    (r"\\max\(0, ", "relu("),
    (r"\\odot", "*"),
)


def lines_of(text):
    lines = text.splitlines()
    assert lines[0] == r"\begin{aligned}"
    assert lines[-1] == r"\end{aligned}"
    assert all(line.endswith(r" \\") for line in lines[1:-2])
    assert not lines[-2].endswith("\\")
    return [line.removesuffix(r" \\").split(" &= ") for line in lines[1:-1]]


def as_python(text):
    for pattern, plain in READ:
        text = re.sub(pattern, plain, text)
    assert "\\" not in text
    assert "{" not in text
    return text


def computed(text, states, weights_of, x):
    """The new states and the output that the equations say; states and weights by number, from 1."""
    count = len(states)
    values = {f"old{'' if count == 1 else s + 1}": state for s, state in enumerate(states)}
    values |= weights_of | FUNCTIONS._asdict() | {"x": x, "one": np.ones(UNITS), "zero": np.zeros(UNITS)}
    for left, right in lines_of(text):
        name = "y" if left == "y_{t}" else as_python(left)
        assert name not in values, "a symbol means one thing"
        values[name] = np.broadcast_to(eval(as_python(right), {"__builtins__": {}}, values), UNITS)
    new = [values[f"new{'' if count == 1 else s + 1}"] for s in range(count)]
    return [*new, values["y"]]


def check(genome, seed=0):
    generator = np.random.default_rng(seed)
    code = program(genome)
    sizes = len(code.with_input), len(code.recurrent), len(code.biased)
    shapes = (sizes[0], UNITS, INPUTS), (sizes[1], UNITS, UNITS), (sizes[2], UNITS)
    weights = Weights(*(generator.normal(size=shape) for shape in shapes))
    groups = zip("WUb", (code.with_input, code.recurrent, code.biased), weights, strict=True)
    by_number = {
        letter: {int(code.names[wire][1:]): array for wire, array in zip(wires, arrays, strict=True)}
        for letter, wires, arrays in groups
    }
    states, x = list(generator.normal(size=(len(code.next), UNITS))), generator.normal(size=INPUTS)
    with np.errstate(all="ignore"):
        new, output = evaluate(code, weights, states, x, FUNCTIONS)
        found = computed(latex(genome), states, by_number, x)
    np.testing.assert_allclose(found, [*new, output], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", TEXTS)
def test_the_equations_of_a_known_cell_are_what_it_computes(name):
    check(named(name))


@pytest.mark.parametrize("late", [False, True])
def test_the_equations_of_random_cells_are_what_they_compute(late):
    genomes = random_genomes(21, 40, SPACE, late)
    for i in range(40):
        check(one_of(genomes, i))


def test_a_wrong_equation_is_noticed(monkeypatch):
    monkeypatch.setitem(equations.COMBINED, "multiply", "{0} + {1}")
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check(named("LSTM"))


def test_the_gru_is_written_as_in_a_paper():
    assert latex(named("GRU")) == "\n".join(
        [
            r"\begin{aligned}",
            r"g_{1} &= \sigma(W_{1} x_{t} + U_{1} h_{t-1} + b_{1}) \\",
            r"g_{2} &= \sigma(W_{2} x_{t} + U_{2} h_{t-1} + b_{2}) \\",
            r"n_{1} &= h_{t-1} \odot g_{1} \\",
            r"g_{3} &= \tanh(W_{3} x_{t} + U_{3} n_{1} + b_{3}) \\",
            r"n_{2} &= h_{t-1} - g_{3} \\",
            r"n_{3} &= g_{2} \odot n_{2} \\",
            r"h_{t} &= g_{3} + n_{3} \\",
            r"y_{t} &= h_{t}",
            r"\end{aligned}",
            "",
        ]
    )


def test_states_that_shift_have_lines_of_their_own():
    genome = empty(Space(1, 1, 1, 3))
    genome.input[0, 0], genome.next[:] = 1, [5, 2, 3]
    text = latex(dataclasses.replace(genome, output=np.asarray(4, np.int32)))
    check(dataclasses.replace(genome, output=np.asarray(4, np.int32)))
    assert sum(left.startswith("h^{") and right.startswith("h^{") for left, right in lines_of(text)) == 2


def test_a_product_with_the_vector_of_ones_is_written_as_one():
    genome = empty(Space(1, 1, 1, 1))
    genome.source[0], genome.recurrent[0, 0] = ONE, 1
    genome = dataclasses.replace(genome, output=np.asarray(3, np.int32))
    assert r"g_{1} &= U_{1} \mathbf{1}" in latex(genome)
    check(genome)


def test_equal_cells_have_equal_equations():
    genome = named("MUT1", Space(3, 5, 12, 3))
    before = latex(genome)
    genome.combine[2, 11], genome.first[2, 11] = 3, 2  # dead
    assert latex(genome) == before


def test_a_genome_out_of_range_is_refused():
    bad = dataclasses.replace(named("LSTM"), output=np.asarray(99, np.int32))
    with pytest.raises(ValueError, match=r"Genome\.output is 99"):
        latex(bad)
