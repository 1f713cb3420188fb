"""Series in which people marked the change points: the Turing Change Point Dataset, or made-up ones of its form."""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from jaxtyping import Float, Int

from jaxneuro.tasks.data import DataError

ANNOTATIONS = "annotations.json"
LARGEST_FILE, MOST_FILES, MOST_NUMBERS = 2**26, 10_000, 2**24
ANNOTATORS = 5
# Part of the 1st, 2nd, ... series: training, validation, test.
DEALT = (0, 1, 2, 0, 0)

Marks = Int[np.ndarray, "_"]


class Series(NamedTuple):
    """A series, and where annotators saw it change.

    Attributes:
        name: of the series.
        values: nan where one is missing, `[observations, dimensions]`.
        annotations: of each annotator the first observation after every change, counted from 0, ascending.
    """

    name: str
    values: Float[np.ndarray, "observations dimensions"]
    annotations: tuple[Marks, ...]


class Corpus(NamedTuple):
    """Series, in the order of their names.

    Attributes:
        series: each with at least one annotator.
        dimensions: the most numbers that an observation has, also in other parts of the same corpus.
        provenance: where they come from.
    """

    series: tuple[Series, ...]
    dimensions: int
    provenance: str


def read(folder: str | Path) -> Corpus:
    """A corpus in the form of the Turing Change Point Dataset.

    Args:
        folder: holds `annotations.json`, for each series (by its name) a list of change points for each annotator, and
            beside it the series, one in each `*.json`; or in `datasets/*/*.json`, as in the dataset's own repository.
            A series has `name`, `n_obs`, `n_dim`, and in `series` for each dimension `raw`: numbers, null where one is
            missing. Annotations of series that are not there are passed over: the dataset may not bring them all.

    Returns:
        The corpus.

    Raises:
        DataError: the folder, a file or a field is missing, too large or not what it should be.

    Reference: van den Burg and Williams 2020, arXiv:2003.06222 (the series, and who annotated them).
    """
    folder = Path(folder).expanduser()
    annotations = _object(folder / ANNOTATIONS)
    nested = (folder / "datasets").is_dir()
    paths = sorted(folder.glob("datasets/*/*.json" if nested else "*.json"))
    paths = [path for path in paths if path.name != ANNOTATIONS]
    if not 1 <= len(paths) <= MOST_FILES:
        raise DataError(f"The folder {folder} has {len(paths)} series in *.json; it must have 1 to {MOST_FILES}.")
    found: dict[str, Series] = {}
    numbers = 0
    for path in paths:
        one = _series(path, annotations, folder / ANNOTATIONS)
        if one.name in found:
            _refuse(path, "name", repr(one.name), "a name that no other file has")
        found[one.name] = one
        numbers += one.values.size
        if numbers > MOST_NUMBERS:
            raise DataError(f"The folder {folder} has more than {MOST_NUMBERS} numbers.")
    series = tuple(found[name] for name in sorted(found))
    observations = sum(len(one.values) for one in series)
    told = f"{len(series)} of {len(annotations)} annotated series, {observations} observations"
    dimensions = max(one.values.shape[1] for one in series)
    return Corpus(series, dimensions, f"{told}, sha256 {fingerprint(series)[:12]}")


def fingerprint(series: tuple[Series, ...]) -> str:
    """SHA-256 of names, values (float64) and annotations (int64), little-endian."""
    digest = hashlib.sha256()
    for one in series:
        digest.update(one.name.encode())
        for array in (one.values.astype("<f8"), *(marks.astype("<i8") for marks in one.annotations)):
            digest.update(len(array).to_bytes(8, "little") + array.tobytes())
    return digest.hexdigest()


def parts(corpus: Corpus) -> tuple[Corpus, Corpus, Corpus]:
    """Three fifths of the series for training, one for validation, one for the test, in an order that is drawn once.

    Those in which half of the annotators saw any change are dealt out apart from the others, so that each part has some
    as soon as there are three.

    Args:
        corpus: all of it.

    Returns:
        The parts; no series is in two of them.

    Raises:
        DataError: half of the annotators saw a change in fewer than three series.
    """
    changing = [2 * sum(len(marks) > 0 for marks in one.annotations) >= len(one.annotations) for one in corpus.series]
    if sum(changing) < len(set(DEALT)):
        raise DataError(
            f"Half of the annotators saw a change in {sum(changing)} of {len(changing)} series ({corpus.provenance}); "
            "training, validation and test need one each."
        )
    dealt: list[list[int]] = [[], [], []]
    generator = np.random.default_rng(0)
    for kind in (True, False):
        for turn, place in enumerate(generator.permutation(np.flatnonzero(np.asarray(changing) == kind)).tolist()):
            dealt[DEALT[turn % len(DEALT)]].append(place)
    training, validation, test = (
        corpus._replace(series=tuple(corpus.series[place] for place in sorted(places))) for places in dealt
    )
    return training, validation, test


def made_up(seed: int, files: int = 30, observations: int = 200) -> Corpus:
    """Series of Gaussian noise whose level or spread changes, and five annotators who see most of it.

    Series number `i` has `i mod 4` changes, about evenly spaced. Before the first the level is 0 and the spread 1; at a
    change either the level goes up or down by 3, or the spread goes to 4 or back to 1. Each annotator misses a change
    with probability 0.1, and else marks it up to two observations early or late.

    Args:
        seed: of the series.
        files: how many there are.
        observations: of each, at least 40.

    Returns:
        The corpus.

    Raises:
        ValueError: there are none, or they would be too short.
    """
    if observations < 40 or files < 1:
        raise ValueError(f"made_up got files={files}, observations={observations}; it needs at least 1 and 40.")
    series = tuple(_made_up(np.random.default_rng((seed, number)), number, observations) for number in range(files))
    return Corpus(series, 1, f"made up: {files} series of {observations} observations, seed {seed}")


def _made_up(generator: np.random.Generator, number: int, observations: int) -> Series:
    """A series."""
    count = number % 4
    centres = observations * (1 + np.arange(count)) / (count + 1)
    changes = np.round(centres + generator.uniform(-0.03, 0.03, count) * observations).astype(int)
    level, spread = np.zeros(observations), np.ones(observations)
    for change in changes:
        if generator.random() < 0.5:
            level[change:] += generator.choice((-3.0, 3.0))
        else:
            spread[change:] = 5.0 - spread[change - 1]
    values = np.round(level + spread * generator.normal(size=observations), 3)
    annotations = []
    for _ in range(ANNOTATORS):
        seen = generator.random(count) >= 0.1
        annotations.append(changes[seen] + generator.integers(-2, 3, int(seen.sum())))
    return Series(f"made_up_{number:03d}", values[:, None], tuple(annotations))


def _refuse(path: Path, field: str, came: str, allowed: str) -> NoReturn:
    raise DataError(f"The file {path} has {came} in {field}; it must be {allowed}.")


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number; a missing value is null")


def _object(path: Path) -> dict[str, Any]:
    """What a file of JSON holds."""
    if not path.is_file():
        raise DataError(f"The file {path} does not exist.")
    if path.stat().st_size > LARGEST_FILE:
        raise DataError(f"The file {path} has {path.stat().st_size} bytes; at most {LARGEST_FILE} are read.")
    try:
        held = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"The file {path} is no JSON: {error}.") from error
    if not isinstance(held, dict):
        raise DataError(f"The file {path} holds a {type(held).__name__}; it must hold an object of names and values.")
    return held


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _series(path: Path, annotations: dict[str, Any], source: Path) -> Series:
    """A file, and what is said of it in the file of annotations."""
    held = _object(path)
    name, lines = held.get("name"), held.get("series")
    if not isinstance(name, str) or name not in annotations:
        _refuse(path, "name", repr(name)[:60], f"one of the {len(annotations)} names in {ANNOTATIONS}")
    for field in ("n_obs", "n_dim"):
        if not _is_whole(held.get(field)) or held[field] < 1:
            _refuse(path, field, repr(held.get(field))[:60], "a whole number from 1 on")
    if not isinstance(lines, list) or len(lines) != held["n_dim"]:
        came = f"{len(lines)} of them" if isinstance(lines, list) else f"a {type(lines).__name__}"
        _refuse(path, "series", came, f"a list of n_dim = {held['n_dim']} dimensions")
    columns = [_column(path, f"series.{place}.raw", line, held["n_obs"]) for place, line in enumerate(lines)]
    return Series(name, np.stack(columns, axis=1), _marks(source, name, annotations[name], held["n_obs"]))


def _column(path: Path, field: str, line: object, observations: int) -> Float[np.ndarray, "observations"]:
    """One dimension of a series."""
    raw = line.get("raw") if isinstance(line, dict) else None
    if not isinstance(raw, list) or len(raw) != observations:
        came = f"{len(raw)} values" if isinstance(raw, list) else f"a {type(raw).__name__}"
        _refuse(path, field, came, f"a list of n_obs = {observations} values")
    values = np.full(observations, np.nan)
    for place, value in enumerate(raw):
        if value is None:
            continue
        # The largest whole numbers have no float.
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e300:
            _refuse(path, f"{field}.{place}", repr(value)[:60], "a number within 1e300, or null")
        values[place] = value
    if np.isnan(values).all():
        _refuse(path, field, "nulls alone", "a list with at least one number")
    return values


def _marks(source: Path, name: str, held: object, observations: int) -> tuple[Marks, ...]:
    """The change points of every annotator of a series."""
    if not isinstance(held, dict) or not held:
        _refuse(source, name, repr(held)[:60], "an object with a list of change points for each annotator")
    found = []
    for annotator, marks in held.items():
        field = f"{name}.{annotator}"
        if not isinstance(marks, list):
            _refuse(source, field, repr(marks)[:60], "a list of change points")
        for mark in marks:
            if not _is_whole(mark) or not 0 <= mark < observations:
                _refuse(source, field, repr(mark)[:60], f"whole numbers from 0 to {observations - 1}")
        found.append(np.unique(np.asarray(marks, int)))
    return tuple(found)
