import numpy as np
import pytest

from jaxneuro.tasks.cifar import RECORD, RECORDS, cifar10
from jaxneuro.tasks.data import DataError

NAMES = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(NAMES):
        records = np.zeros((RECORDS, RECORD), np.uint8)
        records[:, 0] = number
        records[0, 1 + 5] = 10  # red, row 0, column 5
        records[0, 1 + 1024 + 32 * 7 + 2] = 20  # green, row 7, column 2
        records.tofile(tmp_path / name)
    return tmp_path


def test_the_colours_of_a_pixel_are_where_the_file_has_them(folder):
    found = cifar10(folder)
    assert (found.images.shape, found.test_images.shape) == ((50_000, 32, 32, 3), (10_000, 32, 32, 3))
    assert (found.images[0, 0, 5].tolist(), found.images[0, 7, 2].tolist()) == ([10, 0, 0], [0, 20, 0])
    assert found.images[0].sum() == 30
    assert (found.labels[0], found.labels[-1], found.test_labels[0]) == (0, 4, 5)


def test_a_file_that_is_missing_cut_or_wrong_is_refused(folder):
    path = folder / NAMES[2]
    content = bytearray(path.read_bytes())
    path.write_bytes(content[:-1])
    with pytest.raises(DataError, match=r"data_batch_3.bin has 30729999 bytes; expected 30730000"):
        cifar10(folder)
    content[RECORD] = 77
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"data_batch_3.bin holds the class 77; expected 0 to 9"):
        cifar10(folder)
    path.unlink()
    with pytest.raises(DataError, match=r"data_batch_3.bin does not exist"):
        cifar10(folder)
