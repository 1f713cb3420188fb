import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxneuro.launch import checkpoint
from jaxneuro.launch.checkpoint import CheckpointError


class Cell(eqx.Module):
    weights: jax.Array
    rule: str = eqx.field(static=True)
    activation: object = jnp.tanh


def everything(seed):
    """A pytree with each kind of leaf that a state may have."""
    key = jax.random.key(seed)
    cell = Cell(jax.random.normal(key, (3, 2)), "hebb")
    return {
        "cell": cell,
        "optimizer": optax.adam(1e-3).init(eqx.filter(cell, eqx.is_array)),
        "key": key,
        "keys": jax.random.split(key, 3),
        "rbg": jax.random.key(seed, impl="rbg"),
        "old key": jax.random.PRNGKey(seed),
        "bfloat16": jax.random.normal(key, (4,), jnp.bfloat16),
        "complex": jax.random.normal(key, (2,), jnp.complex64),
        "zero-d": jnp.asarray(-0.0, jnp.float32),
        "non-finite": jnp.asarray([jnp.nan, -jnp.inf], jnp.float32),
        "int16": jnp.arange(5, dtype=jnp.int16) - seed,
        "bool": jnp.asarray([True, False]),
        "empty": jnp.zeros((0, 3)),
        "host": np.linspace(0.0, seed + 1.0, 4),
        "host scalar": np.float64(seed + 0.5),
        "int": 2**53 + seed,
        "float": 0.1 + seed,
        "flag": bool(seed % 2),
        "none": None,
        "a/b.c [%]": jnp.asarray(seed, jnp.uint8),
    }


def bits(tree):
    """Each leaf as its type, dtype, shape and bytes."""

    def of(leaf):
        if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return (str(leaf.dtype), leaf.shape, np.asarray(jax.random.key_data(leaf)).tobytes())
        if isinstance(leaf, jax.Array | np.ndarray | np.generic):
            return (type(leaf).__name__, str(leaf.dtype), leaf.shape, np.asarray(leaf).tobytes())
        return leaf

    return [of(leaf) for leaf in jax.tree.leaves(tree)]


def test_every_kind_of_leaf_is_restored_bit_by_bit(tmp_path):
    checkpoint.save(tmp_path, 7, everything(1))
    found = checkpoint.restore(tmp_path, everything(2))
    assert found is not None
    step, tree = found
    assert step == 7
    assert bits(tree) == bits(everything(1))
    assert jax.tree.structure(tree) == jax.tree.structure(everything(1))
    assert tree["cell"].rule == "hebb"


def test_a_restored_key_draws_the_same_numbers(tmp_path):
    checkpoint.save(tmp_path, 1, everything(1))
    _, tree = checkpoint.restore(tmp_path, everything(2)) or (0, {})
    np.testing.assert_array_equal(jax.random.normal(tree["key"], 5), jax.random.normal(jax.random.key(1), 5))


def test_without_a_checkpoint_there_is_nothing_to_restore(tmp_path):
    assert checkpoint.restore(tmp_path / "none", {}) is None
    assert checkpoint.steps(tmp_path / "none") == []


def test_a_state_without_arrays_can_be_saved(tmp_path):
    checkpoint.save(tmp_path, 3, {"empty": jnp.zeros((0, 3)), "rule": "hebb"})
    found = checkpoint.restore(tmp_path, {"empty": jnp.zeros((0, 3)), "rule": "oja"})
    assert found is not None
    assert found[0] == 3
    assert found[1]["rule"] == "oja"


def test_the_newest_two_are_kept_and_the_newest_is_restored(tmp_path):
    for step in (1, 20, 300, 123_456_789):
        checkpoint.save(tmp_path, step, {"w": jnp.asarray(step, jnp.int32)})
    assert checkpoint.steps(tmp_path) == [300, 123_456_789]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000300", "step-123456789"]
    assert checkpoint.restore(tmp_path, {"w": jnp.zeros((), jnp.int32)}) == (123_456_789, {"w": 123_456_789})


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ({"a": jnp.zeros(2), "c": jnp.zeros(2)}, r"leaf \['c'\] is missing in it"),
        ({"a": jnp.zeros(2)}, r"leaf \['b'\] of it is missing in the template"),
        (
            {"a": jnp.zeros(2), "b": jnp.zeros(3)},
            r"leaf \['b'\] is float32\(2,\) in it and float32\(3,\) in the template",
        ),
        ({"a": jnp.zeros(2, jnp.bfloat16), "b": jnp.zeros(3)}, r"leaf \['a'\] is float32\(2,\) in it and bfloat16"),
        ({"a": 0.0, "b": jnp.zeros(2)}, r"leaf \['a'\] is float32\(2,\) in it and float\(\)"),
        ({"a": jnp.zeros(2), "b": jax.random.key(0)}, r"leaf \['b'\] is float32\(2,\) in it and key<fry>\(\)"),
        ((jnp.zeros(2), jnp.zeros(2)), r"leaf \[0\] is missing in it"),
    ],
)
def test_a_template_that_does_not_fit_is_refused_by_its_first_leaf(tmp_path, template, words):
    checkpoint.save(tmp_path, 1, {"a": jnp.zeros(2), "b": jnp.zeros(2)})
    with pytest.raises(CheckpointError, match=words):
        checkpoint.restore(tmp_path, template)


@pytest.mark.parametrize("leaf", [np.asarray(["text"]), np.asarray([None]), 2**63, 2**80])
def test_what_is_not_a_number_is_refused_by_name(tmp_path, leaf):
    with pytest.raises(CheckpointError, match=r"leaf \['odd'\]"):
        checkpoint.save(tmp_path, 1, {"odd": leaf})
    assert checkpoint.steps(tmp_path) == []


def test_a_good_checkpoint_is_never_overwritten_or_outdated(tmp_path):
    checkpoint.save(tmp_path, 10, {"w": jnp.zeros(2)})
    for step in (5, 10):
        with pytest.raises(CheckpointError, match="step-00000010 exists already"):
            checkpoint.save(tmp_path, step, {"w": jnp.ones(2)})


def test_damaged_later_checkpoints_make_room_once_a_good_one_is_there(tmp_path):
    for step in (10, 20, 30):
        checkpoint.save(tmp_path, step, {"w": jnp.full(2, step, jnp.int32)})
    (tmp_path / "step-00000030" / "manifest").unlink()
    checkpoint.save(tmp_path, 30, {"w": jnp.full(2, -30, jnp.int32)})
    assert checkpoint.steps(tmp_path) == [20, 30]
    checkpoint.save(tmp_path, 40, {"w": jnp.full(2, 40, jnp.int32)})
    (tmp_path / "step-00000040" / "manifest").write_bytes(b"")
    checkpoint.save(tmp_path, 35, {"w": jnp.full(2, 35, jnp.int32)})
    assert checkpoint.steps(tmp_path) == [30, 35]
    for step in (35, 30):
        assert checkpoint.restore(tmp_path, {"w": jnp.zeros(2, jnp.int32)}, warn=lambda words: None) is not None
        (tmp_path / f"step-000000{step}" / "manifest").write_bytes(b"")


def test_every_file_and_name_is_on_the_disk_before_the_checkpoint_appears_and_its_own_name_after(tmp_path, monkeypatch):
    synced, on_disk_before = set(), []
    fsync, rename = os.fsync, os.rename

    def record_fsync(descriptor):
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def record_rename(old, new):
        if Path(new).name == "step-00000001":
            on_disk_before.extend(path.stat().st_ino in synced for path in [Path(old), *Path(old).rglob("*")])
            synced.clear()
        rename(old, new)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "rename", record_rename)
    checkpoint.save(tmp_path / "net", 1, {"w": jnp.zeros(2)})
    assert len(on_disk_before) > 5
    assert all(on_disk_before)
    assert synced == {(tmp_path / "net").stat().st_ino}


def test_leftovers_of_a_killed_process_are_removed(tmp_path):
    checkpoint.save(tmp_path, 1, {"w": jnp.zeros(2)})
    for leftover in (".step-00000002.tmp", ".step-00000000.old.tmp"):
        (tmp_path / leftover / "arrays").mkdir(parents=True)
    checkpoint.remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


def test_a_fallback_is_a_python_warning_unless_told_elsewhere(tmp_path):
    for step in (1, 2):
        checkpoint.save(tmp_path, step, {"w": jnp.zeros(2)})
    (tmp_path / "step-00000002" / "extra").touch()
    with pytest.warns(UserWarning, match=r"step-00000002/extra is extra; going back to step-00000001"):
        assert (checkpoint.restore(tmp_path, {"w": jnp.zeros(2)}) or (0,))[0] == 1


def test_a_manifest_of_another_format_is_refused_by_its_number(tmp_path):
    place = checkpoint.save(tmp_path, 1, {"w": jnp.zeros(2)})
    content = json.loads((place / "manifest").read_bytes().splitlines()[0])
    rewrite(place, {**content, "format": 2})
    with pytest.raises(CheckpointError, match="is in format 2; this jaxneuro reads 1"):
        checkpoint.restore(tmp_path, {"w": jnp.zeros(2)})


@pytest.mark.parametrize(
    "content", [[], {}, {"format": 1, "step": 1, "files": [], "leaves": []}, {"format": "x"}, None]
)
def test_a_forged_manifest_is_damage_not_a_crash(tmp_path, content):
    place = checkpoint.save(tmp_path, 1, {"w": jnp.zeros(2)})
    rewrite(place, content)
    with pytest.raises(CheckpointError, match=r"no good checkpoint is left: .*manifest is not a manifest"):
        checkpoint.restore(tmp_path, {"w": jnp.zeros(2)})


def test_a_renamed_checkpoint_is_not_taken_for_another_step(tmp_path):
    checkpoint.save(tmp_path, 1, {"w": jnp.zeros(2)}).rename(tmp_path / "step-00000009")
    with pytest.raises(CheckpointError, match="step-00000009/manifest is of step 1"):
        checkpoint.restore(tmp_path, {"w": jnp.zeros(2)})


def rewrite(place, content):
    body = json.dumps(content).encode()
    digest = checkpoint.hashlib.sha256(body).hexdigest().encode()
    (place / "manifest").write_bytes(body + b"\n" + digest + b"\n")


SHARDED = """
import sys
from pathlib import Path
import jax, jax.numpy as jnp, numpy as np
jax.config.update("jax_num_cpu_devices", 4)
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
from jaxneuro.launch import checkpoint
split = NamedSharding(Mesh(np.asarray(jax.devices()), ("pop",)), P("pop"))
tree = {"w": jnp.arange(8.0), "keys": jax.random.split(jax.random.key(0), 4)}
tree = jax.device_put(tree, split)
checkpoint.save(Path(sys.argv[1]), 1, tree)
template = jax.tree.map(lambda leaf: jax.device_put(leaf[::-1], split), tree)
step, back = checkpoint.restore(Path(sys.argv[1]), template)
assert back["w"].sharding == split and back["keys"].sharding.is_equivalent_to(split, 1)
assert len(back["w"].addressable_shards) == 4
assert (back["w"] == tree["w"]).all() and (back["keys"] == tree["keys"]).all()
alone = checkpoint.restore(Path(sys.argv[1]), jax.device_put(tree, jax.devices()[1]))[1]
assert alone["w"].devices() == {jax.devices()[1]} and (alone["w"] == np.arange(8.0)).all()
"""


def test_sharded_arrays_are_saved_whole_and_placed_like_the_template(tmp_path):
    done = subprocess.run([sys.executable, "-c", SHARDED, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_restored_state_survives_donation(tmp_path):
    step = jax.jit(lambda tree: jax.tree.map(lambda leaf: leaf + 1, tree), donate_argnums=0)
    checkpoint.save(tmp_path, 1, {"w": jnp.zeros(1000)})
    _, tree = checkpoint.restore(tmp_path, {"w": jnp.ones(1000)}) or (0, {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = step(step(tree))
    np.testing.assert_array_equal(tree["w"], np.full(1000, 2.0))
    assert (checkpoint.restore(tmp_path, {"w": jnp.ones(1000)}) or (0, {}))[1]["w"].sum() == 0
