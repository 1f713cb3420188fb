"""One process at a time writes to a run directory.

The lock is `flock` on a file of the directory, held for as long as the run is open. The kernel drops it when the
process ends, however it ends, so nothing stale is ever left to clean up: what the file says only serves the refusal's
message.
"""

import fcntl
import os
import re
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

# A holder writes its name just after it has the lock; a second process waits this long for it to appear.
NAMING_SECONDS = 1.0


class RunError(RuntimeError):
    """A run cannot start or go on; the message says why and what to do."""


class LockedError(RunError):
    """Another process writes to this run directory."""


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
