"""Does a temporal memory predict better when its permanences are learned by gradient instead of Hebb's rule?

Sequences in pairs that differ in how they begin and end and share their middle are shown with noise: some of the active
minicolumns are wrong. A temporal memory grows its segments by its own rule; a soft copy of it then learns the
permanences alone, by gradient, while another copy goes on by its own rule for as many sequences. All are asked which
element comes next, in sequences with noise that nobody has seen.
"""

import functools
import time
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import comparison, soft_memory_page
from jaxneuro.launch.config import (
    ConfigError,
    ConfigPart,
    Count,
    ExperimentConfig,
    Fraction,
    LearningRate,
    Positive,
    Within,
)
from jaxneuro.launch.directory import Run
from jaxneuro.launch.report import Section
from jaxneuro.tasks.noisy_sequences import NoisySequences, noisy_pairs

SHOWN = ("learned", "learned, hard", "straight through", "Hebbian", "Hebbian, longer", "Hebbian, soft")


class Hebb(ConfigPart):
    """By how much permanences move in the hard memory."""

    increment: Fraction
    decrement: Fraction
    predicted_decrement: Fraction


class Config(ExperimentConfig):
    """See configs/soft_memory/."""

    seeds: Annotated[int, Within(at_least=2, at_most=1000)] = 5
    tuning_seeds: Count = Field(default=2, le=1000)
    columns: Count = Field(default=128, le=10_000)
    cells: Count = Field(default=6, le=256)
    active: Count = Field(default=8, description="minicolumns that are active for an element")
    segments: Count = Field(default=12, description="room per minicolumn")
    synapses: Count = Field(default=20, le=255, description="room per segment")
    activation_threshold: Positive = 5.0
    min_threshold: Positive = 4.0
    pairs: Count = Field(default=4, description="pairs of sequences")
    length: Annotated[int, Within(at_least=3, at_most=1000)] = 6
    noise: Fraction = Field(default=0.2, description="share of active minicolumns that are wrong, in training")
    tested_noise: tuple[Fraction, ...] = (0.0, 0.1, 0.2, 0.3, 0.4)
    growing: Count = Field(default=30, description="times that the hard memory sees all sequences first")
    steps: Count = Field(default=300, description="of gradient, each sees all sequences once")
    held_out: Count = Field(default=20, description="times that all sequences are tested")
    hebb: tuple[Hebb, ...] = Field(min_length=1)
    learning_rates: tuple[LearningRate, ...] = Field(min_length=1)
    segment_temperature: Positive = 1.0
    permanence_temperature: Positive = 0.1


def hard_memory(config: Config, hebb: Float[Array, "3"]) -> jn.htm.TemporalMemory:
    """The temporal memory."""
    return jn.htm.TemporalMemory(
        config.columns,
        config.cells,
        segments=config.segments,
        synapses=config.synapses,
        fan_out=None,
        learning_rows=4 * config.active,
        punished_rows=8 * config.active,
        winners=2 * config.active,
        activation_threshold=config.activation_threshold,
        min_threshold=config.min_threshold,
        new_synapses=float(config.active),
        permanence_increment=hebb[0],
        permanence_decrement=hebb[1],
        predicted_decrement=hebb[2],
    )


def stream(shown: Int[Array, "... sequences length active"], learn: bool) -> jn.htm.Columns:
    """Sequences one after the other, each from a new beginning."""
    active = shown.reshape(-1, shown.shape[-1])
    steps = jnp.arange(active.shape[0])
    return jn.htm.Columns(active, jnp.full(steps.shape, learn), steps % shown.shape[-2] == 0)


def grow(config: Config, world: NoisySequences, hebb: Float[Array, "3"], state: Any, key: PRNGKeyArray) -> Any:
    """The state of the hard memory after it has seen all sequences `growing` times."""
    shown = jax.vmap(lambda key: world.shown(key, config.noise))(jax.random.split(key, config.growing))
    return jn.run(hard_memory(config, hebb), stream(shown, True), state=state)[0]


def soft_memory(config: Config, pool: jn.htm.SegmentPool, hardness: Float[Array, ""]) -> jn.htm.SoftTemporalMemory:
    """The soft memory with the segments of a hard one."""
    return jn.htm.SoftTemporalMemory(
        pool,
        config.cells,
        activation_threshold=config.activation_threshold,
        segment_temperature=config.segment_temperature,
        permanence_temperature=config.permanence_temperature,
        hardness=hardness,
    )


def foretold(
    soft: jn.htm.SoftTemporalMemory, shown: Int[Array, "sequences length active"]
) -> tuple[Float[Array, ""], Float[Array, "sequences length columns"]]:
    """Mean surprise of an element (nats), all but the first; log probabilities that minicolumns are not active next."""

    def one(sequence: Int[Array, "length active"]) -> tuple[Float[Array, ""], Array]:
        columns = jnp.zeros((len(sequence), soft.columns)).at[jnp.arange(len(sequence))[:, None], sequence].set(1)
        absent = jn.run(soft, columns)[1].absent
        return jax.vmap(jn.htm.surprise)(absent[:-1], columns[1:]).mean(), absent

    surprise, absent = jax.vmap(one)(shown)
    return surprise.mean(), absent


def learn(
    config: Config,
    world: NoisySequences,
    pool: jn.htm.SegmentPool,
    rate: Float[Array, ""],
    hardness: Float[Array, ""],
    key: PRNGKeyArray,
) -> tuple[jn.htm.SegmentPool, Float[Array, "steps"]]:
    """The segments with permanences learned by gradient, and the surprise in every step."""
    adam = optax.scale_by_adam()

    def step(carry: Any, number: Int[Array, ""]) -> tuple[Any, Float[Array, ""]]:
        permanences, moments = carry
        shown = world.shown(jax.random.fold_in(key, number), config.noise)

        def objective(permanences: Array) -> Float[Array, ""]:
            changed = eqx.tree_at(lambda pool: pool.permanences, pool, permanences)
            return foretold(soft_memory(config, changed, hardness), shown)[0]

        value, slope = jax.value_and_grad(objective)(permanences)
        change: Any
        with jax.numpy_dtype_promotion("standard"):
            change, moments = adam.update(slope, moments)
        return (jnp.clip(permanences - rate * change, 0.0, 1.0), moments), value

    carry = (pool.permanences, adam.init(pool.permanences))
    (permanences, _), values = jax.lax.scan(step, carry, jnp.arange(config.steps))
    return eqx.tree_at(lambda pool: pool.permanences, pool, permanences), values


def tested_hard(config: Config, world: NoisySequences, pool: jn.htm.SegmentPool, key: PRNGKeyArray) -> dict[str, Array]:
    """Accuracies `[noise, 2]` of segments in the hard memory."""
    hard = hard_memory(config, jnp.zeros(3))
    fresh = eqx.tree_at(lambda state: state.pool, hard.init(key), pool)

    def at(noise: Float[Array, ""]) -> Array:
        shown = held_out(config, world, noise, key)
        words = jn.run(hard, stream(shown, False), state=fresh)[1].predicted
        expected = jn.htm.unpack(words, config.cells).any(axis=-1).astype(jnp.result_type(float))
        return jax.lax.map(world.accuracy, expected.reshape(*shown.shape[:3], config.columns)).mean(axis=0)

    return {"accuracy": jax.lax.map(at, jnp.asarray(config.tested_noise))}


def tested_soft(config: Config, world: NoisySequences, pool: jn.htm.SegmentPool, key: PRNGKeyArray) -> dict[str, Array]:
    """Accuracies `[noise, 2]` and surprise `[noise]` of segments in the soft memory."""
    soft = soft_memory(config, pool, jnp.zeros(()))

    def at(noise: Float[Array, ""]) -> tuple[Array, Array]:
        def one(shown: Int[Array, "sequences length active"]) -> tuple[Array, Array]:
            surprise, absent = foretold(soft, shown)
            return world.accuracy(-jnp.expm1(absent)), surprise

        accuracy, surprise = jax.lax.map(one, held_out(config, world, noise, key))
        return accuracy.mean(axis=0), surprise.mean()

    accuracy, surprise = jax.lax.map(at, jnp.asarray(config.tested_noise))
    return {"accuracy": accuracy, "surprise": surprise}


def held_out(config: Config, world: NoisySequences, noise: Float[Array, ""], key: PRNGKeyArray) -> Int[Array, "..."]:
    """Noise that nobody has seen."""
    return jax.vmap(lambda key: world.shown(key, noise))(jax.random.split(key, config.held_out))


class Programs:
    """What is compiled once for all settings, contenders and seeds."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.grow, self.learn, self.hard, self.soft = (
            jax.jit(functools.partial(part, config)) for part in (grow, learn, tested_hard, tested_soft)
        )

    def start(self, seed: int) -> tuple[NoisySequences, Any, list[PRNGKeyArray]]:
        """The sequences of a seed, the hard memory before it has seen any, and keys."""
        config, keys = (
            self.config,
            list(jax.random.split(jax.random.fold_in(jax.random.key(self.config.seed), seed), 5)),
        )
        world = noisy_pairs(keys[0], config.columns, config.active, config.pairs, config.length)
        return world, hard_memory(config, jnp.zeros(3)).init(keys[0]), keys

    def choose(self, seed: int) -> tuple[list[float], list[float]]:
        """Validation accuracy of all settings of Hebb's rule, and of all learning rates on the best one's segments."""
        config, (world, state, keys) = self.config, self.start(10_000 + seed)
        place = config.tested_noise.index(config.noise)
        pools = [self.grow(world, each, state, keys[1]).pool for each in settings(config)]
        rules = [float(self.hard(world, pool, keys[2])["accuracy"][place, 0]) for pool in pools]
        pool, none = pools[int(np.argmax(rules))], jnp.zeros(())
        learned = [self.learn(world, pool, jnp.asarray(rate), none, keys[3])[0] for rate in config.learning_rates]
        return rules, [float(self.soft(world, each, keys[2])["accuracy"][place, 0]) for each in learned]

    def contest(self, hebb: Float[Array, "3"], rate: float, seed: int) -> tuple[dict[str, dict[str, Array]], Array]:
        """What all contenders foretell, and how the surprise of the learned one fell."""
        config, (world, state, keys) = self.config, self.start(seed)
        pools, grown = {}, self.grow(world, hebb, state, keys[1])
        pools["Hebbian"], state = grown.pool, grown
        for more in range(max(1, round(config.steps / config.growing))):
            state = self.grow(world, hebb, state, jax.random.fold_in(keys[4], more))
        pools["Hebbian, longer"] = state.pool
        step = jnp.asarray(rate)
        pools["learned"], curve = self.learn(world, grown.pool, step, jnp.zeros(()), keys[3])
        pools["straight through"], _ = self.learn(world, grown.pool, step, jnp.ones(()), keys[3])
        pools |= {"learned, hard": pools["learned"], "Hebbian, soft": pools["Hebbian"]}
        found = {}
        for name in SHOWN:
            test = self.soft if name in ("learned", "Hebbian, soft") else self.hard
            found[name] = jax.device_get(test(world, pools[name], keys[2]))
        return found, curve


def settings(config: Config) -> Float[Array, "settings 3"]:
    """Those of Hebb's rule."""
    return jnp.asarray([[each.increment, each.decrement, each.predicted_decrement] for each in config.hebb])


def main(config: Config, run: Run) -> dict[str, Any]:
    """Choose the settings, then let all contend."""
    if config.noise not in config.tested_noise:
        raise ConfigError(f"tested_noise: {config.noise:g}, the noise of training, is missing.")
    began, programs = time.monotonic(), Programs(config)
    tried = [programs.choose(seed) for seed in range(config.tuning_seeds)]
    rules, rates = (np.mean([each[which] for each in tried], axis=0) for which in (0, 1))
    hebb, rate = int(rules.argmax()), config.learning_rates[int(rates.argmax())]
    run.say(f"chosen: setting {hebb + 1} of Hebb's rule, learning rate {rate:g}")
    found, curves = [], []
    for seed in range(config.seeds):
        told, curve = programs.contest(settings(config)[hebb], rate, seed)
        found.append(told)
        curves.append(curve)
        run.say(f"seed {seed + 1} of {config.seeds} is done")
    rows = [
        {
            "contender": name,
            "accuracy": [each[name]["accuracy"][:, 0].tolist() for each in found],
            "last": [each[name]["accuracy"][:, 1].tolist() for each in found],
            "surprise": [each[name]["surprise"].tolist() for each in found] if "surprise" in found[0][name] else None,
        }
        for name in SHOWN
    ]
    run.save_arrays({"surprise": np.stack(curves)})
    place = config.tested_noise.index(config.noise)
    known = [
        {
            "trial": f"{100 * config.noise:g} % noise",
            "network": row["contender"],
            "score": [100 * seed[place] for seed in row["accuracy"]],
            "unit": "points",
            "higher_is_better": True,
        }
        for row in rows
    ]
    pairs = [(ours, theirs) for ours in SHOWN[:3] for theirs in SHOWN[3:]]
    return {
        "noise": list(config.tested_noise),
        "trained_noise": config.noise,
        "chosen": {"hebb": config.hebb[hebb].model_dump(), "learning_rate": rate},
        "validation": {"hebb": rules.tolist(), "rates": rates.tolist()},
        "contenders": rows,
        "differences": comparison.differences(known, pairs),
        "seconds": round(time.monotonic() - began, 1),
    }


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return soft_memory_page.sections(results, arrays["surprise"])
