"""Real data from what is already on the machine: an installed package, Python itself, or a file the user names.

Nothing is downloaded. What is read is compared with the figures published for it, and comes with its provenance.
"""

import hashlib
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


class Text(NamedTuple):
    """Some text and where it comes from."""

    text: str
    provenance: str


_DIGITS_SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"

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
    if path.stat().st_size > 2**28:
        raise DataError(f"The text file {path} has {path.stat().st_size} bytes; at most {2**28} are read.")
    content = path.read_bytes()
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"The text file {path} is not UTF-8: {error}.") from error
    if len(text) < 1000:
        raise DataError(f"The text file {path} has {len(text)} characters; a model needs at least 1000.")
    return Text(text, f"{path.name}, {len(text)} characters, sha256 {hashlib.sha256(content).hexdigest()[:12]}")


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
