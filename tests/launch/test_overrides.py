import pytest

from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.overrides import override
from jaxneuro.launch.reading import read_text


@pytest.fixture
def document():
    return read_text("a: 1\nlist:\n- {b: 2}\n- {b: 3}\nempty: []\nnothing:\n", "x.yaml")


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("a=1e-3", "a", 1e-3),
        ("a=on", "a", "on"),
        ("a=null", "a", None),
        ("a=[1, {c: 2}]", "a", [1, {"c": 2}]),
        ("a=x=y", "a", "x=y"),
        ("list.1.b=7", "list", [{"b": 2}, {"b": 7}]),
        ("list.0={c: 1}", "list", [{"c": 1}, {"b": 3}]),
        ("new.deeper=4", "new", {"deeper": 4}),
        ("nothing.deeper=4", "nothing", {"deeper": 4}),
        ("sweep.list.0.b=[1, 2]", "sweep", {"list.0.b": [1, 2]}),
    ],
)
def test_an_override_sets_one_value(document, text, key, value):
    assert override(document, text).data == {**document.data, key: value}


def test_the_first_document_is_left_as_it_was(document):
    override(document, "list.0.b=9")
    assert document.data["list"] == [{"b": 2}, {"b": 3}]


def test_the_place_of_a_value_is_the_override_that_gave_it(document):
    changed = override(document, "list.1=[5]")
    assert changed.place(("list", 1, 0)) == "override 'list.1=[5]'"
    assert changed.place(("list", 0, "b")) == "x.yaml, line 3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "an override is written path.to.field=value"),
        ("=3", "an override is written"),
        ("a..b=3", "an override is written"),
        (".=3", "an override is written"),
        ("a=", "a has no value after the =; write a=null for none"),
        ("a=  ", "no value"),
        ("a.b=3", "a is 1, which has no field 'b'"),
        ("list.2.b=3", "list is a list; '2' is not one of its elements \\(0 to 1\\)"),
        ("list.x=3", "list is a list; 'x' is not one"),
        ("list.-1=3", "'-1' is not one"),
        ("list.99999999999999999999=3", "is not one"),
        ("empty.0=3", "none: it is empty"),
        ("a=[1", "this is not YAML"),
        ("a=!!python/name:os.system", "the tag"),
        ("a=&x 3", "anchors"),
        ("a=1\n---\n2", "second document"),
        (".".join("a" * 50) + "=3", "too deep"),
        ("new." + ".".join("a" * 20) + "=" + "[" * 100, "deep"),
    ],
)
def test_an_override_that_means_nothing_is_refused_by_name(document, text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        override(document, text)
    assert str(caught.value).startswith("override ")
