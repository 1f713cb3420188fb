"""A family of networks on a task: on digits judged by right answers, on made-up sequences by the loss."""

import inspect
from typing import Annotated

import jax
import jax.numpy as jnp
from pydantic import Field

from jaxneuro.launch.comparison import Budget, Trial
from jaxneuro.launch.config import ConfigPart, Count, Name
from jaxneuro.launch.kinds import Kind, MachineSpec, build
from jaxneuro.tasks import data
from jaxneuro.tasks.batch import Classification, Task


class FamilyTrial(ConfigPart):
    """A task, and what every network of a family may spend on it; the experiment adds which families there are."""

    name: Name
    task: Annotated[MachineSpec, Kind(Task, supplied=("images", "labels"))]
    evaluation: Count = Field(default=1000, description="sequences of the test set, for a task that makes them up")
    budget: Budget


def prepared(trial: FamilyTrial, shares: tuple[float, float], seed: int, *, whole: bool) -> tuple[Trial, str]:
    """The trial, and where its data come from.

    Args:
        trial: what the config says.
        shares: of the images for validation and for the test.
        seed: of what is made up and of how images are divided.
        whole: whether an image is seen in one step of time.
    """
    if "images" not in inspect.signature(trial.task.machine_class).parameters:
        task = build(trial.task)
        keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), 2**31))
        validation, test = (jax.jit(lambda key: task.batch(key, trial.evaluation))(key) for key in keys)
        unit = "nats" if isinstance(task, Classification) else "squared error"
        return Trial(trial.name, task, validation, test, "loss", unit, baseline=task.baseline), "generated"
    images, labels, provenance = data.digits()
    if whole:
        images = images.reshape(len(images), 1, -1)
    parts = data.split(len(labels), shares, seed)
    made = [build(trial.task, images=images[part], labels=labels[part]) for part in parts]
    validation, test = (task.take(jnp.arange(len(task.labels))) for task in made[1:])
    return Trial(trial.name, made[0], validation, test, "accuracy", "% right"), provenance
