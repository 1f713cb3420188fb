"""Files that a crash cannot tear: written beside their place, synced and renamed.

A place holds the old content or the new one, never half, and what the disk is said to have survives a power cut.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from pathlib import Path


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte: a single `os.write` may stop short."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def write_new(path: Path, data: bytes) -> None:
    """Write a new file and wait until the disk has it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes, *, alone: bool) -> None:
    """Replace a file's content as one step.

    Args:
        path: the file; its folder exists.
        data: the whole new content.
        alone: whether no other process writes this file. Then what a killed process left beside it is overwritten; else
            every writer has a name of its own.

    Raises:
        OSError: the disk refused; the file is what it was.
    """
    beside = path.with_name(f".{path.name}.tmp" if alone else f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        write_new(beside, data)
        os.replace(beside, path)
        sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Wait until the disk has every file under a folder, and every name."""
    for within, _, names in os.walk(folder, topdown=False):
        for name in names:
            descriptor = os.open(Path(within) / name, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(Path(within))


def digests(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 of every file under a folder, by relative path; `OSError` names what is not a plain file."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        if path.is_file():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found[path.relative_to(folder).as_posix()] = (path.stat().st_size, digest)
    return found


def publish(folder: Path, place: Path) -> None:
    """Give a folder its final name as one step, once the disk has the names in it."""
    sync_folder(folder)
    os.rename(folder, place)
    sync_folder(place.parent)


def remove_folder(folder: Path) -> None:
    """Delete a folder as one step: what is half deleted has another name, `.NAME.old.tmp`."""
    aside = folder.with_name(f".{folder.name}.old.tmp")
    shutil.rmtree(aside, ignore_errors=True)
    os.rename(folder, aside)
    sync_folder(folder.parent)
    shutil.rmtree(aside)
