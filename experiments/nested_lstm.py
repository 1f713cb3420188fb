"""Does memory inside memory help? Nested LSTM against stacked and single LSTM at equal size and equal tuning.

All networks have the same number of trained parameters, are tried at the same learning rates, with the same seeds and
on the same batches; the rate of each is chosen on validation data, its score is that on test data. The claim to test:
a Nested LSTM beats both others at similar size (Moniz and Krueger 2017, arXiv:1801.10308).
"""

import functools
import inspect
import math
from typing import Annotated, Any

import jax
import numpy as np
from pydantic import Field

from jaxneuro.launch import comparison, comparison_page
from jaxneuro.launch.comparison import Budget, Trial
from jaxneuro.launch.config import ConfigPart, Count, ExperimentConfig, Name
from jaxneuro.launch.directory import Run
from jaxneuro.launch.kinds import Kind, MachineSpec, build
from jaxneuro.launch.network import Architecture
from jaxneuro.launch.report import Section
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


class Config(ExperimentConfig):
    """See configs/nested_lstm/full.yaml."""

    trained: tuple[str, ...] = ("weights", "bias", "input_weights", "recurrent_weights")
    networks: tuple[Architecture, ...] = Field(min_length=2)
    trials: tuple[TrialConfig, ...] = Field(min_length=1)


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


def main(config: Config, run: Run) -> dict[str, Any]:
    """Train all networks on all tasks, and compare them seed by seed."""
    scores, arrays, sources = [], {}, {}
    for trial in config.trials:
        made, sources[trial.name] = prepared(trial, config.seed)

        def builder(network: Architecture, units: int, task: Task = made.task) -> comparison.Build:
            return lambda key: network.draw(task.inputs, units, task.outputs, key=key)

        rows, curves = comparison.compete(
            run,
            {network.name: functools.partial(builder, network) for network in config.networks},
            made,
            trial.budget,
            seed=config.seed,
            devices=config.devices,
            trained=config.trained,
        )
        scores += rows
        arrays |= curves
    run.save_arrays(arrays)
    ours, *others = (network.name for network in config.networks)
    differences = comparison.differences(scores, [(ours, other) for other in others])
    return {"data": sources, "scores": scores, "differences": differences, "answer": answer(differences)}


def answer(differences: list[dict[str, Any]]) -> str:
    """The finding in words, whichever way it falls."""
    ours, trials = differences[0]["ours"], list(dict.fromkeys(row["trial"] for row in differences))
    better = [t for t in trials if all(comparison_page.is_better(row) for row in differences if row["trial"] == t)]
    worse = [row for row in differences if row["differs"] and not comparison_page.is_better(row)]
    if len(better) == len(trials):
        verdict = f"Yes: {ours} is better than all others on every task."
    elif better:
        verdict = f"In part: {ours} is better than all others on {', '.join(better)}, not on the other tasks."
    else:
        verdict = f"No: on no task is {ours} better than all others."
    beaten = sorted({f"{row['theirs']} on {row['trial']}" for row in worse})
    lost = f" It is worse than {', '.join(beaten)}." if beaten else ""
    return verdict + lost


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    note = (
        "The learning rate of each network is the best on validation data of "
        + ", ".join(
            f"{trial.name}: {', '.join(f'{r:g}' for r in trial.budget.learning_rates)}" for trial in config.trials
        )
        + ". Lower is better. Operations are those of one step of time, forward; seconds are those of all its lanes."
    )
    return comparison_page.sections(results["answer"], results, arrays, config.trials[0].budget.seeds, note)
