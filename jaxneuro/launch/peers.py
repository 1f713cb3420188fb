"""Other programs of a benchmark, which run under an interpreter of their own that a field of the config names."""

import contextlib
import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.config import ExperimentConfig
from jaxneuro.measure.timing import Timer, Worker, WorkerError, compare


class Peer(NamedTuple):
    """A program of another library.

    Attributes:
        field: of the config, that names its interpreter.
        words: what its script is told: which program, and the sizes.
        calls: what is timed of it, by what is written after its name.
    """

    field: str
    words: tuple[str | int, ...]
    calls: Mapping[str, str] = MappingProxyType({"": "run"})


def started(config: ExperimentConfig, field: str, script: Path, *words: str | int) -> Worker | None:
    """Start a peer.

    Args:
        config: of the experiment.
        field: of the config; it names an interpreter, or is None.
        script: what the interpreter runs; it answers as `Worker` says.
        words: what the script is told.

    Returns:
        The worker, ready; None if there is no interpreter for it.

    Raises:
        ConfigError: the interpreter is not there, or the script does not get ready under it.
    """
    python = getattr(config, field)
    if python is None:
        return None
    try:
        return Worker([python, str(script), *map(str, words)])
    except WorkerError as error:
        raise ConfigError(f"{field}: {error}") from error


def beside(
    config: ExperimentConfig, script: Path, peers: Mapping[str, Peer], timers: dict[str, Timer], rounds: int, warm: int
) -> dict[str, Any]:
    """Time the peers that have an interpreter beside ours, and ask each for its `value`.

    Args:
        config: of the experiment.
        script: of the peers.
        peers: by name.
        timers: ours, and others of this process; the first is what all are compared with.
        rounds: how often each is timed.
        warm: how often each runs before.

    Returns:
        What `jaxneuro.measure.timing.compare` gives, and `answers`: the value of each peer's last run.

    Raises:
        ConfigError: a peer does not get ready.
    """
    workers: dict[str, Worker] = {}
    with contextlib.ExitStack() as stack:
        for name, peer in peers.items():
            worker = started(config, peer.field, script, *peer.words)
            if worker is not None:
                stack.callback(worker.close)
                workers[name] = worker
                timers = timers | {
                    name + what: functools.partial(worker.time, call) for what, call in peer.calls.items()
                }
        found = compare(timers, rounds, warm)
        return found | {"answers": {name: worker.time("value") for name, worker in workers.items()}}
