"""What pydantic found wrong, in words: the field, what came, and all that its schema allows."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from jaxneuro.launch.advice import Location, dotted, shown, unknown

Schema = dict[str, Any]

# The type of error by which a validator hands its own sentence through; its context holds it as "sentence".
SENTENCE = "sentence"


class Problem(NamedTuple):
    """One thing that is wrong: where, and a sentence that comes after the name of the field."""

    location: Location
    sentence: str

    def __str__(self) -> str:
        return f"{dotted(self.location)} {self.sentence}" if self.location else self.sentence


def problems(model: type[BaseModel], data: Any, error: ValidationError) -> list[Problem]:
    """All problems of a value, one per field.

    Args:
        model: what it was checked against.
        data: what came.
        error: what pydantic said.

    Returns:
        The problems, in the order of the model's fields.
    """
    schema = model.model_json_schema()
    found: dict[Location, Problem] = {}
    for details in error.errors(include_url=False, include_input=False):
        location = _place(details["loc"], data, details["type"] in ("missing", SENTENCE))
        if details["type"] == "too_short" and any(known[: len(location)] == location for known in found):
            continue  # pydantic counts the good elements only
        found.setdefault(location, Problem(location, _sentence(details, location, data, schema)))
    return list(found.values())


def _place(location: Location, data: Any, absent: bool) -> Location:
    """The location without what pydantic adds to it for unions and keys."""
    kept: Location = ()
    for number, part in enumerate(location, start=1):
        parts: dict[Any, Any] = (
            data if isinstance(data, dict) else dict(enumerate(data)) if isinstance(data, list) else {}
        )
        if part in parts:
            kept, data = (*kept, part), parts[part]
        elif absent and number == len(location):
            kept = (*kept, part)
    return kept


def _sentence(details: ErrorDetails, location: Location, data: Any, schema: Schema) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == SENTENCE:
        return context["sentence"]
    if kind == "extra_forbidden":
        return unknown(str(location[-1]), _fields(schema, location[:-1]), "field")
    for part in location if kind != "missing" else ():
        data = data[part]
    if kind in ("value_error", "assertion_error"):
        return str(context["error"]) if not location else f"is {shown(data)}: {context['error']}"
    part = _at(schema, location)
    allowed = _words(part, schema) if part else _lower(details["msg"])
    came = "is missing" if kind == "missing" else f"is {shown(data)}"
    whole = isinstance(data, float) and kind == "int_type" and data.is_integer() and abs(data) < 1e15
    return f"{came}; it must be {allowed}." + (f" Write {int(data)}." if whole else "")


def _lower(message: str) -> str:
    return message.removeprefix("Input should be ").removeprefix("Input should ")


def _fields(schema: Schema, location: Location) -> Iterable[str]:
    return (_at(schema, location) or {}).get("properties", {})


def _at(schema: Schema, location: Location) -> Schema | None:
    """The part of a JSON schema that speaks of a location; for a union, all of it."""
    here: Schema | None = _resolved(schema, schema)
    for part in location:
        if here is None:
            return None
        branches = [_resolved(branch, schema) for branch in here.get("anyOf", here.get("oneOf", [here]))]
        here = next((inner for branch in branches if (inner := _inner(branch, part)) is not None), None)
        here = here and _resolved(here, schema)
    if here and "anyOf" in here and "properties" not in here:
        mappings = [branch for each in here["anyOf"] if "properties" in (branch := _resolved(each, schema))]
        here = {**here, "properties": mappings[0]["properties"]} if mappings else here
    return here


def _inner(schema: Schema, part: str | int) -> Schema | None:
    if isinstance(part, int):
        first = schema.get("prefixItems", [])
        return first[part] if part < len(first) else schema.get("items")
    others = schema.get("additionalProperties")
    return schema.get("properties", {}).get(part, others if isinstance(others, dict) else None)


def _resolved(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    return schema if reference is None else root["$defs"][reference.rsplit("/", 1)[-1]]


def _words(schema: Schema, root: Schema) -> str:
    """What a schema allows."""
    schema = _resolved(schema, root)
    if "summary" in schema:
        return schema["summary"]
    if branches := schema.get("anyOf", schema.get("oneOf")):
        return " or ".join(_words(branch, root) for branch in branches)
    if "enum" in schema or "const" in schema:
        return "one of " + ", ".join(map(str, schema.get("enum", [schema.get("const")])))
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return " ".join(["a whole number" if kind == "integer" else "a finite number", *_range(schema)])
    if kind == "string":
        pattern = f" that matches {schema['pattern']}" if "pattern" in schema else ""
        return f"text{_length(schema, 'Length', 'character')}{pattern}"
    if kind == "array":
        of = schema.get("items") or next(iter(schema.get("prefixItems", [])), {})
        return "a list" + _length(schema, "Items", "element") + (f", each {_words(of, root)}" if of else "")
    if kind == "object":
        fields = ", ".join(schema.get("properties", {}))
        return f"a mapping with the fields {fields}" if fields else "a mapping"
    return {"boolean": "true or false", "null": "null"}.get(str(kind), "a value of another kind")


def _range(schema: Schema) -> list[str]:
    bounds = {"exclusiveMinimum": "above", "minimum": "of at least", "exclusiveMaximum": "below", "maximum": "at most"}
    given = [f"{word} {schema[name]:.10g}" for name, word in bounds.items() if name in schema]
    return [" and ".join(given) + (f" {schema['unit']}" if "unit" in schema else "")] if given else []


def _length(schema: Schema, of: str, unit: str) -> str:
    least, most = schema.get(f"min{of}"), schema.get(f"max{of}")
    given = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
    return f" of {' and '.join(given)} {unit}{'s' * ((most or least) != 1)}" if given else ""
