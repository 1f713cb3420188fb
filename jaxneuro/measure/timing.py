"""Time beside time: programs are timed in turn, round after round, and compared within a round."""

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax

Timer = Callable[[], float]


def clock(call: Callable[[], object]) -> float:
    """Milliseconds of one call, until its arrays are there."""
    began = time.perf_counter()
    jax.block_until_ready(call())
    return 1000 * (time.perf_counter() - began)


def compare(timers: dict[str, Timer], rounds: int, warm: int = 2) -> dict[str, Any]:
    """Time all of them in turn; the first is ours.

    Args:
        timers: each gives the milliseconds of one run.
        rounds: how often each is timed.
        warm: how often each runs before, to compile and to touch its memory.

    Returns:
        The median milliseconds of each, and for each peer the median, smallest and largest ratio peer / ours.
    """
    for timer in timers.values():
        for _ in range(warm):
            timer()
    times: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(rounds):
        for name, timer in timers.items():
            times[name].append(timer())
    ours, *peers = timers
    ratios = {p: [a / b for a, b in zip(times[p], times[ours], strict=True)] for p in peers}
    return {
        "milliseconds": {name: round(statistics.median(values), 2) for name, values in times.items()},
        "peer_over_ours": {
            name: {
                "median": round(statistics.median(values), 3),
                "min": round(min(values), 3),
                "max": round(max(values), 3),
            }
            for name, values in ratios.items()
        },
    }


class WorkerError(Exception):
    """A worker does not run."""


class Worker:
    """A peer in a process of its own.

    It prints `ready`, and then runs a workload for every line on its standard input, which names it, and answers with
    the milliseconds it took.
    """

    def __init__(self, command: Sequence[str]) -> None:
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        except OSError as error:
            raise WorkerError(f"{command[0]} does not run: {error}.") from error
        if self._answer() != "ready":
            self.close()
            raise WorkerError(f"{' '.join(command)} is not ready; see its message above.")

    def time(self, workload: str) -> float:
        """Milliseconds of one run."""
        assert self.process.stdin is not None
        self.process.stdin.write(workload + "\n")
        self.process.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        """End the process."""
        self.process.communicate()
