"""Streams with labelled anomalies: the Numenta Anomaly Benchmark from a folder that the user names, or made up."""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from jaxneuro.tasks.data import DataError

FILES, ROWS, WINDOWS = 58, 365_558, 116
# Of all values, times and windows, series by series in the order of their names, as `fingerprint` has it.
SHA256 = "e0266cc17bf19b880385cc3e850c74fa943f2a8ffcc00d39ddbed3324b25ba35"
HEADER = "timestamp,value"


class Series(NamedTuple):
    """A stream of one number, and the windows in which something was wrong.

    Attributes:
        name: folder and file, with `/` between.
        times: `datetime64[s]`, `[rows]`; in a few streams of the benchmark an hour comes twice.
        values: `[rows]`.
        windows: first and last row of each window, both inside, `[windows, 2]`.
    """

    name: str
    times: np.ndarray
    values: Float[np.ndarray, "rows"]
    windows: Int[np.ndarray, "windows 2"]


class Corpus(NamedTuple):
    """Streams, in the order of their names."""

    series: tuple[Series, ...]
    provenance: str

    @property
    def rows(self) -> int:
        """Rows of all series."""
        return sum(len(series.values) for series in self.series)

    @property
    def windows(self) -> int:
        """Windows of all series."""
        return sum(len(series.windows) for series in self.series)


def nab(folder: str | Path) -> Corpus:
    """The Numenta Anomaly Benchmark 1.1: 58 streams of 365,558 rows with 116 windows.

    Args:
        folder: holds `data/*/*.csv` and `labels/combined_windows.json`.

    Returns:
        The corpus.

    Raises:
        DataError: as `read` does, or the streams are not those of the benchmark.

    Reference: Lavin and Ahmad 2015, IEEE ICMLA, arXiv:1510.03336.
    """
    corpus = read(folder)
    found, expected = (len(corpus.series), corpus.rows, corpus.windows), (FILES, ROWS, WINDOWS)
    if found != expected:
        raise DataError(
            f"The folder {folder} has {found[0]} files, {found[1]} rows and {found[2]} windows; the benchmark has "
            f"{FILES}, {ROWS} and {WINDOWS}. Read a corpus of your own with jaxneuro.tasks.anomalies.read."
        )
    if (digest := fingerprint(corpus.series)) != SHA256:
        raise DataError(
            f"The folder {folder} has other values, times or windows than the benchmark: sha256 {digest}, not {SHA256}."
        )
    return corpus


def read(folder: str | Path) -> Corpus:
    """A corpus in the form of the Numenta Anomaly Benchmark.

    Args:
        folder: holds `data/*/*.csv`, each with the header `timestamp,value`, and `labels/combined_windows.json`: for
            each file (`folder/file.csv`) a list of first and last times of windows, in order.

    Returns:
        The corpus.

    Raises:
        DataError: a folder or file is missing, empty or damaged; files and labels do not belong together; a time of
            a window is not in its file; windows overlap.
    """
    folder = Path(folder).expanduser()
    labels = folder / "labels" / "combined_windows.json"
    if not (folder / "data").is_dir() or not labels.is_file():
        raise DataError(f"The folder {folder} has no data/ or no labels/combined_windows.json.")
    try:
        windows = json.loads(labels.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"The file {labels} is no JSON: {error}.") from error
    if not isinstance(windows, dict):
        raise DataError(f"The file {labels} holds a {type(windows).__name__}; expected windows by the names of files.")
    files = {f"{path.parent.name}/{path.name}": path for path in sorted((folder / "data").glob("*/*.csv"))}
    for names, there, missing in ((files, "data/", "labels"), (windows, "labels", "data/")):
        if alone := sorted(names.keys() ^ (files.keys() & windows.keys())):
            raise DataError(f"The folder {folder} has {alone[0]} in {there}, but not in {missing}.")
    if not files:
        raise DataError(f"The folder {folder} has no data/*/*.csv.")
    series = tuple(_series(name, path, windows[name]) for name, path in sorted(files.items()))
    rows = sum(len(one.values) for one in series)
    digest = fingerprint(series)[:12]
    return Corpus(series, f"{len(series)} files of the form of NAB, {rows} rows, sha256 {digest}")


def fingerprint(series: tuple[Series, ...]) -> str:
    """SHA-256 of names, times (s since 1970), values (float64) and windows (int64), little-endian."""
    digest = hashlib.sha256()
    for one in series:
        digest.update(one.name.encode())
        for array in (one.times.astype("<i8"), one.values.astype("<f8"), one.windows.astype("<i8")):
            digest.update(array.tobytes())
    return digest.hexdigest()


def timed_values(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """A file in the form of the benchmark: the header `timestamp,value`, then a time and a number in each line.

    Args:
        path: the file, UTF-8.

    Returns:
        Times, `datetime64[s]`, and values.

    Raises:
        DataError: the file is missing, empty or damaged.
    """
    path = Path(path).expanduser()
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeError) as error:
        raise DataError(f"The file {path} cannot be read: {error}.") from error
    lines = [line.rstrip("\r") for line in lines]
    rows = [line.split(",") for line in lines[1:] if line]
    if lines[0] != HEADER or not rows:
        raise DataError(f"The file {path} begins with {lines[0][:40]!r} and has {len(rows)} rows; expected {HEADER!r}.")
    if short := [number for number, row in enumerate(rows, 2) if len(row) != 2]:
        raise DataError(f"The file {path} has a line {short[0]} that is not a time and a value.")
    try:
        times = _times([row[0] for row in rows])
        values = np.asarray([float(row[1]) for row in rows])
    except ValueError as error:
        raise DataError(f"The file {path} has a time or value that is none: {error}.") from error
    if not np.isfinite(values).all():
        raise DataError(f"The file {path} has the value {values[~np.isfinite(values)][0]}; values must be finite.")
    return times, values


def _series(name: str, path: Path, windows: object) -> Series:
    """A file and its windows."""
    times, values = timed_values(path)
    try:
        ends = _times([time for window in windows for time in window])  # pyright: ignore[reportGeneralTypeIssues]
        ends = ends.reshape(len(windows), 2)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError) as error:
        raise DataError(f"The windows of {name} are not pairs of times: {error}.") from error
    places = []
    for time in ends.ravel():
        (found,) = np.nonzero(times == time)
        if not len(found):
            raise DataError(f"The windows of {name} have the time {time}, which is not in the file.")
        places.append(found[0])
    if np.any(np.diff(places) <= 0):
        raise DataError(f"The windows of {name} overlap, or are not in order.")
    return Series(name, times, values, np.asarray(places, int).reshape(-1, 2))


def _times(texts: list[str]) -> np.ndarray:
    """Times to the second; NumPy would take a number or an empty text for a time too."""
    if wrong := [text for text in texts if not isinstance(text, str) or len(text) < 19]:
        raise ValueError(f"{wrong[0]!r} is no time")
    return np.asarray(texts, dtype="datetime64[us]").astype("datetime64[s]")


def made_up(seed: int, files: int = 6, rows: int = 2000) -> Corpus:
    """Streams with a daily rhythm, a value every 15 minutes, and anomalies of three kinds.

    `values = 50 + 20 sin(2 pi day + phase) + noise`. In the second half two things go wrong: a spike of 60, a rhythm
    that stops for six hours, or a rhythm that runs three times as fast for twelve. The window of an anomaly is
    a tenth of the rows divided by the number of anomalies, with the anomaly in its middle. Every fifth stream has none.

    Args:
        seed: of the streams.
        files: how many there are.
        rows: of each, at least 400.

    Returns:
        The corpus.

    Raises:
        ValueError: the streams would be too short.
    """
    if rows < 400 or files < 1:
        raise ValueError(f"made_up got files={files}, rows={rows}; it needs at least 1 and 400.")
    return Corpus(
        tuple(_made_up(np.random.default_rng((seed, number)), number, rows) for number in range(files)),
        f"made up: {files} streams of {rows} rows, seed {seed}",
    )


def _made_up(generator: np.random.Generator, number: int, rows: int) -> Series:
    """A stream."""
    row = np.arange(rows)
    phase = generator.uniform(0, 2 * np.pi)
    clean = 20 * np.sin(2 * np.pi * row / 96 + phase)
    kinds = [] if number % 5 == 4 else [(number + step) % 3 for step in range(2)]
    half, windows = rows // 40, []
    for place, kind in enumerate(kinds):
        start = round(rows * (0.55 + 0.25 * place + generator.uniform(0, 0.05)))
        if kind == 0:
            clean[start] += 60
        elif kind == 1:
            clean[start : start + 24] = clean[start]
        else:
            later = row[start : start + 48]
            clean[later] = 20 * np.sin(2 * np.pi * (start + 3 * (later - start)) / 96 + phase)
        windows.append((start - half, start + half))
    values = np.round(50 + clean + generator.normal(0, 1, rows), 3)
    times = np.datetime64("2026-01-01T00:00:00") + np.timedelta64(900, "s") * row
    return Series(f"madeUp/stream_{number:02d}.csv", times, values, np.asarray(windows, int).reshape(-1, 2))
