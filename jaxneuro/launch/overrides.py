"""Overrides: single values of a config, changed on the command line by `path.to.field=value`."""

import copy
from typing import Any

from jaxneuro.launch.advice import ConfigError, Location, dotted, shown
from jaxneuro.launch.reading import DEEPEST, LARGEST_FILE, Document, parse


def override(document: Document, text: str) -> Document:
    """The document with one value replaced or added.

    Args:
        document: a config.
        text: `path.to.field=value`, the value in YAML; a list's elements are named by number, from 0.

    Returns:
        Another document. Whether a field of that name exists is not known here, but when the config is checked.

    Raises:
        ConfigError: it is not of this form, or leads into a list that is too short or into a plain value.
    """
    path, equals, value = text.partition("=")
    name = f"override {shown(text)}"
    parts = path.strip().split(".")
    if parts[0] == "sweep" and len(parts) > 1:  # the names in a sweep are paths themselves
        parts = ["sweep", ".".join(parts[1:])]
    if not equals or not all(parts):
        raise ConfigError(f"{name}: an override is written path.to.field=value.")
    if not value.strip():
        raise ConfigError(f"{name}: {path} has no value after the =; write {path}=null for none.")
    if len(parts) > DEEPEST or len(value) > LARGEST_FILE:
        raise ConfigError(f"{name}: {path[:60]} is too deep or too large for a config.")
    data = copy.deepcopy(document.data)
    here: Any = data
    location: Location = ()
    added: dict[Location, str] = {}
    places: dict[Location, str] = {}
    for part, last in zip(parts, [False] * (len(parts) - 1) + [True], strict=True):
        step = _step(here, part, name, location)
        location = (*location, step)
        if last:
            here[step], places = parse(value, name, location)
        elif isinstance(here, dict) and here.get(step) is None:
            here[step], added[location] = {}, name
        here = here[step]
    kept = {known: place for known, place in document.places.items() if known[: len(location)] != location}
    return Document(data, {**kept, **added, **dict.fromkeys(places, name)}, document.name)


def _step(here: Any, part: str, name: str, location: Location) -> str | int:
    if isinstance(here, dict):
        return part
    if isinstance(here, list):
        if part.isascii() and part.isdecimal() and len(part) < 6 and int(part) < len(here):
            return int(part)
        allowed = f"0 to {len(here) - 1}" if here else "none: it is empty"
        raise ConfigError(f"{name}: {dotted(location)} is a list; {part!r} is not one of its elements ({allowed}).")
    raise ConfigError(f"{name}: {dotted(location)} is {shown(here)}, which has no field {part!r}.")
