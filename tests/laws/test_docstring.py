"""Law 12: a machine's docstring has its equation, its units, its shapes and its reference."""

import dataclasses
import re
import typing

from tests.laws.machines import every_machine, example

EQUATION = re.compile(r"`[^`]+ (?:=|<-) [^`]+`")
SHAPE = re.compile(r"`\[[^`]*\]`|\bscalars?\b|\bshapes?\b|\baxis\b")
REFERENCE = re.compile(r"Reference:.*\b(?:18|19|20)\d\d\b", re.DOTALL)


def units(kind):
    """The units of a class's own numbers, "" for a number without one. A pytree's are those of what it stands for."""
    for field in dataclasses.fields(kind):
        if "parameter" in field.metadata and "PyTree" not in str(field.type):
            yield field.metadata["parameter"].unit


def names_arrays(kind):
    """Whether the class says what array it takes or gives; a wrapper takes what its inner machine takes."""
    arguments = [argument for base in kind.__orig_bases__ for argument in typing.get_args(base)]
    return any("[" in str(argument) and "PyTree" not in str(argument) for argument in arguments)


def check_docstring(kind):
    text, name = kind.__doc__ or "", kind.__name__
    assert EQUATION.search(text), f"{name}: no equation, such as `V <- V + dt f(V)`, in backticks"
    assert REFERENCE.search(text), f"{name}: no 'Reference:' with a year"
    assert SHAPE.search(text) or not names_arrays(kind), f"{name}: no shape, such as `[inputs]` or 'scalar'"
    found = set(units(kind))
    for unit in found - {""}:
        assert re.search(rf"\b{unit}\b", text), f"{name}: a field is in {unit}, which the docstring does not say"
    assert found != {""} or re.search("dimensionless|unit", text), f"{name}: numbers without units are 'dimensionless'"


@every_machine
def test_the_docstring_is_complete(row):
    check_docstring(type(example(row)[0]))
