import gzip
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


def write_idx(path, array, code, pack=False):
    header = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    content = header + array.astype(array.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(gzip.compress(content, 1) if pack else content)
    return path


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize(
    ("code", "dtype"),
    [(0x08, "uint8"), (0x09, "int8"), (0x0B, "int16"), (0x0C, "int32"), (0x0D, "float32"), (0x0E, "float64")],
)
def test_idx_files_are_read_as_they_were_written(tmp_path, code, dtype, pack):
    array = (np.arange(24).reshape(2, 3, 4) * 5).astype(dtype)
    found = data.idx(write_idx(tmp_path / "array", array, code, pack))
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype
    assert found.dtype.isnative


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (b"", "is no IDX file"),
        (b"\x89PNG\r\n", "is no IDX file: it begins with 89 50 4e 47"),
        (bytes([0, 0, 8, 200]), "is no IDX file"),
        (bytes([0, 0, 8, 2, 0, 0]), "has 6 bytes"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 3, 1, 2]), r"has 10 bytes; its header \[3\] wants 11"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 1, 1, 2]), r"has 10 bytes; its header \[1\] wants 9"),
        (bytes([0, 0, 8, 1, 255, 255, 255, 255, 1]), r"header \[4294967295\]"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 0]), "with data"),
        (gzip.compress(bytes(1000), mtime=0)[:-12], "is a damaged gzip file"),
        (b"\x1f\x8b\x08" + bytes(30), "is a damaged gzip file"),
    ],
)
def test_damaged_idx_files_are_named(tmp_path, content, message):
    path = tmp_path / "array"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(data.DataError, match=message) as caught:
        data.idx(path)
    assert str(path) in str(caught.value)


def test_a_small_gzip_file_of_a_large_array_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "_LARGEST_FILE", 1000)
    path = write_idx(tmp_path / "array", np.zeros(5000, np.uint8), 0x08, pack=True)
    with pytest.raises(data.DataError, match="more than 1000 bytes when unpacked"):
        data.idx(path)


def write_mnist(folder, test_samples=10_000, largest=9):
    for part, samples in (("train", 60_000), ("t10k", test_samples)):
        images = np.zeros((samples, 28, 28), np.uint8)
        images[-1, 3, 5] = 200
        labels = np.arange(samples) % (largest + 1)
        write_idx(folder / f"{part}-images-idx3-ubyte", images, 0x08)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels.astype(np.uint8), 0x08, pack=True)


def test_mnist_is_read_from_its_four_files_packed_or_not(tmp_path):
    write_mnist(tmp_path)
    images, labels, test_images, test_labels, provenance = data.mnist(tmp_path)
    assert images.shape == (60_000, 28, 28)
    assert test_images.shape == (10_000, 28, 28)
    assert images[-1, 3, 5] == test_images[-1, 3, 5] == 200
    assert images.sum() == test_images.sum() == 200
    assert labels[:12].tolist() == test_labels[:12].tolist() == [*range(10), 0, 1]
    assert "60000 and 10000 images" in provenance


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_samples": 9_999}, r"holds \[9999, 28, 28\] of uint8; expected \[10000, 28, 28\]"),
        ({"largest": 10}, "holds the class 10; expected 0 to 9"),
    ],
)
def test_what_is_not_mnist_is_refused(tmp_path, change, message):
    write_mnist(tmp_path, **change)
    with pytest.raises(data.DataError, match=message):
        data.mnist(tmp_path)


def test_a_missing_part_of_mnist_is_named(tmp_path):
    with pytest.raises(data.DataError, match="train-images-idx3-ubyte"):
        data.mnist(tmp_path)


def write_chorales(path, **changes):
    """A file of the layout of JSB_Chorales.mat: three cell rows of piano rolls."""
    from scipy.io import savemat

    sets = {}
    for name, count in {"traindata": 229, "validdata": 76, "testdata": 77}.items():
        cells = np.empty((1, count), object)
        for index in range(count):
            cells[0, index] = np.eye(88, dtype=np.uint8)[index % 80 : index % 80 + 3 + index % 2]
        sets[name] = cells
    savemat(path, sets | changes)
    return path


def cells(count, piece):
    array = np.empty((1, count), object)
    for index in range(count):
        array[0, index] = piece
    return array


def test_the_chorales_are_read_as_they_are(tmp_path):
    training, validation, test, provenance = data.chorales(write_chorales(tmp_path / "chorales.mat"))
    assert [len(pieces) for pieces in (training, validation, test)] == [229, 76, 77]
    for pieces in (training, validation, test):
        for index, piece in enumerate(pieces):
            np.testing.assert_array_equal(piece, np.eye(88)[index % 80 : index % 80 + 3 + index % 2])
            assert piece.dtype == np.uint8
    assert "chorales.mat, 229 + 76 + 77 chorales" in provenance


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"testdata": cells(76, np.zeros((3, 88)))}, "has 76 pieces in testdata; expected 77"),
        ({"testdata": np.zeros((1, 77))}, "has no cell array testdata"),
        ({"testdata": cells(77, np.zeros((3, 87)))}, r"that is not numbers \[frames, 88\]"),
        ({"testdata": cells(77, "do re mi")}, r"that is not numbers \[frames, 88\]"),
        ({"testdata": cells(77, cells(2, 1.0))}, r"that is not numbers \[frames, 88\]"),
        ({"testdata": cells(77, np.full((3, 88), 0.5))}, "that is not two or more frames of 0 and 1"),
        ({"testdata": cells(77, np.full((3, 88), np.nan))}, "that is not two or more frames of 0 and 1"),
        ({"testdata": cells(77, np.zeros((1, 88)))}, "that is not two or more frames of 0 and 1"),
    ],
)
def test_other_pieces_are_refused(tmp_path, changes, message):
    path = write_chorales(tmp_path / "chorales.mat", **changes)
    with pytest.raises(data.DataError, match=message) as caught:
        data.chorales(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not music" * 100, None])
def test_files_without_chorales_are_named(tmp_path, content):
    path = tmp_path / "chorales.mat"
    if content is None:
        whole = write_chorales(path).read_bytes()
        content = whole[: len(whole) // 2]
    path.write_bytes(content)
    with pytest.raises(data.DataError, match=r"is no MATLAB file|has no cell array") as caught:
        data.chorales(path)
    assert str(path) in str(caught.value)


def test_without_scipy_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(data.DataError, match=r"pip install 'jaxneuro\[data\]'"):
        data.chorales(tmp_path / "chorales.mat")
