"""A race that several processes run together, on one machine or on many.

Every process runs the same program: its searcher asks for the same candidates, it trains its share of them on its own
devices, and after every rung each hears the scores of all. So all agree at all times on what comes next, and what they
find is bit for bit what one process finds. Files are for the first process alone; what it reads from them, such as the
log of a run that goes on, it tells the others.

Processes are started by whoever has the machines; each says where the first is before anything is computed:

    jax.distributed.initialize("host-of-the-first:1234", num_processes=2, process_id=0)  # in the other process_id=1
    race = Race(courses, budget, key, processes=True)
    log = told_by_first(read_log() if is_first() else None)

Under Slurm and Open MPI, and on pods of TPUs, `jax.distributed.initialize()` finds that out itself. When a process
ends, however it ends, JAX ends the others within some 100 seconds: start all again, and they go on from the log.
"""

import json
from collections.abc import Sequence
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

One = TypeVar("One")


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
    """
    of_all = multihost_utils.process_allgather(rows)
    place = np.arange(len(rows))
    return np.asarray(of_all)[place % jax.process_count(), place]


def told_by_first(value: Any) -> Any:
    """What the first process has, in all of them.

    Args:
        value: of the first process: what JSON can hold. Those of the others do not matter.

    Returns:
        The same, with lists for tuples.
    """
    text = np.frombuffer(json.dumps(value).encode(), np.uint8)
    length = int(multihost_utils.broadcast_one_to_all(np.asarray(len(text), np.int32)))
    text = text if is_first() else np.zeros(length, np.uint8)
    return json.loads(np.asarray(multihost_utils.broadcast_one_to_all(text), np.uint8).tobytes())
