"""What is seen of a cell at work, against the cell's own output, its text, and an LSTM computed by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.search.cell import EvolvedCell
from jaxneuro.search.genome import ADD, FORGET, MULTIPLY, SUBTRACT, Space
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.program import Node
from jaxneuro.search.straight import StraightCell, straight
from jaxneuro.search.text import CALL, NODE, TERMS, show
from jaxneuro.search.watch import watch
from tests.search.drawn import one_of, random_genomes
from tests.search.interpreted import INPUTS, STEPS, UNITS, inputs_of, random_cell, with_genome

SPACE = Space(2, 4, 8, 3)
COMBINED = {
    ADD: lambda a, b: a + b,
    SUBTRACT: lambda a, b: a - b,
    MULTIPLY: lambda a, b: a * b,
    FORGET: lambda a, b: (1 - a) * b,
}
ACTIVATED = {
    "identity": lambda u: u,
    "tanh": np.tanh,
    "sigmoid": lambda u: 1 / (1 + np.exp(-u)),
    "relu": lambda u: np.maximum(u, 0),
    "complement": lambda u: 1 - u,
    "negate": lambda u: -u,
    "spike": lambda u: (u >= 0) + 0.0,
}


def check_lines(values, text):
    """Every line of a cell's text but those with weights, at every time; gives how many nodes there were."""
    values = {name: np.asarray(value) for name, value in values.items()}
    steps, units = values["output"].shape
    values |= {"0": np.zeros((steps, units)), "1": np.ones((steps, units))}
    nodes = 0
    for line in text.splitlines():
        if " <- " in line:
            state, wire = line.split(" <- ")
            np.testing.assert_array_equal(values[state][0], 0)
            np.testing.assert_array_equal(values[state][1:], values[wire][:-1], err_msg=line)
        elif line.startswith("output "):
            np.testing.assert_array_equal(values["output"], values[line.removeprefix("output ")])
        elif " = " in line:
            name, made = line.split(" = ")
            call = CALL.fullmatch(made) if not made.startswith("(") else None
            activation, inside = call.groups() if call else ("identity", made)
            if TERMS.fullmatch(inside):
                continue
            for combine, pattern in NODE.items():
                if match := pattern.fullmatch(inside):
                    operands = [values[operand] for operand in match.groups()]
                    u = COMBINED[combine](*operands) if combine in COMBINED else operands[0]
                    with np.errstate(over="ignore"):
                        expected = ACTIVATED[activation](u)
                    np.testing.assert_allclose(values[name], expected, rtol=1e-12, atol=1e-12, err_msg=line)
                    nodes += 1
    return nodes


def names_in(text):
    """The wires that a text makes, and the output."""
    lines = text.splitlines()
    states = lines[0].split()[1:] if lines[0].startswith("states") else []
    return {*states, *(line.split(" = ")[0] for line in lines if " = " in line), "output"}


@pytest.mark.parametrize(
    "name", [name if name in ("LSTM", "GRU", "LIF") else pytest.param(name, marks=pytest.mark.slow) for name in TEXTS]
)
def test_of_a_known_cell_the_output_is_that_of_a_run_and_every_line_of_its_text_holds(name, float64):
    cell, inputs = StraightCell(INPUTS, UNITS, named(name), key=jax.random.key(3)), inputs_of(np.float64)
    values = watch(cell, inputs)
    np.testing.assert_allclose(values["output"], jn.run(cell, inputs)[1], rtol=0, atol=1e-14)
    text = show(named(name))
    assert set(values) == names_in(text)
    assert {value.shape for value in values.values()} == {(STEPS, UNITS)}
    assert check_lines(values, text) == sum(isinstance(line, Node) for line in cell.program.lines)
    assert np.abs(values["output"]).max() > 1e-3


def test_of_random_cells_the_output_is_that_of_the_cell_that_interprets_its_genome(float64):
    cell, inputs = random_cell(SPACE, np.float64), inputs_of(np.float64)
    genomes, nodes = random_genomes(8, 5, SPACE, late=True), 0
    for number in range(5):
        evolved = jax.tree.map(jnp.asarray, with_genome(cell, one_of(genomes, number)))
        values = watch(straight(evolved), inputs)
        expected = np.asarray(jn.run(evolved, inputs)[1])
        if np.abs(expected).max() < 1e3:  # not one that makes much of rounding
            np.testing.assert_allclose(values["output"], expected, rtol=0, atol=1e-9)
            assert set(values) == names_in(show(one_of(genomes, number)))
            nodes += check_lines(values, show(one_of(genomes, number)))
    assert nodes > 10


def test_the_gates_of_an_lstm_are_those_computed_by_hand(float64):
    cell = EvolvedCell(INPUTS, UNITS, named("LSTM"), key=jax.random.key(1))
    inputs = inputs_of(np.float64)
    w, u, b = (np.asarray(leaf[0]) for leaf in (cell.input_weights, cell.recurrent_weights, cell.bias))
    c, h = np.zeros(UNITS), np.zeros(UNITS)
    expected = {name: [] for name in ("i", "f", "g", "o", "c", "h")}
    for x in np.asarray(inputs):
        expected["c"].append(c)
        expected["h"].append(h)
        i, f, g, o = (w[gate] @ x + u[gate] @ h + b[gate] for gate in range(4))
        i, f, o = (ACTIVATED["sigmoid"](gate) for gate in (i, f, o))
        g = np.tanh(g)
        c = f * c + i * g
        h = o * np.tanh(c)
        for name, gate in zip("ifgo", (i, f, g, o), strict=True):
            expected[name].append(gate)
    values = watch(straight(cell), inputs)
    named_so = by_role(show(named("LSTM")))
    for role, name in named_so.items():
        np.testing.assert_allclose(values[name], expected[role], rtol=0, atol=1e-12, err_msg=role)


def by_role(text):
    """What i, f, g, o, c and h of an LSTM are called in its text."""
    made = dict(line.split(" = ") for line in text.splitlines() if " = " in line)
    slots = {name: line for name, line in made.items() if "W x" in line}
    products = {frozenset(line.split(" * ")): name for name, line in made.items() if " * " in line}
    (f,) = (name for name, line in slots.items() if "from 1" in line)
    (g,) = (name for name, line in slots.items() if line.startswith("tanh"))
    (i,) = (name for name in slots if frozenset((name, g)) in products)
    (o,) = set(slots) - {f, g, i}
    (c,) = (other for pair in products for other in pair - {f} if f in pair)
    (h,) = set(names_in(text)) - set(made) - {c, "output"}
    return {"i": i, "f": f, "g": g, "o": o, "c": c, "h": h}


def test_wires_come_in_the_order_in_which_they_are_computed():
    cell = StraightCell(INPUTS, UNITS, "GRU", key=jax.random.key(3))
    found = list(watch(cell, inputs_of()))
    assert found == [name for name in cell.program.names if name not in ("0", "1")] + ["output"]
    assert all(value.dtype == np.float32 for value in watch(cell, inputs_of()).values())
