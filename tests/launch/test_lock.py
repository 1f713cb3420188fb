import os
import socket
import subprocess
import sys

import pytest

from jaxneuro.launch import lock
from jaxneuro.launch.lock import Lock, LockedError, RunError

HOLD_AND_DIE = """
import importlib.util, os, signal, sys
spec = importlib.util.spec_from_file_location("lock", sys.argv[1])
lock = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lock)
from pathlib import Path
held = lock.Lock(Path(sys.argv[2]))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_second_lock_is_refused_and_names_the_holder(tmp_path):
    with Lock(tmp_path), pytest.raises(LockedError) as refusal:
        Lock(tmp_path)
    assert f"pid {os.getpid()} on {socket.gethostname()} since 2" in str(refusal.value)
    assert str(tmp_path) in str(refusal.value)


def test_a_released_lock_is_free_and_leaves_no_name_behind(tmp_path):
    first = Lock(tmp_path)
    first.release()
    first.release()
    assert (tmp_path / ".lock").read_bytes() == b""
    Lock(tmp_path).release()


def test_a_refused_lock_does_not_disturb_the_holder(tmp_path):
    with Lock(tmp_path):
        name = (tmp_path / ".lock").read_bytes()
        for _ in range(3):
            with pytest.raises(LockedError):
                Lock(tmp_path)
        assert (tmp_path / ".lock").read_bytes() == name


def test_the_lock_of_a_killed_process_is_free_though_its_name_is_still_there(tmp_path):
    done = subprocess.run([sys.executable, "-c", HOLD_AND_DIE, lock.__file__, str(tmp_path)], timeout=30)
    assert done.returncode == -9
    assert (tmp_path / ".lock").read_text().startswith("pid ")
    Lock(tmp_path).release()


def test_a_name_left_by_a_dead_process_is_not_blamed_while_the_holder_writes_its_own(tmp_path, monkeypatch):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead = f"pid {child.pid} on {socket.gethostname()} since 2020-01-01 00:00:00 UTC"
    with Lock(tmp_path):
        name = (tmp_path / ".lock").read_text()
        (tmp_path / ".lock").write_text(dead)
        monkeypatch.setattr(lock.time, "sleep", lambda seconds: (tmp_path / ".lock").write_text(name))
        with pytest.raises(LockedError, match=f"pid {os.getpid()} "):
            Lock(tmp_path)


def test_a_folder_that_cannot_hold_a_lock_is_named(tmp_path):
    (tmp_path / ".lock").mkdir()
    with pytest.raises(RunError, match=r"cannot open .*\.lock"):
        Lock(tmp_path)
