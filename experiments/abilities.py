"""What does the inner complexity of a neuron buy? Many kinds of neuron, many tasks, equal terms.

Every network has about as many trained parameters as every other, or about as many operations per step; each is trained
at the same learning rates with the same seeds and batches, its rate is chosen on validation data, and its test is on
what the task asks for beyond the training, where it does. The skill of a network on a task is

    skill = (baseline - loss) / (baseline - optimum)

with the losses of a rule without memory and of the best rule: 0 and 1. The complexity of a neuron is what it computes
by itself: the operations of a step that are no products with weights, per neuron. The hypothesis stands in the config:
over the neurons, skill does not rise with the logarithm of complexity in perception, and rises in the five abilities.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import jax
import numpy as np
from jaxtyping import Array
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import abilities_page, probes
from jaxneuro.launch.advice import ConfigError, unknown
from jaxneuro.launch.comparison import Budget, tune
from jaxneuro.launch.config import (
    ConfigPart,
    Count,
    ExperimentConfig,
    Fraction,
    LearningRate,
    Name,
    NonNegative,
    Within,
)
from jaxneuro.launch.contender import Contender
from jaxneuro.launch.directory import Run
from jaxneuro.launch.kinds import Kind, MachineSpec
from jaxneuro.launch.report import Section
from jaxneuro.launch.trial import TaskConfig, prepared, tasks
from jaxneuro.learning import train
from jaxneuro.measure.interval import holm, mean_interval, paired_p_value, slope_interval

TRAINED = (
    *("weights", "bias", "input_weights", "recurrent_weights", "rate_weights", "state_weights", "output_weights"),
    *("step_weights", "projection_weights", "feedthrough", "log_decay", "log_phase", "log_gain", "phases"),
    *("reflections", "angles", "modulus_bias", "mixing", "branch_logits", "soma_logits", "synapse_weights"),
    *("hidden_weights", "hidden_bias", "memory_weights", "memory_bias", "output_bias"),
)


class AbilityTask(TaskConfig):
    """A task, and the ability that it asks for.

    Fields:
        steps: of training.
        attack: largest change of an input in the attacks on the trained networks, if there are to be any.
    """

    ability: Name
    # Tasks on text, which get their symbols with it, are not among these; others may say how many they have.
    task: Annotated[MachineSpec, Kind(jn.tasks.Task, supplied=("codes", "images", "labels"))]
    steps: Count = 600
    attack: NonNegative = 0.0


class Tuning(ConfigPart):
    """What every network may spend on a task, but for the steps of training."""

    learning_rates: tuple[LearningRate, ...] = Field(min_length=1)
    seeds: Annotated[int, Within(at_least=2, at_most=1000)] = 5
    chunk: Count = 200
    batch: Count = 32


class LeftOut(ConfigPart):
    """A neuron that cannot take part, and why."""

    name: Name
    reason: str


class Contrast(ConfigPart):
    """What the literature says of two neurons on a task."""

    task: Name
    better: Name
    worse: Name
    source: str


class Config(ExperimentConfig):
    """See configs/abilities/."""

    hypothesis: str
    perception: Name = "perceive"
    reference: Name
    equal: Literal["parameters", "operations"] = "parameters"
    size: Count
    tolerance: Fraction = 0.1
    tuning: Tuning
    trained: tuple[str, ...] = TRAINED
    neurons: Annotated[tuple[Contender, ...], Field(min_length=2)]
    left_out: tuple[LeftOut, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    tasks: Annotated[tuple[AbilityTask, ...], Field(min_length=1)]


def sized(build: Callable[[int], Callable[[Array], Any]], wanted: int, count: Callable[[Any], int]) -> tuple[int, int]:
    """The number of neurons whose network comes nearest to a size, and that size.

    Args:
        build: from the number of neurons to what draws a network.
        wanted: the size.
        count: the size of a network, from its shapes.
    """
    size = functools.cache(lambda units: count(jax.eval_shape(build(units), jax.random.key(0))))
    high = 2  # some kinds need two
    while size(high) < wanted:
        high *= 2
    low = max(2, high // 2)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if size(middle) >= wanted else (middle, high)
    units = min((low, high), key=lambda units: abs(size(units) - wanted))
    return units, size(units)


def complexity(shapes: Any, input: Any, neurons: int) -> float:
    """Operations of a step that are no products with weights, per neuron."""
    counted = jn.measure.tally(shapes, input)
    return (counted.operations - 2 * counted.macs) / neurons


def one_task(config: Config, run: Run, wanted: AbilityTask) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """All neurons on one task: a row for each that takes part, and the reason of each that cannot."""
    budget = Budget(parameters=config.size, steps=wanted.steps, **config.tuning.model_dump())
    trial, _ = prepared(wanted, config.seed)
    task = tasks(wanted)[0][2].transfer()
    optimum = task.optimum or 0.0
    trial = trial._replace(besides=probes.probe(trial.task, trial.test, wanted.attack))
    rows, unfit = [], []
    for neuron in config.neurons:

        def build(units: int, neuron: Contender = neuron) -> Callable[[Array], Any]:
            return lambda key: neuron.draw(trial.task.inputs, units, trial.task.outputs, key=key)

        def count(shapes: Any) -> int:
            if config.equal == "parameters":
                return train.count_trained(shapes, config.trained)
            return jn.measure.operations(shapes, trial.test.inputs[0, 0])

        units, size = sized(build, config.size, count)
        if abs(size / config.size - 1) > config.tolerance:
            reason = f"has {size:,} {config.equal} with {units} neurons; wanted are {config.size:,}"
            unfit.append({"name": neuron.name, "task": wanted.name, "reason": reason})
            continue
        name = f"{wanted.name}-{neuron.name}".replace(" ", "_")
        row, _, _ = tune(run, name, build(units), trial, budget, config.seed, config.devices, config.trained)
        shapes = jax.eval_shape(build(units), jax.random.key(0))
        assert trial.baseline is not None
        skills = [(trial.baseline - loss) / (trial.baseline - optimum) for loss in row["score"]]
        rows.append(
            {
                "ability": wanted.ability,
                "task": wanted.name,
                "neuron": neuron.name,
                "units": units,
                "parameters": train.count_trained(shapes, config.trained),
                "operations": jn.measure.operations(shapes, trial.test.inputs[0, 0]),
                "complexity": complexity(shapes, trial.test.inputs[0, 0], 1 if neuron.alone else units),
                "skills": [max(-1.0, skill) if math.isfinite(skill) else -1.0 for skill in skills],
                "loss": row["score"],
                "baseline": trial.baseline,
                "optimum": optimum,
                "learning_rate": row["learning_rate"],
                "diverged": row["diverged"],
                "seconds": row["seconds"],
                "besides": row.get("besides"),
            }
        )
        run.say(f"{wanted.name}, {neuron.name}: skill {np.mean(rows[-1]['skills']):.2f}")
    return rows, unfit


def robust(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the ability to withstand, of networks that were attacked: 1 is no loss, 0 is chance."""
    found = []
    for row in rows:
        if row["besides"] and "worst" in row["besides"]:
            for attack in ("fgsm", "worst"):
                skills = [(right / 100 - 0.1) / 0.9 for right in row["besides"][attack]]
                found.append(row | {"ability": "robust", "task": f"{row['task']}, {attack}", "skills": skills})
    return found


def by_ability(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How skill goes with complexity, over the neurons that took part in all tasks of an ability."""
    found = []
    for ability in dict.fromkeys(row["ability"] for row in rows):
        own = [row for row in rows if row["ability"] == ability]
        names = dict.fromkeys(row["task"] for row in own)
        neurons = {}
        for neuron in dict.fromkeys(row["neuron"] for row in own):
            mine = [row for row in own if row["neuron"] == neuron]
            if len(mine) == len(names):
                neurons[neuron] = (
                    float(np.mean([row["complexity"] for row in mine])),
                    np.mean([row["skills"] for row in mine], axis=0),
                )
        logs = np.log10([value for value, _ in neurons.values()])
        means = np.asarray([skills.mean() for _, skills in neurons.values()])
        slope = slope_interval(logs, means) if len(neurons) > 2 and np.ptp(logs) > 0 else None
        found.append(
            {
                "ability": ability,
                "tasks": list(names),
                "neurons": [
                    {"neuron": name, "complexity": value, **mean_interval(skills)._asdict()}
                    for name, (value, skills) in neurons.items()
                ],
                "slope": None if slope is None else slope._asdict(),
            }
        )
    return found


def against(rows: list[dict[str, Any]], reference: str) -> list[dict[str, Any]]:
    """Each neuron against the reference on each task, seed by seed; p-values corrected together."""
    of = {(row["task"], row["neuron"]): row["skills"] for row in rows}
    pairs = [(task, neuron) for task, neuron in of if neuron != reference and (task, reference) in of]
    values = [paired_p_value(of[pair], of[pair[0], reference]) for pair in pairs]
    return [
        {"task": task, "neuron": neuron, "p": corrected}
        | mean_interval(np.subtract(of[task, neuron], of[task, reference]))._asdict()
        for (task, neuron), corrected in zip(pairs, holm(values), strict=True)
    ]


def contrasted(rows: list[dict[str, Any]], contrasts: Sequence[Contrast]) -> list[dict[str, Any]]:
    """What the literature says, beside what was found: differences of skill, seed by seed."""
    of = {(row["task"], row["neuron"]): row["skills"] for row in rows}
    found = []
    for contrast in contrasts:
        better, worse = of.get((contrast.task, contrast.better)), of.get((contrast.task, contrast.worse))
        if better and worse:
            told = {"p": paired_p_value(better, worse), "skills": [float(np.mean(better)), float(np.mean(worse))]}
            found.append(contrast.model_dump() | told | mean_interval(np.subtract(better, worse))._asdict())
    return found


def main(config: Config, run: Run) -> dict[str, Any]:
    """All neurons on all tasks."""
    known = [neuron.name for neuron in config.neurons]
    if config.reference not in known:
        raise ConfigError(f"reference: {config.reference} {unknown(config.reference, known, 'neuron')}")
    for place, contrast in enumerate(config.contrasts):
        for field, kind, names in (
            ("better", "neuron", known),
            ("worse", "neuron", known),
            ("task", "task", [task.name for task in config.tasks]),
        ):
            name = getattr(contrast, field)
            if name not in names:
                raise ConfigError(f"contrasts.{place}.{field}: {name} {unknown(name, names, kind)}")
    cells = len(config.neurons) * len(config.tasks)
    lanes = len(config.tuning.learning_rates) * config.tuning.seeds
    steps = sum(task.steps for task in config.tasks) * len(config.neurons) * lanes
    run.say(f"budget: {cells} networks on tasks, {lanes} lanes each, {steps:,} training steps of {config.tuning.batch}")
    rows, unfit = [], [{"name": one.name, "task": "all", "reason": one.reason} for one in config.left_out]
    for wanted in config.tasks:
        found, cannot = one_task(config, run, wanted)
        rows += found
        unfit += cannot
    rows += robust(rows)
    return {
        "equal": config.equal,
        "size": config.size,
        "rows": rows,
        "abilities": by_ability(rows),
        "against": against(rows, config.reference),
        "contrasts": contrasted(rows, config.contrasts),
        "left_out": unfit,
    }


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    shapes = {neuron.name: neuron.shape for neuron in config.neurons}
    return abilities_page.sections(results, shapes, config.hypothesis, config.perception, config.reference)
