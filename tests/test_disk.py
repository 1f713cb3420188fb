import errno
import os
import threading

import pytest

from jaxneuro.disk import replace_file, write_all


def test_short_writes_are_continued(tmp_path, monkeypatch):
    whole = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: whole(descriptor, bytes(data)[:3]))
    descriptor = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    write_all(descriptor, b"0123456789")
    os.close(descriptor)
    assert (tmp_path / "file").read_bytes() == b"0123456789"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
def test_a_replacement_that_fails_leaves_the_old_content_and_nothing_beside_it(
    tmp_path, monkeypatch, call, alone, error
):
    place = tmp_path / "file"
    replace_file(place, b"old", alone=alone)

    def fail(*args, **kwargs):
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(os, call, fail)
        with pytest.raises(type(error)):
            replace_file(place, b"new", alone=alone)
    assert place.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]
    replace_file(place, b"new", alone=alone)
    assert place.read_bytes() == b"new"


def test_what_a_killed_process_left_is_overwritten_by_the_only_writer(tmp_path):
    (tmp_path / ".file.tmp").write_bytes(b"half of someth")
    replace_file(tmp_path / "file", b"new", alone=True)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_of_writers_at_once_each_writes_a_whole_file(tmp_path, monkeypatch):
    """All of them have written half when any goes on."""
    place, count, whole = tmp_path / "file", 4, os.write
    barrier = threading.Barrier(count)

    def in_halves(descriptor, data):
        if len(data) > 500:
            data = data[:500]
        else:
            barrier.wait(10)
        return whole(descriptor, data)

    monkeypatch.setattr(os, "write", in_halves)
    contents = [bytes([letter]) * 1000 for letter in b"abcd"]
    writers = [threading.Thread(target=replace_file, args=(place, c), kwargs={"alone": False}) for c in contents]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert place.read_bytes() in contents
    assert os.listdir(tmp_path) == ["file"]
