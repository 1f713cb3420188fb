"""Writing in a run directory: a disk that refuses gives a message with advice."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from jaxneuro.disk import replace_file, sync_folder
from jaxneuro.launch.lock import RunError


@contextlib.contextmanager
def writing(path: Path, size: int) -> Iterator[None]:
    """Turn a full, read-only or failing disk into advice that names the file and the `size` in bytes it wanted."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"cannot write {path} ({size:,} bytes wanted): {error.strerror or error}. What was saved before is intact: "
            "make room or mend the disk, then run the same command again."
        ) from error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, so that they survive a power cut."""
    if not folder.is_dir():
        make_folder(folder.parent)
        with writing(folder, 0):
            folder.mkdir(exist_ok=True)
            sync_folder(folder.parent)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file's content as one step; no other process writes it.

    Args:
        path: the file; its folder exists.
        data: the whole new content.

    Raises:
        RunError: the disk refused; the file is what it was.
    """
    with writing(path, len(data)):
        replace_file(path, data, alone=True)
