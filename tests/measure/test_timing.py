import itertools
import sys
import time

import jax.numpy as jnp
import pytest

from jaxneuro.measure.timing import Worker, WorkerError, clock, compare

ECHO = """
import sys
print("ready", flush=True)
for line in sys.stdin:
    print(float(line), flush=True)
"""


def test_ratios_are_medians_of_the_rounds():
    ours, theirs = itertools.cycle([2.0, 1.0, 4.0]), itertools.cycle([6.0, 1.0, 2.0])
    found = compare({"ours": lambda: next(ours), "theirs": lambda: next(theirs)}, 3, warm=0)
    assert found["milliseconds"] == {"ours": 2.0, "theirs": 2.0}
    assert found["peer_over_ours"] == {"theirs": {"median": 1.0, "min": 0.5, "max": 3.0}}


def test_warm_runs_do_not_count():
    times = iter([9.0, 9.0, 1.0, 1.0])
    assert compare({"ours": lambda: next(times)}, 2)["milliseconds"] == {"ours": 1.0}


def test_a_call_is_timed_in_milliseconds_until_its_arrays_are_there():
    def call():
        time.sleep(0.02)
        return jnp.ones(3)

    assert 20 <= clock(call) < 2000


def test_a_worker_answers_for_every_line_until_it_is_closed():
    worker = Worker([sys.executable, "-c", ECHO])
    assert [worker.time("3.5"), worker.time("7")] == [3.5, 7.0]
    worker.close()
    assert worker.process.returncode == 0


def test_a_worker_that_does_not_run_is_named():
    with pytest.raises(WorkerError, match="/no/python does not run"):
        Worker(["/no/python"])
    with pytest.raises(WorkerError, match="is not ready"):
        Worker([sys.executable, "-c", "print('no')"])
