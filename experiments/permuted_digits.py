"""Do dendrites that know the task keep a network from forgetting? Images in one shuffled order after another.

Every network learns the tasks one after the other, without seeing earlier ones again: with active dendrites and
k-winners, with one of the two alone, without both, and with synaptic intelligence. The dendrites' context is the mean
image of the task; in the test it is known, or that of the nearest prototype. The settings of each network are chosen on
validation images, as many settings for one as for the other.
"""

import time
from typing import Annotated, Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree
from pydantic import Field

import jaxneuro as jn
from jaxneuro.conversion import Rectifier
from jaxneuro.launch import comparison, continual_page
from jaxneuro.launch.config import (
    ConfigError,
    ConfigPart,
    Count,
    ExperimentConfig,
    Fraction,
    LearningRate,
    Name,
    NonNegative,
    Positive,
    Share,
)
from jaxneuro.launch.devices import lane_by_lane, place_lanes
from jaxneuro.launch.directory import Run
from jaxneuro.launch.loop import train_in_chunks
from jaxneuro.launch.report import Section
from jaxneuro.learning import synaptic_intelligence as intelligence
from jaxneuro.learning import train
from jaxneuro.tasks import PermutedImages, data

CLASSES = 10
TRAINED = ("weights", "bias", "dendrites")
ADAM = optax.scale_by_adam()


class Images(ConfigPart):
    """Which images: digits of scikit-learn, or MNIST from a folder."""

    name: Literal["digits", "mnist"] = "digits"
    folder: str | None = Field(default=None, description="where the files of MNIST are")
    validation_share: Share = 0.15
    test_share: Share = Field(default=0.2, description="of the digits, which come in one set")
    most_tested: Count = Field(default=1000, description="images that the networks are tested on, at most")


class Learner(ConfigPart):
    """A network, how it is kept from forgetting, and the settings that are tried."""

    name: Name
    dendrites: bool
    winners: Share | None = Field(default=None, description="share of neurons that win; without, they are rectifiers")
    weight_sparsity: Fraction = 0.0
    learning_rates: tuple[LearningRate, ...] = Field(min_length=1)
    strengths: tuple[NonNegative, ...] = Field(default=(0.0,), min_length=1, description="of synaptic intelligence")


class Config(ExperimentConfig):
    """See configs/permuted_digits/."""

    images: Images = Images()
    tasks: Annotated[int, Field(ge=1, le=1000)] = 10
    units: Count = Field(default=512, le=100_000, description="neurons in each of two hidden layers")
    seeds: Count = Field(default=5, le=1000)
    tuning_seeds: Count = Field(default=2, le=1000)
    steps: Count = Field(default=200, description="of training, per task")
    batch: Count = Field(default=32, le=10_000)
    damping: Positive = Field(default=0.1, description="of synaptic intelligence")
    learners: tuple[Learner, ...] = Field(min_length=1)
    pairs: tuple[tuple[Name, Name], ...] = Field(default=(), description="networks to compare seed by seed")


class Network(eqx.Module):
    """Two hidden layers that see the context, and a readout that does not."""

    hidden: tuple[jn.htm.ActiveDendrites, jn.htm.ActiveDendrites]
    readout: jn.Dense

    def respond(self, image: Float[Array, "pixels"], context: Float[Array, "pixels"]) -> Float[Array, "classes"]:
        """Scores of the classes."""
        for layer in self.hidden:
            _, image = layer.step(layer.init(jax.random.key(0)), jn.htm.Contextual(image, context))
        return self.readout.respond(image)


class Lane(eqx.Module):
    """All that a seed of a network with its settings needs to go on."""

    network: Network
    known: intelligence.Intelligence | None
    task: Int[Array, "..."]
    orders: Int[Array, "... tasks pixels"]
    key: PRNGKeyArray
    learning_rate: Float[Array, "..."]
    strength: Float[Array, "..."]


class Sets(NamedTuple):
    """The images of training, validation and test; in which orders they are shown is a matter of the lanes."""

    training: PermutedImages
    validation: PermutedImages
    test: PermutedImages
    provenance: str


def read(images: Images, seed: int) -> Sets:
    """The images.

    Raises:
        ConfigError: a folder is missing or not wanted.
    """
    if (images.folder is None) != (images.name == "digits"):
        wish = "leave it out" if images.folder else "name the folder with its files"
        raise ConfigError(f"images.folder: {images.name} is asked for; {wish}.")
    if images.folder is None:
        pixels, labels, provenance = data.digits()
        training, validation, test = data.split(len(labels), (images.validation_share, images.test_share), seed)
        tested, answers = pixels[test], labels[test]
    else:
        pixels, labels, tested, answers, provenance = data.mnist(images.folder)
        training, validation, _ = data.split(len(labels), (images.validation_share, 0.0), seed)
    few, seen = slice(images.most_tested), pixels[training].astype(np.float32)
    # Centred, the prototypes of two orders have nothing in common; as grey values they would share their mean.
    middle, spread = seen.mean(), seen.std()

    def normal(shown: np.ndarray, named: np.ndarray) -> PermutedImages:
        return PermutedImages((shown.astype(np.float32) - middle) / spread, named, tasks=1, classes=CLASSES)

    validation = validation[few]
    training_set, validation_set = (normal(pixels[part], labels[part]) for part in (training, validation))
    return Sets(training_set, validation_set, normal(tested[few], answers[few]), provenance)


def build(config: Config, learner: Learner, pixels: int, key: PRNGKeyArray) -> Network:
    """Draw a network."""
    won = None if learner.winners is None else max(1, round(learner.winners * config.units))
    keys = jax.random.split(key, 3)

    def layer(inputs: int, density: float, key: PRNGKeyArray) -> jn.htm.ActiveDendrites:
        return jn.htm.ActiveDendrites(
            inputs,
            config.units,
            context=pixels,
            segments=config.tasks if learner.dendrites else 0,
            activation=Rectifier() if won is None else jn.htm.KWinners(config.units, won, boost=0.0),
            weight_sparsity=learner.weight_sparsity,
            input_density=density,
            key=key,
        )

    second = 0.5 if won is None else won / config.units
    return Network(
        (layer(pixels, 1.0, keys[0]), layer(config.units, second, keys[1])),
        jn.Dense(config.units, CLASSES, key=keys[2]),
    )


def scores(network: Network, images: Float[Array, "batch pixels"], context: Float[Array, "..."]) -> Float[Array, "..."]:
    """What a network says, in one context, or each image in its own."""
    return jax.vmap(network.respond, in_axes=(0, 0 if context.ndim > 1 else None))(images, context)


def loss(network: Network, images: Array, labels: Array, context: Array) -> Float[Array, ""]:
    """Mean cross-entropy (nats)."""
    return optax.softmax_cross_entropy_with_integer_labels(scores(network, images, context), labels).mean()


def of_lane(images: PermutedImages, lane: Lane) -> PermutedImages:
    """The images in the orders of a lane."""
    return eqx.tree_at(lambda images: images.orders, images, lane.orders)


def learn(config: Config, sets: Sets, judged: PermutedImages, lane: Lane, steps: int) -> tuple[Lane, Any]:
    """Train on the next task; then the accuracy on each task learned so far, and 0 for others."""
    training, tested = of_lane(sets.training, lane), of_lane(judged, lane)
    context, order = training.prototypes[lane.task], jax.random.fold_in(lane.key, lane.task)
    moving, fixed = eqx.partition(lane.network, train.mask(lane.network, TRAINED))

    def step(state: tuple[PyTree, PyTree, Any], number: Int[Array, ""]) -> tuple[Any, Float[Array, ""]]:
        moving, adam, known = state
        indices = train.epoch_indices(order, number, training.labels.shape[0], config.batch)
        batch = training.take(indices, lane.task)

        def objective(moving: PyTree) -> Float[Array, ""]:
            return loss(eqx.combine(moving, fixed), batch.inputs[:, 0], batch.targets[:, 0], context)

        value, own = jax.value_and_grad(objective)(moving)
        slope = own
        if known is not None:
            slope = jax.tree.map(jnp.add, own, intelligence.pull(known, moving, lane.strength))
        with jax.numpy_dtype_promotion("standard"):
            change, adam = ADAM.update(slope, adam, moving)
        change = jax.tree.map(lambda leaf: -lane.learning_rate * leaf, change)
        known = None if known is None else intelligence.follow(known, own, change)
        return (jax.tree.map(jnp.add, moving, change), adam, known), value

    # A new task begins with a new optimiser.
    state = (moving, ADAM.init(moving), lane.known)
    (moving, _, known), values = jax.lax.scan(step, state, jnp.arange(steps))
    if known is not None:
        known = intelligence.consolidate(known, moving, jnp.asarray(config.damping, jnp.result_type(float)))
    network = eqx.combine(moving, fixed)
    found = jax.lax.fori_loop(
        0,
        lane.task + 1,
        lambda task, found: found.at[task].set(accuracy(network, tested, task, training.prototypes[task])),
        jnp.zeros(config.tasks),
    )
    lane = Lane(network, known, lane.task + 1, lane.orders, lane.key, lane.learning_rate, lane.strength)
    return lane, {"loss": values[-1:], "accuracy": found[None]}


def accuracy(network: Network, images: PermutedImages, task: Int[Array, ""], context: Array) -> Float[Array, ""]:
    """Share of right answers in a task."""
    shown = images.take(jnp.arange(images.labels.shape[0]), task)
    return (scores(network, shown.inputs[:, 0], context).argmax(-1) == images.labels).mean()


def inferred(sets: Sets, lane: Lane) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Accuracy over all tasks with the context of the nearest prototype; how often that is the right one."""
    prototypes, tested = of_lane(sets.training, lane).prototypes, of_lane(sets.test, lane)

    def of_task(task: Int[Array, ""]) -> tuple[Array, Array]:
        shown = tested.take(jnp.arange(tested.labels.shape[0]), task).inputs[:, 0]
        # The nearest one: |x - p|^2 without |x|^2.
        nearest = ((prototypes**2).sum(axis=1)[None] - 2 * shown @ prototypes.T).argmin(axis=1)
        return accuracy(lane.network, tested, task, prototypes[nearest]), (nearest == task).mean()

    right, found = jax.lax.map(of_task, jnp.arange(prototypes.shape[0]))
    return right.mean(), found.mean()


def train_lanes(
    config: Config,
    run: Run,
    name: str,
    learner: Learner,
    lanes: list[tuple[int, float, float]],
    sets: Sets,
    final: bool,
) -> tuple[Lane, Float[np.ndarray, "tasks lanes tasks"]]:
    """Train lanes of seed, learning rate and strength on all tasks.

    Args:
        config: of the experiment.
        run: for metrics and checkpoints.
        name: for them.
        learner: whose lanes these are.
        lanes: their seeds, learning rates and strengths.
        sets: the images.
        final: whether the test images are looked at, or those of the validation.

    Returns:
        All lanes at the end, and their accuracies on each task (last axis) after each task.
    """
    pixels = sets.training.inputs

    def begin(seed: Array, rate: Array, strength: Array) -> Lane:
        key = jax.random.fold_in(jax.random.key(config.seed), seed)
        weights, order, shuffling = jax.random.split(key, 3)
        network = build(config, learner, pixels, weights)
        moving, _ = eqx.partition(network, train.mask(network, TRAINED))
        known = intelligence.begin(moving) if max(learner.strengths) > 0 else None
        orders = jax.vmap(lambda key: jax.random.permutation(key, pixels))(jax.random.split(shuffling, config.tasks))
        # Copies: the lanes give up their buffers, and an array may stand there once only.
        return jax.tree.map(jnp.copy, Lane(network, known, jnp.zeros((), jnp.int32), orders, order, rate, strength))

    seeds, rates, strengths = (jnp.asarray(column) for column in zip(*lanes, strict=True))
    started = place_lanes(jax.jit(jax.vmap(begin))(seeds, rates, strengths), config.devices)
    judged = sets.test if final else sets.validation
    every = lane_by_lane(
        lambda lane, steps: learn(config, sets, judged, lane, steps), started, config.devices, donate=True
    )

    def advance(state: Lane, steps: int) -> tuple[Lane, Any]:
        state, metrics = every(state, steps)
        return state, jax.tree.map(lambda leaf: np.moveaxis(leaf, 0, 1), jax.device_get(metrics))

    ended, history = train_in_chunks(
        run, name, advance, started, steps=config.tasks * config.steps, chunk=config.steps, every=config.tasks
    )
    return ended, history["accuracy"]


def main(config: Config, run: Run) -> dict[str, Any]:
    """Choose the settings of every network, then train and test it."""
    sets, rows, arrays = read(config.images, config.seed), [], {}
    settings = {learner.name: (len(learner.learning_rates), len(learner.strengths)) for learner in config.learners}
    if len({rates * strengths for rates, strengths in settings.values()}) > 1:
        raise ConfigError(f"learners: all must try as many settings as each other; rates and strengths are {settings}.")
    for learner in config.learners:
        began = time.monotonic()
        tried = [(rate, strength) for rate in learner.learning_rates for strength in learner.strengths]
        # Tuning has seeds of its own.
        lanes = [(10_000 + seed, *setting) for setting in tried for seed in range(config.tuning_seeds)]
        _, validation = train_lanes(config, run, f"{learner.name}-tuning", learner, lanes, sets, final=False)
        judged = validation[-1].mean(axis=-1).reshape(len(tried), config.tuning_seeds).mean(axis=1)
        chosen = int(judged.argmax())
        lanes = [(seed, *tried[chosen]) for seed in range(config.seeds)]
        ended, tested = train_lanes(config, run, learner.name, learner, lanes, sets, final=True)
        by_context = {"inferred": [], "context_found": []}
        if learner.dendrites:
            guess = lane_by_lane(lambda lane: inferred(sets, lane), ended, config.devices)
            by_context = {name: np.asarray(v).tolist() for name, v in zip(by_context, guess(ended), strict=True)}
        learned = np.arange(1, config.tasks + 1)
        rows.append(
            {
                "learner": learner.name,
                "parameters": parameters(jax.tree.map(lambda leaf: leaf[0], ended.network)),
                "chosen": chosen,
                "learning_rate": tried[chosen][0],
                "strength": tried[chosen][1],
                "tried": [
                    {"learning_rate": rate, "strength": strength, "validation": float(value)}
                    for (rate, strength), value in zip(tried, judged, strict=True)
                ],
                "accuracy": tested[-1].mean(axis=-1).tolist(),
                "tasks": tested[-1].tolist(),
                "curve": (tested.sum(axis=-1) / learned[:, None]).T.tolist(),
                **by_context,
                "seconds": round(time.monotonic() - began, 1),
            }
        )
        arrays[f"{learner.name}/accuracy"] = tested
        run.say(f"{learner.name}: {100 * np.mean(rows[-1]['accuracy']):.1f} % over {config.tasks} tasks")
    run.save_arrays(arrays)
    known = [
        {
            "trial": "all tasks",
            "network": row["learner"],
            "score": (100 * np.asarray(row["accuracy"])).tolist(),
            "unit": "points",
            "higher_is_better": True,
        }
        for row in rows
    ]
    differences = comparison.differences(known, list(config.pairs)) if config.seeds > 1 else []
    samples = {name: int(part.labels.shape[0]) for name, part in zip(Sets._fields, sets[:3], strict=False)}
    return {
        "data": sets.provenance,
        "samples": samples,
        "tasks": config.tasks,
        "learners": rows,
        "differences": differences,
    }


def parameters(network: Network) -> int:
    """Trained numbers that are there: connections that are missing do not count."""
    missing = sum(int((~layer.connected).sum()) for layer in network.hidden)
    return train.count_trained(network, TRAINED) - missing


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return continual_page.sections(results)
