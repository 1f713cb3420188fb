"""Annotated series: what a folder of the form of the Turing Change Point Dataset must hold, and what made-up ones hold.

The form: schema.json, utils/validate_dataset.py and annotations.json of alan-turing-institute/TCPD. All files here are
written by the tests.
"""

import json
import os

import numpy as np
import pytest

from jaxneuro.tasks import annotated
from jaxneuro.tasks.data import DataError

FOLDER = "JAXNEURO_TCPD"
ANNOTATIONS = {
    "level": {"6": [3], "7": [], "12": [2, 4]},
    "two": {"8": [1]},
    "quiet": {"8": [], "9": []},
    "not_here": {"6": [100]},
}


def written(name, *raws):
    lines = [{"label": f"V{place}", "type": "float", "raw": raw} for place, raw in enumerate(raws, 1)]
    time = {"index": list(range(len(raws[0])))}
    return {"name": name, "n_obs": len(raws[0]), "n_dim": len(raws), "time": time, "series": lines}


def save(path, held):
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(held if isinstance(held, str) else json.dumps(held))


@pytest.fixture
def folder(tmp_path):
    save(tmp_path / "annotations.json", ANNOTATIONS)
    save(tmp_path / "a.json", written("two", [1.5, 2, 3], [0, -1, 217509197000]))
    save(tmp_path / "b.json", written("level", [0, None, 1, 5, 6]))
    save(tmp_path / "c.json", written("quiet", [7, 7]))
    return tmp_path


def test_series_and_annotations_of_a_folder(folder):
    corpus = annotated.read(folder)
    level, quiet, two = corpus.series
    assert (level.name, quiet.name, two.name) == ("level", "quiet", "two")
    np.testing.assert_array_equal(level.values, [[0], [np.nan], [1], [5], [6]])
    np.testing.assert_array_equal(two.values, [[1.5, 0], [2, -1], [3, 217509197000]])
    assert [marks.tolist() for marks in level.annotations] == [[3], [], [2, 4]]
    assert [marks.tolist() for marks in quiet.annotations] == [[], []]
    assert corpus.dimensions == 2
    assert corpus.provenance.startswith("3 of 4 annotated series, 10 observations, sha256 ")


def test_the_layout_of_the_datasets_own_repository_is_read_too(folder):
    expected = annotated.read(folder).provenance
    for name in ("a", "b", "c"):
        (folder / "datasets" / name).mkdir(parents=True)
        (folder / f"{name}.json").rename(folder / "datasets" / name / f"{name}.json")
    save(folder / "schema.json", {"type": "object"})
    assert annotated.read(folder).provenance == expected


def test_marks_are_ascending_and_each_once(folder):
    save(folder / "annotations.json", ANNOTATIONS | {"two": {"8": [2, 1, 2]}})
    assert annotated.read(folder).series[2].annotations[0].tolist() == [1, 2]


@pytest.mark.parametrize("change", ["name", "value", "mark", "missing"])
def test_the_fingerprint_tells_corpora_apart(folder, change):
    before = annotated.fingerprint(annotated.read(folder).series)
    name, raw, marks = "level", [0, None, 1, 5, 6], ANNOTATIONS["level"]
    if change == "name":
        name = "other"
    elif change == "mark":
        marks = marks | {"7": [1]}
    else:
        raw = [0, None, 1, 5, None if change == "missing" else 7]
    save(folder / "b.json", written(name, raw))
    save(folder / "annotations.json", ANNOTATIONS | {name: marks})
    assert annotated.fingerprint(annotated.read(folder).series) != before


GOOD = written("level", [0, None, 1, 5, 6])


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"name": NaN}', "NaN is no number; a missing value is null"),
        ([1], "holds a list; it must hold an object"),
        ({}, "has None in name; it must be one of the 4 names in annotations.json"),
        (GOOD | {"name": "levels"}, "has 'levels' in name"),
        (GOOD | {"name": ["level"]}, r"has \['level'\] in name"),
        (GOOD | {"name": "two"}, "has 'two' in name; it must be a name that no other file has|n_obs"),
        (GOOD | {"n_obs": "5"}, "has '5' in n_obs; it must be a whole number from 1 on"),
        (GOOD | {"n_obs": True}, "has True in n_obs"),
        (GOOD | {"n_obs": 0}, "has 0 in n_obs"),
        (GOOD | {"n_obs": 10**12}, r"has 5 values in series.0.raw; it must be a list of n_obs = 1000000000000 values"),
        (GOOD | {"n_dim": 2}, "has 1 of them in series; it must be a list of n_dim = 2 dimensions"),
        (GOOD | {"n_dim": None}, "has None in n_dim"),
        (GOOD | {"series": {}}, "has a dict in series"),
        (GOOD | {"series": [3]}, "has a NoneType in series.0.raw"),
        (written("level", [0, "1", 2, 3, 4]), "has '1' in series.0.raw.1; it must be a number within 1e300, or null"),
        (written("level", [0, True, 2, 3, 4]), "has True in series.0.raw.1"),
        (written("level", [0, 1, [2], 3, 4]), r"has \[2\] in series.0.raw.2"),
        (written("level", [0, 1, 2, 10**400, 4]), "has 1000+ in series.0.raw.3"),
        (json.dumps(GOOD).replace("5, 6", "5, 1e999"), "has inf in series.0.raw.4"),
        (json.dumps(GOOD).replace("5, 6", "5, Infinity"), "Infinity is no number"),
        (written("level", [None] * 5), "has nulls alone in series.0.raw"),
    ],
)
def test_a_damaged_series_is_refused(folder, held, message):
    save(folder / "b.json", held)
    with pytest.raises(DataError, match=message) as caught:
        annotated.read(folder)
    assert "b.json" in str(caught.value)


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ("", "is no JSON"),
        ([], "holds a list"),
        (ANNOTATIONS | {"level": [3]}, r"has \[3\] in level; it must be an object with a list"),
        (ANNOTATIONS | {"level": {}}, "has {} in level"),
        (ANNOTATIONS | {"level": {"6": 3}}, "has 3 in level.6; it must be a list of change points"),
        (ANNOTATIONS | {"level": {"6": [5]}}, "has 5 in level.6; it must be whole numbers from 0 to 4"),
        (ANNOTATIONS | {"level": {"6": [-1]}}, "has -1 in level.6"),
        (ANNOTATIONS | {"level": {"6": [1.0]}}, "has 1.0 in level.6"),
        (ANNOTATIONS | {"level": {"6": [True]}}, "has True in level.6"),
        (ANNOTATIONS | {"level": {"6": ["2"]}}, "has '2' in level.6"),
    ],
)
def test_damaged_annotations_are_refused(folder, held, message):
    save(folder / "annotations.json", held)
    with pytest.raises(DataError, match=message) as caught:
        annotated.read(folder)
    assert "annotations.json" in str(caught.value)


def test_missing_files_and_doubled_names_are_refused(folder, tmp_path):
    with pytest.raises(DataError, match=r"elsewhere.annotations.json does not exist"):
        annotated.read(tmp_path / "elsewhere")
    save(folder / "d.json", written("two", [1, 2, 3]))
    with pytest.raises(DataError, match=r"d.json has 'two' in name; it must be a name that no other file has"):
        annotated.read(folder)
    for path in folder.glob("?.json"):
        path.unlink()
    with pytest.raises(DataError, match="has 0 series"):
        annotated.read(folder)


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("LARGEST_FILE", 100, "annotations.json has .* bytes; at most 100 are read"),
        ("MOST_FILES", 2, "has 3 series in .*; it must have 1 to 2"),
        ("MOST_NUMBERS", 12, "has more than 12 numbers"),
    ],
)
def test_what_is_too_large_is_refused(folder, monkeypatch, limit, value, message):
    monkeypatch.setattr(annotated, limit, value)
    with pytest.raises(DataError, match=message):
        annotated.read(folder)


def test_parts_share_no_series_and_each_has_some_that_change():
    corpus = annotated.made_up(2, files=42, observations=40)
    parts = annotated.parts(corpus)
    assert [len(part.series) for part in parts] == [26, 8, 8]
    names = [one.name for part in parts for one in part.series]
    assert sorted(names) == [one.name for one in corpus.series]
    for part in parts:
        assert any(len(marks) for one in part.series for marks in one.annotations)
    assert annotated.parts(corpus)[2].provenance == corpus.provenance
    assert [[one.name for one in part.series] for part in annotated.parts(corpus)] == [
        [one.name for one in part.series] for part in parts
    ]


def test_three_series_that_change_are_one_for_each_part(folder):
    with pytest.raises(DataError, match=r"saw a change in 2 of 3 series \(3 of 4 annotated series"):
        annotated.parts(annotated.read(folder))
    save(folder / "annotations.json", ANNOTATIONS | {"quiet": {"8": [1], "9": []}})
    parts = annotated.parts(annotated.read(folder))
    assert [len(part.series) for part in parts] == [1, 1, 1]
    assert {part.dimensions for part in parts} == {2}


def test_made_up_series_change_where_most_annotators_say():
    corpus = annotated.made_up(3, files=40, observations=400)
    again, other = annotated.made_up(3, files=40, observations=400), annotated.made_up(4, files=40, observations=400)
    assert annotated.fingerprint(corpus.series) == annotated.fingerprint(again.series)
    assert annotated.fingerprint(corpus.series) != annotated.fingerprint(other.series)
    seen = np.array([np.mean([len(marks) for marks in one.annotations]) for one in corpus.series])
    # Nine of ten changes are seen; number i has i mod 4 of them.
    for count in range(4):
        assert abs(seen[count::4].mean() - 0.9 * count) < 4 * (0.09 * max(count, 1) / 50) ** 0.5
    for one in corpus.series[1::4]:
        change = int(np.median(np.concatenate(one.annotations)))
        before, after = one.values[: change - 3], one.values[change + 3 :]
        assert abs(before.mean() - after.mean()) > 2 or after.std() > 2 * before.std()


@pytest.mark.parametrize("sizes", [{"files": 0}, {"observations": 39}])
def test_made_up_series_cannot_be_too_few_or_too_short(sizes):
    with pytest.raises(ValueError, match="it needs at least 1 and 40"):
        annotated.made_up(0, **sizes)


@pytest.mark.skipif(FOLDER not in os.environ, reason=f"{FOLDER} names no folder with the Turing Change Point Dataset")
def test_the_dataset_has_five_annotators_and_its_published_marks():
    corpus = annotated.read(os.environ[FOLDER])
    assert {len(one.annotations) for one in corpus.series} == {5}
    # annotations.json and the data of the dataset's repository.
    nile = next(one for one in corpus.series if one.name == "nile")
    assert [marks.tolist() for marks in nile.annotations] == [[], [28], [], [28], [28]]
    assert nile.values.shape == (100, 1)
    assert [len(part.series) > 0 for part in annotated.parts(corpus)] == [True] * 3
