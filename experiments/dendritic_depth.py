"""How deep is one neuron? Networks imitate a pyramidal cell with and without NMDA receptors.

A model of a pyramidal cell of many compartments answers random spikes at its synapses. Temporal convolutional networks
of several depths, equal in size and in how far they look back, learn to foretell from the input when it spikes, and
what its soma's voltage is; so do Expressive Leaky Memory neurons with few or many memories. How well is measured on
input that nobody has seen, by the area under the curve of spikes foretold against spikes false.
"""

import functools
import time
from typing import Annotated, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.conversion import Rectifier
from jaxneuro.launch import dendritic_depth_page
from jaxneuro.launch.config import ConfigError, ConfigPart, Count, ExperimentConfig, Fraction, Positive, Within
from jaxneuro.launch.directory import Run
from jaxneuro.launch.loop import train_in_chunks
from jaxneuro.launch.report import Section
from jaxneuro.learning import train
from jaxneuro.learning.optimizer import cosine_adam
from jaxneuro.measure import auc
from jaxneuro.measure.interval import mean_interval

CONDITIONS = ("NMDA", "no NMDA")
CONV = ("weights", "bias")
ELM = ("synapse_weights", "hidden_weights", "hidden_bias", "memory_weights", "memory_bias")
ELM = (*ELM, "output_weights", "output_bias")
CEILING_MV = -55.0  # of the voltage that is to be foretold: spikes are cut off


class Convolutional(ConfigPart):
    """A temporal convolutional network: how many steps each hidden layer sees of what is below it."""

    sizes: tuple[Count, ...] = Field(min_length=1, max_length=20)
    width: Count = Field(le=4096)


class Bars(ConfigPart):
    """What was expected before the first full run."""

    without_nmda: Fraction = Field(default=0.002, description="how far one hidden layer may stay behind at most")
    with_nmda: Fraction = Field(default=0.01, description="how far one hidden layer was to stay behind at least")
    plateau: Fraction = Field(default=0.99, description="share of the best memory neuron's score to be reached")


class Config(ExperimentConfig):
    """See configs/dendritic_depth/."""

    seeds: Annotated[int, Within(at_least=2, at_most=100)] = 3
    milliseconds: Count = Field(default=1000, le=100_000)
    warm_up: Count = Field(default=150, description="of each recording, not scored (ms)")
    bin_ms: Count = 5
    recordings: Count = Field(default=256, description="to learn from, per condition")
    held_out: Count = Field(default=64, description="to stop by, and as many to test with")
    lanes: Count = Field(default=64, description="recordings that are made side by side")
    batch: Count = 16
    steps: Count = Field(default=200, description="of convolutional networks")
    learning_rate: Positive = 3e-3
    memory_steps: Count = Field(default=1500, description="of memory neurons, which are much cheaper")
    memory_learning_rate: Positive = 1e-2
    chunks: Count = Field(default=5, description="parts of the training, after each of which scores are taken")
    clip: Positive = 1.0
    convolutional: tuple[Convolutional, ...] = Field(default=(), description="none, or at least two")
    memories: tuple[Count, ...] = Field(default=(), description="none, or at least two")
    branches: Count = 22
    bars: Bars = Bars()


class Recordings(eqx.Module):
    """Numbers of spikes that came, whether the cell spiked, and its voltage, per bin."""

    inputs: Float[Array, "recordings time synapses"]
    spikes: Float[Array, "recordings time"]
    voltage: Float[Array, "recordings time"]


class Contender(NamedTuple):
    """A network: its name, kind and size, what draws it, which fields learn, how fast and for how long."""

    name: str
    kind: str
    size: int
    build: Any
    trained: tuple[str, ...]
    rate: float
    steps: int


def record(config: Config, nmda: bool, count: int, key: PRNGKeyArray) -> Recordings:
    """Recordings of a cell, in bins.

    The voltage is in units of 10 mV from -65 mV, and cut off where spikes begin.
    """

    def binned(values: Float[Array, "lanes time ..."]) -> Float[Array, "lanes bins bin ..."]:
        whole = values.shape[1] // config.bin_ms
        cut = values[:, : whole * config.bin_ms]
        return cut.reshape(values.shape[0], whole, config.bin_ms, *values.shape[2:])

    @jax.jit
    def some(cell: Any, keys: PRNGKeyArray) -> Recordings:
        answer = jax.vmap(lambda key: jn.tasks.neuron_io(cell, key, config.milliseconds))(keys)
        voltage = (jnp.minimum(answer.voltage_mv, CEILING_MV) + 65) / 10
        return Recordings(
            binned(answer.spikes).sum(axis=2), binned(answer.output).max(axis=2), binned(voltage).mean(axis=2)
        )

    cell, lanes = jn.networks.pyramidal_cell(nmda=nmda), min(config.lanes, count)
    rounds = -(-count // lanes)
    keys = jax.random.split(key, (rounds, lanes))
    parts = [some(cell, keys[number]) for number in range(rounds)]
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves)[:count], *parts)


def convolutional(network: Convolutional, synapses: int, key: PRNGKeyArray) -> jn.Chain:
    """Hidden layers with rectified units, then two outputs: the logit of a spike, the voltage."""
    layers: list[jn.StateMachine] = []
    below = synapses
    for number, size in enumerate(network.sizes):
        # Of the inputs few are not 0.
        gain = 2.0 if number == 0 else 2**0.5
        layers += [
            jn.synapses.TemporalConv(below, network.width, size=size, gain=gain, key=jax.random.fold_in(key, number)),
            Rectifier(),
        ]
        below = network.width
    return jn.Chain(*layers, jn.Dense(below, 2, key=jax.random.fold_in(key, len(network.sizes))))


def contenders(config: Config, synapses: int) -> list[Contender]:
    """All networks."""

    def memory(size: int, key: PRNGKeyArray) -> jn.StateMachine:
        return jn.dendritic.ELM(
            synapses, 2, size, branches=config.branches, interleaved=True, dt_ms=float(config.bin_ms), key=key
        )

    return [
        Contender(
            f"TCN-{len(network.sizes)}",
            "TCN",
            len(network.sizes),
            functools.partial(convolutional, network, synapses),
            CONV,
            config.learning_rate,
            config.steps,
        )
        for network in config.convolutional
    ] + [
        Contender(
            f"ELM-{size}",
            "ELM",
            size,
            functools.partial(memory, size),
            ELM,
            config.memory_learning_rate,
            config.memory_steps,
        )
        for size in config.memories
    ]


def foretold(machine: jn.StateMachine, inputs: Float[Array, "recordings time synapses"]) -> Float[Array, "..."]:
    """Logits of spikes and voltages, `[recordings, time, 2]`."""
    layers = machine.machines if isinstance(machine, jn.Chain) else (machine,)
    if isinstance(machine, jn.dendritic.ELM):
        # Its synapses have positive weights only: what inhibits comes with a minus, as in the paper's data.
        inputs = inputs.at[..., inputs.shape[-1] // 2 :].multiply(-1)

    def one(values: Float[Array, "time synapses"]) -> Float[Array, "time 2"]:
        for layer in layers:
            executor = "parallel" if isinstance(layer, jn.synapses.TemporalConv) else None
            values = jn.run(layer, values, executor=executor)[1]
        return values

    return jax.vmap(one)(inputs)


def loss(skipped: int, machine: jn.StateMachine, batch: Recordings, key: PRNGKeyArray) -> Float[Array, ""]:
    """Half the cross-entropy of spikes and half the squared error of voltages."""
    outputs = foretold(machine, batch.inputs)[:, skipped:]
    surprise = optax.sigmoid_binary_cross_entropy(outputs[..., 0], batch.spikes[:, skipped:])
    error = (outputs[..., 1] - batch.voltage[:, skipped:]) ** 2
    return (surprise.mean() + error.mean()) / 2


def sample(size: int, recordings: Recordings, key: PRNGKeyArray, step: Int[Array, ""]) -> Recordings:
    """The batch of a training step."""
    chosen = train.epoch_indices(key, step, len(recordings.inputs), size)
    return jax.tree.map(lambda leaf: leaf[chosen], recordings)


@functools.partial(jax.jit, static_argnums=2)
def score(machine: jn.StateMachine, held: Recordings, skipped: int) -> tuple[Array, Array]:
    """The area under the curve, and the share of the voltage's variance that is foretold."""
    outputs, voltage = foretold(machine, held.inputs)[:, skipped:], held.voltage[:, skipped:]
    error = ((outputs[..., 1] - voltage) ** 2).mean()
    return auc(outputs[..., 0].reshape(-1), held.spikes[:, skipped:].reshape(-1)), 1 - error / voltage.var()


def learn(
    config: Config, run: Run, condition: str, who: Contender, parts: tuple[Recordings, Recordings, Recordings]
) -> tuple[dict[str, Any], np.ndarray]:
    """Train a network with all seeds; test each where its score on the validation part was best."""
    began, skipped = time.monotonic(), -(-config.warm_up // config.bin_ms)
    training, *held = parts
    optimizer = cosine_adam(who.rate, who.steps)
    objective, draw = functools.partial(loss, skipped), functools.partial(sample, config.batch)

    def begin(seed: Array) -> train.TrainState:
        weight_key, train_key = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), seed))
        return train.start(who.build(weight_key), optimizer, train_key, who.trained)

    many = who.kind == "ELM"

    def lane(state: train.TrainState, steps: int) -> tuple[train.TrainState, dict[str, Array]]:
        return train.advance(
            state,
            training,
            steps,
            loss=objective,
            sample=draw,
            optimizer=optimizer,
            trained=who.trained,
            clip=config.clip,
            lanes=many,
        )

    @functools.partial(jax.jit, static_argnums=1)
    def one_by_one(state: train.TrainState, steps: int) -> tuple[train.TrainState, dict[str, Array]]:
        state, metrics = jax.lax.map(functools.partial(lane, steps=steps), state)
        return state, jax.tree.map(jnp.transpose, metrics)

    def advance(state: train.TrainState, steps: int) -> tuple[train.TrainState, dict[str, Any]]:
        # A small recurrent network is quicker with all seeds side by side, a convolutional one with one at a time.
        state, metrics = lane(state, steps) if many else one_by_one(state, steps)
        scores = [jax.lax.map(lambda lane, part=part: score(lane, part, skipped), state.machine) for part in held]
        (valid, _), (tested, voltage) = scores
        more = {"validation": valid[None], "test": tested[None], "voltage": voltage[None]}
        return state, metrics | more

    state = jax.jit(jax.vmap(begin))(jnp.arange(config.seeds))
    name = f"{condition.replace(' ', '-')}-{who.name}"
    state, history = train_in_chunks(run, name, advance, state, steps=who.steps, chunk=-(-who.steps // config.chunks))
    best, lanes = history["validation"].argmax(axis=0), np.arange(config.seeds)
    row = {
        "condition": condition,
        "network": who.name,
        "kind": who.kind,
        "size": who.size,
        "parameters": train.count_trained(jax.tree.map(lambda leaf: leaf[0], state.machine), who.trained),
        "auc": history["test"][best, lanes].tolist(),
        "voltage": history["voltage"][best, lanes].tolist(),
        "stopped": history["step"][best].tolist(),
        "seconds": round(time.monotonic() - began, 1),
    }
    run.say(f"{condition}, {who.name}: AUC {np.mean(row['auc']):.4f}")
    return row, history["test"]


def main(config: Config, run: Run) -> dict[str, Any]:
    """Record the cell in both conditions, then train all networks."""
    for name, given in (("convolutional", config.convolutional), ("memories", config.memories)):
        if len(given) == 1 or not (config.convolutional or config.memories):
            raise ConfigError(f"{name}: has {len(given)}; one alone shows nothing, and something must be trained.")
    if config.batch > config.recordings:
        raise ConfigError(f"batch is {config.batch}; it must be at most recordings, {config.recordings}.")
    rows, arrays, cells = [], {}, []
    for number, condition in enumerate(CONDITIONS):
        began, count = time.monotonic(), config.recordings + 2 * config.held_out
        key = jax.random.fold_in(jax.random.key(config.seed), 2**30 + number)
        made = record(config, condition == "NMDA", count, key)
        cuts = (config.recordings, config.recordings + config.held_out)
        parts = tuple(
            jax.tree.map(lambda leaf, a=a, b=b: leaf[a:b], made)
            for a, b in zip((0, *cuts), (*cuts, count), strict=True)
        )
        scored = -(-config.warm_up // config.bin_ms)
        if not all(float(part.spikes[:, scored:].sum()) for part in parts):
            raise ConfigError(f"held_out is {config.held_out}: in so few recordings the cell did not spike.")
        rate = float(made.spikes.mean()) * 1000 / config.bin_ms
        cells.append({"condition": condition, "rate_hz": rate, "seconds": round(time.monotonic() - began, 1)})
        run.say(f"{condition}: {count} recordings, {rate:.2f} spikes/s")
        for who in contenders(config, made.inputs.shape[-1]):
            row, arrays[f"{condition}/{who.name}"] = learn(config, run, condition, who, parts)  # pyright: ignore[reportArgumentType]
            rows.append(row)
    run.save_arrays(arrays)
    return {"cells": cells, "networks": rows, "verdicts": verdicts(config, rows)}


def verdicts(config: Config, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Which of the expectations were kept, with 95 % intervals over seeds."""
    of = {(row["condition"], row["network"]): row for row in rows}
    names = [row["network"] for row in rows if row["condition"] == "NMDA" and row["kind"] == "TCN"]
    found = []
    for condition, expected in zip(CONDITIONS, ("at least", "at most"), strict=True):
        if not names:
            break
        shallow = of[condition, names[0]]["auc"]
        # Seed by seed against the deepest, and against whichever is best in the mean.
        best = max(names[1:], key=lambda name: np.mean(of[condition, name]["auc"]))
        bar = config.bars.with_nmda if condition == "NMDA" else config.bars.without_nmda
        for deep in dict.fromkeys((names[-1], best)):
            gap = mean_interval(np.subtract(of[condition, deep]["auc"], shallow))
            held = gap.mean >= bar if condition == "NMDA" else gap.mean <= bar
            what = f"{condition}: AUC of {deep} minus that of {names[0]}"
            found.append({"what": what, "bar": f"{expected} {bar:g}", "kept": held, **gap._asdict()})
    for condition in CONDITIONS:
        memories = [row for row in rows if row["condition"] == condition and row["kind"] == "ELM"]
        if not memories:
            break
        means = np.asarray([np.mean(row["auc"]) for row in sorted(memories, key=lambda row: row["size"])])
        sizes = sorted(row["size"] for row in memories)
        enough = sizes[int(np.argmax(means >= config.bars.plateau * means.max()))]
        steps = np.diff(means)
        found.append(
            {
                "what": f"{condition}: least gain of AUC from one number of memories to the next",
                "bar": "at least 0",
                "kept": bool(steps.min() >= 0),
                "mean": float(steps.min()),
                "low": None,
                "high": None,
            }
        )
        found.append(
            {
                "what": f"{condition}: memories that reach {config.bars.plateau:g} of the best AUC",
                "bar": "at most 20",
                "kept": enough <= 20,
                "mean": float(enough),
                "low": None,
                "high": None,
            }
        )
    return found


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return dendritic_depth_page.sections(results, config.bin_ms)
