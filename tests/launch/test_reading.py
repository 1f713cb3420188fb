import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.reading import DEEPEST, LARGEST_FILE, MOST_NODES, parse, read, read_text, write

PLAIN = {
    "1e-3": 1e-3,
    "1E-3": 1e-3,
    "1e5": 1e5,
    "-2.5e+3": -2500.0,
    "3": 3,
    "-3": -3,
    "1_000": 1000,
    ".5": 0.5,
    "5.": 5.0,
    "true": True,
    "false": False,
    "null": None,
    "~": None,
    "": None,
    ".inf": math.inf,
    "-.inf": -math.inf,
    "on": "on",
    "no": "no",
    "Yes": "Yes",
    "2001-01-01": "2001-01-01",
    "12:30": "12:30",
    "190:20:30": "190:20:30",
    "010": "010",
    "0x1F": "0x1F",
    "1e": "1e",
    "1.2.3": "1.2.3",
    "'1e-3'": "1e-3",
    '"true"': "true",
    "=": "=",
    "<<": "<<",
}


@pytest.mark.parametrize(("text", "value"), PLAIN.items())
def test_plain_words_are_read_as_yaml_1_2_reads_them_and_exponents_without_a_dot_are_numbers(text, value):
    found = read_text(f"a: {text}", "x.yaml").data["a"]
    assert (found, type(found)) == (value, type(value))


def test_nan_is_read_as_a_number_for_the_config_to_refuse():
    assert math.isnan(read_text("a: .nan", "x.yaml").data["a"])


REFUSED = {
    "alias bomb": ("a: &a [x, x]\nb: [*a, *a]", "x.yaml, line 1, column 4: a: anchors"),
    "merge of an alias": ("a: {x: 1}\nb:\n  <<: *c", "x.yaml, line 3, column 7: b.<<: anchors"),
    "python tag": ("a: {b: !!python/object/apply:os.system [ls]}", "line 1, column 8: a.b: the tag"),
    "own tag": ("a: !x 3", "line 1, column 4: a: the tag '!x' is not allowed"),
    "standard tag": ("a: !!float 3", "tag"),
    "duplicate key": (
        "a: 1\nb: 2\na: 3",
        "line 3, column 1: a: is here a second time; it was given before (x.yaml",
    ),
    "nested duplicate key": ("a: {b: 1, b: 2}", "a.b: is here a second time"),
    "key that is a number": ("1: 2", "a key is 1; it must be text"),
    "key that is null": ("a: {null: 2}", "a key is null"),
    "key that is a list": ("? [a, b]\n: 2", "a key is a list"),
    "two documents": ("a: 1\n---\nb: 1", "line 2, column 1: a second document"),
    "list": ("[a, b]", "holds ['a', 'b']; a config is a mapping"),
    "text": ("hello", "holds 'hello'"),
    "nothing": ("", "x.yaml is empty"),
    "comments alone": ("# nothing\n", "x.yaml is empty"),
    "tab": ("a:\n\t- 1", "line 2, column 1: this is not YAML"),
    "unfinished": ("a: [1,\n  2", "this is not YAML"),
    "two colons": ("a: b: c", "line 1, column 5: this is not YAML"),
    "control character": ("a: 1\nb: \x07", "x.yaml, line 2, column 4: '\\x07' is a control character"),
    "escaped zero byte": ('a: "\\0"', "is not text"),
    "very long number": (f"a: {'9' * 5000}", "a: is a number of 5000 digits"),
    "deep lists": (f"a: {'[' * 100_000}", f"nested {DEEPEST} deep"),
    "deep mappings": ("a: " + "{a: " * 20_000, f"nested {DEEPEST} deep"),
    "deep block": ("\n".join(" " * level + "a:" for level in range(500)), f"nested {DEEPEST} deep"),
    "many values": (f"a: [{'1,' * (MOST_NODES + 5)}]", "may hold 10,000 values"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_plain_data_is_refused_in_one_line_with_its_place(text, message):
    with pytest.raises(ConfigError) as caught:
        read_text(text, "x.yaml")
    assert message in str(caught.value)
    assert "x.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_tag_runs_nothing(tmp_path):
    trace = tmp_path / "trace"
    with pytest.raises(ConfigError, match="tag"):
        read_text(f"a: !!python/object/apply:os.mkdir [{trace}]", "x.yaml")
    assert not trace.exists()


def test_as_deep_and_as_long_as_is_allowed_is_read():
    assert read_text(f"a: {'[' * (DEEPEST - 1)}{']' * (DEEPEST - 1)}", "x.yaml").data["a"] is not None
    assert len(read_text(f"a: [{'1,' * (MOST_NODES - 3)}]", "x.yaml").data["a"]) == MOST_NODES - 3


def test_a_file_is_read_with_the_line_of_every_value(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes("\ufeffa: 1\n\nb:\n  - {c: é}\n".encode())
    document = read(path)
    assert document.data == {"a": 1, "b": [{"c": "é"}]}
    assert document.place(("b", 0, "c")) == f"{path}, line 4"
    assert document.place(("b", 0, "missing")) == f"{path}, line 4"
    assert document.place(("missing",)) == str(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nbc: \xff", "line 2, column 5: byte 0xff is not UTF-8"),
        ("a: 1".encode("utf-16"), "is not UTF-8"),
        (b"#" * (LARGEST_FILE + 1), "has 1,048,577 bytes; a config may have 1,048,576"),
        (b"a: \0", "line 1, column 4"),
    ],
)
def test_a_file_that_is_no_text_or_too_large_is_refused(tmp_path, content, message):
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read(path)


@pytest.mark.parametrize("name", ["missing.yaml", ".", "a" * 5000, "a\0b"])
def test_a_path_that_is_no_file_is_refused(tmp_path, name):
    with pytest.raises(ConfigError):
        read(tmp_path / name)


def test_messages_stay_short():
    with pytest.raises(ConfigError) as caught:
        read_text(f"{'k' * 900}: !x 3", "x.yaml")
    assert len(str(caught.value)) < 300


def texts(alphabet, longest):
    # Not st.text: its table of all characters takes seconds to make on a new machine.
    return st.lists(st.sampled_from(alphabet), max_size=longest).map("".join)


words = texts("aE1_-+.:#'\"\n\t []{}&*!~<=\x07é\x85\u2028\U0001f9e0", 12)
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(words.filter(len), parts, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["a", "1", "null", "<<", "1e3", "é"]), json))
def test_what_is_written_is_read_back_as_it_was(data):
    assert repr(read_text(write(data), "x.yaml").data) == repr(data)


@given(texts("[]{}&*!?:-|>'\"%@`#, \n\tab1e.~<=", 60))
def test_any_text_is_read_as_the_reference_parser_reads_it_or_refused(text):
    try:
        found, _ = parse(text, "x.yaml")
    except ConfigError:
        return
    try:
        reference = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except yaml.YAMLError as error:
        pytest.fail(f"{text!r} is no YAML ({error}) but was read as {found!r}")
    assert _shape(found) == _shape(reference)


def _shape(value):
    if isinstance(value, dict):
        return {key: _shape(part) for key, part in value.items()}
    return [_shape(part) for part in value] if isinstance(value, list) else None
