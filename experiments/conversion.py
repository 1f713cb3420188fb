"""Do spikes pay? Graded networks become spiking ones, and both say how right they are and what that costs.

A perceptron, a convolutional and a residual network are trained on images, with rectified linear neurons and with
clipped steps. The first become spiking networks by Spike-Norm (images coded as Poisson spikes) and by their highest
activations (images as constant drives), the second by QCFS. Nothing is tuned on the test images, which are looked at
once.
"""

import functools
import time
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro import conversion
from jaxneuro.conversion import ClippedSteps, Rectifier, architectures
from jaxneuro.launch import conversion_page
from jaxneuro.launch.config import (
    ConfigError,
    ConfigPart,
    Count,
    ExperimentConfig,
    Fraction,
    LearningRate,
    Name,
    Positive,
    Share,
)
from jaxneuro.launch.devices import lane_by_lane, place_lanes
from jaxneuro.launch.directory import Run
from jaxneuro.launch.loop import train_in_chunks
from jaxneuro.launch.report import Section
from jaxneuro.learning import train
from jaxneuro.learning.optimizer import cosine_adam
from jaxneuro.measure.energy import TABLES, Work
from jaxneuro.tasks import cifar, data

CLASSES = 10
SCHEMES = {"Spike-Norm": "rectifier", "highest activation": "rectifier", "QCFS": "steps"}


FAMILIES = {
    "perceptron": architectures.perceptron,
    "vgg": architectures.vgg,
    "residual": architectures.residual,
}


class Images(ConfigPart):
    """Which images: digits of scikit-learn, or MNIST or CIFAR-10 from a folder."""

    name: Literal["digits", "mnist", "cifar10"] = "digits"
    folder: str | None = Field(default=None, description="where the files of MNIST or CIFAR-10 are")
    test_share: Share = Field(default=0.25, description="of the digits, which come in one set")
    most_tested: Count = Field(default=1000, description="images that the networks are tested on, at most")


class NetworkConfig(ConfigPart):
    """A network to train and to convert."""

    name: Name
    family: Literal["perceptron", "vgg", "residual"]
    units: Count = Field(le=4096)
    steps: Count = 1000
    learning_rate: LearningRate


class Config(ExperimentConfig):
    """See configs/conversion/digits.yaml."""

    images: Images = Images()
    seeds: Count = Field(default=3, le=100)
    chunk: Count = 100
    batch: Count = Field(default=64, le=10_000)
    weight_decay: Fraction = 1e-4
    levels: Count = Field(default=4, le=1024, description="of the clipped steps")
    ceiling: Positive = Field(default=2.0, description="of the clipped steps, before training")
    calibration_images: Count = Field(default=256, description="of the training set, for thresholds")
    calibration_steps: Count = 64
    times: tuple[Count, ...] = Field(default=(1, 2, 4, 8, 16, 32, 64, 128, 256), min_length=1)
    networks: tuple[NetworkConfig, ...] = Field(min_length=1)


def read(images: Images, seed: int) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray], str]:
    """Training images and labels, test images and labels, and where they come from; `[images, rows, columns, colours]`.

    Raises:
        ConfigError: a folder is missing or not wanted.
    """
    if (images.folder is None) != (images.name == "digits"):
        wish = "leave it out" if images.folder else "name the folder with its files"
        raise ConfigError(f"images.folder: {images.name} is asked for; {wish}.")
    if images.folder is None:
        pixels, labels, provenance = data.digits()
        training, _, test = data.split(len(labels), (0.0, images.test_share), seed)
        parts = pixels[training], labels[training], pixels[test], labels[test]
    else:
        loaded = data.mnist(images.folder) if images.name == "mnist" else cifar.cifar10(images.folder)
        *parts, provenance = loaded
    training_images, training_labels, test_images, test_labels = parts
    few = slice(images.most_tested)
    return (grey(training_images), training_labels), (grey(test_images[few]), test_labels[few]), provenance


def grey(images: np.ndarray) -> np.ndarray:
    """Values from 0 to 1, with an axis of colours."""
    scaled = (images / 255).astype(np.float32) if images.dtype == np.uint8 else images
    return scaled[..., None] if scaled.ndim == 3 else scaled


def loss(machine: jn.Chain, batch: tuple[Array, Array], key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean cross-entropy (nats)."""
    images, labels = batch
    scores = jax.vmap(lambda image: machine.step(machine.init(key), image)[1])(images)
    return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean()


def sample(size: int, training: tuple[Array, Array], key: PRNGKeyArray, step: Int[Array, ""]) -> tuple[Array, Array]:
    """The batch of a training step."""
    indices = train.epoch_indices(key, step, training[0].shape[0], size)
    return training[0][indices], training[1][indices]


def learn(config: Config, run: Run, network: NetworkConfig, kind: str, training: tuple[Array, Array]) -> jn.Chain:
    """Train all seeds of a network; its leaves have a leading axis of seeds."""
    neuron = Rectifier if kind == "rectifier" else lambda: ClippedSteps(config.ceiling, float(config.levels))
    optimizer = cosine_adam(network.learning_rate, network.steps, config.weight_decay)
    trained, draw = ("weights", "ceiling"), functools.partial(sample, config.batch)

    def begin(seed: Int[Array, ""]) -> train.TrainState:
        weights, order = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), seed))
        machine = FAMILIES[network.family](training[0].shape[1:], network.units, CLASSES, neuron, key=weights)
        return train.start(machine, optimizer, order, trained)

    def lane(state: train.TrainState, steps: int) -> tuple[train.TrainState, Any]:
        return train.advance(state, training, steps, loss=loss, sample=draw, optimizer=optimizer, trained=trained)

    state = place_lanes(jax.jit(jax.vmap(begin))(jnp.arange(config.seeds)), config.devices)
    every = lane_by_lane(lane, state, config.devices, donate=True)

    def advance(state: train.TrainState, steps: int) -> tuple[train.TrainState, Any]:
        state, metrics = every(state, steps)
        return state, jax.tree.map(np.transpose, jax.device_get(metrics))

    name = f"{network.name}-{kind}"
    state, _ = train_in_chunks(run, name, advance, state, steps=network.steps, chunk=config.chunk)
    return jax.device_get(state.machine)


def convert(scheme: str, network: jn.Chain, calibration: Array, key: PRNGKeyArray, steps: int) -> jn.Chain:
    """The spiking network of a scheme."""
    shape = calibration.shape[1:]
    if scheme == "QCFS":
        return conversion.qcfs(network, shape)
    if scheme == "Spike-Norm":
        thresholds = conversion.spike_norm(network, calibration, key, steps=steps)
    else:
        thresholds = conversion.highest_activations(network, calibration)
    return conversion.with_thresholds(network, shape, thresholds)


def energies(work: Work) -> dict[str, dict[str, float | None]]:
    """The energy by each table (nJ), of arithmetic alone and with memory."""
    found = {}
    for table in TABLES:
        pair = {word: table.energy_pj(work, memory=word == "with memory") for word in ("arithmetic", "with memory")}
        found[table.name] = {word: None if value is None else value / 1000 for word, value in pair.items()}
    return found


def mean_work(works: list[Work]) -> Work:
    """The mean over seeds."""
    return sum(works, Work()) * (1 / len(works))


def main(config: Config, run: Run) -> dict[str, Any]:
    """Train, convert and test every network."""
    found, tested, provenance = read(config.images, config.seed)
    training, test = jax.tree.map(jnp.asarray, (found, tested))
    calibration = training[0][: config.calibration_images]
    graded, spiking = [], []
    for network in config.networks:
        machines, references = {}, {}
        for kind in ("rectifier", "steps"):
            began = time.monotonic()
            machines[kind] = learn(config, run, network, kind, training)
            seconds = time.monotonic() - began
            each = [conversion.graded_work(lane(machines[kind], seed), test[0]) for seed in range(config.seeds)]
            references[kind] = [accuracy(outputs, test[1]) for outputs, _, _ in each]
            graded.append(
                {
                    "network": network.name,
                    "neurons": kind,
                    "parameters": jn.count_parameters(lane(machines[kind], 0), lambda path: "weights" in path),
                    "accuracy": references[kind],
                    "macs": each[0][1].macs,
                    "macs_not_zero": float(np.mean([skipping.macs for _, _, skipping in each])),
                    "energy_nj": energies(each[0][1]),
                    "energy_skipping_zeros_nj": energies(mean_work([skipping for _, _, skipping in each])),
                    "seconds": round(seconds, 1),
                }
            )
        for scheme, kind in SCHEMES.items():
            run.say(f"{network.name}: {scheme}")
            spiking.append(
                {"network": network.name, "scheme": scheme, "neurons": kind}
                | trial(config, scheme, machines[kind], references[kind], calibration, test)
            )
    answers = [answer(row, graded) for row in spiking]
    samples = {"training": len(training[1]), "test": len(test[1])}
    return {"data": provenance, "samples": samples, "graded": graded, "spiking": spiking, "answers": answers}


def lane(machines: jn.Chain, seed: int) -> jn.Chain:
    """The network of a seed."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf[seed]), machines)


def accuracy(outputs: Array, labels: Array) -> float:
    """Percent right."""
    return 100 * float((outputs.argmax(-1) == labels).mean())


def trial(
    config: Config, scheme: str, machines: jn.Chain, references: list[float], calibration: Array, test: tuple[Any, Any]
) -> dict[str, Any]:
    """Convert all seeds by a scheme, and test them at all times."""
    accuracies, works, thresholds, fired = [], [], [], []
    for seed in range(config.seeds):
        calibrating, coding = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), 10_000 + seed))
        network = convert(scheme, lane(machines, seed), calibration, calibrating, config.calibration_steps)
        key = coding if scheme == "Spike-Norm" else None
        done = conversion.simulate(network, test[0], max(config.times), key=key)
        accuracies.append([accuracy(done.outputs[time - 1], test[1]) for time in config.times])
        works.append([done.work(time) for time in config.times])
        fired.append(float(done.spikes.mean()) / done.neurons)
        leaves = jax.tree_util.tree_leaves_with_path(network)
        thresholds.append([float(leaf) for path, leaf in leaves if getattr(path[-1], "name", "") == "threshold"])
    means = [mean_work(list(of_time)) for of_time in zip(*works, strict=True)]
    changes = np.asarray(accuracies) - np.asarray(references)[:, None]
    return {
        "times": list(config.times),
        "accuracy": accuracies,
        "change": changes.mean(axis=0).tolist(),
        "accumulates": [work.accumulates for work in means],
        "macs": [work.macs for work in means],
        "energy_nj": [energies(work) for work in means],
        "spikes_per_neuron_and_step": float(np.mean(fired)),
        "thresholds": thresholds,
    }


def answer(row: dict[str, Any], graded: list[dict[str, Any]]) -> dict[str, Any]:
    """From when on a spiking network is as right as its graded one, and its energy relative to it then, at 45 nm."""
    near = [change >= -conversion_page.NEAR for change in row["change"]]
    stays = [all(near[place:]) for place in range(len(near))]
    told = {"network": row["network"], "scheme": row["scheme"]}
    if True not in stays:
        return told | {"steps": None} | dict.fromkeys(conversion_page.RATIOS) | {"wins": False}
    place = stays.index(True)
    (own,) = [g for g in graded if (g["network"], g["neurons"]) == (row["network"], row["neurons"])]
    ratios = {
        name: row["energy_nj"][place]["45 nm"][words] / own[field]["45 nm"][words]
        for name, (words, field) in conversion_page.RATIOS.items()
    }
    return told | {"steps": row["times"][place]} | ratios | {"wins": max(ratios.values()) < 1}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return conversion_page.sections(results, config.seeds)
