"""A race that processes share finds, bit for bit, what one process finds."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import jax
import pytest

PROGRAM = """
import json, sys
from pathlib import Path
import jax
place, count, port, file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
jax.config.update("jax_num_cpu_devices", 2)
if count > 1:
    jax.distributed.initialize(f"localhost:{port}", num_processes=count, process_id=place)
import numpy as np
from jaxneuro.search.evolution import AgingEvolution
from jaxneuro.search.genome import Space
from jaxneuro.search.lineage import record
from jaxneuro.processes import is_first, told_by_first
from jaxneuro.search.race import Budget, Course, Race
from jaxneuro.search.training import Trainer
from jaxneuro.tasks import Adding

assert jax.process_count() == count
space, task = Space(stages=1, slots=4, nodes=5, states=2), Adding(steps=8)
validation = jax.jit(lambda key: task.batch(key, 16))(jax.random.key(1))
course = Course(Trainer(task, validation, space, width=8, batch=4, chunk=2, devices=2), 150, scale=0.17)
budget = Budget(rungs=(3, 6, 10), keep=0.5, rates=(1e-3, 1e-2), widths=(8,), room=16)
race = Race([course], budget, jax.random.key(0), processes=count > 1)
trained, train = 0, Trainer.train

def counting(self, lanes, key, start, stop, *, count, spiking):
    global trained
    trained += count * (start == 0)
    return train(self, lanes, key, start, stop, count=count, spiking=spiking)

Trainer.train = counting
log = told_by_first([json.loads(line) for line in file.read_text().splitlines()] if is_first() else None)
searcher, known = AgingEvolution(space, 3, population=7), len(log)
for generation in range(3):
    candidates = searcher.ask(7)
    if known <= 7 * generation:
        log += [record(c, o, [o.losses[-1]]) for c, o in zip(candidates, race.run(candidates), strict=True)]
        if is_first():
            file.write_text("".join(json.dumps(entry) + "\\n" for entry in log))
    told = [entry["objectives"][0] for entry in log[7 * generation : 7 * generation + 7]]
    searcher.tell(candidates, np.asarray([[np.inf if loss is None else loss] for loss in told]))
print(json.dumps([trained, log]))
"""


def start(place, count, port, file):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    environment["JAX_COMPILATION_CACHE_DIR"] = str(jax.config.jax_compilation_cache_dir)
    command = [sys.executable, "-c", PROGRAM, str(place), str(count), str(port), str(file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def end(started):
    """How many lanes a process has trained, and the log that it knows."""
    said, complained = started.communicate(timeout=400)
    assert started.returncode == 0, complained
    return json.loads(said.splitlines()[-1])


def free_port():
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]


@pytest.mark.slow
def test_two_processes_that_go_on_from_a_log_find_what_one_process_finds(tmp_path):
    alone, shared = tmp_path / "alone.jsonl", tmp_path / "shared.jsonl"
    alone.touch()
    lanes, log = end(start(0, 1, 0, alone))
    assert lanes == 2 * 21
    assert {len(entry["losses"]) for entry in log} == {1, 2, 3}
    shared.write_text("".join(alone.read_text().splitlines(keepends=True)[:7]))
    port = free_port()
    both = [start(place, 2, port, file) for place, file in enumerate((shared, tmp_path / "second.jsonl"))]
    first, second = (end(process) for process in both)
    assert first[1] == second[1] == log
    assert (first[0], second[0]) == (2 * 2 * 4, 2 * 2 * 3)
    assert shared.read_bytes() == alone.read_bytes()
    assert not (tmp_path / "second.jsonl").exists()
