"""Processes that start in the same run directory at once: one goes on, the others leave quickly and say why."""

import signal
import subprocess
import sys
import time

import pytest

from jaxneuro.launch import lock

# The lock alone, loaded from its file: a round then takes a tenth of a second.
WRITER = """
import importlib.util, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("lock", sys.argv[1])
lock = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lock)
print("ready", flush=True)
sys.stdin.readline()
try:
    held = lock.Lock(Path(sys.argv[2]))
except lock.LockedError as error:
    print(error, flush=True)
    sys.exit(3)
sys.stdin.readline()
"""


@pytest.mark.parametrize(("count", "start"), [*((2, start) for start in range(7)), *((4, start) for start in range(3))])
def test_of_writers_that_start_at_once_exactly_one_wins_and_the_others_name_it(tmp_path, count, start):
    # Left by a process that was killed: it must be blamed by nobody.
    (tmp_path / ".lock").write_text("pid 999999999 on elsewhere since 2020-01-01 00:00:00 UTC\n")
    command = [sys.executable, "-c", WRITER, lock.__file__, str(tmp_path)]
    writers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        for _ in range(count)
    ]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        deadline = time.monotonic() + 5
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("\n")
        while sum(writer.poll() is not None for writer in writers) < count - 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        (winner,) = [writer for writer in writers if writer.poll() is None]
        for loser in writers:
            if loser is not winner:
                said, _ = loser.communicate(timeout=5)
                assert loser.returncode == 3
                assert f"{tmp_path} is in use by pid {winner.pid} on " in said
        winner.send_signal(signal.SIGKILL)
        assert winner.wait(timeout=5) == -9
        lock.Lock(tmp_path).release()
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
