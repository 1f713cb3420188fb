"""Training in chunks: the one place where a compiled loop meets the world.

`advance(state, n)` runs n steps in one compiled program. Between two calls of it the metrics are checked and logged,
the state is saved, the screen is brought up to date, and SIGTERM and Ctrl-C are obeyed. Nothing calls back from inside.

Several processes go through it together, each with the whole state: the first one reads and writes files, and all stop
where one of them was asked to.
"""

import functools
import re
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxneuro import processes
from jaxneuro.launch import checkpoint
from jaxneuro.launch.directory import Run
from jaxneuro.launch.lock import RunError
from jaxneuro.launch.progress import Progress
from jaxneuro.machine import explicit

State = TypeVar("State")


class NonFiniteError(RunError):
    """A loss or a state became NaN or infinite."""


class Interrupted(SystemExit):
    """The run was asked to stop, and stopped with its state saved; the code is the process's exit status."""


EXIT_STATUS = {signal.SIGTERM: 143, signal.SIGINT: 130}  # 128 + signal, as shells report it


class _Signals:
    """Remembers SIGTERM and Ctrl-C until the chunk is done; a second Ctrl-C does not wait."""

    def __init__(self) -> None:
        self.code: int | None = None

    def asked(self) -> int | None:
        """The exit status that this process, or one that runs with it, was asked for so far."""
        if not processes.several():
            return self.code
        return int(processes.of_each(np.asarray(self.code or 0, np.int32)).max()) or None

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if self.code is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.code = EXIT_STATUS[signal.Signals(number)]

    def __enter__(self) -> "_Signals":
        # Python allows handlers in the main thread only; elsewhere the caller's own handling stands.
        listening = threading.current_thread() is threading.main_thread()
        self._before = {number: signal.signal(number, self._remember) for number in EXIT_STATUS} if listening else {}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def train_in_chunks(
    run: Run,
    name: str,
    advance: Callable[[State, int], tuple[State, Any]],
    state: State,
    *,
    steps: int,
    chunk: int,
    every: int = 1,
) -> tuple[State, dict[str, np.ndarray]]:
    """Train up to `steps` steps, going on from the newest good checkpoint.

    Args:
        run: the run; checkpoints go to its "checkpoints/name", metrics to its metrics.jsonl under the name.
        name: what is trained: letters, digits, `-` and `_`.
        advance: jitted `(state, n) -> (state, metrics)`; metrics have a leading axis of n steps (or 1: one value for
            the chunk), then perhaps lanes. It is called with at most two values of n. A metric `loss` must stay finite.
        state: the state before the first step, any pytree; also the template for what is restored.
        steps: the number of steps in all.
        chunk: steps per call of `advance`.
        every: chunks per checkpoint; the last state is always saved.

    Returns:
        The state after `steps` steps and the history of the metrics: "step" and one array per metric, with a leading
        axis of chunks. Floats are means over their chunk, integers and booleans the last value in it.

    Raises:
        NonFiniteError: a loss or a leaf of the state became NaN or infinite; nothing of that chunk was saved.
        Interrupted: SIGTERM or Ctrl-C came; the state is saved.
        RunError: the disk refused, or checkpoints and metrics do not belong together.
    """
    _check(name, chunk, every)
    # A checkpoint holds no weak types, and a resumed run must promote as before.
    folder, state = run.path / "checkpoints" / name, explicit(state)
    template = checkpoint.describe(state)
    with _Signals() as signals:
        step, state = _resume(run, name, folder, state, steps)
        saved, faulty = step, _faulty_leaves(state)
        with Progress(run.console, name, steps, step) as progress:
            while step < steps:
                count = min(chunk, steps - step)
                state, metrics = advance(state, count)
                state, metrics = explicit(state), _by_name(metrics, count)
                if changed := checkpoint.difference(template, checkpoint.describe(state)):
                    raise TypeError(f"advance must keep the state's kind; with the first state as `it`: {changed}.")
                last = checkpoint.location(folder, saved)
                _require_finite(metrics, _faulty_leaves(state) - faulty, step, count, last)
                step += count
                summary = {metric: _summary(values) for metric, values in metrics.items()}
                run.log(step, summary, name=name)
                stop = signals.asked()
                due = step == steps or stop is not None or step // chunk % every == 0
                processes.by_first(functools.partial(_save, run, folder, step, state, due))
                saved = step if due else saved
                progress.update(step, float(np.mean(summary["loss"])) if "loss" in summary else None)
                if stop is not None:
                    break
    # Only now, with the handlers back in place: no signal can come too late to be seen.
    stop = signals.asked()
    if stop is not None:
        run.say(f"{name}: stopped at step {step}; the same command goes on from there")
        raise Interrupted(stop)
    return state, run.history(name)


def _save(run: Run, folder: Path, step: int, state: Any, due: bool) -> None:
    run.sync()
    if due:
        checkpoint.save(folder, step, state)


def _check(name: str, chunk: int, every: int) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise ValueError(f"name is {name!r}; it may have letters, digits, - and _.")
    for field, number in {"chunk": chunk, "every": every}.items():
        if number < 1:
            raise ValueError(f"{field} is {number}; it must be at least 1.")


def _resume(run: Run, name: str, folder: Path, state: State, steps: int) -> tuple[int, State]:
    """The step to go on from and its state; metrics beyond it are forgotten."""
    found = checkpoint.restored_by_first(folder, state, run.warn)
    step, state = (0, state) if found is None else found
    if step > steps:
        raise RunError(f"{name} has a checkpoint at step {step}, beyond steps = {steps}. Start over with --fresh.")
    run.rewind(name, step)
    if found is not None:
        if run.history(name).get("step", np.zeros(1))[-1] != step:
            raise RunError(
                f"{run.path / 'metrics.jsonl'} lacks the metrics of {name} up to its checkpoint at step {step}. Put "
                "the file back, or start over with --fresh."
            )
        how = "done already:" if step == steps else "going on from"
        run.say(f"{name}: {how} {checkpoint.location(folder, step)}")
    return step, state


def _by_name(metrics: Any, count: int) -> dict[str, np.ndarray]:
    leaves = jax.tree_util.tree_leaves_with_path(jax.device_get(metrics))
    named = {jax.tree_util.keystr(path, simple=True, separator="/"): np.asarray(values) for path, values in leaves}
    for metric, values in named.items():
        if values.shape[:1] not in ((count,), (1,)):
            raise ValueError(f"metric {metric} has shape {values.shape}; its leading axis must be {count} steps, or 1.")
    return named


def _summary(values: np.ndarray) -> np.ndarray:
    floating = jnp.issubdtype(values.dtype, jnp.floating)
    return np.asarray(values.astype(np.float64).mean(axis=0) if floating else values[-1])


def _faulty_leaves(state: Any) -> set[str]:
    """Paths of the leaves with a NaN or an infinity in them."""
    leaves = jax.tree_util.tree_leaves_with_path(state)
    return {
        jax.tree_util.keystr(path)
        for path, leaf in leaves
        if isinstance(leaf, jax.Array | np.ndarray) and jnp.issubdtype(leaf.dtype, jnp.inexact)
        if not np.isfinite(np.asarray(leaf)).all()
    }


def _require_finite(metrics: dict[str, np.ndarray], faulty: set[str], step: int, count: int, last: Path) -> None:
    where = f"last good checkpoint: {last}" if last.exists() else "there is no checkpoint yet"
    wrong = np.argwhere(~np.isfinite(metrics["loss"])) if "loss" in metrics else np.zeros((0, 1), int)
    if len(wrong):
        index, *lane = wrong[0].tolist()
        index = index if len(metrics["loss"]) == count else count - 1
        value = "NaN" if np.isnan(metrics["loss"][tuple(wrong[0])]) else "infinite"
        lanes = f" (lane {', '.join(map(str, lane))})" if lane else ""
        raise NonFiniteError(f"loss became {value} at step {step + index + 1}{lanes}; {where}")
    if faulty:
        # The loss of a step is taken before its update: a state can be lost while every loss is still finite.
        raise NonFiniteError(f"{min(faulty)} of the state became NaN or infinite by step {step + count}; {where}")
