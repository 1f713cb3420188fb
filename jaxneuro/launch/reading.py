"""YAML as data and nothing else.

The parser's events are built into mappings, lists, numbers, booleans and text here, one after the other: no recursion,
no tags, no aliases, so that nothing in a file runs and a small file cannot become a large value. Plain words are read
as YAML 1.2 does, with one addition: `1e-3` is a number. `on`, `no`, dates and `12:30` stay text.
"""

import math
import re
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import yaml
from yaml.reader import Reader

from jaxneuro.launch.advice import ConfigError, Location, dotted, shown

LARGEST_FILE = 2**20
DEEPEST = 32
MOST_NODES = 10_000
MOST_DIGITS = 1000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*(_[0-9]+)*)")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "false": False}
_WORDS |= {f"{sign}.{word}": float(sign + word) for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")}
_WORDS |= dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)
_UNUSABLE = re.compile("[\0\ud800-\udfff]")


class Document(NamedTuple):
    """What a config says, and where it says it.

    Attributes:
        data: the mapping.
        places: for every value and key path, its place in words: "configs/x.yaml, line 3".
        name: the file's name.
    """

    data: dict[str, Any]
    places: dict[Location, str]
    name: str

    def place(self, location: Location) -> str:
        """Where the value at a location was written, or else the closest value around it."""
        while location and location not in self.places:
            location = location[:-1]
        return self.places[location] if location else self.name


class _Dumper(yaml.SafeDumper):
    """Quotes text that `parse` would take for a number, and writes no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, None)


def write(data: dict[str, Any]) -> str:
    """The text of a config; reading it gives the same data."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False)


def read(path: Path) -> Document:
    """Read a config file.

    Args:
        path: a YAML file of at most 1 MiB that holds one mapping.

    Returns:
        Its content.

    Raises:
        ConfigError: it is missing, too large or not plain YAML; with line and column.
    """
    name = str(path)
    try:
        if not path.is_file():
            raise ConfigError(f"{name}: there is no such file.")
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise ConfigError(f"{name} has {size:,} bytes; a config may have {LARGEST_FILE:,}.")
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {error.strerror}.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        place = f"line {before.count(10) + 1}, column {len(before) - before.rfind(10)}"
        raise ConfigError(f"{name}, {place}: byte 0x{content[error.start]:02x} is not UTF-8.") from error
    return read_text(text, name)


def read_text(text: str, name: str) -> Document:
    """Read the text of a config.

    Args:
        text: YAML that holds one mapping.
        name: what to call it in messages.

    Returns:
        Its content.

    Raises:
        ConfigError: it is not plain YAML; with line and column.
    """
    data, places = parse(text, name)
    if not isinstance(data, dict):
        what = "is empty" if data is None else f"holds {shown(data)}"
        raise ConfigError(f"{name} {what}; a config is a mapping that begins like `experiment: digits`.")
    return Document(data, places, name)


def parse(
    text: str, name: str, location: Location = (), loader: type[Any] = _Loader
) -> tuple[Any, dict[Location, str]]:
    """The value that one YAML document holds, and the places of its parts.

    Args:
        text: the document.
        name: what to call it in messages.
        location: where in a config the value belongs.
        loader: the parser; LibYAML's where it is there.

    Returns:
        Mappings, lists, numbers, booleans, text and None; None for an empty document.

    Raises:
        ConfigError: as for `read_text`.
    """
    if odd := Reader.NON_PRINTABLE.search(text):
        line, column = text.count("\n", 0, odd.start()) + 1, odd.start() - text.rfind("\n", 0, odd.start())
        raise ConfigError(f"{name}, line {line}, column {column}: {odd[0]!r} is a control character; delete it.")
    builder = _Builder(name, location)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        if "nesting depth" in (error.problem or "") and loader is not yaml.SafeLoader:
            # LibYAML looks ahead and meets a limit of its own, before it tells where: the slower parser does.
            return parse(text, name, location, yaml.SafeLoader)
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        why = ": ".join(words for words in (error.context, error.problem) if words)
        tip = " Indent with spaces." if "\\t" in why else ""
        raise ConfigError(f"{name}{place}: this is not YAML: {why}.{tip}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: this is not YAML: {error}.") from error
    return builder.value, builder.places


class _Level(NamedTuple):
    """A mapping or a list that is being filled; `keys` holds the key that waits for its value."""

    container: Any
    location: Location
    keys: list[str]


class _Builder:
    """Builds values from the events of the YAML parser."""

    def __init__(self, name: str, location: Location) -> None:
        self.name, self.value, self.places = name, None, {}
        self._location, self._levels, self._nodes, self._documents = location, [], 0, 0

    def take(self, event: Any) -> None:
        """Add what an event brings."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._refuse(event, "a second document begins; a config is one document, without ---")
        elif isinstance(event, yaml.CollectionEndEvent):
            self._levels.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._check(event)
            level = self._levels[-1] if self._levels else None
            if level and isinstance(level.container, dict) and not level.keys:
                self._take_key(event, level)
            else:
                self._take_value(event, level)

    def _check(self, event: Any) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._refuse(event, f"a config may hold {MOST_NODES:,} values and keys; here is one more")
        if event.anchor is not None:  # an alias is an event with the anchor's name
            self._refuse(event, "anchors (&) and aliases (*) are not allowed; write the value out, or quote the text")
        if getattr(event, "tag", None) is not None:
            self._refuse(event, f"the tag {shown(event.tag)} is not allowed; a config holds plain values only")
        if isinstance(event, yaml.CollectionStartEvent) and len(self._levels) >= DEEPEST:
            self._refuse(event, f"a config may be nested {DEEPEST} deep; this is deeper")

    def _take_key(self, event: Any, level: _Level) -> None:
        key = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else None
        if not isinstance(key, str) or not key:
            what = shown(key) if isinstance(event, yaml.ScalarEvent) else "a list or a mapping"
            self._refuse(event, f"a key is {what}; it must be text: quote it")
        location = (*level.location, key)
        if key in level.container:
            self._refuse(event, f"is here a second time; it was given before ({self.places[location]})", location)
        self.places[location] = self._place(event)
        level.keys.append(key)

    def _take_value(self, event: Any, level: _Level | None) -> None:
        if level is None:
            location = self._location
        elif isinstance(level.container, dict):
            location = (*level.location, level.keys[0])
        else:
            location = (*level.location, len(level.container))
        self.places.setdefault(location, self._place(event))
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, location)
        else:
            value = {} if isinstance(event, yaml.MappingStartEvent) else []
            self._levels.append(_Level(value, location, []))
        if level is None:
            self.value = value
        elif isinstance(level.container, dict):
            level.container[level.keys.pop()] = value
        else:
            level.container.append(value)

    def _scalar(self, event: Any, location: Location | None = None) -> Any:
        word = event.value
        if _UNUSABLE.search(word):
            self._refuse(event, f"{shown(word)} has a character that is not text", location)
        if not event.implicit[0]:
            return word
        if word in _WORDS:
            return _WORDS[word]
        if _INTEGER.fullmatch(word):
            if len(word) > MOST_DIGITS:
                self._refuse(event, f"is a number of {len(word)} digits; {MOST_DIGITS} are read", location)
            return int(word)
        return float(word) if _FLOAT.fullmatch(word) else word

    def _place(self, event: Any) -> str:
        return f"{self.name}, line {event.start_mark.line + 1}"

    def _refuse(self, event: Any, why: str, location: Location | None = None) -> NoReturn:
        if location is None and self._levels:
            level = self._levels[-1]
            here = level.keys or ([len(level.container)] if isinstance(level.container, list) else [])
            location = (*level.location, *here)
        location = self._location if location is None else location
        field = f"{dotted(location)}: " if location else ""
        raise ConfigError(f"{self._place(event)}, column {event.start_mark.column + 1}: {field}{why}.")
