"""What a run tells while it goes: the journal of its metrics, and a line on the screen.

A line of metrics.jsonl is a JSON object that ends in the CRC-32 of the rest, so that a torn or changed line is seen.
"""

import json
import math
import os
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich import progress as bars
from rich.console import Console

from jaxneuro.disk import write_all
from jaxneuro.launch.lock import RunError
from jaxneuro.launch.saving import write_atomically, writing

Record = dict[str, Any]


def plain(value: Any, where: str = "results") -> Any:
    """The value as JSON can hold it: arrays as lists, NaN and the infinities as null.

    Args:
        value: numbers, text, arrays, and mappings and sequences of them.
        where: the name of the value, for the message.

    Returns:
        The same in dictionaries with text keys, lists, numbers, text and None.

    Raises:
        TypeError: something else is in it; the message says where.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): plain(part, f"{where}.{name}") for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part, f"{where}[{index}]") for index, part in enumerate(value)]
    if hasattr(value, "__array__"):
        return plain(np.asarray(value).tolist(), where)
    raise TypeError(
        f"{where} is a {type(value).__name__}; JSON holds numbers, text, arrays, and lists or dicts of them."
    )


def encode(record: Record) -> bytes:
    """One line of the journal."""
    body = json.dumps(record, allow_nan=False)
    return f'{body[:-1]}, "crc32": "{zlib.crc32(body.encode()):08x}"}}\n'.encode()


def decode(line: bytes) -> Record:
    """The record of one line, without its newline.

    Raises:
        ValueError: the line is not what `encode` writes.
    """
    body = line[:-22] + b"}"
    if line[-22:] != f', "crc32": "{zlib.crc32(body):08x}"}}'.encode():
        raise ValueError("the checksum does not fit")
    return json.loads(body)


def read_metrics(path: Path, *, warn: Callable[[str], None] = warnings.warn) -> list[Record]:
    """The records of a metrics.jsonl, in the order they were logged.

    Args:
        path: the file, or the run directory that holds it.
        warn: is told when the last line was torn by a crash; it is left out.

    Returns:
        One dictionary per line, with "name", "step" and the metrics.

    Raises:
        RunError: another line than the last is damaged.
    """
    path = path / "metrics.jsonl" if path.is_dir() else path
    *lines, torn = path.read_bytes().split(b"\n")
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(decode(line))
        except ValueError as error:
            if torn or number < len(lines):
                raise RunError(f"{path}, line {number}: {error}. Put the file back or use --fresh.") from error
            torn = line
    if torn:
        warn(f"{path}: the last line was torn by a crash and is left out ({len(torn)} bytes)")
    return records


class Memory:
    """The lines of a journal, as every process of a run knows them.

    A resumed program starts over and logs some lines again: one that an earlier session logged is not taken twice.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        """Begin with the lines of earlier sessions."""
        self.records = list(records)
        self._earlier = Counter(map(encode, self.records))

    def append(self, record: Record) -> None:
        """Add a line, whole or not at all."""
        line = encode(record)
        if self._earlier[line] > 0:
            self._earlier[line] -= 1
            return
        self._write(line)
        self.records.append(record)

    def rewind(self, name: str, step: int) -> None:
        """Drop the lines of `name` beyond `step`."""
        kept = [record for record in self.records if record["name"] != name or record["step"] <= step]
        if len(kept) == len(self.records):
            return
        lines = list(map(encode, kept))
        self._replace(lines)
        self._earlier &= Counter(lines)
        self.records = kept

    def sync(self) -> None:
        """Wait until the disk has every line."""

    def close(self) -> None:
        """Let the lines go; once more does nothing."""

    def _write(self, line: bytes) -> None:
        """Keep one more line."""

    def _replace(self, lines: list[bytes]) -> None:
        """Keep these lines alone."""


class Journal(Memory):
    """metrics.jsonl, open for appending."""

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        """Open the file, dropping a torn last line.

        Args:
            path: the file, made if need be.
            warn: is told of a torn line.
        """
        self.path = path
        super().__init__(read_metrics(path, warn=warn) if path.exists() else [])
        whole = b"".join(map(encode, self.records))
        if path.exists() and path.stat().st_size != len(whole):
            write_atomically(path, whole)
        self._open()

    def _open(self) -> None:
        with writing(self.path, 0):
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def _write(self, line: bytes) -> None:
        size = os.fstat(self._descriptor).st_size
        with writing(self.path, len(line)):
            try:
                write_all(self._descriptor, line)
            except OSError:
                os.ftruncate(self._descriptor, size)
                raise

    def _replace(self, lines: list[bytes]) -> None:
        write_atomically(self.path, b"".join(lines))
        os.close(self._descriptor)
        self._open()

    def sync(self) -> None:
        """Wait until the disk has every line."""
        with writing(self.path, 0):
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file; once more does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Progress:
    """How far a training is: a live bar on a terminal, a line per ten percent elsewhere."""

    def __init__(self, console: Console, name: str, steps: int, start: int) -> None:
        """Prepare the display.

        Args:
            console: where to write.
            name: what is trained.
            steps: the number of steps in all.
            start: the steps already done.
        """
        self._console, self._name, self._steps, self._step = console, name, steps, start
        self._told, self._time = start * 10 // max(steps, 1), time.monotonic()
        self._bar = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.TextColumn("{task.fields[words]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(name, total=steps, completed=start, words="compiling")

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def update(self, step: int, loss: float | None) -> None:
        """Show that `step` steps are done."""
        now = time.monotonic()
        rate = (step - self._step) / max(now - self._time, 1e-9)
        self._step, self._time = step, now
        words = f"{step:,}/{self._steps:,}" + ("" if loss is None else f"  loss {loss:.4g}")
        words += f"  {rate:,.0f} steps/s  eta {(self._steps - step) / rate:,.0f} s"
        self._bar.update(self._task, completed=step, words=words)
        tenth = step * 10 // self._steps
        if not self._console.is_terminal and tenth > self._told:
            self._told = tenth
            self._console.print(f"{self._name}  {words}", soft_wrap=True, highlight=False, markup=False)
