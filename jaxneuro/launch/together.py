"""A run of several processes: how they join, and who opens the run directory.

Each is started by the same command but for its place, or by Slurm, Open MPI, Kubernetes or a pod of TPUs, which JAX
asks. The first one is at the coordinator's address, where it waits for the others.
"""

import ast
import inspect
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import numpy as np
from rich.console import Console

from jaxneuro import processes
from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.comparison import compete, tune
from jaxneuro.launch.devices import lane_by_lane
from jaxneuro.launch.directory import Config, Run, config_hash, versions
from jaxneuro.launch.lock import RunError
from jaxneuro.launch.progress import Memory, Record, plain
from jaxneuro.launch.trial import contest
from jaxneuro.search.race import Race

PATIENCE_SECONDS = 300  # to wait for the others

# What shares work among processes: lanes, by themselves or in a comparison, and candidates of a search.
SHARING = (lane_by_lane, tune, compete, contest, Race)


def join(count: str, place: int | None, coordinator: str | None) -> None:
    """Join the processes of a run, before JAX starts.

    Args:
        count: how many there are; "auto" has JAX find out all three.
        place: which one this is, from 0.
        coordinator: HOST:PORT of the first one.

    Raises:
        ConfigError: these do not say it.
        RunError: the others cannot be reached.
    """
    if count == "auto":
        if place is not None or coordinator is not None:
            raise ConfigError("--processes auto finds out --process and --coordinator; leave them out.")
        try:
            jax.distributed.initialize(initialization_timeout=PATIENCE_SECONDS)
        except ValueError as error:
            raise ConfigError(
                f"--processes auto finds no Slurm, Open MPI, Kubernetes or TPU pod around this process ({error}). Say "
                "--processes N --process I --coordinator HOST:PORT."
            ) from error
        return
    number, place, host, port = _checked(count, place, coordinator)
    if number == 1:
        return
    if place == 0:
        _require_free(port)
    sys.stderr.write(f"jaxneuro: process {place} of {number} waits for the others for {PATIENCE_SECONDS} s at most\n")
    if place > 0:
        _await(host, port)
    jax.distributed.initialize(f"{host}:{port}", number, place, initialization_timeout=PATIENCE_SECONDS)


def _checked(count: str, place: int | None, coordinator: str | None) -> tuple[int, int, str, int]:
    if not count.isdecimal() or not 1 <= int(count) <= 100_000:
        raise ConfigError(f"--processes is {count}; it must be a whole number of at least 1, or auto.")
    number = int(count)
    if number == 1 and place in (None, 0):
        return 1, 0, "", 0
    if place is None or not 0 <= place < number:
        given = "not given" if place is None else place
        raise ConfigError(f"--process is {given}; with --processes {number} it must be 0 to {number - 1}.")
    host, _, port = (coordinator or "").rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        given = "not given" if coordinator is None else coordinator
        raise ConfigError(
            f"--coordinator is {given}; it must be HOST:PORT, an address of the first process and a free port there, "
            "such as localhost:12345."
        )
    return number, place, host, int(port)


def _require_free(port: int) -> None:
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    try:
        socket.create_server(("", port), family=family, dualstack_ipv6=family == socket.AF_INET6).close()
    except OSError as error:
        raise RunError(f"port {port} of --coordinator cannot be used: {error.strerror}. Choose another.") from error


def _await(host: str, port: int) -> None:
    """JAX ends a process that does not find the first one; this says why."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection((host.strip("[]"), port), timeout=10).close()
        except socket.gaierror as error:
            raise RunError(f"--coordinator: there is no host {host} ({error.strerror}).") from error
        except OSError as error:
            if time.monotonic() > deadline:
                raise RunError(
                    f"--coordinator: there is no first process at {host}:{port} ({error.strerror or error}). Start it "
                    "by the same command with --process 0."
                ) from error
            time.sleep(0.2)
        else:
            return


def require_shared(name: str, main: Callable[..., Any]) -> None:
    """Refuse an experiment that several processes would only compute several times.

    Args:
        name: of the experiment.
        main: its main function; what counts is whether its file calls one of `SHARING`.

    Raises:
        ConfigError: it calls none.
    """
    module = inspect.getmodule(main)
    tree = ast.parse(inspect.getsource(module)) if module else ast.Module([], [])
    called = [_named(module, node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if not any(one is each for one in called for each in SHARING):
        allowed = ", ".join(each.__name__ for each in SHARING)
        raise ConfigError(
            f"{name} cannot share its work among processes, as it calls none of {allowed}: run it without --processes."
        )


def _named(module: ModuleType | None, name: ast.expr) -> Any:
    """What `name` or `name.attribute` is in a module; None if it is nothing of the module's own."""
    if isinstance(name, ast.Name):
        return getattr(module, name.id, None)
    if isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name):
        return getattr(getattr(module, name.value.id, None), name.attr, None)
    return None


def opened(path: Path, config: Config, *, fresh: bool) -> Run:
    """The run, open in all processes: the directory in the first, what is in it in the others.

    Args:
        path: the directory.
        config: the resolved config.
        fresh: whether to start over.

    Returns:
        The run.

    Raises:
        RunError: the processes are not told the same, or as for `Run`.
        PeerError: the first one could not open it.
    """
    same = config_hash({"config": config, "versions": versions()})
    hashes = processes.of_each(np.frombuffer(bytes.fromhex(same), np.uint8))
    if differ := [place for place, other in enumerate(hashes) if (other != hashes[0]).any()]:
        raise RunError(
            f"process {differ[0]} has another config, or other versions of Python and packages, than process 0: give "
            "all the same."
        )
    run: list[Run] = []

    def open_it() -> dict[str, Any]:
        run.append(Run(path, config, fresh=fresh))
        return {"records": run[0].all_records(), "results": run[0].results()}

    told = processes.by_first(open_it)
    return run[0] if run else Follower(path, config, told["records"], told["results"])


class Follower(Run):
    """A run as another process than the first has it: it knows all that was logged, and neither reads nor writes."""

    def __init__(self, path: Path, config: Config, records: list[Record], results: dict[str, Any] | None) -> None:
        self.path, self.console = path, Console(quiet=True)
        self.config = plain(config, "config")
        self._journal, self._results = Memory(records), results
        self._opened = time.monotonic()

    def sync(self) -> None:
        """The first one does."""

    def save_arrays(self, arrays: Mapping[str, Any]) -> None:
        """The first one does."""

    def finish(self, results: Mapping[str, Any]) -> None:
        """The first one does; the results are known here too."""
        self._results = plain(results)

    def results(self) -> dict[str, Any] | None:
        """The results, once the run has finished."""
        return self._results

    def close(self) -> None:
        """Nothing is open."""
