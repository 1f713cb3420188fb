"""What is to be learnt, as a config describes it: a task, the text it may need, and what each network may spend."""

import inspect
import math
from typing import Annotated

import jax
import numpy as np
from pydantic import Field

from jaxneuro.launch.comparison import Budget, Trial
from jaxneuro.launch.config import ConfigPart, Count, Name
from jaxneuro.launch.kinds import Kind, MachineSpec, build
from jaxneuro.tasks import data, text
from jaxneuro.tasks.batch import Classification, Task
from jaxneuro.tasks.characters import NextCharacter

CODES = ("codes", "symbols")
SHARES = (0.8, 0.9)  # of a text: up to here training, up to there validation, the rest test


class TrialConfig(ConfigPart):
    """A task, and what each network may spend on it."""

    name: Name
    task: Annotated[MachineSpec, Kind(Task, supplied=CODES)]
    path: str | None = Field(default=None, description="a text file, for a task on text; Python's help pages if none")
    evaluation: Count = Field(default=1000, description="sequences of the validation and of the test set")
    budget: Budget


def tasks(trial: TrialConfig) -> tuple[tuple[Task, Task, Task], str]:
    """The task of training, of validation and of test, and where its data come from."""
    if "codes" not in inspect.signature(trial.task.machine_class).parameters:
        return (build(trial.task),) * 3, "generated"
    source = data.topics() if trial.path is None else data.read_text(trial.path)
    codes, alphabet = text.encode(source.text)
    parts = np.split(codes, [round(share * len(codes)) for share in SHARES])
    made = [build(trial.task, codes=part, symbols=len(alphabet)) for part in parts]
    return (made[0], made[1], made[2]), source.provenance


def prepared(trial: TrialConfig, seed: int) -> tuple[Trial, str]:
    """The trial, and where its data come from."""
    (training, validation, test), provenance = tasks(trial)
    characters = isinstance(training, NextCharacter)
    unit = "bits per character" if characters else "nats" if isinstance(training, Classification) else "squared error"
    scale = 1 / math.log(2) if characters else 1.0
    validation_key, test_key = jax.random.split(jax.random.fold_in(jax.random.key(seed), 2**31))
    made = Trial(
        trial.name,
        training,
        jax.jit(lambda key: validation.batch(key, trial.evaluation))(validation_key),
        jax.jit(lambda key: test.batch(key, trial.evaluation))(test_key),
        "loss",
        unit,
        baseline=scale * test.baseline,
        scale=scale,
    )
    return made, provenance
