"""Fair comparison: contenders of equal size learn from the same batches with an equal budget of tuning.

Every contender is trained at every learning rate of the budget with every seed: the lanes of one program. Its learning
rate is the one with the best mean validation score over the seeds; its test score is looked at for that rate alone.
Seed s has the same batches in all contenders, so that contenders are compared seed by seed.
"""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.config import ConfigPart, Count, Fraction, LearningRate, NonNegative, Positive, Within
from jaxneuro.launch.devices import lane_by_lane, place_lanes
from jaxneuro.launch.directory import Run
from jaxneuro.launch.loop import train_in_chunks
from jaxneuro.learning import train
from jaxneuro.learning.optimizer import cosine_adam
from jaxneuro.measure.cost import operations
from jaxneuro.measure.interval import mean_interval
from jaxneuro.tasks.batch import Batch, Classification, Task

Build = Callable[[PRNGKeyArray], jn.StateMachine]


class Budget(ConfigPart):
    """What every contender may spend on a task, and how large it may be."""

    parameters: Count = Field(description="trained parameters that the sizes are solved for")
    parameter_tolerance: Fraction = 0.01
    learning_rates: tuple[LearningRate, ...] = Field(min_length=1)
    seeds: Annotated[int, Within(at_least=2, at_most=1000)] = 5
    steps: Count
    chunk: Count
    batch: Count
    clip: Positive = 1.0
    weight_decay: NonNegative = 0.0


class Trial(NamedTuple):
    """What is to be learnt, and how it is judged.

    Attributes:
        name: letters, digits, `-` and `_`.
        task: what training batches are drawn from, and whose loss is lowered.
        validation: the batch that chooses the learning rate.
        test: the batch of the reported score.
        measured: what contenders are compared by: the task's "loss", times `scale`, or its "accuracy".
        unit: of the score.
        baseline: the score of the best rule without memory, if it is known.
        scale: of the loss as a score.
        besides: what else to measure on a trained network, each a number.
    """

    name: str
    task: Task
    validation: Batch
    test: Batch
    measured: Literal["loss", "accuracy"]
    unit: str
    baseline: float | None = None
    scale: float = 1.0
    besides: Callable[[jn.StateMachine], dict[str, Array]] | None = None

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher score is a better one."""
        return self.measured == "accuracy"


class Competition(NamedTuple):
    """What came of a trial.

    Attributes:
        rows: one for each contender.
        curves: validation scores over training, `trial/name/step` `[points]` and `trial/name/validation` `[points,
            rates, seeds]`.
        machines: each contender's network as trained with the first seed at the learning rate chosen.
    """

    rows: list[dict[str, Any]]
    curves: dict[str, np.ndarray]
    machines: dict[str, jn.StateMachine]


def answers(machine: jn.StateMachine, batch: Batch) -> Float[Array, "batch time outputs"]:
    """What a network says at every step of every sequence."""
    return jax.vmap(lambda sequence: jn.run(machine, sequence)[1])(batch.inputs)


def _loss(task: Task, machine: jn.StateMachine, batch: Batch, key: PRNGKeyArray) -> Float[Array, ""]:
    return task.loss(answers(machine, batch), batch)


def _sample(size: int, task: Task, key: PRNGKeyArray, step: Int[Array, ""]) -> Batch:
    return task.batch(jax.random.fold_in(key, step), size)


def _score(trial: Trial, machine: jn.StateMachine, batch: Batch) -> Float[Array, ""]:
    said = answers(machine, batch)
    if isinstance(trial.task, Classification) and trial.measured == "accuracy":
        return 100 * trial.task.accuracy(said, batch)
    return trial.scale * trial.task.loss(said, batch)


def equal_sizes(
    contenders: Mapping[str, Callable[[int], Build]], budget: Budget, trained: tuple[str, ...]
) -> dict[str, tuple[int, int]]:
    """Numbers of neurons that give all contenders the same number of trained parameters, near the budget's.

    Args:
        contenders: for each name, from the number of neurons to what draws the network.
        budget: its `parameters` are the size wanted, within a quarter; its tolerance is what they may differ by.
        trained: the fields that count.

    Returns:
        For each name `(neurons, trained parameters)`.

    Raises:
        ConfigError: no numbers of neurons come so close to each other.
    """
    key = jax.eval_shape(lambda: jax.random.key(0))

    def size(build: Callable[[int], Build], units: int) -> int:
        return train.count_trained(jax.eval_shape(build(units), key), trained)

    low, high = 0.75 * budget.parameters, 1.25 * budget.parameters
    found = {}
    for name, build in contenders.items():
        known = functools.cache(functools.partial(size, build))
        first = _first(lambda units, known=known: known(units) >= low)
        found[name] = {}
        while known(first) <= high:
            found[name][first] = known(first)
            first += 1
        if not found[name]:
            raise ConfigError(
                f"budget.parameters is {budget.parameters}; {name} has {known(first)} with {first} neurons, and fewer "
                f"than {low:.0f} with one less. Choose a number near {known(first)}."
            )
    # For each size of the first contender, the nearest one of each other; then what lies closest together and nearest.
    choices = [
        {name: min(sizes, key=lambda units, sizes=sizes: abs(sizes[units] - target)) for name, sizes in found.items()}
        for target in {size for sizes in found.values() for size in sizes.values()}
    ]

    def spread(choice: dict[str, int]) -> float:
        counts = [found[name][units] for name, units in choice.items()]
        return max(counts) / min(counts) - 1

    close = [choice for choice in choices if spread(choice) <= budget.parameter_tolerance]
    if not close:
        best = min(choices, key=spread)
        told = ", ".join(f"{name} {found[name][units]} ({units} neurons)" for name, units in best.items())
        raise ConfigError(
            f"budget.parameter_tolerance is {budget.parameter_tolerance:g}; near {budget.parameters} parameters the "
            f"closest sizes are {told}, {spread(best):.3g} apart. Choose larger parameters or tolerance."
        )
    chosen = min(close, key=lambda c: max(abs(found[name][units] - budget.parameters) for name, units in c.items()))
    return {name: (units, found[name][units]) for name, units in chosen.items()}


def _first(enough: Callable[[int], bool]) -> int:
    """The smallest number for which this holds, given that it holds for all larger ones."""
    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def compete(
    run: Run,
    contenders: Mapping[str, Callable[[int], Build]],
    trial: Trial,
    budget: Budget,
    *,
    seed: int,
    devices: int,
    trained: tuple[str, ...],
) -> Competition:
    """All contenders in one trial.

    Args:
        run: for metrics and checkpoints.
        contenders: for each name, from the number of neurons to what draws the network from a key.
        trial: the task.
        budget: of every contender.
        seed: of the whole comparison.
        devices: over how many devices the lanes are spread.
        trained: names of the fields that are trained.

    Returns:
        Scores, learning curves and trained networks.

    Raises:
        ConfigError: the contenders cannot be made equally large.
    """
    rows, arrays, machines = [], {}, {}
    for name, (units, parameters) in equal_sizes(contenders, budget, trained).items():
        build = contenders[name](units)
        row, curves, machines[name] = tune(run, f"{trial.name}-{name}", build, trial, budget, seed, devices, trained)
        shapes = jax.eval_shape(build, jax.random.key(0))
        rows.append(
            {
                "trial": trial.name,
                "network": name,
                "unit": trial.unit,
                "higher_is_better": trial.higher_is_better,
                "baseline": trial.baseline,
                "units": units,
                "parameters": parameters,
                "operations_per_step": operations(shapes, trial.test.inputs[0, 0]),
                **row,
            }
        )
        arrays |= {f"{trial.name}/{name}/{what}": values for what, values in curves.items()}
        run.say(f"{trial.name}, {name}: {row['mean']:.4g} {trial.unit} at learning rate {row['learning_rate']:g}")
    return Competition(rows, arrays, machines)


def tune(
    run: Run,
    name: str,
    build: Build,
    trial: Trial,
    budget: Budget,
    seed: int,
    devices: int,
    trained: tuple[str, ...],
) -> tuple[dict[str, Any], dict[str, np.ndarray], jn.StateMachine]:
    """Train one contender at all learning rates and seeds, choose its rate, and test it.

    Args:
        run: for metrics and checkpoints.
        name: of the trial and the contender.
        build: draws the network from a key.
        trial: the task.
        budget: rates, seeds and steps; its number of parameters is not looked at.
        seed: of the whole comparison.
        devices: over how many devices the lanes are spread.
        trained: names of the fields that are trained.

    Returns:
        Scores, the learning curves, and the network of the first seed at the learning rate chosen.
    """
    began = time.monotonic()
    optimizer = cosine_adam(budget.learning_rates[0], budget.steps, budget.weight_decay)
    loss, sample = functools.partial(_loss, trial.task), functools.partial(_sample, budget.batch)

    def begin(rate: Float[Array, ""], number: Int[Array, ""]) -> train.TrainState:
        weight_key, train_key = jax.random.split(jax.random.fold_in(jax.random.key(seed), number))
        own = cosine_adam(rate, budget.steps, budget.weight_decay)
        return train.start(build(weight_key), own, train_key, trained)

    def lane(state: train.TrainState, steps: int) -> tuple[train.TrainState, Any]:
        state, metrics = train.advance(
            state,
            trial.task,
            steps,
            loss=loss,
            sample=sample,
            optimizer=optimizer,
            trained=trained,
            clip=budget.clip,
        )
        # A lane that leaves the numbers stays where it was, and must not end the others: it is no `loss` of the run.
        score = _score(trial, state.machine, trial.validation)
        return state, {"training_loss": metrics["loss"][-1:], "validation": score[None], "finite": state.finite[None]}

    rates = jnp.repeat(jnp.asarray(budget.learning_rates, jnp.result_type(float)), budget.seeds)
    seeds = jnp.tile(jnp.arange(budget.seeds), len(budget.learning_rates))
    state = place_lanes(jax.jit(jax.vmap(begin))(rates, seeds), devices)
    every = lane_by_lane(lane, state, devices, donate=True)

    def advance(state: train.TrainState, steps: int) -> tuple[train.TrainState, Any]:
        state, metrics = every(state, steps)
        return state, jax.tree.map(np.transpose, jax.device_get(metrics))

    state, history = train_in_chunks(run, name, advance, state, steps=budget.steps, chunk=budget.chunk)
    grid = (len(budget.learning_rates), budget.seeds)
    tested = lane_by_lane(lambda machine: _score(trial, machine, trial.test), state.machine, devices)(state.machine)
    test, finite = np.asarray(tested).reshape(grid), np.asarray(state.finite).reshape(grid)
    curves = history["validation"].reshape(-1, *grid)
    worst = -np.inf if trial.higher_is_better else np.inf
    judged = np.where(finite, curves[-1], worst).mean(axis=1)
    best = int(judged.argmax() if trial.higher_is_better else judged.argmin())
    row = {
        "learning_rate": budget.learning_rates[best],
        "rate_index": best,
        "score": [float(value) for value in test[best]],
        "validation": curves[-1].tolist(),
        "diverged": int((~finite).sum()),
        "seconds": round(time.monotonic() - began, 1),
    }
    if trial.besides is not None:
        found = jax.device_get(lane_by_lane(trial.besides, state.machine, devices)(state.machine))
        row["besides"] = {what: values.reshape(grid)[best].tolist() for what, values in found.items()}
    machine = jax.tree.map(lambda leaf: leaf[best * budget.seeds], state.machine)
    return row | mean_interval(test[best])._asdict(), {"step": history["step"], "validation": curves}, machine


def differences(rows: Sequence[Mapping[str, Any]], pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """How much contenders differ, seed by seed.

    Args:
        rows: of `compete`, for any number of trials.
        pairs: names of two contenders, ours and theirs; in a trial that does not have both they are passed over.

    Returns:
        A row for every pair in every trial: mean and 95 % interval (`low`, `high`) of the score of ours minus that of
        theirs, and whether the interval leaves out 0 (`differs`).
    """
    found = []
    for trial in dict.fromkeys(row["trial"] for row in rows):
        of = {row["network"]: row for row in rows if row["trial"] == trial}
        for ours, theirs in pairs:
            if ours not in of or theirs not in of:
                continue
            mean, low, high = mean_interval(np.subtract(of[ours]["score"], of[theirs]["score"]))
            told = {name: of[ours][name] for name in ("unit", "higher_is_better")}
            numbers = {"mean": mean, "low": low, "high": high, "differs": not low <= 0 <= high}
            found.append({"trial": trial, "ours": ours, "theirs": theirs, **told, **numbers})
    return found
