"""Safe writing: by one process at a time, and all or nothing.

The lock is `flock` on a file of the directory, held for as long as the run is open. The kernel drops it when the
process ends, however it ends, so nothing stale is ever left to clean up: what the file says only serves the refusal's
message. A file is written beside its place, synced and renamed: its place holds the old content or the new, never half.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

# A holder writes its name just after it has the lock; a second process waits this long for it to appear.
NAMING_SECONDS = 1.0


class RunError(RuntimeError):
    """A run cannot start or go on; the message says why and what to do."""


class LockedError(RunError):
    """Another process writes to this run directory."""


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


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte: a single `os.write` may stop short."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


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


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, so that they survive a power cut."""
    if not folder.is_dir():
        make_folder(folder.parent)
        with writing(folder, 0):
            folder.mkdir(exist_ok=True)
            sync_folder(folder.parent)


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


def write_new(path: Path, data: bytes) -> None:
    """Write a new file and wait until the disk has it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file's content as one step.

    Args:
        path: the file; its folder exists.
        data: the whole new content.

    Raises:
        RunError: the disk refused; the file is what it was.
    """
    beside = path.with_name(f".{path.name}.tmp")
    with writing(path, len(data)):
        try:
            write_new(beside, data)
            os.replace(beside, path)
            sync_folder(path.parent)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise


class Lock:
    """The right to write to a folder, from construction to `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Args:
            folder: an existing folder.

        Raises:
            LockedError: another process holds it; the message names the process.
            RunError: the lock file cannot be opened.
        """
        path = folder / ".lock"
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RunError(f"cannot open {path}: {error.strerror}. A run needs a directory it may write to.") from error
        try:
            self._take(folder)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, _name_of_this_process().encode(), 0)
        except OSError as error:
            os.close(self._descriptor)
            raise RunError(f"cannot lock {path}: {error.strerror}.") from error
        except LockedError:
            os.close(self._descriptor)
            raise

    def _take(self, folder: Path) -> None:
        deadline = time.monotonic() + NAMING_SECONDS
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(self._descriptor, 200, 0).decode(errors="replace")
                if _may_be_running(holder) or time.monotonic() > deadline:
                    raise LockedError(
                        f"{folder} is in use by {holder or 'another process'}. Wait for it or stop it, or name another "
                        "directory with --out."
                    ) from None
                time.sleep(0.01)
            else:
                return

    def release(self) -> None:
        """Give the lock back; once more does nothing."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            try:
                os.ftruncate(descriptor, 0)
            finally:
                os.close(descriptor)

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()


def _name_of_this_process() -> str:
    return f"pid {os.getpid()} on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _may_be_running(holder: str) -> bool:
    # A killed holder leaves its name behind: until the new holder has written its own, the file names a dead process.
    named = re.fullmatch(r"pid (\d+) on (\S+) since .*", holder)
    if named is None:
        return False
    if named[2] != socket.gethostname():
        return True
    try:
        os.kill(int(named[1]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
