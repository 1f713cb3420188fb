"""Where lanes are computed does not matter: a search has the same bits on any number of devices."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

# On a CPU devices are virtual, and their number is settled before JAX starts. Eight devices have one chunk each.
SEARCH = """
import hashlib, json, sys
import jax
jax.config.update("jax_num_cpu_devices", 8)
import numpy as np
from jaxneuro.search.canonical import canonical
from jaxneuro.search.evolution import AgingEvolution
from jaxneuro.search.genome import Space
from jaxneuro.search.lineage import record
from jaxneuro.search.named import named
from jaxneuro.search.race import Budget, Course, Race
from jaxneuro.search.training import Trainer, _scores, _train
from jaxneuro.tasks import Adding

SPACE, TASK = Space(stages=1, slots=4, nodes=5, states=2), Adding(steps=8)
VALIDATION = jax.jit(lambda key: TASK.batch(key, 16))(jax.random.key(1))
BUDGET = Budget(rungs=(3, 6, 10), keep=0.5, rates=(1e-3, 1e-2), widths=(8,), room=16)

def trainer(devices):
    return Trainer(TASK, VALIDATION, SPACE, width=8, batch=4, chunk=2, devices=devices)

def log(devices):
    race = Race([Course(trainer(devices), 150)], BUDGET, jax.random.key(0))
    searcher, entries = AgingEvolution(SPACE, 3, population=8), []
    for _ in range(3):
        candidates = searcher.ask(8)
        outcomes = race.run(candidates)
        entries += [record(c, o, [o.losses[-1]]) for c, o in zip(candidates, outcomes, strict=True)]
        searcher.tell(candidates, np.asarray([[outcome.losses[-1]] for outcome in outcomes]))
    return entries

def lanes(devices, names=("LSTM", "RNN", "MinGRU") * 3, room=16):
    genomes = [canonical(named(name, SPACE)).genome for name in names]
    units, rates, keys = range(8, 8 - len(names), -1), [1e-2] * len(names), jax.random.split(jax.random.key(2), room)
    lanes = trainer(devices).lanes(genomes, [max(u, 3) for u in units], rates, keys, room=room)
    for start, stop in ((0, 4), (4, 7)):
        lanes = trainer(devices).train(lanes, jax.random.key(3), start, stop, count=len(names))
        scores = trainer(devices).scores(lanes, count=len(names))
    digests = [hashlib.sha256() for _ in names]
    for leaf in jax.tree.leaves((lanes.model, lanes.moments)):
        for digest, place in zip(digests, trainer(devices).places(len(names), room), strict=True):
            digest.update(np.asarray(leaf[place]).tobytes())
    return [digest.hexdigest() for digest in digests], scores.tolist()

for devices in (1, int(sys.argv[2])):
    print(json.dumps({"log": log, "lanes": lanes}[sys.argv[1]](devices)))
print(_train._cache_size(), _scores._cache_size())
"""


def on_one_and_on(devices, what):
    """On one device, and on so many: the log of a search, or digests and scores of lanes; and the programs it took."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    environment["JAX_COMPILATION_CACHE_DIR"] = str(jax.config.jax_compilation_cache_dir)
    environment["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"
    command = [sys.executable, "-c", SEARCH, what, str(devices)]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500)
    assert ended.returncode == 0, ended.stderr
    alone, spread, programs = ended.stdout.splitlines()
    return json.loads(alone), json.loads(spread), programs


@pytest.mark.slow
@pytest.mark.parametrize("devices", [2, 8])
def test_a_search_has_the_same_log_on_any_number_of_devices(devices):
    alone, spread, _ = on_one_and_on(devices, "log")
    assert spread == alone
    assert len({entry["digest"] for entry in alone}) == 24
    assert any(entry["parents"] for entry in alone)
    assert {len(entry["losses"]) for entry in alone} == {1, 2, 3}


@pytest.mark.parametrize("devices", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_lanes_end_with_the_same_parameters_and_scores_on_any_number_of_devices(devices):
    alone, spread, programs = on_one_and_on(devices, "lanes")
    assert spread == alone
    assert len(set(alone[0])) == len(alone[0]) == 9
    assert programs == "2 2"
