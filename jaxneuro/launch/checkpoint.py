"""Checkpoints: Orbax for the arrays, a manifest of our own for the truth.

Orbax restores a flipped bit without a word, so a checkpoint carries the SHA-256 of every file in it:

    step-00001234/
        arrays/     the leaves, by key path, as Orbax writes them
        manifest    format, step, leaves (path, dtype, shape), files (path, size, hash); then the hash of all that

It is written under another name, synced, and renamed into place, so `step-...` is whole or absent. `restore` takes the
newest that agrees with its manifest. Structure and static fields come from the caller's template: nothing in a
checkpoint is ever executed. This file is the only one that knows Orbax.
"""

import contextlib
import hashlib
import json
import re
import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeGuard

import jax
import jax.numpy as jnp
import numpy as np

from jaxneuro import processes
from jaxneuro.disk import digests, publish, remove_folder, sync_tree, write_new
from jaxneuro.launch.lock import RunError
from jaxneuro.launch.saving import make_folder, writing

FORMAT = 1
KEPT = 2  # one would be lost with its first damaged file
Number = bool | int | float | complex
SAVED = Number | jax.Array | np.ndarray | np.generic
Leaf = tuple[str, str, tuple[int, ...]]  # key path, dtype, shape


class CheckpointError(RunError):
    """A checkpoint cannot be written, or none can be restored."""


class _DamagedError(Exception):
    """A checkpoint is not what was written."""


def describe(tree: Any) -> list[Leaf]:
    """Path, dtype and shape of every leaf that a checkpoint holds: arrays and Python numbers, not functions or text."""
    found = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if isinstance(leaf, SAVED):
            dtype = type(leaf).__name__ if isinstance(leaf, Number) else str(leaf.dtype)
            found.append((jax.tree_util.keystr(path), dtype, np.shape(leaf)))
    return found


def difference(saved: list[Leaf], template: list[Leaf]) -> str | None:
    """The first leaf in which a checkpoint and a template differ, in words; None if they agree."""
    held = {path: (dtype, shape) for path, dtype, shape in saved}
    for path, dtype, shape in template:
        if path not in held:
            return f"leaf {path} is missing in it"
        if held[path] != (dtype, shape):
            return f"leaf {path} is {held[path][0]}{held[path][1]} in it and {dtype}{shape} in the template"
    extra = held.keys() - {path for path, *_ in template}
    return next((f"leaf {path} of it is missing in the template" for path in held if path in extra), None)


def steps(folder: Path) -> list[int]:
    """The steps that have a checkpoint in a folder, damaged ones too, in order."""
    names = [re.fullmatch(r"step-(\d{8,})", entry.name) for entry in folder.iterdir()] if folder.is_dir() else []
    return sorted(int(name[1]) for name in names if name)


def location(folder: Path, step: int) -> Path:
    """The directory of one checkpoint."""
    return folder / f"step-{step:08d}"


def save(folder: Path, step: int, tree: Any) -> Path:
    """Write a checkpoint; older ones are deleted when it is safely on the disk.

    Args:
        folder: where checkpoints of one training live; made if need be.
        step: the number of steps done.
        tree: any pytree; its arrays, random keys and Python numbers are saved.

    Returns:
        The directory of the new checkpoint.

    Raises:
        CheckpointError: it cannot be written, or a good one of this step or later exists. What was there is intact.
    """
    place, arrays = location(folder, step), _stored(tree)
    size = sum(array.nbytes for array in arrays.values())
    for later in [later for later in steps(folder) if later >= step]:
        with contextlib.suppress(_DamagedError):
            _verified(location(folder, later))
            raise CheckpointError(f"{location(folder, later)} exists already; step {step} would not be the newest.")
    beside = place.with_name(f".{place.name}.tmp")
    try:
        with writing(place, size):
            make_folder(folder)
            shutil.rmtree(beside, ignore_errors=True)
            _write(beside, step, describe(tree), arrays)
            if place.exists():
                remove_folder(place)
            publish(beside, place)
            kept = [kept for kept in steps(folder) if kept <= step][-KEPT:]
            for other in set(steps(folder)) - set(kept):
                remove_folder(location(folder, other))
    except RunError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise CheckpointError(str(error)) from error
    return place


def restore(folder: Path, template: Any, *, warn: Callable[[str], None] = warnings.warn) -> tuple[int, Any] | None:
    """The newest good checkpoint.

    Args:
        folder: where checkpoints of one training live.
        template: a pytree of the structure, dtypes, shapes and placement that was saved.
        warn: is told of each damaged checkpoint that was passed over.

    Returns:
        The step and the tree, or None when there is no checkpoint.

    Raises:
        CheckpointError: none of the checkpoints is good, or the good one does not fit the template.
    """
    complaints = []
    for step in reversed(steps(folder)):
        place = location(folder, step)
        try:
            leaves = _verified(place)
        except _DamagedError as error:
            complaints.append(str(error))
            continue
        for complaint in complaints:
            warn(f"{complaint}; going back to {place.name}")
        return step, _read(place, leaves, template)
    if complaints:
        raise CheckpointError(f"no good checkpoint is left: {'; '.join(complaints)}. Start over with --fresh.")
    return None


def restored_by_first(folder: Path, template: Any, warn: Callable[[str], None]) -> tuple[int, Any] | None:
    """`restore` for all processes of a run: the first one cleans up and reads, and the others hear of it."""
    found: list[tuple[int, Any] | None] = [None]

    def read() -> int | None:
        remove_leftovers(folder)
        found[0] = restore(folder, template, warn=warn)
        return None if found[0] is None else found[0][0]

    step = processes.by_first(read)
    if step is None or not processes.several():
        return found[0]
    stored = _stored(template if found[0] is None else found[0][1])
    content = processes.bytes_of_first(b"".join(array.tobytes() for array in stored.values()))
    if found[0] is not None:
        return found[0]
    start = 0
    for name, array in stored.items():
        part = content[start : start + array.nbytes]
        stored[name] = np.frombuffer(part, array.dtype).reshape(array.shape).copy()
        start += array.nbytes
    return step, _as_template(stored, template)


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed process left half written or half deleted; only for the holder of the run's lock."""
    for leftover in folder.glob(".step-*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)


def _stored(tree: Any) -> dict[str, np.ndarray]:
    """The leaves as arrays of the host, by key path; those without elements are known from their shape alone."""
    arrays = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = jax.tree_util.keystr(path)
        if not isinstance(leaf, SAVED):
            continue
        if isinstance(leaf, jax.Array) and not leaf.is_fully_addressable:
            raise CheckpointError(f"leaf {name} lives on several hosts; gather it before saving.")
        array = np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf)
        if array.dtype.kind in "OSUMm" or (isinstance(leaf, int) and array.dtype.kind == "u"):
            raise CheckpointError(f"leaf {name} is {array.dtype}; a checkpoint holds numbers of at most 64 bits.")
        if array.size:
            arrays[name] = array
    return arrays


def _checkpointer() -> Any:
    import orbax.checkpoint as ocp

    # Of several processes the first one alone: else Orbax would wait for the others.
    alone = ocp.options.MultiprocessingOptions(primary_host=0, active_processes={0})
    handler = ocp.StandardCheckpointHandler(multiprocessing_options=alone)
    return ocp.Checkpointer(handler, multiprocessing_options=alone)


def _write(place: Path, step: int, leaves: list[Leaf], arrays: dict[str, np.ndarray]) -> None:
    import orbax.checkpoint as ocp

    place.mkdir()
    try:
        if arrays:
            with _checkpointer() as checkpointer:
                checkpointer.save((place / "arrays").absolute(), args=ocp.args.StandardSave(arrays))
    except Exception as error:  # the C++ below Orbax does not tell a full disk by OSError
        raise OSError(str(error)) from error
    sync_tree(place)
    body = json.dumps({"format": FORMAT, "step": step, "leaves": leaves, "files": digests(place)}).encode()
    write_new(place / "manifest", body + _seal(body))


def _seal(body: bytes) -> bytes:
    return b"\n" + hashlib.sha256(body).hexdigest().encode() + b"\n"


def _verified(place: Path) -> list[Leaf]:
    """The leaves that a checkpoint holds, once every file of it has been seen to be as it was written."""
    try:
        content, found = (place / "manifest").read_bytes(), digests(place)
    except OSError as error:
        raise _DamagedError(f"{error.filename or place} is unreadable: {error.strerror}") from error
    del found["manifest"]
    body = content[:-66]
    if content[-66:] != _seal(body):
        raise _DamagedError(f"{place / 'manifest'} is damaged")
    try:
        manifest = json.loads(body)
        version, step = int(manifest["format"]), int(manifest["step"])
        listed = {str(name): (int(size), str(digest)) for name, (size, digest) in manifest["files"].items()}
        leaves = [(str(path), str(dtype), tuple(map(int, shape))) for path, dtype, shape in manifest["leaves"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _DamagedError(f"{place / 'manifest'} is not a manifest: {error!r}") from error
    if version != FORMAT:
        raise CheckpointError(f"{place} is in format {version}; this jaxneuro reads {FORMAT}.")
    if step != int(place.name.removeprefix("step-")):
        raise _DamagedError(f"{place / 'manifest'} is of step {step}")
    for name in sorted(found.keys() | listed.keys()):
        if found.get(name) != listed.get(name):
            fault = "is damaged" if name in found and name in listed else "is missing" if name in listed else "is extra"
            raise _DamagedError(f"{place / name} {fault}")
    return leaves


def _read(place: Path, leaves: list[Leaf], template: Any) -> Any:
    import orbax.checkpoint as ocp

    wrong = difference(leaves, describe(template))
    if wrong is not None:
        raise CheckpointError(f"{place} does not fit the template: {wrong}.")
    arrays = _stored(template)
    if arrays:
        with _checkpointer() as checkpointer:
            arrays = checkpointer.restore((place / "arrays").absolute(), args=ocp.args.StandardRestore(arrays))
    return _as_template(arrays, template)


def _as_template(arrays: Mapping[str, np.ndarray], template: Any) -> Any:
    target, structure = jax.tree_util.tree_flatten_with_path(template)
    placed = [_placed(arrays.get(jax.tree_util.keystr(path)), leaf) for path, leaf in target]
    return jax.tree.unflatten(structure, placed)


def _is_key(leaf: Any) -> TypeGuard[jax.Array]:
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _placed(array: np.ndarray | None, leaf: Any) -> Any:
    """The array as what the template's leaf is, where that leaf is; without an array, the leaf."""
    if array is None:
        return leaf
    if isinstance(leaf, Number | np.generic):
        return type(leaf)(array.item())
    if isinstance(leaf, np.ndarray):
        return array
    # A copy: JAX may otherwise share the memory, and a donated buffer would be written over.
    value = jnp.array(array)
    value = jax.random.wrap_key_data(value, impl=jax.random.key_impl(leaf)) if _is_key(leaf) else value
    return jax.device_put(value, leaf.sharding) if leaf.committed else value
