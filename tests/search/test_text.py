"""Cells as text: what is shown is read back, and what is no cell is refused by line."""

import re

import numpy as np
import pytest

from jaxneuro.search.canonical import canonical, digest
from jaxneuro.search.genome import Space, live_wires
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.text import TextError, parse, show, wire_names
from tests.search.genomes import is_tidy, same_arrays, some
from tests.search.unchecked import unchecked

LSTM = """states h1 h2
stage reads h1
g1 = sigmoid(W x + U h1 + b)
g2 = sigmoid(W x + U h1 + b from 1)
g3 = tanh(W x + U h1 + b)
g4 = sigmoid(W x + U h1 + b)
n1 = g1 * g3
n2 = g2 * h2
n3 = n1 + n2
n4 = tanh(n3)
n5 = g4 * n4
h1 <- n5
h2 <- n3
output n5
"""


def check_comes_back(count):
    for genome in some(count, 11):
        form, text = canonical(genome), show(genome)
        assert show(form.genome) == text
        if is_tidy(form.genome):
            assert same_arrays(parse(text, genome.space), form.genome), text
            assert parse(text).space.wires <= genome.space.wires
        assert digest(parse(text)) == form.digest


def test_what_is_shown_is_read_back():
    check_comes_back(12)


@pytest.mark.slow
def test_what_is_shown_is_read_back_for_very_many():
    unchecked("test_text", "check_comes_back(3000)")


def test_the_text_of_a_known_cell_is_that_of_a_reader():
    shown = show(named("LSTM"))
    assert sorted(shown.splitlines()) != shown.splitlines()
    assert digest(parse(LSTM)) == digest(named("LSTM"))
    assert len(shown.splitlines()) == len(LSTM.splitlines())
    assert digest(parse(shown)) == digest(named("LSTM"))


@pytest.mark.parametrize("name", TEXTS)
def test_known_cells_are_shown_and_read(name):
    assert same_arrays(parse(show(named(name)), named(name).space), canonical(named(name)).genome)


def test_a_genome_that_finds_no_room_is_shown_all_the_same():
    space = Space(1, 1, 0, 1)
    genome = parse("stage\ng = W x\noutput g", space)
    genome.input[0, 0], genome.squash[0, 0] = 0, 2
    assert show(genome) == "stage\ng1 = sigmoid(0)\noutput g1\n"
    assert digest(parse(show(genome))) == digest(genome)


def test_only_live_wires_have_names():
    genome = named("GRU", Space(3, 4, 9, 3))
    names = wire_names(genome)
    assert names.keys() == live_wires(genome) | {0, 1}
    assert len(set(names.values())) == len(names)


def test_comments_spaces_and_empty_lines_are_no_matter():
    text = "\n\n# a cell\nstates   h\n stage\treads h # from here\n\n g=1\n"
    with pytest.raises(TextError, match=r"line 7, 'g=1': it must be states, stage"):
        parse(text)
    text = text.replace("g=1", "g = tanh ( W x+U h + b from  1 )").replace("from  1 )", "from 1)").replace("( W", "(W")
    assert digest(parse(text + "h <- g\noutput   g")) == digest(
        parse("states h\nstage reads h\ng = tanh(W x + U h + b from 1)\nh <- g\noutput g")
    )


START = "states h\nstage reads h\ng = W x + U h + b\nn = tanh(g)\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("m = tang(g)", "'tang' is not an activation. Did you mean tanh? Allowed: identity, tanh, sigmoid"),
        ("m = tanh(gg)", "'gg' has not been made yet. Did you mean 'g'?"),
        ("m = n + mm", "'mm' has not been made yet."),
        ("m = n / g", "a slot has W x, U wire and b; a node is a, a + b, a - b, a * b or (1 - a) * b."),
        ("m = (2 - n) * g", "a slot has W x"),
        ("m = n + g + h", "a slot has W x"),
        ("m = tanh()", "a slot has W x"),
        ("m = tanh(g", "a slot has W x"),
        ("m = W x", "the linear maps of a stage come before its nodes; start a new stage."),
        ("m = U g", "U multiplies 'g', but the stage reads h."),
        ("m = b from 2", "a bias cannot start from '2'. Allowed: 0, 1, -1, 4, -4, long, -long."),
        ("m = b from none", "a bias cannot start from 'none'."),
        ("n = g + h", "'n' has been made before."),
        ("h = g + g", "'h' has been made before."),
        ("tanh = g + h", "'tanh' cannot be a name."),
        ("x = g + h", "'x' cannot be a name."),
        ("0 = g + h", "'0' cannot be a name."),
        ("ü = g + h", "'ü' cannot be a name."),
        ("k <- n", "'k' is not a state; the states are h."),
        ("h <- k", "'k' has not been made yet."),
        ("h <- n <- g", "'n <- g' has not been made yet."),
        ("stage read n", "it must be `stage` or `stage reads WIRE`."),
        ("stage reads", "it must be `stage` or `stage reads WIRE`."),
        ("stage reads k", "'k' has not been made yet."),
        ("states k", "the states have been named before; name all in one line."),
        ("output", "'' has not been made yet."),
        ("output k", "'k' has not been made yet."),
        ("outputs n", "it must be states, stage, output, `wire = ...` or `state <- wire`."),
        ("m =", "it must be states, stage, output"),
        ("n", "it must be states, stage, output"),
    ],
)
def test_a_bad_line_is_named(line, message):
    with pytest.raises(TextError) as caught:
        parse(START + line + "\noutput n")
    assert str(caught.value).startswith(f"line 5, {line!r}: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no line `output WIRE`."),
        (START, "there is no line `output WIRE`."),
        ("g = W x\noutput g", "line 1, 'g = W x': a line `stage` must come before it."),
        (START + "output n\noutput n", "line 6, 'output n': there is a line `output WIRE` before."),
        (START + "h <- n\nh <- g\noutput n", "line 6, 'h <- g': 'h' has its next value before."),
        ("stage\n" * 9 + "output 0", "the cell has 9 stages, but there is room for 8."),
        (
            "states " + " ".join(f"h{i}" for i in range(9)) + "\noutput 0",
            "the cell has 9 states, but there is room for 8.",
        ),
        (
            "stage\n" + "".join(f"g{i} = W x\n" for i in range(33)) + "output 0",
            "the cell has 33 slots, but there is room",
        ),
        ("x" * 200_001, "the text has 200,001 characters; that of a cell has at most 200,000."),
    ],
)
def test_a_bad_text_is_refused(text, message):
    with pytest.raises(TextError, match=re.escape(message)):
        parse(text)


def test_messages_are_short():
    for line in ("a" * 100_000, "n = " + "a" * 100_000, "a" * 100_000 + " = 0", "n = " + "a" * 50_000 + "(0)"):
        with pytest.raises(TextError) as caught:
            parse(f"stage\n{line}\noutput 0")
        assert len(str(caught.value)) < 500


def test_a_cell_must_fit_the_space():
    with pytest.raises(TextError, match=r"the cell has 2 stages, but there is room for 1\."):
        parse(START + "stage\noutput n", Space(1, 1, 1, 1))
    parse(START + "output n", Space(1, 1, 1, 1))


TOKENS = (
    "states,stage,reads,output,<-,=,+,-,*,(,),1,0,W,x,U,b,from,h,g,tanh,sigmoid,# c,\n,h1,n1,g1,-4,long,\t,\u2028,é"
)
TOKENS = [*TOKENS.split(","), "(1 - h1) * g1", "W x", "U h1", "U 1", " "]


def fuzzed(text, generator):
    """A text with a few accidents."""
    for _ in range(generator.integers(1, 4)):
        lines, tokens = text.split("\n"), re.findall(r"\w+|\s|[^\w\s]", text)
        a, b = generator.integers(len(lines), size=2)
        at, other = generator.integers(len(tokens), size=2) if tokens else (0, 0)
        new = TOKENS[generator.integers(len(TOKENS))]
        kind = generator.integers(6)
        if kind == 0:
            lines[a], lines[b] = lines[b], lines[a]
        elif kind == 1:
            lines.insert(a, lines[b])
        elif tokens:
            tokens[at : at + (kind > 2)] = {2: [new], 3: [new], 4: [], 5: [tokens[other]]}[int(kind)]
        text = "\n".join(lines) if kind < 2 else "".join(tokens)
    return text


def check_fuzzed(count):
    generator, read = np.random.default_rng(0), 0
    texts = [*(show(genome) for genome in some(20, 5)), *TEXTS.values()]
    for i in range(count):
        text = fuzzed(texts[i % len(texts)], generator)
        try:
            genome = parse(text)
        except TextError:
            continue
        read += 1
        assert digest(parse(show(genome))) == digest(genome), text
    assert count / 50 < read < count / 2


def test_damaged_texts_are_read_or_refused():
    check_fuzzed(150)


@pytest.mark.slow
def test_very_many_damaged_texts_are_read_or_refused():
    unchecked("test_text", "check_fuzzed(20_000)")
