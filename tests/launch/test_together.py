"""A run of several processes has the bits of a run of one, also when one of them is killed on the way."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import jax
import pytest

from jaxneuro.launch import command, experiments, together
from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.directory import read_arrays, read_results

ROOT = Path(__file__).parents[2]
PATIENCE = 400
WALK = '''
"""Lanes that walk, with leaves of every kind."""

import os
import time

import jax
import jax.numpy as jnp
import numpy as np

from jaxneuro.launch import devices
from jaxneuro.launch.config import Count, ExperimentConfig
from jaxneuro.launch.loop import train_in_chunks


class Config(ExperimentConfig):
    lanes: Count = 5


def begin(key):
    return {"key": key, "weights": jax.random.normal(key, (7, 7)), "on": jnp.array(True), "none": jnp.zeros((0, 2))}


def walk(state, steps):
    def step(state, _):
        key, draw = jax.random.split(state["key"])
        weights = jnp.tanh(state["weights"] @ state["weights"].T + jax.random.normal(draw, (7, 7)))
        return state | {"key": key, "weights": weights, "on": ~state["on"]}, weights.sum()

    state, losses = jax.lax.scan(step, state, length=steps)
    return state, {"loss": losses}


def main(config, run):
    keys = jax.random.split(jax.random.key(config.seed), config.lanes)
    state = devices.place_lanes(jax.jit(jax.vmap(begin))(keys), config.devices)
    every = devices.lane_by_lane(walk, state, config.devices, donate=True)

    def advance(state, steps):
        time.sleep(float(os.environ.get("PAUSE", 0)))
        state, metrics = every(state, steps)
        return state, jax.tree.map(np.transpose, jax.device_get(metrics))

    state, history = train_in_chunks(run, "walk", advance, state, steps=7, chunk=2)
    run.save_arrays({"weights": state["weights"], "loss": history["loss"]})
    return {"keys": jax.random.key_data(state["key"]), "on": state["on"], "processes": jax.process_count() > 0}


def page(config, results, arrays):
    return []
'''
DIGITS = ("configs/quickstart.yaml", "steps=4", "chunk=2", "batch=8")
DIGITS += ("networks=[{name: similarity, neuron: {kind: Rate}, units: 8, learning_rate: 3e-3}]",)
SEARCH = (
    "configs/search/quickstart.yaml",
    "controls=[GRU]",
    "trials=[{name: adding, task: {kind: Adding, steps: 8}, evaluation: 32, budget: {parameters: 120, "
    "parameter_tolerance: 0.5, learning_rates: [1e-2], seeds: 2, steps: 20, chunk: 10, batch: 4}}]",
    "searches=[{name: random, method: random}]",
    "race={candidates: 12, generation: 8, rungs: [2, 4], widths: [16], room: 8, batch: 4, chunk: 4}",
    "space={stages: 1, slots: 4, nodes: 6, states: 2}",
)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "walk.py").write_text(WALK)
    (tmp_path / "walk.yaml").write_text("experiment: walk\n")
    return tmp_path


def start(folder, words, out, *joint, **more):
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "JAX_COMPILATION_CACHE_DIR": str(jax.config.jax_compilation_cache_dir),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    command = [sys.executable, "-m", "jaxneuro", "run", *words, "--out", str(out), *joint]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment | more, **pipes)


def start_two(folder, words, out, second=(), **more):
    """Two processes, of which the second is told something else too."""
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        where = f"localhost:{listener.getsockname()[1]}"
    joint = ("--processes", "2", "--coordinator", where, "--process")
    told = (words, (*words, *second))
    return [start(folder, told[place], out, *joint, str(place), **more) for place in range(2)]


def finish(*started):
    for process in started:
        said, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said


def timeless(results):
    if isinstance(results, dict):
        return {name: timeless(part) for name, part in results.items() if name != "seconds"}
    return [timeless(part) for part in results] if isinstance(results, list) else results


def contents(path):
    """What must be the same, bit by bit."""
    cells = sorted((path / "cells").iterdir()) if (path / "cells").exists() else []
    return {
        "metrics": (path / "metrics.jsonl").read_bytes(),
        "results": json.dumps(timeless(read_results(path))),
        "arrays": {name: (array.dtype, array.tobytes()) for name, array in read_arrays(path).items()},
        "cells": {file.name: file.read_bytes() for file in cells},
        "files": sorted(file.name for file in path.iterdir()),
    }


@pytest.mark.slow
@pytest.mark.parametrize(("place", "status", "again"), [(1, {1}, 2), (0, {1, -signal.SIGABRT}, 1)])
def test_when_one_of_two_is_killed_the_other_ends_and_any_number_goes_on(project, place, status, again):
    words, out = ("walk.yaml", "devices=2"), project / "shared"
    finish(start(project, words, project / "alone"))
    both = start_two(project, ("walk.yaml", "devices=2"), out, PAUSE="1")
    while not list(out.glob("checkpoints/walk/step-*")):
        assert all(process.poll() is None for process in both)
        time.sleep(0.05)
    both[place].kill()
    said, _ = both[1 - place].communicate(timeout=PATIENCE)
    both[place].communicate()
    assert both[1 - place].returncode in status
    assert "another process of this run is gone" in said or "another task died" in said
    assert not (out / "results.json").exists()
    finish(*(start_two(project, words, out) if again == 2 else [start(project, words, out)]))
    assert contents(out) == contents(project / "alone")
    assert len(contents(out)["metrics"].splitlines()) == 4
    # The second process wrote nowhere.
    assert {entry.name for entry in project.iterdir()} == {"experiments", "walk.yaml", "alone", "shared"}


@pytest.mark.slow
@pytest.mark.parametrize("words", [DIGITS, SEARCH], ids=["digits", "search"])
def test_two_processes_of_one_device_find_what_one_process_of_two_devices_finds(tmp_path, words):
    finish(start(ROOT, (*words, "devices=2"), tmp_path / "alone"))
    finish(*start_two(ROOT, (*words, "devices=1"), tmp_path / "shared"))
    assert contents(tmp_path / "shared") == contents(tmp_path / "alone")
    stored = json.loads((tmp_path / "shared" / "results.json").read_text())
    assert (stored["device"]["count"], stored["device"]["processes"]) == (2, 2)


@pytest.mark.slow
def test_processes_that_are_told_different_things_are_refused_together(project):
    both = start_two(project, ("walk.yaml",), "it", second=("seed=1",))
    for process in both:
        said, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1
        assert "process 1 has another config" in said
    assert not (project / "it").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--processes", "0"], "--processes is 0; it must be a whole number of at least 1, or auto."),
        (["--processes", "two"], "--processes is two; it must be"),
        (["--processes", "2"], "--process is not given; with --processes 2 it must be 0 to 1."),
        (["--processes", "2", "--process", "2"], "--process is 2; with --processes 2 it must be 0 to 1."),
        (["--processes", "2", "--process", "0"], "--coordinator is not given; it must be HOST:PORT"),
        (["--processes", "2", "--process", "0", "--coordinator", "here"], "--coordinator is here; it must be"),
        (["--processes", "2", "--process", "0", "--coordinator", "here:0"], "--coordinator is here:0; it must be"),
        (["--process", "1"], "--process and --coordinator need --processes"),
        (["--coordinator", "here:1234"], "--process and --coordinator need --processes"),
        (["--processes", "auto", "--process", "1"], "--processes auto finds out --process and --coordinator"),
    ],
)
def test_options_that_do_not_say_it_are_refused(project, monkeypatch, capsys, words, message):
    monkeypatch.chdir(project)
    assert command.main(["run", "walk.yaml", *words]) == 2
    assert message in capsys.readouterr().err


def test_without_a_cluster_nothing_can_be_found_out(monkeypatch):
    def none_found(**options):
        raise ValueError("coordinator_address should be defined.")

    monkeypatch.setattr(jax.distributed, "initialize", none_found)
    with pytest.raises(ConfigError, match=r"auto finds no Slurm, .* Say --processes N --process I --coordinator"):
        together.join("auto", None, None)


def test_a_port_in_use_is_refused_by_the_first_process():
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(together.RunError, match=f"port {port} of --coordinator cannot be used"):
            together.join("2", 0, f"localhost:{port}")


def test_where_no_first_process_is_the_others_say_so(monkeypatch):
    monkeypatch.setattr(together, "PATIENCE_SECONDS", -1)
    with socket.socket() as closed:
        closed.bind(("localhost", 0))
        port = closed.getsockname()[1]
        with pytest.raises(together.RunError, match=f"no first process at localhost:{port} .* with --process 0"):
            together.join("2", 1, f"localhost:{port}")

    def unknown(*where, **options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", unknown)
    with pytest.raises(together.RunError, match="there is no host nowhere"):
        together.join("2", 1, "nowhere:1234")


def test_processes_join_where_they_are_told(monkeypatch):
    joined = []
    monkeypatch.setattr(jax.distributed, "initialize", lambda *words, **options: joined.append(words))
    monkeypatch.setattr(together, "_require_free", lambda port: None)
    together.join("3", 0, "[::1]:1234")
    together.join("1", None, None)
    assert joined == [("[::1]:1234", 3, 0)]


@pytest.mark.parametrize(
    ("name", "shares"),
    [("digits", True), ("nested_lstm", True), ("search_cells", True), ("soft_memory", False), ("taxi", False)],
)
def test_experiments_that_share_no_work_are_refused(name, shares):
    main = experiments.load(name, ROOT / "configs" / "quickstart.yaml").main
    if shares:
        together.require_shared(name, main)
    else:
        with pytest.raises(ConfigError, match=f"{name} cannot share its work among processes, as it calls none of"):
            together.require_shared(name, main)


def test_another_process_than_the_first_knows_what_was_logged_and_writes_nothing(tmp_path, capsys):
    records = [{"name": "a", "step": 1, "loss": 0.5}, {"name": "a", "step": 2, "loss": 0.25}]
    with together.Follower(tmp_path / "run", {"seed": 0}, records, None) as run:
        run.log(1, {"loss": 0.5}, name="a")  # known
        run.log(3, {"loss": 0.125}, name="a")
        assert run.history("a")["step"].tolist() == [1, 2, 3]
        run.rewind("a", 1)
        run.log(2, {"loss": 0.75}, name="a")
        assert run.history("a")["loss"].tolist() == [0.5, 0.75]
        run.say("a word")
        run.sync()
        run.save_arrays({"a": jax.numpy.zeros(2)})
        assert run.results() is None
        run.finish({"rows": jax.numpy.ones(1)})
        assert run.results() == {"rows": [1.0]}
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().out == ""
