"""Three kinds of neuron, one type of machine, learning the same real images.

Handwritten digits are read row by row: 8 time steps of 8 pixels. Networks of equal trained-parameter count, one for
each neuron in the config, are trained on the same batches; the seeds of a network are lanes of one compiled program.
The test set is looked at once, at the end.
"""

import functools
import time
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import figures, sweep
from jaxneuro.launch.config import ConfigError, Count, ExperimentConfig, Fraction, Positive
from jaxneuro.launch.devices import lane_by_lane, place_lanes
from jaxneuro.launch.directory import Run
from jaxneuro.launch.loop import train_in_chunks
from jaxneuro.launch.network import Network
from jaxneuro.launch.report import Section
from jaxneuro.learning import train
from jaxneuro.learning.optimizer import cosine_adam
from jaxneuro.tasks import data

ROWS, COLUMNS, CLASSES = 8, 8, 10
Images = Float[Array, "samples 8 8"]
Labels = Int[Array, "samples"]


class Config(ExperimentConfig):
    """See configs/quickstart.yaml."""

    sweepable: ClassVar[bool] = True

    seeds: Count = Field(default=3, le=1000)
    steps: Count = 1000
    chunk: Count = 100
    batch: Count = Field(default=64, le=1000)
    clip: Positive = 1.0
    validation_share: Fraction = 0.15
    test_share: Fraction = 0.2
    parameter_tolerance: Fraction = 0.02
    trained: tuple[str, ...] = ("weights", "bias", "input_weights", "recurrent_weights")
    networks: tuple[Network, ...] = Field(min_length=1)


def scores(machine: jn.StateMachine, image: Float[Array, "8 8"]) -> Float[Array, "10"]:
    """What the network says after the last row."""
    return jn.run(machine, image)[1][-1]


def loss(machine: jn.StateMachine, batch: tuple[Images, Labels], key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean cross-entropy (nats)."""
    images, labels = batch
    logits = jax.vmap(functools.partial(scores, machine))(images)
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def sample(batch: int, images_and_labels: tuple[Images, Labels], key: PRNGKeyArray, step: Int[Array, ""]) -> Any:
    """The batch of a training step."""
    indices = train.epoch_indices(key, step, images_and_labels[0].shape[0], batch)
    return jax.tree.map(lambda leaf: leaf[indices], images_and_labels)


def accuracy(machine: jn.StateMachine, images: Images, labels: Labels) -> Float[Array, ""]:
    """Share of images named rightly."""
    return (jax.vmap(functools.partial(scores, machine))(images).argmax(-1) == labels).mean()


def check_sizes(config: Config) -> dict[str, int]:
    """The trained-parameter count of every network; an error if they differ by more than the config allows."""
    key = jax.random.key(0)
    shapes = {n.name: jax.eval_shape(lambda key, n=n: n.build(COLUMNS, CLASSES, key=key), key) for n in config.networks}
    sizes = {name: train.count_trained(machine, config.trained) for name, machine in shapes.items()}
    reference = next(iter(sizes.values()))
    for name, size in sizes.items():
        if abs(size / reference - 1) > config.parameter_tolerance:
            raise ConfigError(
                f"networks: {name} has {size} trained parameters, {next(iter(sizes))} has {reference}: they differ by "
                f"more than parameter_tolerance = {config.parameter_tolerance:g}. Change units."
            )
    return sizes


def main(config: Config, run: Run) -> dict[str, Any]:
    """Train every network and test it."""
    images, labels, provenance = data.digits()
    shares = (config.validation_share, config.test_share)
    parts = data.split(len(labels), shares, config.seed)
    training, validation, test = ((jnp.asarray(images[part]), jnp.asarray(labels[part])) for part in parts)
    sizes = check_sizes(config)
    draw = functools.partial(sample, config.batch)
    rows, arrays = [], {"examples": first_of_each(images[parts[2]], labels[parts[2]])}
    for index, network in enumerate(config.networks):
        began = time.monotonic()
        optimizer = cosine_adam(network.learning_rate, config.steps, network.weight_decay)

        def lane(state: train.TrainState, steps: int, optimizer: Any = optimizer) -> tuple[train.TrainState, Any]:
            state, metrics = train.advance(
                state,
                training,
                steps,
                loss=loss,
                sample=draw,
                optimizer=optimizer,
                trained=config.trained,
                clip=config.clip,
            )
            return state, metrics | {"validation_accuracy": accuracy(state.machine, *validation)[None]}

        state = place_lanes(begin(config, index), config.devices)
        every = lane_by_lane(lane, state, config.devices, donate=True)

        def advance(state: train.TrainState, steps: int, every: Any = every) -> tuple[train.TrainState, Any]:
            state, metrics = every(state, steps)
            return state, jax.tree.map(np.transpose, jax.device_get(metrics))

        state, history = train_in_chunks(run, network.name, advance, state, steps=config.steps, chunk=config.chunk)
        test_lane = lane_by_lane(lambda machine: accuracy(machine, *test), state.machine, config.devices)
        tested = np.asarray(test_lane(state.machine)).reshape(-1, config.seeds)
        seconds = round(time.monotonic() - began, 1)
        for point, values in enumerate(tested):
            rows.append(
                {
                    "network": network.name,
                    "neuron": network.neuron.kind,
                    **sweep.of_lane(config.sweep, point),
                    "parameters": sizes[network.name],
                    "accuracy_mean": float(values.mean()),
                    "accuracy_sd": float(values.std(ddof=1)) if config.seeds > 1 else None,
                    "accuracy": values.tolist(),
                    "seconds": seconds,
                }
            )
        first = jax.tree.map(lambda leaf: leaf[0], state.machine)
        arrays |= {f"{network.name}/{name}": value for name, value in look_inside(first, arrays["examples"]).items()}
        arrays |= {f"{network.name}/{name}": history[name] for name in ("step", "loss", "validation_accuracy")}
    run.save_arrays(arrays)
    counts = {name: len(part) for name, part in zip(("training", "validation", "test"), parts, strict=True)}
    return {"data": provenance, "samples": counts, "networks": rows}


def begin(config: Config, index: int) -> train.TrainState:
    """The first state of all lanes of a network: every point of the sweep, and for each of them every seed."""

    def one(point: dict[str, Array], seed: Int[Array, ""]) -> train.TrainState:
        here = sweep.at(config, point)
        network = here.networks[index]
        weight_key, train_key = jax.random.split(jax.random.fold_in(jax.random.key(here.seed), seed))
        machine = network.build(COLUMNS, CLASSES, key=weight_key)
        optimizer = cosine_adam(network.learning_rate, config.steps, network.weight_decay)
        return train.start(machine, optimizer, train_key, config.trained)

    points = jax.tree.map(lambda values: jnp.repeat(values, config.seeds), sweep.lanes(config.sweep))
    seeds = jnp.tile(jnp.arange(config.seeds), sweep.count(config.sweep))
    return jax.jit(jax.vmap(one))(points, seeds)


def first_of_each(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The first image of every class, in order."""
    return np.stack([images[np.flatnonzero(labels == label)[0]] for label in range(CLASSES)])


def look_inside(network: jn.Chain, images: np.ndarray) -> dict[str, np.ndarray]:
    """What the neurons do while the network reads all images, one after the other without a pause."""
    pixels = jnp.asarray(images.reshape(-1, COLUMNS))
    layer = network.machines[0]
    if isinstance(layer, jn.LSTM):
        start = layer.init(jax.random.key(0))
        _, hidden, after = jn.run(layer, pixels, observe=lambda state: state)
        before = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest[:-1]]), start, after)
        gates = jax.vmap(layer.gates)(before, pixels)
        named = {f"gate_{name}": getattr(gates, name) for name in ("input", "forget", "output")}
        return {name: np.asarray(value) for name, value in named.items()} | {"activity": np.asarray(hidden)}
    body = jn.Chain(*network.machines[:2])
    recurrent: Any = network.machines[1]
    neuron = recurrent.machine.machine
    if not isinstance(neuron, jn.LIF):
        return {"activity": np.asarray(jn.run(body, pixels)[1])}
    _, spikes, voltage = jn.run(body, pixels, observe="states.1.machine.voltage_mv")
    return {
        "activity": np.asarray(spikes),
        "voltage_mv": np.asarray(voltage),
        "threshold_mv": np.asarray(neuron.threshold_mv),
        "dt_ms": np.asarray(neuron.dt_ms),
    }


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report: the table, learning curves, and a look inside each kind of neuron."""
    rows = results["networks"]
    names = list(dict.fromkeys(row["network"] for row in rows))
    swept = list(config.sweep)
    table = [
        [
            row["network"],
            row["neuron"],
            *(f"{row[path]:g}" for path in swept),
            f"{100 * row['accuracy_mean']:.1f} %",
            "" if row["accuracy_sd"] is None else f"{100 * row['accuracy_sd']:.1f}",
            f"{row['parameters']:,}",
            f"{row['seconds']:.1f}",
        ]
        for row in rows
    ]
    curves = {name: 100 * arrays[f"{name}/validation_accuracy"].T for name in names}
    learning = figures.learning_curves(curves, arrays[f"{names[0]}/step"], "validation accuracy (%)")
    sections = [
        Section(
            title="Test accuracy",
            text=f"Digits of 8 x 8 pixels, read as 8 steps of one row; {results['samples']['test']} test images, "
            f"scored once, after training; mean and standard deviation of {config.seeds} seeds. {results['data']}.",
            columns=["network", "neuron", *swept, "accuracy", "sd", "trained parameters", "seconds"],
            rows=table,
        ),
        Section(
            title="Learning curves",
            text="Accuracy on the validation images; the line is the mean of all lanes, the band their range.",
            figure=figures.svg(learning),
        ),
    ]
    for name in names:
        own = {key.split("/")[1]: array for key, array in arrays.items() if key.startswith(f"{name}/")}
        sections += [
            Section(title, text, figure=figures.svg(panel))
            for title, text, panel in inside(name, own, arrays["examples"])
        ]
    return sections


def inside(
    name: str, arrays: dict[str, np.ndarray], examples: np.ndarray
) -> list[tuple[str, str, Callable[[Any], None]]]:
    """Title, text and panel of what is to be seen inside one network."""
    if "voltage_mv" in arrays:
        activity, voltage, dt = arrays["activity"], arrays["voltage_mv"], float(arrays["dt_ms"])
        # Of the neurons that fire at all, the one in the middle.
        counts = activity.sum(axis=0)
        ranked = [neuron for neuron in np.argsort(counts, kind="stable") if counts[neuron] > 0] or [0]
        chosen = int(ranked[len(ranked) // 2])
        return [
            (
                f"Spikes of {name}",
                "All neurons while the digits 0 to 9 are read one after the other, 8 steps each.",
                figures.raster(activity, dt, [dt * ROWS * digit for digit in range(1, CLASSES)]),
            ),
            (
                f"One membrane of {name}",
                f"The voltage of neuron {chosen} after each step, its threshold, and its spikes.",
                figures.membrane(voltage[:, chosen], float(arrays["threshold_mv"]), activity[:, chosen], dt),
            ),
        ]
    if "gate_forget" in arrays:
        # One digit of the stream: the 3.
        steps = slice(3 * ROWS, 4 * ROWS)
        gates = {key.removeprefix("gate_"): value[steps] for key, value in arrays.items() if key.startswith("gate_")}
        return [
            (
                f"Gates of {name}",
                "The gates of all neurons (columns) while one digit is read, a row per step: 1 is open, 0 is shut.",
                figures.gates(gates, examples[3]),
            )
        ]
    return []
