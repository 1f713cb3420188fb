"""What is in the file of a cell, and reading it with suspicion.

    {
     "format": "jaxneuro cell",
     "version": 1,
     "note": "whatever the writer wanted to say",
     "digest": "the hash of what the cell computes",
     "text": ["states h", "stage reads h", ...],
     "space": {"stages": 1, "slots": 1, "nodes": 0, "states": 1},
     "genome": {"source": [2], "input": [[1]], ...},
     "weights": {"inputs": 3, "units": 4, "dtype": "float32", "input_weights": [[[[0.1, ...]]]], ...}
    }

It is JSON. The genome counts; text and digest say the same again, and a file in which they do not is refused. The
weights may be missing. Nothing that is read is executed, and no array is made before all numbers have been looked at.
"""

import dataclasses
import difflib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import jax.numpy as jnp
import numpy as np

from jaxneuro.search.canonical import canonical
from jaxneuro.search.genome import LIMITS, Genome, Space, check, empty
from jaxneuro.search.named import TEXTS, meant, named
from jaxneuro.search.text import show_as_it_is

FORMAT = "jaxneuro cell"
VERSION = 1
LARGEST_FILE = 32 * 2**20  # bytes
MOST_WEIGHTS = 1_000_000
MOST_NUMBERS, MOST_LISTS = 1_100_000, 400_000  # of a file, its genome and text included
LONGEST_NOTE = 10_000  # characters
MOST_UNITS = 100_000
DTYPES = ("float64", "float32", "float16", "bfloat16")
KEYS = ("format", "version", "note", "digest", "text", "space", "genome", "weights")
WEIGHTS = ("input_weights", "recurrent_weights", "bias")


class CellFileError(ValueError):
    """A file of a cell cannot be written, or it is not one: the message names the file and the field."""


class Weights(NamedTuple):
    """The weights of a cell: sizes, the type of the numbers, and the three arrays, in double precision."""

    inputs: int
    units: int
    dtype: str
    arrays: dict[str, np.ndarray]


class Contents(NamedTuple):
    """What a file holds."""

    genome: Genome
    weights: Weights | None = None
    note: str = ""


def from_bytes(data: bytes, name: str = "a cell") -> Contents:
    """Read the text of a file.

    Args:
        data: UTF-8.
        name: what to call the file in messages.

    Returns:
        Its contents.

    Raises:
        CellFileError: it is not a file of a cell; names the field, what came and what is allowed.
    """
    return _Reader(name).contents(data)


def read_file(path: str | os.PathLike[str]) -> Contents:
    """Read a file.

    Args:
        path: an existing file.

    Returns:
        Its contents.

    Raises:
        CellFileError: as for `from_bytes`; also if there is no such file, or it cannot be read.
    """
    place = Path(path)
    try:
        if not place.is_file():
            raise CellFileError(f"{place}: there is no such file.")
        with place.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, CellFileError):
            raise
        raise CellFileError(f"{place}: cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    return from_bytes(data, str(place))


def check_note(note: Any, name: str) -> None:
    """Refuse a note that is not text, or not short.

    Args:
        note: what came.
        name: what to call the file in the message.

    Raises:
        CellFileError: it is refused.
    """
    surrogates = isinstance(note, str) and any("\ud800" <= letter <= "\udfff" for letter in note)
    if not isinstance(note, str) or surrogates or len(note) > LONGEST_NOTE:
        raise CellFileError(
            f"{name}: note is {_shown(note)}; it must be text of at most {LONGEST_NOTE:,} Unicode characters."
        )


def genome_called(name: str) -> Genome:
    """A genome by the name of a known cell, or from a file.

    Args:
        name: one of the names of `jaxneuro.search.named`, or the path of a file.

    Returns:
        The genome.

    Raises:
        ValueError: it is neither, or the file is not one of a cell.
    """
    if name in TEXTS:
        return named(name)
    if os.sep not in name and "." not in name:
        raise ValueError(
            f"genome={_shown(name)} is no known cell.{meant(name)} Allowed: {', '.join(TEXTS)}, or the path of a file "
            "that jaxneuro.search.save has written, such as ./cell.json."
        )
    return read_file(name).genome


class _Reader:
    """Reads one file, part by part."""

    def __init__(self, name: str) -> None:
        self.name = name

    def refuse(self, field: str, why: str) -> NoReturn:
        """Raise the error that names the file and the field."""
        raise CellFileError(f"{self.name}: {field} {why}" if field else f"{self.name} {why}")

    def contents(self, data: bytes) -> Contents:
        """The whole file."""
        parts = self._parsed(data)
        if parts.get("format") != FORMAT:
            self.refuse("format", f"is {_shown(parts.get('format'))}; it must be {FORMAT!r}.")
        if self._whole("version", parts.get("version"), 0, 2**31) != VERSION:
            self.refuse("version", f"is {parts['version']}; this jaxneuro reads version {VERSION}.")
        self._keys("", parts, KEYS, optional=("weights",))
        check_note(note := parts["note"], self.name)
        space = self._space(parts["space"])
        genome = self._genome(parts["genome"], space)
        form = canonical(genome)
        if parts["digest"] != form.digest:
            self.refuse("digest", f"is {_shown(parts['digest'])}, but that of the genome is {form.digest!r}.")
        if parts["text"] != show_as_it_is(form.genome).splitlines():
            self.refuse("text", "is not that of the genome. To make a cell from text use jaxneuro.search.parse.")
        return Contents(genome, self._weights(parts["weights"], space) if "weights" in parts else None, note)

    def _parsed(self, data: bytes) -> dict[str, Any]:
        if len(data) > LARGEST_FILE:
            self.refuse("", f"has more than {LARGEST_FILE:,} bytes, which is the most that a file of a cell may have.")
        # Counted before anything is made of them: a short text can become many objects.
        if data.count(b",") > MOST_NUMBERS or data.count(b"[") + data.count(b"{") > MOST_LISTS:
            self.refuse("", f"has more than {MOST_NUMBERS:,} values or {MOST_LISTS:,} lists; a cell has not that many.")
        try:
            parts = json.loads(
                data.decode(),
                object_pairs_hook=self._mapping,
                parse_int=self._integer,
                parse_constant=lambda word: self.refuse("", f"holds {word}; all numbers must be finite."),
            )
        except CellFileError:
            raise
        except RecursionError:
            self.refuse("", "is nested too deeply to be the file of a cell.")
        except ValueError as error:
            self.refuse("", f"is not JSON: {error}.")
        if not isinstance(parts, dict):
            self.refuse("", f"holds {_shown(parts)}; it must hold a mapping with the fields {', '.join(KEYS)}.")
        return parts

    def _mapping(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            self.refuse(_shown(twice), "is there twice.")
        return found

    def _integer(self, digits: str) -> int:
        if len(digits) > 20:
            self.refuse("", f"holds a number of {len(digits)} digits; at most 20 are read.")
        return int(digits)

    def _keys(self, field: str, value: Any, keys: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.refuse(field, f"is {_shown(value)}; it must be a mapping with the fields {', '.join(keys)}.")
        start = f"{field}." if field else ""
        for key in value:
            if key not in keys:
                near = difflib.get_close_matches(key[:100], keys, 1)
                hint = f" Did you mean {near[0]}?" if near else ""
                self.refuse(start + key[:100], f"is not a known field.{hint} Allowed: {', '.join(keys)}.")
        for key in keys:
            if key not in value and key not in optional:
                self.refuse(start + key, "is missing.")
        return value

    def _whole(self, field: str, value: Any, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.refuse(field, f"is {_shown(value)}; it must be a whole number, {least} to {most}.")
        return value

    def _space(self, value: Any) -> Space:
        sizes = self._keys("space", value, tuple(LIMITS))
        least = {name: 0 if name == "nodes" else 1 for name in LIMITS}
        return Space(**{key: self._whole(f"space.{key}", sizes[key], least[key], LIMITS[key]) for key in LIMITS})

    def _genome(self, value: Any, space: Space) -> Genome:
        like = empty(space)
        fields = {field.name: getattr(like, field.name) for field in dataclasses.fields(like)}
        arrays = self._keys("genome", value, tuple(fields))
        made = {}
        for field, array in fields.items():
            self._numbers(f"genome.{field}", arrays[field], array.shape)
            made[field] = np.asarray(arrays[field], np.int32).reshape(array.shape)
        try:
            check(genome := Genome(**made))
        except ValueError as error:
            self.refuse("", f"holds no genome: {error}")
        return genome

    def _weights(self, value: Any, space: Space) -> Weights:
        parts = self._keys("weights", value, ("inputs", "units", "dtype", *WEIGHTS))
        inputs, units = (self._whole(f"weights.{size}", parts[size], 1, MOST_UNITS) for size in ("inputs", "units"))
        if parts["dtype"] not in DTYPES:
            self.refuse("weights.dtype", f"is {_shown(parts['dtype'])}; it must be one of {', '.join(DTYPES)}.")
        most = float(jnp.finfo(parts["dtype"]).max)
        slots = (space.stages, space.slots, units)
        shapes = dict(zip(WEIGHTS, ((*slots, inputs), (*slots, units), slots), strict=True))
        for field, shape in shapes.items():
            self._numbers(f"weights.{field}", parts[field], shape, most)
        arrays = {field: np.asarray(parts[field], np.float64).reshape(shape) for field, shape in shapes.items()}
        return Weights(inputs, units, parts["dtype"], arrays)

    def _numbers(self, field: str, value: Any, shape: tuple[int, ...], most: float | None = None) -> None:
        """Refuse what is not nested lists of this shape, of whole numbers, or with `most` of numbers up to that."""
        if shape:
            if not isinstance(value, list) or len(value) != shape[0]:
                came = f"a list of {len(value)}" if isinstance(value, list) else _shown(value)
                self.refuse(field, f"is {came}; it must be a list of {shape[0]}.")
            for i, part in enumerate(value):
                self._numbers(f"{field}[{i}]", part, shape[1:], most)
        elif most is None:
            self._whole(field, value, 0, 2**31 - 1)
        elif isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= most:
            self.refuse(field, f"is {_shown(value)}; it must be a finite number, at most {most:g} in size.")


def _shown(value: Any) -> str:
    """A value in words that are not long."""
    if isinstance(value, dict | list):
        return f"{'a mapping' if isinstance(value, dict) else 'a list'} of {len(value)}"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
