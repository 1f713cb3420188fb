"""Damaged files: never a wrong number without a word."""

import itertools
import os
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.launch import checkpoint
from jaxneuro.launch.checkpoint import CheckpointError
from jaxneuro.launch.directory import Run, read_metrics
from jaxneuro.launch.lock import RunError

FLIPS = 200


def state(step):
    key = jax.random.fold_in(jax.random.key(0), step)
    return {
        "weights": jax.random.normal(key, (3, 40, 10)),
        "half": jax.random.normal(key, (7,), jnp.bfloat16),
        "count": jnp.asarray(step, jnp.int32),
        "key": key,
    }


def bits(tree):
    leaves = [
        jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf
        for leaf in jax.tree.leaves(tree)
    ]
    return [(str(leaf.dtype), np.asarray(leaf).tobytes()) for leaf in leaves]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    for step in (100, 200):
        checkpoint.save(folder, step, state(step))
    return folder


@pytest.fixture
def folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "net")


def newest_files(folder):
    return sorted(path for path in (folder / "step-00000200").rglob("*") if path.is_file())


def assert_noticed(folder, *files):
    """Restoring falls back to the step before, exactly, and names one of the files."""
    warnings = []
    step, tree = checkpoint.restore(folder, state(0), warn=warnings.append) or (None, None)
    assert step == 100
    assert bits(tree) == bits(state(100))
    (warning,) = warnings
    assert any(f"{file} is" in warning for file in files), warning
    assert warning.endswith("going back to step-00000100")


def test_a_flipped_bit_anywhere_is_noticed_and_the_checkpoint_before_is_restored(folder):
    random = np.random.default_rng(0)
    files = newest_files(folder)
    assert {"manifest", "_METADATA", "manifest.ocdbt"} <= {file.name for file in files}
    for _ in range(FLIPS):
        file = files[random.integers(len(files))]
        whole = file.read_bytes()
        if not whole:
            continue
        changed = bytearray(whole)
        changed[random.integers(len(whole))] ^= 1 << random.integers(8)
        file.write_bytes(changed)
        assert_noticed(folder, file)
        file.write_bytes(whole)
    step, tree = checkpoint.restore(folder, state(0), warn=pytest.fail) or (None, None)
    assert step == 200
    assert bits(tree) == bits(state(200))


def test_a_flipped_bit_in_any_byte_of_an_only_checkpoint_is_an_error_with_its_name(folder):
    shutil.rmtree(folder / "step-00000100")
    random = np.random.default_rng(1)
    for file in newest_files(folder):
        whole = file.read_bytes()
        for place in random.permutation(len(whole))[: FLIPS // 2]:
            changed = bytearray(whole)
            changed[place] ^= 1 << random.integers(8)
            file.write_bytes(changed)
            with pytest.raises(CheckpointError) as error:
                checkpoint.restore(folder, state(0))
            assert f"{file} is damaged" in str(error.value)
        file.write_bytes(whole)


def test_cut_emptied_zeroed_lengthened_lost_and_added_files_are_noticed(folder):
    for file in newest_files(folder):
        whole = file.read_bytes()
        faults = [whole[: len(whole) // 2], whole[:-1], b"", bytes(len(whole)), whole + b"\n", whole + whole]
        for fault in (fault for fault in faults if fault != whole):
            file.write_bytes(fault)
            assert_noticed(folder, file)
        file.unlink()
        assert_noticed(folder, file)
        file.write_bytes(whole)
    extra = folder / "step-00000200" / "arrays" / "extra"
    extra.touch()
    assert_noticed(folder, extra)


def test_swapped_files_are_noticed(folder):
    files = newest_files(folder)
    older = sorted(path for path in (folder / "step-00000100").rglob("*") if path.is_file())
    for one, other in itertools.combinations(files, 2):
        contents = one.read_bytes(), other.read_bytes()
        if contents[0] == contents[1]:
            continue
        one.write_bytes(contents[1])
        other.write_bytes(contents[0])
        assert_noticed(folder, one, other)
        one.write_bytes(contents[0])
        other.write_bytes(contents[1])
    for old in older:
        new = folder / "step-00000200" / old.relative_to(folder / "step-00000100")
        whole = new.read_bytes() if new.exists() else None
        if whole == old.read_bytes():
            continue
        new.write_bytes(old.read_bytes())
        assert_noticed(folder, new)
        if whole is None:
            new.unlink()
        else:
            new.write_bytes(whole)


def test_a_link_in_the_place_of_a_file_is_noticed(folder):
    file = folder / "step-00000200" / "arrays" / "_METADATA"
    file.unlink()
    for target in (folder, folder / "step-00000100" / "arrays" / "_METADATA", folder / "nothing"):
        file.symlink_to(target)
        assert_noticed(folder, file)
        file.unlink()
    os.mkfifo(file)
    assert_noticed(folder, file)


def test_when_all_checkpoints_are_damaged_each_is_named(folder):
    for step in ("step-00000100", "step-00000200"):
        (folder / step / "arrays" / "_METADATA").write_bytes(b"")
    with pytest.raises(CheckpointError) as error:
        checkpoint.restore(folder, state(0))
    for step in ("step-00000100", "step-00000200"):
        assert f"{folder / step / 'arrays' / '_METADATA'} is damaged" in str(error.value)


def test_a_flipped_bit_anywhere_in_the_metrics_is_noticed(tmp_path):
    with Run(tmp_path / "run", {}) as run:
        for step in range(10):
            run.log(step, {"loss": [0.1 * step, 1.0]}, name="net")
    file = run.path / "metrics.jsonl"
    whole, records = file.read_bytes(), read_metrics(file)
    random = np.random.default_rng(2)
    for place in random.integers(len(whole), size=FLIPS):
        changed = bytearray(whole)
        changed[place] ^= 1 << random.integers(8)
        file.write_bytes(changed)
        line = whole[:place].count(b"\n") + 1
        if line < len(records) or (line == len(records) and b"\n" in changed[whole.rindex(b"\n", 0, -1) + 1 : -1]):
            with pytest.raises(RunError, match=f"{file}, line {line}"):
                read_metrics(file)
        else:
            warnings = []
            assert read_metrics(file, warn=warnings.append) == records[:-1]
            assert len(warnings) == 1
