import sys

import numpy as np
import pytest

from jaxneuro.tasks import data


def test_digits_are_the_published_ones():
    digits = data.digits()
    # Class counts of the UCI test set, from its own documentation (optdigits.names).
    assert np.bincount(digits.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert digits.images.shape == (1797, 8, 8)
    assert digits.images.dtype == np.float32
    assert (digits.images.min(), digits.images.max()) == (0, 1)
    assert "scikit-learn" in digits.provenance


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(data.DataError, match=r"pip install 'jaxneuro\[data\]'"):
        data.digits()


def test_changed_digits_are_refused(monkeypatch):
    import sklearn.datasets

    pixels, labels = sklearn.datasets.load_digits(return_X_y=True)
    pixels = pixels.copy()
    pixels[3, 20] += 1
    monkeypatch.setattr(sklearn.datasets, "load_digits", lambda return_X_y: (pixels, labels))
    with pytest.raises(data.DataError, match="sha256"):
        data.digits()


def test_topics_are_english_prose_with_provenance():
    text, provenance = data.topics()
    assert len(text) > 400_000
    assert "statement" in text
    assert str(len(text)) in provenance


def test_a_text_file_is_read_as_it_is(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_bytes("Grüße\r\n".encode() * 300)
    assert data.read_text(path).text == "Grüße\r\n" * 300


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (b"\xff\xfe" * 1000, "not UTF-8"),
        (b"short", "has 5 characters; a model needs at least 1000"),
    ],
)
def test_unusable_text_files_are_named(tmp_path, content, message):
    path = tmp_path / "corpus.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(data.DataError, match=message) as caught:
        data.read_text(path)
    assert str(path) in str(caught.value)


def test_a_split_holds_every_sample_once_and_depends_on_the_seed_alone():
    parts = data.split(1797, (0.15, 0.2), 0)
    assert [len(part) for part in parts] == [1168, 270, 359]
    assert sorted(np.concatenate(parts).tolist()) == list(range(1797))
    for a, b in zip(parts, data.split(1797, (0.15, 0.2), 0), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (data.split(1797, (0.15, 0.2), 1)[0] != parts[0]).any()
