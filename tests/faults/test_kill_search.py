"""kill -9 of a search at any moment: the same command run again ends with the bits of a run that nothing disturbed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import pytest

from jaxneuro.launch.directory import read_arrays, read_metrics, read_results
from jaxneuro.search.pareto import fronts

ROOT = Path(__file__).parents[2]
PATIENCE = 900
PARTS = 3  # of a run, in each of which it dies once at a moment and once at a write
COMMAND = (
    "run",
    "configs/search/quickstart.yaml",
    "devices=1",
    "controls=[]",
    "trials=[{name: adding, task: {kind: Adding, steps: 8}, evaluation: 32, budget: {parameters: 120, "
    "parameter_tolerance: 0.5, learning_rates: [1e-2], seeds: 2, steps: 20, chunk: 10, batch: 4}}]",
    "searches=[{name: nsga2, method: nsga2, population: 8}, {name: random, method: random}]",
    "race={candidates: 20, generation: 8, rungs: [2, 4], widths: [16], room: 8, batch: 4, chunk: 4}",
    "space={stages: 1, slots: 4, nodes: 4, states: 2}",
)

# Python runs this file first. At the n-th call that writes or renames, half is written and the process is no more.
DEATH = """
import atexit, os, pathlib, signal

calls = 0

def deadly(name):
    real = getattr(os, name)

    def call(*arguments, **words):
        global calls
        calls += 1
        if calls == int(os.environ.get("DIES_AT", 0)):
            if name == "write":
                real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **words)

    return call

for name in ("write", "replace", "rename"):
    setattr(os, name, deadly(name))
if "CALLS" in os.environ:
    atexit.register(lambda: pathlib.Path(os.environ["CALLS"]).write_text(str(calls)))
"""


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Starts the search in a directory."""
    folder = tmp_path_factory.mktemp("death")
    (folder / "sitecustomize.py").write_text(DEATH)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        "JAX_COMPILATION_CACHE_DIR": str(jax.config.jax_compilation_cache_dir),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }

    def begin(path, **more):
        command = [sys.executable, "-m", "jaxneuro", *COMMAND, "--out", str(path)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(command, cwd=ROOT, env=environment | more, **pipes)

    return begin


class Whole(NamedTuple):
    """A run that nothing disturbed: what it left, its lines of output with the seconds they took, its calls."""

    contents: dict
    lines: list
    pauses: np.ndarray
    calls: int


def contents(path):
    """What must be the same, bit by bit."""
    log, results = read_metrics(path), read_results(path)
    objectives = [[np.inf if v is None else v for v in line["objectives"]] for line in log if line["name"] == "nsga2"]
    return {
        "metrics": (path / "metrics.jsonl").read_bytes(),
        "results": json.dumps(timeless(results)),
        "front": [log[place]["text"] for place in fronts(np.asarray(objectives))[0]],
        "arrays": {name: (array.dtype, array.tobytes()) for name, array in read_arrays(path).items()},
        "cells": {file.name: file.read_bytes() for file in (path / "cells").iterdir()},
        "files": sorted(file.name for file in path.iterdir()),
    }


def timeless(results):
    """Results without the seconds that they took."""
    if isinstance(results, dict):
        return {name: timeless(part) for name, part in results.items() if name != "seconds"}
    return [timeless(part) for part in results] if isinstance(results, list) else results


def finish(process):
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    return said


@pytest.fixture(scope="module")
def whole(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    finish(start(folder / "first"))  # what is compiled is kept
    lines, times = [], [time.monotonic()]
    with start(folder / "run", CALLS=str(folder / "calls")) as process:
        for line in process.stdout:
            lines.append(line)
            times.append(time.monotonic())
    assert process.returncode == 0, lines
    assert contents(folder / "first") == contents(folder / "run")
    return Whole(contents(folder / "run"), lines, np.diff(times), int((folder / "calls").read_text()))


def assert_made_good(start, whole, path):
    """What is there is a part of the whole, and the same command makes it whole."""
    journal = path / "metrics.jsonl"
    if journal.exists():
        assert whole.contents["metrics"].startswith(journal.read_bytes().rpartition(b"\n")[0])
    finish(start(path))
    assert contents(path) == whole.contents


def killed_after(process, line, delay):
    """Kill a process so many seconds after the n-th line of its output; whether it was still alive."""
    for _ in range(line):
        process.stdout.readline()
    time.sleep(delay)
    process.kill()
    process.communicate(timeout=PATIENCE)
    return process.returncode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_search_killed_at_any_time_ends_with_the_same_bits(start, whole, tmp_path, part):
    moment = (part + np.random.default_rng(part).uniform()) / PARTS * whole.pauses[:-2].sum()
    line = int(np.searchsorted(np.cumsum(whole.pauses), moment))
    delay, path = moment - whole.pauses[:line].sum(), tmp_path / "run"
    # In lines of output, and seconds after the last one: where the machine has become faster, in fewer seconds.
    while not killed_after(start(path), line, delay):
        shutil.rmtree(path)
        delay /= 2
    assert_made_good(start, whole, path)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_search_killed_in_the_middle_of_a_write_ends_with_the_same_bits(start, whole, tmp_path, part):
    call = 1 + int((part + np.random.default_rng(part).uniform()) / PARTS * (whole.calls - 1))
    process = start(tmp_path / "run", DIES_AT=str(call))
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    assert_made_good(start, whole, tmp_path / "run")
