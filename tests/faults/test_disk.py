"""A disk that is full, read-only or failing, and a process that dies, at any call that changes the disk.

The error names the file, what was saved before is intact, and the same command goes on from there.
"""

import errno
import functools
import itertools
import os
import shutil
import subprocess

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.launch import checkpoint
from jaxneuro.launch.checkpoint import CheckpointError
from jaxneuro.launch.directory import Run, read_arrays, read_metrics
from jaxneuro.launch.lock import RunError
from jaxneuro.launch.loop import train_in_chunks

CHANGING = ("open", "write", "fsync", "rename", "replace", "mkdir", "unlink", "rmdir")


class Death(BaseException):
    """The process is no more: from here on nothing reaches the disk, and no handler of errors runs."""


FULL, READ_ONLY, FAILING = (OSError(number, os.strerror(number)) for number in (errno.ENOSPC, errno.EROFS, errno.EIO))


@pytest.fixture
def fail_at(monkeypatch):
    """Make the calls that change the disk fail from the k-th on, or only the k-th; returns how many there were."""
    counter = {}

    def arm(first, error, *, once=False):
        counter.update(calls=0)
        for name in CHANGING:
            monkeypatch.setattr(os, name, functools.partial(call, getattr(os, name), first, error, once))
        return counter

    def call(real, first, error, once, *args, **kwargs):
        if real.__name__ != "open" or (args[1] if len(args) > 1 else 0) & (os.O_WRONLY | os.O_RDWR):
            counter["calls"] += 1
            if counter["calls"] == first or (counter["calls"] > first and not once):
                raise error
        return real(*args, **kwargs)

    yield arm
    monkeypatch.undo()


def state(step):
    return {"w": jnp.full(5, step, jnp.float32), "n": jnp.asarray(step, jnp.int32)}


def equal(one, other):
    return jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), one, other))


@pytest.mark.parametrize(
    ("error", "once", "stride"), [(FULL, False, 1), (READ_ONLY, False, 8), (FAILING, True, 4), (Death(), False, 2)]
)
def test_a_save_that_fails_anywhere_leaves_a_good_checkpoint(tmp_path, monkeypatch, fail_at, error, once, stride):
    for step in (10, 20):
        checkpoint.save(tmp_path / "old", step, state(step))
    for k in itertools.count(1, stride):
        folder = tmp_path / "net"
        shutil.copytree(tmp_path / "old", folder)
        counter, said = fail_at(k, error, once=once), ""
        try:
            checkpoint.save(folder, 30, state(30))
        except (CheckpointError, Death) as caught:
            said = str(caught)
        monkeypatch.undo()
        failed = counter["calls"] >= k
        if isinstance(error, OSError):
            assert (f"cannot write {folder / 'step-00000030'} (24 bytes wanted)" in said) == failed
            assert (str(error.strerror) in said) == failed
        checkpoint.remove_leftovers(folder)
        step, tree = checkpoint.restore(folder, state(0), warn=pytest.fail) or (0, {})
        assert step in ({20, 30} if failed else {30})
        assert equal(tree, state(step))
        if step == 20:
            checkpoint.save(folder, 30, state(30))
        assert checkpoint.steps(folder)[-2:] == [20, 30]
        assert all(path.name.startswith("step-") for path in folder.iterdir())
        shutil.rmtree(folder)
        if not failed:
            break
    assert k > 20


def advance(state, steps):
    after = {"w": state["w"] * 0.5, "n": state["n"] + jnp.asarray(steps, jnp.int32)}
    return after, {"loss": jnp.arange(steps, dtype=jnp.float32)}


def train(path, fresh=False):
    with Run(path, {}, fresh=fresh) as run:
        run.log(0, {"size": 5})
        reached, history = train_in_chunks(run, "net", advance, state(0), steps=6, chunk=2)
        run.save_arrays(history)
        run.finish({"last": reached["n"]})
    return reached, (path / "metrics.jsonl").read_bytes(), (path / "arrays.npz").read_bytes(), run.results()


# Of the slow pass one error comes at the odd calls and the other at the even ones: each call fails once.
@pytest.mark.parametrize("stride", [31, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize(("error", "first"), [(FULL, 1), (Death(), 2)])
def test_a_run_that_fails_anywhere_is_made_good_by_the_next(
    tmp_path, monkeypatch, fail_at, error, first, fresh, stride
):
    whole = train(tmp_path / "whole")
    for k in itertools.count(first, stride):
        path = tmp_path / "run"
        if fresh:
            shutil.copytree(tmp_path / "whole", path)
        counter, caught = fail_at(k, error), False
        try:
            train(path, fresh)
        except (RunError, Death):
            caught = True
        monkeypatch.undo()
        again = train(path)
        assert caught == (counter["calls"] >= k)
        assert equal(again[0], whole[0])
        assert again[1:] == whole[1:]
        shutil.rmtree(path)
        if not caught:
            break
    assert k > 80


@pytest.mark.parametrize("error", [FULL, READ_ONLY, FAILING])
def test_a_line_of_metrics_that_cannot_be_written_leaves_those_before(tmp_path, monkeypatch, error):
    with Run(tmp_path / "run", {}) as run:
        run.log(1, {"loss": 1.0})
        whole = (run.path / "metrics.jsonl").read_bytes()
        real = os.write

        def half_then_full(descriptor, data):
            monkeypatch.setattr(os, "write", full)
            return real(descriptor, bytes(data)[:9])

        def full(descriptor, data):
            raise error

        for write in (full, half_then_full):
            monkeypatch.setattr(os, "write", write)
            with pytest.raises(RunError, match=rf"metrics\.jsonl \(\d\d bytes wanted\): {error.strerror}"):
                run.log(2, {"loss": 0.5})
            monkeypatch.undo()
            assert (run.path / "metrics.jsonl").read_bytes() == whole
        run.log(2, {"loss": 0.5})
    assert [line["step"] for line in read_metrics(run.path)] == [1, 2]


def test_results_that_cannot_be_written_leave_the_run_unfinished_and_its_arrays_whole(tmp_path, monkeypatch, fail_at):
    with Run(tmp_path / "run", {}) as run:
        run.save_arrays({"w": np.arange(3)})
        for action in (lambda: run.save_arrays({"w": np.zeros(9)}), lambda: run.finish({"score": 1})):
            # The last call of a replacement, the fsync of the folder, comes when the new content is in place.
            for k in (1, 2, 3, 4):
                fail_at(k, FULL)
                with pytest.raises(
                    RunError, match=r"cannot write .*(arrays\.npz|results\.json|elapsed\.json|metrics\.jsonl)"
                ):
                    action()
                monkeypatch.undo()
                assert run.results() is None
                np.testing.assert_array_equal(read_arrays(run.path)["w"], np.arange(3))
        run.finish({"score": 1})
    assert run.results() == {"score": 1}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, text=True
        )
    except OSError as error:
        pytest.skip(f"there is no mount command here: {error}")
    if mounted.returncode:
        pytest.skip(f"mounting is not permitted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def noise(step):
    return {"w": jax.random.normal(jax.random.key(step), (100_000,))}


def test_a_truly_full_disk_keeps_the_old_checkpoints(small_disk):
    folder = small_disk / "net"
    checkpoint.save(folder, 1, noise(1))
    checkpoint.save(folder, 2, noise(2))
    with pytest.raises(CheckpointError, match=r"step-00000003 \(400,000 bytes wanted\): .*[Nn]o space left") as error:
        checkpoint.save(folder, 3, noise(3))
    assert len(str(error.value)) < 1000
    step, tree = checkpoint.restore(folder, noise(0), warn=pytest.fail) or (0, {})
    assert step == 2
    assert (tree["w"] == noise(2)["w"]).all()
    assert sorted(path.name for path in folder.iterdir()) == ["step-00000001", "step-00000002"]


def test_a_truly_full_disk_keeps_metrics_and_results(small_disk):
    with Run(small_disk / "run", {}) as run:
        run.log(1, {"loss": 1.0})
        run.save_arrays({"w": np.arange(3)})
        (small_disk / "filler").write_bytes(bytes(small_disk.stat().st_blksize))
        with pytest.raises(OSError, match="No space"):
            (small_disk / "filler").write_bytes(bytes(1 << 21))
        whole = (run.path / "metrics.jsonl").read_bytes()
        with pytest.raises(RunError, match=r"metrics\.jsonl .* No space left on device"):
            run.log(2, {"loss": [1.0] * 10_000})
        with pytest.raises(RunError, match=r"arrays\.npz .* No space left on device"):
            run.save_arrays({"w": np.random.default_rng(0).normal(size=1000)})
        (small_disk / "filler").unlink()
        assert (run.path / "metrics.jsonl").read_bytes().startswith(whole)
        assert (run.path / "metrics.jsonl").read_bytes().endswith(b"}\n")
        assert read_arrays(run.path)["w"].tolist() == [0, 1, 2]
        run.finish({})
    assert run.results() == {}


def test_a_disk_that_became_read_only_is_named_and_what_is_there_can_be_read(small_disk):
    checkpoint.save(small_disk / "net", 1, noise(1))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(CheckpointError, match=r"step-00000002 .*Read-only file system"):
        checkpoint.save(small_disk / "net", 2, noise(2))
    assert (checkpoint.restore(small_disk / "net", noise(0)) or (0,))[0] == 1
    with pytest.raises(RunError, match=r"cannot write .*run .*Read-only file system"):
        Run(small_disk / "run", {})
