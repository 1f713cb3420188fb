"""What is to be learnt, as a config describes it: a task, the data it may need, and what each network may spend."""

import functools
import inspect
import math
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray
from pydantic import Field

from jaxneuro.launch.comparison import Budget, Build, Trial, compete
from jaxneuro.launch.config import ConfigPart, Count, Name
from jaxneuro.launch.directory import Run
from jaxneuro.launch.kinds import Kind, MachineSpec, build
from jaxneuro.launch.network import Architecture
from jaxneuro.tasks import annotated, data, text
from jaxneuro.tasks.batch import Batch, Classification, Task
from jaxneuro.tasks.characters import NextCharacter
from jaxneuro.tasks.images import ImageSequences

SUPPLIED = ("codes", "symbols", "images", "labels")
SHARES = (0.8, 0.9)  # of texts and images: up to here training, up to there validation, the rest test


class TaskConfig(ConfigPart):
    """A task, and the data that scores are measured on."""

    name: Name
    task: Annotated[MachineSpec, Kind(Task, supplied=SUPPLIED)]
    path: str | None = Field(default=None, description="a text file, for a task on text; Python's help pages if none")
    evaluation: Count = Field(default=1000, description="sequences of the validation and of the test set")


class TrialConfig(TaskConfig):
    """A task, and what each network may spend on it."""

    budget: Budget


def tasks(trial: TaskConfig) -> tuple[tuple[Task, Task, Task], str]:
    """The task of training, of validation and of test, and where its data come from.

    `path` names a text file, or for annotated series a folder as `annotated.read` has it; series are made up without.
    """
    wanted = inspect.signature(trial.task.machine_class).parameters
    if "images" in wanted:
        source = data.digits()
        shuffled = np.random.default_rng(0).permutation(len(source.labels))
        parts = np.split(shuffled, [round(share * len(shuffled)) for share in SHARES])
        made = [build(trial.task, images=source.images[part], labels=source.labels[part]) for part in parts]
    elif "codes" in wanted:
        source = data.topics() if trial.path is None else data.read_text(trial.path)
        codes, alphabet = text.encode(source.text)
        parts = np.split(codes, [round(share * len(codes)) for share in SHARES])
        made = [build(trial.task, codes=part, symbols=len(alphabet)) for part in parts]
    elif "corpus" in wanted:
        source = annotated.made_up(0) if trial.path is None else annotated.read(trial.path)
        made = [build(trial.task, corpus=part) for part in annotated.parts(source)]
    else:
        return (build(trial.task),) * 3, "generated"
    return (made[0], made[1], made[2]), source.provenance


def _held(task: Task, key: PRNGKeyArray, size: int) -> Batch:
    """What scores are measured on: of images all, at most that many."""
    if isinstance(task, ImageSequences):
        return task.take(jnp.arange(min(size, len(task.labels))))
    return jax.jit(lambda key: task.batch(key, size))(key)


def prepared(trial: TaskConfig, seed: int) -> tuple[Trial, str]:
    """The trial, and where its data come from."""
    (training, validation, test), provenance = tasks(trial)
    characters = isinstance(training, NextCharacter)
    unit = "bits per character" if characters else "nats" if isinstance(training, Classification) else "squared error"
    scale = 1 / math.log(2) if characters else 1.0
    validation_key, test_key = jax.random.split(jax.random.fold_in(jax.random.key(seed), 2**31))
    made = Trial(
        trial.name,
        training,
        _held(validation, validation_key, trial.evaluation),
        _held(test.transfer(), test_key, trial.evaluation),
        "loss",
        unit,
        baseline=scale * test.transfer().baseline,
        scale=scale,
    )
    return made, provenance


class Contest(NamedTuple):
    """What came of networks on several tasks.

    Attributes:
        scores: a row for each network on each task.
        curves: their learning curves.
        data: where the data of each task come from.
    """

    scores: list[dict[str, Any]]
    curves: dict[str, np.ndarray]
    data: dict[str, str]


def contest(
    run: Run,
    networks: Sequence[Architecture],
    trials: Sequence[TrialConfig],
    *,
    seed: int,
    devices: int,
    trained: tuple[str, ...],
) -> Contest:
    """Networks of equal size and with equal tuning on several tasks.

    Args:
        run: for metrics and checkpoints.
        networks: who competes.
        trials: on what, and with which budget.
        seed: of everything random.
        devices: over how many devices seeds and learning rates are spread.
        trained: names of the fields that are trained.

    Returns:
        Scores, learning curves, sources of the data.

    Raises:
        ConfigError: the networks cannot be made equally large.
    """
    found = Contest([], {}, {})

    def builder(network: Architecture, task: Task, units: int) -> Build:
        return lambda key: network.draw(task.inputs, units, task.outputs, key=key)

    for trial in trials:
        made, found.data[trial.name] = prepared(trial, seed)
        rows, curves, _ = compete(
            run,
            {network.name: functools.partial(builder, network, made.task) for network in networks},
            made,
            trial.budget,
            seed=seed,
            devices=devices,
            trained=trained,
        )
        found.scores.extend(rows)
        found.curves.update(curves)
    return found
