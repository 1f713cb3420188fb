"""Corpora with labelled anomalies: what a folder must hold, and what made-up streams hold."""

import json
import os

import numpy as np
import pytest

from jaxneuro.measure import nab, plain_detectors
from jaxneuro.tasks import anomalies
from jaxneuro.tasks.data import DataError

FOLDER = "JAXNEURO_NAB"
TIMES = ["2014-04-01 00:00:00", "2014-04-01 00:05:00", "2014-04-01 00:05:00", "2014-04-01 00:10:00"]


@pytest.fixture
def folder(tmp_path):
    for name in ("one/a.csv", "two/b.csv"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True)
        path.write_text("timestamp,value\n" + "".join(f"{time},{row}.5\n" for row, time in enumerate(TIMES)))
    label(tmp_path, {"two/b.csv": [], "one/a.csv": [["2014-04-01 00:05:00.000000", "2014-04-01 00:10:00.000000"]]})
    return tmp_path


def label(folder, windows):
    path = folder / "labels" / "combined_windows.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(windows if isinstance(windows, str) else json.dumps(windows))


def test_times_values_and_windows_of_a_folder(folder):
    first, second = anomalies.read(folder).series
    assert (first.name, second.name) == ("one/a.csv", "two/b.csv")
    assert first.values.tolist() == [0.5, 1.5, 2.5, 3.5]
    assert (first.times[3] - first.times[0]) / np.timedelta64(1, "s") == 600
    # An hour that comes twice: the first row of that time.
    assert first.windows.tolist() == [[1, 3]]
    assert second.windows.shape == (0, 2)
    assert (anomalies.read(folder).rows, anomalies.read(folder).windows) == (8, 1)


def test_lines_may_end_as_on_windows(folder):
    expected = anomalies.read(folder).provenance
    path = folder / "data" / "one" / "a.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert anomalies.read(folder).provenance == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "begins with '' and has 0 rows"),
        ("timestamp,value\n", "has 0 rows"),
        ("time,value\n2014-04-01 00:00:00,1\n", "begins with 'time,value'"),
        ("timestamp,value\n2014-04-01 00:00:00\n", "line 2 that is not a time and a value"),
        ("timestamp,value\n2014-04-01 00:00:00,1,2\n", "line 2 that is not a time and a value"),
        ("timestamp,value\n2014-04-31 00:00:00,1\n", "time or value that is none"),
        ("timestamp,value\n1,1\n", "'1' is no time"),
        ("timestamp,value\n2014-04-01 00:00:00,one\n", "time or value that is none"),
        ("timestamp,value\n2014-04-01 00:00:00,nan\n", "values must be finite"),
        ("timestamp,value\n2014-04-01 00:00:00,1\n", "which is not in the file"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_damaged_file_is_refused(folder, content, message):
    path = folder / "data" / "one" / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=message):
        anomalies.read(folder)


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ([], "holds a list"),
        ({"one/a.csv": []}, "has two/b.csv in data/, but not in labels"),
        ({"one/a.csv": [], "two/b.csv": [], "two/c.csv": []}, "has two/c.csv in labels, but not in data/"),
        ({"one/a.csv": [[TIMES[0]]], "two/b.csv": []}, "are not pairs of times"),
        ({"one/a.csv": 3, "two/b.csv": []}, "are not pairs of times"),
        ({"one/a.csv": [[3, 4]], "two/b.csv": []}, "are not pairs of times"),
        ({"one/a.csv": [["2015-01-01 00:00:00", TIMES[3]]], "two/b.csv": []}, "2015-01-01T00:00:00, which is not in"),
        ({"one/a.csv": [[TIMES[3], TIMES[0]]], "two/b.csv": []}, "overlap, or are not in order"),
        ({"one/a.csv": [TIMES[:2], [TIMES[1], TIMES[3]]], "two/b.csv": []}, "overlap, or are not in order"),
    ],
)
def test_windows_that_are_none_are_refused(folder, windows, message):
    label(folder, windows)
    with pytest.raises(DataError, match=message):
        anomalies.read(folder)


def test_a_folder_without_data_or_labels_is_refused(tmp_path, folder):
    with pytest.raises(DataError, match="no data/ or no labels"):
        anomalies.read(tmp_path / "elsewhere")
    (folder / "labels" / "combined_windows.json").unlink()
    with pytest.raises(DataError, match="no data/ or no labels"):
        anomalies.read(folder)
    bare = tmp_path / "bare"
    (bare / "data").mkdir(parents=True)
    label(bare, {})
    with pytest.raises(DataError, match=r"has no data/\*/\*.csv"):
        anomalies.read(bare)


def test_another_corpus_is_not_the_benchmark(folder):
    with pytest.raises(DataError, match="has 2 files, 8 rows and 1 windows; the benchmark has 58, 365558 and 116"):
        anomalies.nab(folder)


@pytest.mark.skipif(FOLDER not in os.environ, reason=f"{FOLDER} names no folder with the Numenta Anomaly Benchmark")
def test_the_benchmark_has_its_published_sizes(tmp_path):
    corpus = anomalies.nab(os.environ[FOLDER])
    folders, rows = np.unique([one.name.split("/")[0] for one in corpus.series], return_inverse=True)
    sizes = np.bincount(rows, [len(one.values) for one in corpus.series]).astype(int)
    assert dict(zip(folders.tolist(), sizes.tolist(), strict=True)) == {
        "artificialNoAnomaly": 20_160,
        "artificialWithAnomaly": 24_192,
        "realAWSCloudwatch": 67_740,
        "realAdExchange": 9_610,
        "realKnownCause": 69_561,
        "realTraffic": 15_664,
        "realTweets": 158_631,
    }
    lengths = [len(one.values) for one in corpus.series]
    assert (min(lengths), np.median(lengths), max(lengths)) == (1127, 4032, 22_695)


def test_made_up_streams_are_those_of_their_seed_and_their_anomalies_can_be_found():
    corpus = anomalies.made_up(1, files=5, rows=1000)
    assert anomalies.fingerprint(corpus.series) == anomalies.fingerprint(anomalies.made_up(1, 5, 1000).series)
    assert anomalies.fingerprint(corpus.series) != anomalies.fingerprint(anomalies.made_up(2, 5, 1000).series)
    assert [len(one.windows) for one in corpus.series] == [2, 2, 2, 2, 0]
    streams = [nab.weigh(len(one.values), one.windows) for one in corpus.series]
    scores = [plain_detectors.windowed_gaussian(one.values) for one in corpus.series]
    # Spikes are far outside; rhythms that stop or run faster are not.
    assert 20 < nab.score(scores, streams).final < 70
    with pytest.raises(ValueError, match="at least 1 and 400"):
        anomalies.made_up(1, rows=399)
