import errno
import os
from pathlib import Path

import pytest

from jaxneuro.launch.lock import RunError
from jaxneuro.launch.saving import write_atomically


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
def test_an_atomic_write_that_fails_leaves_the_old_content(tmp_path: Path, monkeypatch, call, fault):
    file = tmp_path / "results.json"
    write_atomically(file, b"old")

    def fail(*args, **kwargs):
        raise OSError(fault, os.strerror(fault))

    with monkeypatch.context() as broken:
        broken.setattr(os, call, fail)
        with pytest.raises(RunError, match=rf"results\.json \(3 bytes wanted\): {os.strerror(fault)}"):
            write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]
