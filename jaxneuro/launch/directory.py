"""The run directory: what a run was, is and found, in files that a crash cannot tear.

| file | what | written |
|---|---|---|
| run.json | config hash, seed, versions, git commit | first, once: it makes the directory a run's |
| config.yaml | the resolved config | once |
| metrics.jsonl | metrics, a checked JSON line each | appended, on the disk by every chunk border |
| checkpoints/ | see `checkpoint.py` | at chunk borders |
| elapsed.json | seconds of work, over all resumes | at chunk borders |
| arrays.npz, results.json | what the run found | at the end |
"""

import contextlib
import hashlib
import importlib.metadata
import io
import json
import os
import platform
import subprocess
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import yaml
from rich.console import Console

from jaxneuro.disk import remove_folder, sync_folder
from jaxneuro.launch.lock import Lock, RunError
from jaxneuro.launch.progress import Journal, Memory, plain
from jaxneuro.launch.progress import read_metrics as read_metrics
from jaxneuro.launch.saving import make_folder, write_atomically, writing

FORMAT = 1
Config = Mapping[str, Any]

# In the order in which --fresh removes them: a kill in between never leaves a result without its run, nor checkpoints
# without their metrics; run.json goes last, since it says that the others may be removed.
FILES = ("results.json", "report.html", "arrays.npz", "checkpoints", "metrics.jsonl", "elapsed.json", "config.yaml")


def config_hash(config: Config) -> str:
    """SHA-256 of a resolved config, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(plain(config), sort_keys=True, allow_nan=False).encode()).hexdigest()


def versions() -> dict[str, str]:
    """The versions that the numbers depend on."""
    found = {"python": platform.python_version()}
    for name in ("jaxneuro", "jax", "jaxlib", "equinox", "optax", "flax", "orbax-checkpoint", "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def git_state(folder: Path) -> dict[str, Any] | None:
    """The commit checked out around a folder and whether files differ from it; None without git or a commit."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}  # else `git status` would write to the user's index

    def ask(*words: str) -> str:
        command = ["git", "-C", str(folder), *words]
        return subprocess.run(command, capture_output=True, check=True, timeout=10, env=environment).stdout.decode()

    try:
        return {"commit": ask("rev-parse", "HEAD").strip(), "dirty": bool(ask("status", "--porcelain"))}
    except (OSError, UnicodeError, subprocess.SubprocessError):
        return None


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; `RunError` names the file when it cannot be read."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"cannot read {path}: {error}") from error
    if not isinstance(content, dict):
        raise RunError(f"{path} holds a {type(content).__name__}, not an object.")
    return content


def read_results(path: Path) -> dict[str, Any] | None:
    """The results of the run in a directory; None when it has not finished."""
    return read_json(path / "results.json")["results"] if (path / "results.json").exists() else None


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the run in a directory; empty when it saved none."""
    file = path / "arrays.npz"
    if not file.exists():
        return {}
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except Exception as error:  # a damaged archive fails in a dozen ways, which zipfile does not list
        raise RunError(f"cannot read {file}: {error}") from error


class Run:
    """A run directory, open for writing by this process alone."""

    def __init__(self, path: Path, config: Config, *, fresh: bool = False, console: Console | None = None) -> None:
        """Create the directory, or go on in it.

        Args:
            path: the directory.
            config: the resolved config, as JSON can hold it; its "seed" is noted with the results.
            fresh: remove what an earlier run left here and start over.
            console: where messages and progress go; standard output unless given.

        Raises:
            LockedError: another process writes here.
            RunError: the directory belongs to another config or to no run, is damaged, or cannot be written.
        """
        self.path = path
        self.console = Console() if console is None else console
        self.config = plain(config, "config")
        self.identity = {
            "format": FORMAT,
            "config_hash": config_hash(config),
            "seed": config.get("seed"),
            "versions": versions(),
            "git": git_state(Path.cwd()),
        }
        make_folder(path)
        self._lock = Lock(path)
        try:
            self._claim(fresh)
            self._journal: Memory = Journal(path / "metrics.jsonl", self.warn)
            elapsed = path / "elapsed.json"
            self._opened = time.monotonic() - (read_json(elapsed).get("seconds", 0.0) if elapsed.exists() else 0.0)
        except BaseException:
            self._lock.release()
            raise

    def _claim(self, fresh: bool) -> None:
        identity = self.path / "run.json"
        if identity.exists() and fresh:
            self._clear()
        elif identity.exists():
            self._require_same(read_json(identity))
        elif foreign := [name for name in FILES if (self.path / name).exists()]:
            raise RunError(f"{self.path} has {foreign[0]} but no run.json: it is not a run's. Name another with --out.")
        if not identity.exists():
            write_atomically(identity, _json(self.identity))
        if not (self.path / "config.yaml").exists():
            write_atomically(self.path / "config.yaml", yaml.safe_dump(self.config, sort_keys=False).encode())

    def _clear(self) -> None:
        with writing(self.path, 0):
            for doomed in (self.path / name for name in FILES):
                if doomed.is_dir():
                    remove_folder(doomed)
                else:
                    doomed.unlink(missing_ok=True)
            sync_folder(self.path)
            (self.path / "run.json").unlink()

    def _require_same(self, known: dict[str, Any]) -> None:
        if known.get("format") != FORMAT:
            raise RunError(f"{self.path} is in format {known.get('format')}; this jaxneuro goes on with {FORMAT}.")
        old, new = str(known.get("config_hash")), self.identity["config_hash"]
        if old != new:
            raise RunError(
                f"{self.path} belongs to another config ({old[:8]}, not {new[:8]}). Name another directory with --out, "
                "or replace the run with --fresh."
            )
        for name, version in self.identity["versions"].items():
            if (before := known.get("versions", {}).get(name)) != version:
                self.warn(f"this run began with {name} {before} and goes on with {version}: last bits may differ")

    def say(self, message: str, style: str | None = None) -> None:
        """Print a line, as it is."""
        self.console.print(message, style=style, soft_wrap=True, highlight=False, markup=False)

    def warn(self, message: str) -> None:
        """Print a warning line."""
        self.say(f"warning: {message}", "yellow")

    @property
    def seconds(self) -> float:
        """Seconds of work so far, over all resumes."""
        return time.monotonic() - self._opened

    def log(self, step: int, metrics: Mapping[str, Any], *, name: str = "") -> None:
        """Append a line to metrics.jsonl.

        Args:
            step: the number of steps done.
            metrics: numbers and arrays by name; NaN becomes null.
            name: which training they belong to.
        """
        if taken := {"name", "step", "crc32"} & metrics.keys():
            raise ValueError(f"a metric may not be called {min(taken)!r}: the journal has that field already.")
        self._journal.append({"name": name, "step": int(step), **plain(metrics, "metrics")})

    def history(self, name: str = "") -> dict[str, np.ndarray]:
        """What every line of a name has: "step" and metrics, with a leading axis of lines; null is NaN."""
        records = [record for record in self._journal.records if record["name"] == name]
        metrics = [name for name in (records[0] if records else ()) if all(name in record for record in records)]
        columns = [(metric, np.asarray([record[metric] for record in records])) for metric in metrics[1:]]
        return {metric: column.astype(float) if column.dtype == object else column for metric, column in columns}

    def records(self, name: str = "") -> list[dict[str, Any]]:
        """The metrics of every line of a name, as they were logged."""
        lines = [record for record in self._journal.records if record["name"] == name]
        return [{metric: line[metric] for metric in line if metric not in ("name", "step")} for line in lines]

    def all_records(self) -> list[dict[str, Any]]:
        """Every line of metrics.jsonl, without its checksum."""
        return list(self._journal.records)

    def rewind(self, name: str, step: int) -> None:
        """Forget what was logged under a name beyond a step."""
        self._journal.rewind(name, step)

    def sync(self) -> None:
        """Wait until the disk has the metrics and the time spent."""
        self._journal.sync()
        write_atomically(self.path / "elapsed.json", _json({"seconds": round(self.seconds, 3)}))

    def save_arrays(self, arrays: Mapping[str, Any]) -> None:
        """Write arrays.npz, replacing an earlier one; bfloat16 becomes float32, which holds it exactly."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, value in arrays.items():
                array = np.asarray(value)
                array = array.astype(np.float32) if array.dtype.kind == "V" else array
                # A fixed date: the same arrays give the same bytes.
                with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, array, allow_pickle=False)
        write_atomically(self.path / "arrays.npz", content.getvalue())

    def finish(self, results: Mapping[str, Any]) -> None:
        """Write results.json: the results, and what is needed to know where they come from."""
        self.sync()
        device = {
            "kind": jax.devices()[0].device_kind,
            "platform": jax.default_backend(),
            "count": jax.device_count(),
            "processes": jax.process_count(),
        }
        if flags := os.environ.get("XLA_FLAGS"):
            device["xla_flags"] = flags
        found = {"results": plain(results), **self.identity, "device": device, "seconds": round(self.seconds, 3)}
        write_atomically(self.path / "results.json", _json(found))

    def results(self) -> dict[str, Any] | None:
        """The results, once this run has finished."""
        return read_results(self.path)

    def close(self) -> None:
        """Let the directory go; once more does nothing."""
        self._journal.close()
        self._lock.release()

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, allow_nan=False) + "\n").encode()
