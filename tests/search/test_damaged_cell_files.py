"""Whatever a file may hold that is no cell is refused by name, and nothing else happens."""

import collections
import contextlib
import json
import re

import numpy as np
import pytest

from jaxneuro.search.cell_file import CellFileError, Contents, from_bytes
from jaxneuro.search.genome import Genome, check
from jaxneuro.search.storage import to_text
from tests.search.cell_files import SMALL, changed, refusal, written
from tests.search.genomes import SPACES, some
from tests.search.unchecked import unchecked


@pytest.mark.parametrize(
    ("path", "to", "match"),
    [
        (("format",), "other", r"format is 'other'; it must be 'jaxneuro cell'."),
        (("version",), 2, r"version is 2; this jaxneuro reads version 1."),
        (("version",), 1.0, r"version is 1.0; it must be a whole number"),
        (("version",), True, r"version is true; it must be a whole number"),
        (("version",), "1", r"version is '1'; it must be a whole number"),
        (("note",), 3, r"note is 3; it must be text"),
        (("note",), "\ud800", r"note is .*; it must be text"),
        (("digest",), "0", r"digest is '0', but that of the genome is '[0-9a-f]{64}'."),
        (("text",), ["output 0"], r"text is not that of the genome. To make a cell from text use"),
        (("space",), [2, 2, 3, 2], r"space is a list of 4; it must be a mapping with the fields stages, slots"),
        (("space", "stages"), 9, r"space.stages is 9; it must be a whole number, 1 to 8."),
        (("space", "stages"), 10**18, r"space.stages is 1000000000000000000; it must be a whole number, 1 to 8."),
        (("space", "slots"), 0, r"space.slots is 0; it must be a whole number, 1 to 32."),
        (("space", "nodes"), -1, r"space.nodes is -1; it must be a whole number, 0 to 64."),
        (("space", "states"), 2.0, r"space.states is 2.0; it must be a whole number, 1 to 8."),
        (("space", "states"), True, r"space.states is true; it must be"),
        (("space", "slots"), 3, r"genome.input\[0\] is a list of 2; it must be a list of 3."),
        (("genome",), None, r"genome is null; it must be a mapping"),
        (("genome", "source"), [2], r"genome.source is a list of 1; it must be a list of 2."),
        (("genome", "source"), {"0": 2}, r"genome.source is a mapping of 1; it must be a list of 2."),
        (("genome", "input"), [[1, 1], [1]], r"genome.input\[1\] is a list of 1; it must be a list of 2."),
        (("genome", "input"), [[1, [1]], [1, 0]], r"genome.input\[0\]\[1\] is a list of 1; it must be a whole number"),
        (("genome", "output"), 99, r"holds no genome: Genome.output is 99; it must be 0 to 13."),
        (("genome", "output"), -1, r"genome.output is -1; it must be a whole number"),
        (("genome", "output"), [3], r"genome.output is a list of 1; it must be a whole number"),
        (("genome", "first"), [[0, 0, 0], [0, 99, 0]], r"Genome.first\[1\]\[1\] is 99; it must be 0 to 11."),
        (("genome", "next", 0), False, r"genome.next\[0\] is false; it must be a whole number"),
        (("genome", "next", 0), None, r"genome.next\[0\] is null; it must be a whole number"),
        (("genome", "next", 0), "3", r"genome.next\[0\] is '3'; it must be a whole number"),
        (("genome", "sources"), [2], r"genome.sources is not a known field. Did you mean source\? Allowed: source, in"),
        (("notes",), "", r"notes is not a known field. Did you mean note\? Allowed: format, version"),
    ],
)
def test_a_wrong_field_is_named(path, to, match):
    refusal(changed(*path, to=to), match)


@pytest.mark.parametrize(
    ("path", "to", "match"),
    [
        (("weights",), None, r"weights is null; it must be a mapping with the fields inputs, units, dtype"),
        (("weights", "inputs"), 0, r"weights.inputs is 0; it must be a whole number, 1 to 100000."),
        (("weights", "inputs"), 10**9, r"weights.inputs is 1000000000; it must be a whole number, 1 to 100000."),
        (
            ("weights", "inputs"),
            100_000,
            r"weights.input_weights\[0\]\[0\]\[0\] is a list of 2; it must be a list of 1000",
        ),
        (("weights", "units"), 3, r"weights.input_weights\[0\]\[0\] is a list of 2; it must be a list of 3."),
        (("weights", "dtype"), "int32", r"weights.dtype is 'int32'; it must be one of float64, float32"),
        (("weights", "dtype"), ["float32"], r"weights.dtype is a list of 1; it must be one of float64, float32"),
        (
            ("weights", "bias", 0, 0, 0),
            True,
            r"weights.bias\[0\]\[0\]\[0\] is true; it must be a finite number, at most 3.40282e",
        ),
        (("weights", "bias", 0, 0, 0), 10**19, r""),
        (("weights", "bias", 0, 0), 1.0, r"weights.bias\[0\]\[0\] is 1.0; it must be a list of 2."),
        (("weights", "w"), 1.0, r"weights.w is not a known field."),
    ],
)
def test_a_wrong_field_of_the_weights_is_named(path, to, match):
    text = changed(*path, to=to, weights=True)
    if match:
        refusal(text, match)
    else:
        from_bytes(text.encode())


def test_a_weight_must_be_finite_as_what_it_will_be():
    refusal(changed("weights", "bias", 0, 0, 0, to=1e39, weights=True), r"bias\[0\]\[0\]\[0\] is 1e\+39; it must be")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "is not JSON: Expecting value"),
        ("[1]", "holds a list of 1; it must hold a mapping with the fields format"),
        ("{}", "format is null; it must be 'jaxneuro cell'"),
        ("\ufeff{}", "is not JSON"),
        (b"\xff\xfe", "is not JSON: .*codec can't decode"),
        ('{"a": NaN}', "holds NaN; all numbers must be finite"),
        ('{"a": -Infinity}', "holds -Infinity; all numbers must be finite"),
        ('{"a": 1, "b": 2, "a": 3}', "'a' is there twice."),
        ('{"a": {"b": 2, "b": 3}}', "'b' is there twice."),
        ('{"a": ' + "9" * 21 + "}", "holds a number of 21 digits; at most 20 are read."),
        ('{"a": ' + "9" * 10_000 + "}", "holds a number of 10000 digits"),
        ("[" * 100_000, "is nested too deeply|is not JSON"),
        ('{"a":' * 100_000, "is nested too deeply|is not JSON"),
        ("[" * 500_000, "has more than 1,100,000 values or 400,000 lists"),
        ("1," * 1_100_001, "has more than 1,100,000 values"),
        (b" " * (32 * 2**20 + 1), "has more than 33,554,432 bytes"),
    ],
)
def test_what_is_no_cell_at_all_is_refused(text, match):
    refusal(text, match)


@pytest.mark.parametrize("key", json.loads(written(weights=True)))
def test_no_field_but_the_weights_may_be_missing(key):
    parts = json.loads(written(weights=True))
    del parts[key]
    if key == "weights":
        assert from_bytes(json.dumps(parts).encode()).weights is None
    else:
        refusal(json.dumps(parts), f"{key} is missing|format is null|version is null")


TOKENS = ["{", "}", "[", "]", ",", ":", '"', "0", "1", "-1", "2.0", "1e999", "true", "null", "NaN", "99999", "[]", "{}"]


def fuzzed(data, generator):
    """A file with a few accidents."""
    for _ in range(generator.integers(1, 4)):
        kind = generator.integers(6)
        if kind == 0 and data:  # a flipped bit
            at = int(generator.integers(len(data)))
            data = data[:at] + bytes([data[at] ^ (1 << int(generator.integers(8)))]) + data[at + 1 :]
        elif kind == 1:  # cut off, or a piece cut out
            start, end = sorted(generator.integers(len(data) + 1, size=2).tolist())
            data = data[:start] + (data[end:] if generator.random() < 0.5 else b"")
        elif kind in (2, 3):  # a token for another
            tokens = list(re.finditer(rb'"[^"]*"|-?[\d.]+|[\[\]{},:]|\w+', data))
            if tokens:
                token = tokens[int(generator.integers(len(tokens)))]
                other = tokens[int(generator.integers(len(tokens)))][0]
                new = other if kind == 2 else generator.choice(TOKENS).encode()
                data = data[: token.start()] + new + data[token.end() :]
        else:  # another structure
            try:
                parts = json.loads(data)
                data = json.dumps(restructured(parts, generator)).encode()
            except (ValueError, RecursionError):
                pass
    return data


def restructured(parts, generator):
    """A value within lists and mappings replaced, removed, doubled or moved."""
    inside = parts
    while isinstance(inside, dict | list) and inside:
        key = (
            list(inside)[generator.integers(len(inside))]
            if isinstance(inside, dict)
            else int(generator.integers(len(inside)))
        )
        if generator.random() < 0.4 or not isinstance(inside[key], dict | list):
            value = inside[key]
            news = [value, [value], None, True, 0, 1, 2, 1.5, -1, 10**12, "x", {}, [], inside]
            action = generator.integers(4)
            if action == 0:
                del inside[key]
            elif action == 1 and isinstance(inside, list):
                inside.insert(key, value)
            elif action == 2 and isinstance(value, int) and not isinstance(value, bool):
                inside[key] = value + int(generator.integers(-1, 2))
            else:
                new = news[generator.integers(len(news))]
                inside[key] = json.loads(json.dumps(new))
            break
        inside = inside[key]
    return parts


def resealed(data):
    """The same with the text and the digest that its genome has, if it has one: to look beyond this guard."""
    try:
        parts = json.loads(data)
        genome = Genome(**{name: np.asarray(array, np.int32) for name, array in parts["genome"].items()})
        fresh = json.loads(to_text(Contents(genome)))
        return json.dumps(parts | {"digest": fresh["digest"], "text": fresh["text"]}).encode()
    except Exception:
        return data


def check_fuzzed(count):
    generator = np.random.default_rng(8)
    files = [
        written.__wrapped__(genome, i % 2 == 0).encode() for i, genome in enumerate(some(20, 5, (SMALL, *SPACES[:3])))
    ]
    outcomes = collections.Counter()
    for i in range(count):
        data = fuzzed(files[i % len(files)], generator)
        data = resealed(data) if i % 4 == 0 else data
        found = None
        with contextlib.suppress(CellFileError):
            found = from_bytes(data)
        outcomes["refused" if found is None else "read"] += 1
        if found is not None:
            check(found.genome)
            assert found.weights is None or all(np.isfinite(array).all() for array in found.weights.arrays.values())
    assert min(outcomes["refused"], outcomes["read"]) > count / 50, outcomes
    return outcomes


def test_damaged_files_are_read_as_a_genome_or_refused():
    check_fuzzed(1000)


@pytest.mark.slow
def test_very_many_damaged_files_are_read_as_a_genome_or_refused():
    unchecked("test_damaged_cell_files", "check_fuzzed(20_000)")
