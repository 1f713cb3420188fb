"""Real data from what is already on the machine: an installed package, Python itself, or a file the user names.

Nothing is downloaded. What is read is compared with the figures published for it, and comes with its provenance.
"""

import gzip
import hashlib
import io
import math
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np


class DataError(Exception):
    """Data that are missing or are not what they should be; the message says what to do."""


class Digits(NamedTuple):
    """8 x 8 images of handwritten digits, grey values from 0 to 1, and their classes."""

    images: np.ndarray  # float32 [1797, 8, 8]
    labels: np.ndarray  # int32 [1797]
    provenance: str


class Mnist(NamedTuple):
    """28 x 28 images of handwritten digits, grey values from 0 to 255, and their classes."""

    images: np.ndarray  # uint8 [60000, 28, 28]
    labels: np.ndarray  # int32 [60000]
    test_images: np.ndarray  # uint8 [10000, 28, 28]
    test_labels: np.ndarray  # int32 [10000]
    provenance: str


class Chorales(NamedTuple):
    """Bach's chorales as piano rolls: for every piece, which of 88 notes sound in each frame."""

    training: tuple[np.ndarray, ...]  # 229 pieces, uint8 [frames, 88]
    validation: tuple[np.ndarray, ...]  # 76 pieces
    test: tuple[np.ndarray, ...]  # 77 pieces
    provenance: str


class Text(NamedTuple):
    """Some text and where it comes from."""

    text: str
    provenance: str


_DIGITS_SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"

_LARGEST_FILE = 2**28
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

# `pydoc_data.topics` is a part of Python that changes with every version: sha256 of the joined text, by version.
_TOPICS_SHA256 = {
    "2a95af4ac93f5b719944030ce3769070ddf827d847cba42192afa8da989e5dc4": "Python 3.11.7",
    "b5bb57d637a700f50d8c7309e7340f40a333fdf2cba89d3f1da81c1b74ee8952": "Python 3.12.1",
    "4b7ff11aae42ee979a50edb5d279a88ae9d80d7216e9ba99add988136ded5fb2": "Python 3.13.0",
}


def digits() -> Digits:
    """The 1,797 handwritten digits that come with scikit-learn.

    Returns:
        Images, labels and provenance.

    Raises:
        DataError: if scikit-learn is not installed, or brings other digits.

    Reference: Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits, UCI (test set, 1,797 samples).
    """
    try:
        import sklearn
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataError(
            "The digits come with scikit-learn, which is not installed: pip install 'jaxneuro[data]'."
        ) from error
    pixels, classes = load_digits(return_X_y=True)
    images, labels = np.asarray(pixels).reshape(-1, 8, 8), np.asarray(classes)
    found = hashlib.sha256(images.astype(np.uint8).tobytes() + labels.astype(np.uint8).tobytes()).hexdigest()
    if images.shape != (1797, 8, 8) or found != _DIGITS_SHA256:
        raise DataError(
            f"scikit-learn {sklearn.__version__} brought {images.shape[0]} digits with sha256 {found}; "
            f"expected 1797 with {_DIGITS_SHA256}."
        )
    provenance = f"scikit-learn {sklearn.__version__} load_digits, 1797 images, sha256 {found[:12]}, BSD-3-Clause"
    return Digits((images / 16).astype(np.float32), labels.astype(np.int32), provenance)


def topics() -> Text:
    """The help texts inside Python, about half a million characters of English, one after the other by name.

    Returns:
        Text and provenance; the provenance says so if this Python's text is not one of the known ones.
    """
    from pydoc_data.topics import topics as pages

    text = "\n".join(pages[name] for name in sorted(pages))
    found = hashlib.sha256(text.encode()).hexdigest()
    version = _TOPICS_SHA256.get(found, "a Python whose text is not pinned: compare no figures across versions")
    return Text(text, f"pydoc_data.topics of {version}, {len(text)} characters, sha256 {found[:12]}, PSF licence")


def read_text(path: str | Path) -> Text:
    """A text file that the user names, UTF-8.

    Args:
        path: the file, at most 256 MiB.

    Returns:
        Text and provenance.

    Raises:
        DataError: if the file is missing, too large, not UTF-8, or shorter than 1,000 characters.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise DataError(f"The text file {path} does not exist; name a UTF-8 file, or leave text.path out.")
    content = _content(path)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"The text file {path} is not UTF-8: {error}.") from error
    if len(text) < 1000:
        raise DataError(f"The text file {path} has {len(text)} characters; a model needs at least 1000.")
    return Text(text, f"{path.name}, {len(text)} characters, sha256 {hashlib.sha256(content).hexdigest()[:12]}")


def idx(path: str | Path) -> np.ndarray:
    """An array in an IDX file, such as those of MNIST, as it is or packed by gzip.

    Args:
        path: the file, at most 256 MiB, also unpacked.

    Returns:
        The array, in the byte order of this machine.

    Raises:
        DataError: if the file is missing, too large, damaged, or no IDX file.
    """
    path = Path(path).expanduser()
    content = _content(path)
    if content[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(content)) as file:
                content = file.read(_LARGEST_FILE + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"The file {path} is a damaged gzip file: {error}.") from error
        if len(content) > _LARGEST_FILE:
            raise DataError(f"The file {path} has more than {_LARGEST_FILE} bytes when unpacked.")
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _IDX_TYPES or not 1 <= content[3] <= 8:
        raise DataError(f"The file {path} is no IDX file: it begins with {content[:4].hex(' ')}.")
    dtype, start = np.dtype(_IDX_TYPES[content[2]]), 4 + 4 * content[3]
    shape = [int.from_bytes(content[place : place + 4], "big") for place in range(4, start, 4)]
    size = start + dtype.itemsize * math.prod(shape)
    if len(content) != size or len(content) == start:
        raise DataError(f"The IDX file {path} has {len(content)} bytes; its header {shape} wants {size}, with data.")
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def mnist(folder: str | Path) -> Mnist:
    """The 70,000 handwritten digits of MNIST, or another set in its form, from a folder that the user names.

    Args:
        folder: holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
            `t10k-labels-idx1-ubyte`, each as it is or with `.gz`.

    Returns:
        Images, labels and provenance.

    Raises:
        DataError: if a file is missing or damaged, or is not 60,000 or 10,000 images of 28 x 28 with classes 0 to 9.

    Reference: LeCun, Bottou, Bengio and Haffner 1998, Proc. IEEE 86:2278.
    """
    arrays, digest = [], hashlib.sha256()
    for part, samples in (("train", 60_000), ("t10k", 10_000)):
        for kind, shape in (("images-idx3", (samples, 28, 28)), ("labels-idx1", (samples,))):
            path = Path(folder).expanduser() / f"{part}-{kind}-ubyte"
            array = idx(path if path.is_file() else path.with_name(path.name + ".gz"))
            if array.shape != shape or array.dtype != np.uint8:
                raise DataError(
                    f"The file {path} holds {list(array.shape)} of {array.dtype}; expected {list(shape)} of uint8."
                )
            if len(shape) == 1 and array.max() > 9:
                raise DataError(f"The file {path} holds the class {array.max()}; expected 0 to 9.")
            digest.update(array.tobytes())
            arrays.append(array)
    images, labels, test_images, test_labels = arrays
    provenance = f"IDX files, 60000 and 10000 images of 28 x 28, sha256 {digest.hexdigest()[:12]}"
    return Mnist(images, labels.astype(np.int32), test_images, test_labels.astype(np.int32), provenance)


def chorales(path: str | Path) -> Chorales:
    """The JSB chorales, as `JSB_Chorales.mat`, from a file that the user names.

    Args:
        path: a MATLAB 5 file with the cells `traindata`, `validdata` and `testdata` of arrays `[frames, 88]`.

    Returns:
        The pieces and the provenance.

    Raises:
        DataError: if SciPy is not installed, or the file is missing, or is not 229, 76 and 77 pieces of 88 notes.

    Reference: Boulanger-Lewandowski, Bengio and Vincent 2012, arXiv:1206.6392.
    """
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise DataError(
            "The chorales are read by SciPy, which comes with scikit-learn: pip install 'jaxneuro[data]'."
        ) from error
    path, counts = Path(path).expanduser(), {"traindata": 229, "validdata": 76, "testdata": 77}
    content = _content(path)
    try:
        cells = loadmat(io.BytesIO(content), variable_names=list(counts))
    except Exception as error:  # a damaged file makes SciPy raise almost anything
        raise DataError(f"The file {path} is no MATLAB file that SciPy can read: {error}.") from error
    sets = {}
    for name, expected in counts.items():
        if name not in cells or cells[name].dtype != object:
            raise DataError(f"The file {path} has no cell array {name}; expected {expected} pieces in it.")
        pieces = cells[name].ravel().tolist()
        if len(pieces) != expected:
            raise DataError(f"The file {path} has {len(pieces)} pieces in {name}; expected {expected}.")
        for piece in pieces:
            if getattr(piece, "dtype", np.dtype(object)).kind not in "buif" or piece.shape[1:] != (88,):
                raise DataError(f"The file {path} has a piece in {name} that is not numbers [frames, 88].")
            if len(piece) < 2 or not np.isin(piece, (0, 1)).all():
                raise DataError(f"The file {path} has a piece in {name} that is not two or more frames of 0 and 1.")
        sets[name] = tuple(np.asarray(piece, np.uint8) for piece in pieces)
    provenance = f"{path.name}, 229 + 76 + 77 chorales, sha256 {hashlib.sha256(content).hexdigest()[:12]}"
    return Chorales(sets["traindata"], sets["validdata"], sets["testdata"], provenance)


def _content(path: Path) -> bytes:
    """The bytes of a file that the user names."""
    if not path.is_file():
        raise DataError(f"The file {path} does not exist.")
    if path.stat().st_size > _LARGEST_FILE:
        raise DataError(f"The file {path} has {path.stat().st_size} bytes; at most {_LARGEST_FILE} are read.")
    return path.read_bytes()


def split(samples: int, shares: tuple[float, float], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices of the training, validation and test samples, in an order drawn once.

    Args:
        samples: how many there are.
        shares: shares of the validation and of the test set; what is left is for training.
        seed: of the order.

    Returns:
        Three disjoint arrays of indices that together hold every sample once.
    """
    order = np.random.default_rng(seed).permutation(samples)
    validation, test = (round(share * samples) for share in shares)
    return order[validation + test :], order[:validation], order[validation : validation + test]
