"""Do neurons that send each other code keep what matters for a day, and change their behaviour when they are told?

A network of plastic neurons learns four associations in one shot. Early weights fade in hours. What is to be kept, and
when all neurons must reverse their answers, is heard by a few commanders only. Three networks of equal genomes are
trained by gradient: neurons that send packets of instructions to each other (capsids), neurons whose packets reach
themselves alone (autonomous), and neurons that send numbers which drive their receivers (data). All may keep fading
weights by themselves, or slow their activity down. Then Arc is knocked out.
"""

import functools
import time
from collections.abc import Callable
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

from jaxneuro.launch import arc_page
from jaxneuro.launch.config import ConfigPart, Count, ExperimentConfig, Fraction, LearningRate, NonNegative, Within
from jaxneuro.launch.directory import Run
from jaxneuro.launch.loop import train_in_chunks
from jaxneuro.launch.report import Section
from jaxneuro.learning import train
from jaxneuro.learning.optimizer import cosine_adam
from jaxneuro.networks.arc_memory import ArcGenome, arc_genome, arc_memory
from jaxneuro.neurons.conversational import Conversation, Experience, Heard
from jaxneuro.tasks.hours import Day, Hours

# Whether packets are data, and whether they reach their sender alone.
ROUTES = {"capsids": (False, False), "autonomous": (False, True), "data": (True, False)}
TRAINED = ("packets", "gain", "rate", "log_persistence", "autonomy_logit", "expression_threshold", "export_threshold",
           "translation_threshold")  # fmt: skip
NEVER, ALWAYS = 1e3, -1e3  # hours from which Arc is missing
# After the lesson, after the test of the first hour, after the second time of other answers, before the last test.
KNOCKED_OUT_FROM = {0: 0.5, 1: 1.5, 4: 4.5, 24: 23.5}
SHARPNESS = 10.0  # of the choice among answers, from their mean agreement


class Bars(ConfigPart):
    """What was asked before the first full run."""

    short_share: Fraction = Field(description="least share of short-term memory that the knock-out keeps")
    long_above_chance: Fraction = Field(description="most that long-term memory of the knock-out is above chance")
    long_wild: Fraction = Field(description="least long-term memory of the wild type")
    dissociation_z: NonNegative = Field(description="least z of the loss of long-term beyond short-term memory")


class Config(ExperimentConfig):
    """See configs/arc_knockout/."""

    seeds: Annotated[int, Within(at_least=2, at_most=1000)] = 5
    neurons: Annotated[int, Within(at_least=8, at_most=1024)] = 32
    associations: Annotated[int, Within(at_least=2, at_most=64)] = 4
    bit_noise: Fraction = 0.1
    capacity: Count = Field(default=8, le=1024, description="packets that a neuron reads in a step")
    hidden: Count = 16
    steps: Count = 1500
    chunk: Count = 100
    batch: Count = Field(default=8, le=4096)
    learning_rate: LearningRate = 1e-2
    price_early: NonNegative = Field(default=1.0, description="metabolic price of the mean square of early weights")
    price_packet: NonNegative = Field(default=0.02, description="price of all that a neuron hears in a step")
    evaluation: Count = Field(default=256, le=100_000)
    fractions: tuple[Fraction, ...] = (0.0, 0.125, 0.25, 0.5, 0.75, 0.875, 1.0)
    transfer: Count = Field(default=4, le=64, description="times more neurons that get the same genome")
    bars: Bars


def hours(config: Config, neurons: int | None = None) -> Hours:
    """The days that networks live, of another number of neurons if it is given."""
    return Hours(neurons or config.neurons, config.associations, config.bit_noise)


def prices(state: Any) -> tuple[Array, Array]:
    """Mean square of early weights, and how much a neuron hears in a step."""
    mail = state.inboxes.line.ring.weights
    return (state.neurons.machine.early**2).mean(), mail.sum() / mail.shape[0]


def lived(
    machine: Conversation,
    day: Day,
    knocked_out: Float[Array, "neurons"],
    since: Float[Array, ""],
    state: Any = None,
    watch: Callable[[Any], Any] = prices,
) -> tuple[Any, Float[Array, "steps neurons"], Any]:
    """The last state, what neurons answer, and what is watched, where some lack Arc from some hour on."""
    shape = day.drive.shape
    lacking = knocked_out[None] * (day.clock >= since).astype(day.drive.dtype)[:, None]
    told = Experience(
        jnp.broadcast_to(day.presynaptic[:, None], (*shape, shape[1])),
        day.teacher,
        day.drive,
        jnp.broadcast_to(day.hours[:, None], shape),
    )

    # A plain scan compiles faster than `run`, which reckons with long times.
    def step(state: Any, heard: Heard) -> tuple[Any, tuple[Array, Any]]:
        state, answers = machine.step(state, heard)
        return state, (answers, watch(state))

    start = machine.init(jax.random.key(0)) if state is None else state
    state, (answers, watched) = jax.lax.scan(step, start, Heard(told, lacking, day.hours))
    return state, answers, watched


def recalled(
    day: Day, answers: Float[Array, "tests neurons"], readers: Float[Array, "neurons"]
) -> Float[Array, "tests classes"]:
    """Logits: how well the answers of some neurons agree with each of the right ones."""
    return SHARPNESS * (answers * readers[None]) @ day.answers.T / readers.sum()


def loss(
    config: Config, numbers: bool, genome: ArcGenome, batch: tuple[Array, PRNGKeyArray], key: PRNGKeyArray
) -> Float[Array, ""]:
    """Surprise at right answers after an hour and a day, in memory and in behaviour, and the price of it.

    Args:
        config: of the experiment.
        numbers: whether packets are data instead of instructions.
        genome: what is trained.
        batch: who hears whom, and the key of the days.
        key: not used; a step's days are all that is random.
    """
    links, days = batch
    kind, machine = hours(config), network(config, numbers, genome, links)
    none, never, everyone = jnp.zeros(config.neurons), jnp.asarray(NEVER), jnp.ones(config.neurons)

    def memory(key: PRNGKeyArray) -> Array:
        day = kind.memory(key)
        _, answers, (early, heard) = lived(machine, day, none, never)
        labels = jnp.arange(config.associations)
        surprise = [
            optax.softmax_cross_entropy_with_integer_labels(recalled(day, answers[at], everyone), labels).mean()
            for at in kind.tests
        ]
        return surprise[0] + surprise[1] + config.price_early * early.mean() + config.price_packet * heard.mean()

    def behaviour(key: PRNGKeyArray) -> Array:
        day, _ = kind.behaviour(key)
        _, answers, (_, heard) = lived(machine, day, none, never)
        agreement = jnp.concatenate([answers[at] for at in kind.probes]) * day.answers
        others = 1 - kind.commanders
        wrong = (jax.nn.softplus(-SHARPNESS / 2 * agreement) * others[None]).sum() / (others.sum() * len(agreement))
        return 2 * wrong + config.price_packet * heard.mean()

    first, second = jax.random.split(days)
    remembering = jax.vmap(memory)(jax.random.split(first, config.batch))
    return remembering.mean() + jax.vmap(behaviour)(jax.random.split(second, config.batch)).mean()


def network(config: Config, numbers: bool, genome: ArcGenome, links: Float[Array, "neurons neurons"]) -> Conversation:
    """The network of a genome, whose packets are data or instructions."""
    return arc_memory(genome, len(links), links, numbers=numbers, capacity=config.capacity)


def sample(
    links: Float[Array, "neurons neurons"], key: PRNGKeyArray, step: Int[Array, ""]
) -> tuple[Float[Array, "neurons neurons"], PRNGKeyArray]:
    """Who hears whom, and the key of a step's days."""
    return links, jax.random.fold_in(key, step)


class Examiner:
    """What is asked of trained networks; compiled once for all conditions and seeds."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.remembered = jax.jit(self._remembered, static_argnames="evaluation")
        self.behaved = jax.jit(self._behaved, static_argnames="evaluation")
        self.changed = jax.jit(self._changed)

    def _remembered(
        self,
        machine: Conversation,
        knocked_out: Array,
        since: Array,
        readers: Array,
        key: PRNGKeyArray,
        evaluation: int,
    ) -> Float[Array, "2"]:
        """Shares of associations that readers recall after an hour and after a day."""
        kind = hours(self.config, machine.size)
        right = jnp.arange(self.config.associations)

        def one(key: PRNGKeyArray) -> Array:
            day = kind.memory(key)
            _, answers, _ = lived(machine, day, knocked_out, since)
            found = [recalled(day, answers[at], readers).argmax(1) == right for at in kind.tests]
            return jnp.stack([each.mean() for each in found])

        return jax.lax.map(one, jax.random.split(key, evaluation), batch_size=8).mean(0)

    def _behaved(
        self, machine: Conversation, knocked_out: Array, key: PRNGKeyArray, evaluation: int
    ) -> Float[Array, "2"]:
        """Shares of neurons, commanders apart, that answer as they must, after an hour and after a day."""
        kind = hours(self.config, machine.size)
        others = 1 - kind.commanders

        def one(key: PRNGKeyArray) -> Array:
            day, _ = kind.behaviour(key)
            _, answers, _ = lived(machine, day, knocked_out, jnp.asarray(ALWAYS))
            right = (jnp.concatenate([answers[at] for at in kind.probes]) * day.answers > 0).astype(others.dtype)
            return (right @ others / others.sum()).reshape(2, -1).mean(1)

        return jax.lax.map(one, jax.random.split(key, evaluation), batch_size=8).mean(0)

    def _changed(self, machine: Conversation, knocked_out: Array, key: PRNGKeyArray) -> Float[Array, "3"]:
        """Early and late potentiation by the lesson, and depression of what was kept before.

        Changes of weights after an hour and after a day are projected on those that would hold the lesson. Late
        weights are loaded beforehand with other associations; depression is the share of them that is lost in the day.
        """
        kind, n = hours(self.config, machine.size), self.config.associations
        lesson = slice(n + 2, 2 * n + 2)

        def one(key: PRNGKeyArray) -> Array:
            day_key, load_key, state_key = jax.random.split(key, 3)
            day, state = kind.memory(day_key), machine.init(state_key)
            keys, values = jax.random.rademacher(load_key, (2, n, machine.size), jnp.float32)
            loaded = values.T @ keys / machine.size
            target = day.teacher[lesson].T @ day.presynaptic[lesson] / machine.size
            programs = (*state.programs[:-1], loaded)
            state = eqx.tree_at(lambda s: (s.programs, s.neurons.parameters), state, (programs, programs))

            def weights(state: Any) -> tuple[Array, Array]:
                plastic, late = state.neurons.machine, state.programs[-1]
                gained = plastic.early + plastic.kept + late - loaded
                return (gained * target).sum() / (target**2).sum(), 1 - (late * loaded).sum() / (loaded**2).sum()

            _, _, (potentiation, depression) = lived(machine, day, knocked_out, jnp.asarray(ALWAYS), state, weights)
            return jnp.stack([potentiation[kind.tests[0].start], potentiation[-1], depression[-1]])

        return jax.lax.map(one, jax.random.split(key, min(64, self.config.evaluation)), batch_size=8).mean(0)

    def scores(self, machine: Conversation, key: PRNGKeyArray, evaluation: int) -> tuple[Array, Array]:
        """Memory and behaviour of a network of wild type."""
        none = jnp.zeros(machine.size)
        remembered = self.remembered(machine, none, jnp.asarray(ALWAYS), 1 - none, key, evaluation=evaluation)
        return remembered, self.behaved(machine, none, key, evaluation=evaluation)

    def knocked_out(self, genome: ArcGenome, key: PRNGKeyArray) -> dict[str, Array]:
        """All that is asked of one network with capsids."""
        config, size = self.config, self.config.neurons
        machine = network(config, False, genome, 1 - jnp.eye(size))
        nobody, everyone = jnp.zeros(size), jnp.ones(size)
        draw, key = jax.random.split(key)
        order = jax.random.permutation(draw, size)

        def ask(lacking: Array, since: float = ALWAYS, machine: Any = machine, readers: Array = everyone) -> Array:
            return self.remembered(machine, lacking, jnp.asarray(since), readers, key, evaluation=config.evaluation)

        def mosaic(wild: float) -> Array:
            return (order >= round(wild * size)).astype(nobody.dtype)

        found = {f"wild {wild:g}": ask(mosaic(wild)) for wild in config.fractions}
        found |= {"wild type": ask(nobody), "knock-out": ask(everyone)}
        found |= {"mosaic 50": ask(mosaic(0.5)), "mosaic 75": ask(mosaic(0.25))}
        found |= {f"from {name:g} h": ask(everyone, since) for name, since in KNOCKED_OUT_FROM.items()}

        # Half of the neurons, the commanders among them, send to the other half, and are sent to by it.
        half = (jnp.arange(size) >= size // 2).astype(nobody.dtype)
        across = network(config, False, genome, jnp.abs(half[:, None] - half[None]))
        lacks = {"both have Arc": nobody, "only senders": half, "only receivers": 1 - half, "none has Arc": everyone}
        found |= {name: ask(lacking, machine=across, readers=half) for name, lacking in lacks.items()}

        hard = eqx.tree_at(lambda m: m.hardness, machine, jnp.ones(()))
        found["one instruction"], found["one instruction, behaviour"] = self.scores(hard, key, config.evaluation)
        larger = network(config, False, genome, 1 - jnp.eye(size * config.transfer))
        found["larger"], found["larger, behaviour"] = self.scores(larger, key, min(32, config.evaluation))
        found["knock-out, behaviour"] = self.behaved(machine, everyone, key, evaluation=config.evaluation)
        found["plasticity, wild type"] = self.changed(machine, nobody, key)
        found["plasticity, knock-out"] = self.changed(machine, everyone, key)
        return jax.device_get(found)


def main(config: Config, run: Run) -> dict[str, Any]:
    """Train the three networks, then knock Arc out."""
    rows, arrays, genomes = [], {}, {}
    root, examiner = jax.random.key(config.seed), Examiner(config)
    optimizer = cosine_adam(config.learning_rate, config.steps)
    test_keys = jax.random.split(jax.random.fold_in(root, 2**31 - 1), config.seeds)
    # The first two differ in their links alone, and are one program.
    losses = {numbers: functools.partial(loss, config, numbers) for numbers in (False, True)}

    def begin(seed: Array) -> train.TrainState:
        weight_key, train_key = jax.random.split(jax.random.fold_in(root, seed))
        return train.start(arc_genome(weight_key, config.hidden), optimizer, train_key, TRAINED)

    for name, (numbers, to_oneself) in ROUTES.items():
        began, itself = time.monotonic(), jnp.eye(config.neurons)
        links = itself if to_oneself else 1 - itself
        advance = functools.partial(
            train.advance,
            loss=losses[numbers],
            sample=sample,
            optimizer=optimizer,
            trained=TRAINED,
            clip=1.0,
            lanes=True,
        )

        def chunk(state: train.TrainState, steps: int, advance: Any = advance, links: Array = links) -> Any:
            return advance(state, links, steps)

        state = jax.jit(jax.vmap(begin))(jnp.arange(config.seeds))
        state, history = train_in_chunks(run, name, chunk, state, steps=config.steps, chunk=config.chunk)
        genomes[name] = [
            jax.tree.map(lambda leaf, lane=lane: leaf[lane], state.machine) for lane in range(config.seeds)
        ]
        scores = [
            jax.device_get(examiner.scores(network(config, numbers, genome, links), key, config.evaluation))
            for genome, key in zip(genomes[name], test_keys, strict=True)
        ]
        rows.append(
            {
                "network": name,
                "parameters": train.count_trained(genomes[name][0], TRAINED),
                "short": [float(memory[0]) for memory, _ in scores],
                "long": [float(memory[1]) for memory, _ in scores],
                "behaviour": [float(behaviour.mean()) for _, behaviour in scores],
                "autonomy": jax.nn.sigmoid(state.machine.autonomy_logit).tolist(),
                "persistence_h": jnp.exp(state.machine.log_persistence).tolist(),
                "loss": history["loss"][-1].tolist(),
                "seconds": round(time.monotonic() - began, 1),
            }
        )
        arrays |= {f"{name}/{part}": history[part] for part in ("step", "loss")}
        run.say(f"{name}: a day later {np.mean(rows[-1]['long']):.3f}, behaviour {np.mean(rows[-1]['behaviour']):.3f}")
    began = time.monotonic()
    found = [examiner.knocked_out(genome, key) for genome, key in zip(genomes["capsids"], test_keys, strict=True)]
    run.save_arrays(arrays)
    tests = {name: np.stack([each[name] for each in found]).tolist() for name in found[0]}
    chance = 1 / config.associations
    return {
        "chance": chance,
        "networks": rows,
        "tests": tests,
        "bars": arc_page.judged(config.bars.model_dump(), chance, rows, tests),
        "seconds_of_tests": round(time.monotonic() - began, 1),
    }


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    losses = {name: arrays[f"{name}/loss"].T for name in ROUTES}
    return arc_page.sections(results, config.fractions, losses, arrays["capsids/step"])
