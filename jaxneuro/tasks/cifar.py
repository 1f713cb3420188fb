"""CIFAR-10 from the files of its binary version, which the user names."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxneuro.tasks.data import DataError

RECORD = 1 + 3 * 32 * 32
RECORDS = 10_000


class Cifar(NamedTuple):
    """32 x 32 images in three colours, values from 0 to 255, and their classes."""

    images: np.ndarray  # uint8 [50000, 32, 32, 3]
    labels: np.ndarray  # int32 [50000]
    test_images: np.ndarray  # uint8 [10000, 32, 32, 3]
    test_labels: np.ndarray  # int32 [10000]
    provenance: str


def cifar10(folder: str | Path) -> Cifar:
    """The 60,000 images of CIFAR-10 in its binary version, of plain bytes; the other versions are not read.

    Args:
        folder: holds `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`.

    Returns:
        Images, labels and provenance.

    Raises:
        DataError: a file is missing, or is not 10,000 records of a class from 0 to 9 and 3,072 values.

    Reference: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images.
    """
    digest, images, labels = hashlib.sha256(), [], []
    for name in (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"):
        path = Path(folder).expanduser() / name
        if not path.is_file():
            raise DataError(f"The file {path} does not exist; CIFAR-10's binary version has it.")
        if path.stat().st_size != RECORDS * RECORD:
            raise DataError(f"The file {path} has {path.stat().st_size} bytes; expected {RECORDS * RECORD}.")
        content = path.read_bytes()
        digest.update(content)
        records = np.frombuffer(content, np.uint8).reshape(RECORDS, RECORD)
        if records[:, 0].max() > 9:
            raise DataError(f"The file {path} holds the class {records[:, 0].max()}; expected 0 to 9.")
        labels.append(records[:, 0].astype(np.int32))
        # Red, green and blue one after the other, each row by row.
        images.append(records[:, 1:].reshape(RECORDS, 3, 32, 32).transpose(0, 2, 3, 1))
    provenance = f"CIFAR-10 binary files, 50000 and 10000 images, sha256 {digest.hexdigest()[:12]}"
    return Cifar(np.concatenate(images[:5]), np.concatenate(labels[:5]), images[5], labels[5], provenance)
