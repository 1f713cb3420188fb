"""Several processes that run one program together, on one machine or on many.

Every process runs the same program and knows all results. Where there is work to share, each does its part on its own
devices and hears what the others have found; so all agree at all times on what comes next, and what they find is bit
for bit what one process finds. Files are for the first process alone; what it reads from them it tells the others.

`jaxneuro run` joins them by its options. Elsewhere they are started by whoever has the machines, and each says where
the first is before anything is computed:

    jax.distributed.initialize("host-of-the-first:1234", num_processes=2, process_id=0)  # in the other process_id=1
    race = Race(courses, budget, key, processes=True)
    log = told_by_first(read_log() if is_first() else None)

Under Slurm and Open MPI, and on pods of TPUs, `jax.distributed.initialize()` finds that out itself. When a process
ends, however it ends, the others end too, at once or within the some 100 seconds after which JAX misses it: start all
again, and they go on from what is on the disk.
"""

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils

One = TypeVar("One")
Tree = TypeVar("Tree")

PARTING_SECONDS = 5.0


class PeerError(RuntimeError):
    """Another process has failed or is gone, and this one cannot go on alone."""


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def several() -> bool:
    """Whether this process has been joined with others; asking does not start JAX."""
    return jax.distributed.is_initialized() and jax.process_count() > 1


def is_first() -> bool:
    """Whether this is the process that writes files."""
    return jax.process_index() == 0


def own_share(everything: Sequence[One]) -> list[One]:
    """What this process takes of a list that all have: of n processes each takes every n-th."""
    return list(everything[jax.process_index() :: jax.process_count()])


def put_together(rows: np.ndarray) -> np.ndarray:
    """What all processes have found.

    Args:
        rows: `[everything, ...]`, in which this process has filled the rows of its share; all processes have the same
            shape and type.

    Returns:
        The same with all rows filled.

    Raises:
        PeerError: another process is gone.
    """
    of_all = of_each(rows)
    place = np.arange(len(rows))
    return of_all[place % jax.process_count(), place]


def of_each(value: np.ndarray) -> np.ndarray:
    """The values of all processes, which have the same shape and type, with a leading axis of processes."""
    with _hearing():
        return np.asarray(multihost_utils.process_allgather(value))


def share_of(lanes: int) -> int:
    """How many of so many lanes each process takes, some perhaps copies that none need."""
    return -(-lanes // jax.process_count())


def own_lanes(tree: Tree) -> Tree:
    """What this process takes of the leading axis of every leaf, as much as each of the others.

    Args:
        tree: a pytree of arrays `[lanes, ...]`, random keys among them.

    Returns:
        The same with every n-th lane, or where these are too few for `share_of` the last one again.
    """

    def own(leaf: Any) -> Any:
        index = jax.process_index() + jax.process_count() * np.arange(share_of(len(leaf)))
        taken: Any = _numbers(leaf)[np.minimum(index, len(leaf) - 1)]
        return jax.random.wrap_key_data(taken, impl=jax.random.key_impl(leaf)) if _is_key(leaf) else taken

    return jax.tree.map(own, tree)


def all_lanes(tree: Tree, lanes: int) -> Tree:
    """What came of the lanes of all processes, where each has what came of its own.

    Args:
        tree: a pytree of arrays with the leading axis that `own_lanes` gave; all processes have the same shapes.
        lanes: how many there are in all.

    Returns:
        The same with a leading axis of all lanes, in order.

    Raises:
        PeerError: another process is gone.
    """
    leaves, structure = jax.tree.flatten(tree)
    if not leaves:
        return tree
    arrays = [_numbers(leaf) for leaf in leaves]
    # As bytes, which are the same whatever they mean, and in one message.
    rows = [np.frombuffer(array.tobytes(), np.uint8).reshape(len(array), -1) for array in arrays if array.size]
    packed = np.concatenate(rows or [np.zeros((len(arrays[0]), 0), np.uint8)], axis=1)
    place, found, start = np.arange(lanes), [], 0
    of_all = of_each(packed)[place % jax.process_count(), place // jax.process_count()]
    for leaf, array in zip(leaves, arrays, strict=True):
        width = array.nbytes // len(array)
        part = of_all[:, start : start + width].tobytes()
        whole = jnp.array(np.frombuffer(part, array.dtype).reshape(lanes, *array.shape[1:]))
        found.append(jax.random.wrap_key_data(whole, impl=jax.random.key_impl(leaf)) if _is_key(leaf) else whole)
        start += width
    return jax.tree.unflatten(structure, found)


def bytes_of_first(content: bytes) -> bytes:
    """What the first process has, in all of them; what the others give does not matter."""
    length = np.frombuffer(len(content).to_bytes(8, "little"), np.uint8)
    with _hearing():
        told = np.asarray(multihost_utils.broadcast_one_to_all(length), np.uint8)
        size = int.from_bytes(told.tobytes(), "little")
        data = np.frombuffer(content, np.uint8) if is_first() else np.zeros(size, np.uint8)
        return np.asarray(multihost_utils.broadcast_one_to_all(data), np.uint8).tobytes() if size else b""


def told_by_first(value: Any) -> Any:
    """What the first process has, in all of them.

    Args:
        value: of the first process: what JSON can hold. Those of the others do not matter.

    Returns:
        The same, with lists for tuples.

    Raises:
        PeerError: another process is gone.
    """
    return json.loads(bytes_of_first(json.dumps(value).encode() if is_first() else b""))


def by_first(action: Callable[[], One]) -> One:
    """Have the first process do something, such as writing a file, and let all know what came of it.

    Args:
        action: gives what JSON can hold; the others do not call it.

    Returns:
        What it gave.

    Raises:
        PeerError: in the others, if it failed in the first, which raises its own error.
    """
    if not several():
        return action()
    value, failure = None, None
    if is_first():
        try:
            value = action()
        except Exception as error:
            failure = error
    told = told_by_first([value, None if failure is None else str(failure)])
    if failure is not None:
        raise failure
    if told[1] is not None:
        raise PeerError(f"the first process failed: {told[1]}")
    return told[0] if value is None else value


def leave(status: int) -> None:
    """End this process's part in a program that has failed; nothing if all went well.

    Where the others do not leave too, as they do not know yet, the process ends at once, from which they learn it.

    Args:
        status: the exit status, 0 if all went well.
    """
    if status == 0 or not jax.distributed.is_initialized():
        return
    parting = threading.Thread(target=_part, daemon=True)
    parting.start()
    parting.join(PARTING_SECONDS)
    if parting.is_alive():
        sys.stdout.flush()
        sys.stderr.flush()
        # JAX would wait for the others, and they for what this process does not send.
        os._exit(status)


def _part() -> None:
    with contextlib.suppress(Exception):
        jax.distributed.shutdown()


@contextlib.contextmanager
def _hearing() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError) as error:  # JAX has no type for this
        reason = str(error).partition("\n")[0]
        raise PeerError(
            f"another process of this run is gone ({reason}). Start all again by the same commands: they go on from "
            "what has been saved."
        ) from error


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _numbers(leaf: Any) -> np.ndarray:
    return np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf)
