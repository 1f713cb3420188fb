"""What do dendrites that remember buy? Exclusive or of two codes that are far apart in time.

Layers of spiking neurons without recurrence learn whether a code at the end differs from one long before. The neurons
differ in what remembers: the membrane alone, which every spike resets; an adaptive threshold; or branches that no spike
resets, each with a time constant of its own. All have about as many trained parameters. Accuracy on new sequences is
measured at the end of every chunk.
"""

import functools
import time
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import delayed_xor_page
from jaxneuro.launch.comparison import differences
from jaxneuro.launch.config import ConfigPart, Count, ExperimentConfig, Fraction, Name, Number, Positive, Within
from jaxneuro.launch.directory import Run
from jaxneuro.launch.kinds import Kind, MachineSpec, build
from jaxneuro.launch.loop import train_in_chunks
from jaxneuro.launch.report import Section
from jaxneuro.learning import train
from jaxneuro.learning.optimizer import cosine_adam
from jaxneuro.tasks.batch import Batch
from jaxneuro.tasks.delayed_xor import RateXOR

SYNAPSES = ("weights", "bias")


class Learner(ConfigPart):
    """A layer of neurons, and the bar that is set for it."""

    name: Name
    neuron: Literal["LIF", "ALIF", "branched"]
    units: Count = Field(default=16, le=10_000)
    branches: Count = Field(default=1, description="of a branched neuron")
    soma_range: tuple[Number, Number] = Field(default=(0.0, 4.0), description="logits of the membrane's decay")
    branch_range: tuple[Number, Number] = Field(default=(2.0, 6.0), description="logits of the branches' decay")
    threshold: Positive = Field(default=0.05, description="low, as inputs are rare and weights start small")
    shuffled: bool = Field(default=True, description="whether inputs are dealt out to branches by chance")
    at_least: Fraction | None = Field(default=None, description="bar: mean accuracy that it must reach")
    at_most: Fraction | None = Field(default=None, description="bar: mean accuracy that it must not exceed")


class Config(ExperimentConfig):
    """See configs/delayed_xor/."""

    seeds: Annotated[int, Within(at_least=2, at_most=1000)] = 5
    task: Annotated[MachineSpec, Kind(RateXOR)]
    steps: Count = 1000
    chunk: Count = 50
    batch: Count = Field(default=64, le=4096)
    evaluation: Count = Field(default=500, le=100_000)
    learning_rate: Positive = 1e-2
    clip: Positive = 1.0
    tau_readout_ms: Positive = 3.0
    longest_adaptation_ms: Positive = 400.0
    learners: tuple[Learner, ...] = Field(min_length=1)


def trained(learner: Learner) -> tuple[str, ...]:
    """Fields that learn: synapses, and the time constants of membranes and branches."""
    if learner.neuron == "ALIF":
        return SYNAPSES
    return (*SYNAPSES, "soma_logits") + (("branch_logits",) if learner.neuron == "branched" else ())


def near(threshold: float) -> jn.ArcTangent:
    """The pretended gradient, as wide as the distance from rest to threshold."""
    return jn.ArcTangent(slope=1 / threshold)


def network(config: Config, learner: Learner, task: RateXOR, key: PRNGKeyArray) -> jn.Chain:
    """Neurons, output synapses, leaky outputs; in steps of 1 ms."""
    layer_key, output_key, tau_key, adaptation_key = jax.random.split(key, 4)
    tail = (
        jn.Dense(learner.units, task.outputs, key=output_key),
        jn.Population(jn.LeakyReadout(tau_ms=config.tau_readout_ms), task.outputs, shared=True),
    )
    if learner.neuron == "ALIF":
        low, high = learner.soma_range
        logits = jax.random.uniform(tau_key, (learner.units,), minval=low, maxval=high)
        longest = config.longest_adaptation_ms
        slow = jax.random.uniform(adaptation_key, (learner.units,), minval=longest / 8, maxval=longest)

        def neuron(logit: Float[Array, ""], adaptation: Float[Array, ""]) -> jn.spiking.AdaptiveLIF:
            return jn.spiking.AdaptiveLIF(
                tau_ms=-1 / jax.nn.log_sigmoid(logit),
                tau_adaptation_ms=adaptation,
                threshold_mv=learner.threshold,
                increment_mv=0.3 * learner.threshold,
                refractory_ms=0.0,
                soft_reset=1.0,
                detach_reset=0.0,
                dt_ms=1.0,
                spike=near(learner.threshold),
            )

        synapses = jn.Dense(task.inputs, learner.units, gain=3**-0.5, key=layer_key)
        return jn.Chain(synapses, jn.Population(jax.vmap(neuron)(logits, slow), learner.units), *tail)
    # A branch that forgets at once leaves the plain neuron.
    branched = learner.neuron == "branched"
    layer = jn.dendritic.DHLIF(
        task.inputs,
        learner.units,
        learner.branches if branched else 1,
        shuffled=learner.shuffled,
        branch_range=learner.branch_range if branched else (-60.0, -60.0),
        soma_range=learner.soma_range,
        threshold=learner.threshold,
        spike=near(learner.threshold),
        key=layer_key,
    )
    return jn.Chain(layer, *tail)


def answers(machine: jn.Chain, batch: Batch) -> Float[Array, "batch time classes"]:
    """Of all sequences."""
    layer, *tail = machine.machines
    # What all inputs do to branches is one product.
    executor = "hoisted" if isinstance(layer, jn.Driven) else None

    def one(inputs: Float[Array, "time inputs"]) -> Float[Array, "time classes"]:
        return jn.run(jn.Chain(*tail), jn.run(layer, inputs, executor=executor)[1])[1]

    return jax.vmap(one)(batch.inputs)


def loss(task: RateXOR, machine: jn.Chain, batch: Batch, key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean cross-entropy over the steps that count."""
    return task.loss(answers(machine, batch), batch)


def sample(size: int, task: RateXOR, key: PRNGKeyArray, step: Int[Array, ""]) -> Batch:
    """The batch of a training step."""
    return task.batch(jax.random.fold_in(key, step), size)


def main(config: Config, run: Run) -> dict[str, Any]:
    """Train all layers, seeds side by side."""
    task = build(config.task)
    held = jax.jit(lambda key: task.batch(key, config.evaluation))(
        jax.random.fold_in(jax.random.key(config.seed), 2**31)
    )
    optimizer = cosine_adam(config.learning_rate, config.steps)
    objective, draw = functools.partial(loss, task), functools.partial(sample, config.batch)
    rows, arrays = [], {}

    @jax.jit
    def score(machine: jn.Chain) -> dict[str, Array]:
        outputs = answers(machine, held)
        last = outputs[:, -1].argmax(-1) == held.targets[:, -1]
        return {
            "accuracy": task.accuracy(outputs, held),
            "held_out_loss": task.loss(outputs, held),
            "last": last.mean(),
        }

    for learner in config.learners:
        began, names = time.monotonic(), trained(learner)

        def begin(seed: Array, learner: Learner = learner, names: tuple[str, ...] = names) -> train.TrainState:
            weight_key, train_key = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), seed))
            return train.start(network(config, learner, task, weight_key), optimizer, train_key, names)

        def advance(
            state: train.TrainState, steps: int, names: tuple[str, ...] = names
        ) -> tuple[train.TrainState, dict[str, Any]]:
            state, metrics = train.advance(
                state,
                task,
                steps,
                loss=objective,
                sample=draw,
                optimizer=optimizer,
                trained=names,
                clip=config.clip,
                lanes=True,
            )
            measured = jax.vmap(score)(state.machine)
            return state, metrics | {name: value[None] for name, value in measured.items()}

        state = jax.jit(jax.vmap(begin))(jnp.arange(config.seeds))
        state, history = train_in_chunks(run, learner.name, advance, state, steps=config.steps, chunk=config.chunk)
        accuracy = history["accuracy"][-1].tolist()
        rows.append(
            {
                "network": learner.name,
                "units": learner.units,
                "parameters": train.count_trained(jax.tree.map(lambda leaf: leaf[0], state.machine), names),
                "accuracy": accuracy,
                "last": history["last"][-1].tolist(),
                "loss": history["held_out_loss"][-1].tolist(),
                "at_least": learner.at_least,
                "at_most": learner.at_most,
                "kept": kept(learner, float(np.mean(accuracy))),
                "seconds": round(time.monotonic() - began, 1),
            }
        )
        arrays |= {f"{learner.name}/{name}": history[name] for name in ("step", "accuracy", "held_out_loss")}
        run.say(f"{learner.name}: {100 * np.mean(accuracy):.1f} %")
    run.save_arrays(arrays)
    names = [learner.name for learner in config.learners]
    scores = [
        {
            "trial": type(task).__name__,
            "network": row["network"],
            "score": [100 * value for value in row["accuracy"]],
            "unit": "points",
            "higher_is_better": True,
        }
        for row in rows
    ]
    return {
        "baseline": task.baseline,
        "optimum": task.optimum,
        "best_accuracy": task.best_accuracy,
        "steps_of_time": held.inputs.shape[1],
        "networks": rows,
        "differences": differences(scores, [(name, names[0]) for name in names[1:]]),
    }


def kept(learner: Learner, accuracy: float) -> bool | None:
    """Whether a mean accuracy keeps the learner's bars; None if it has none."""
    if learner.at_least is None and learner.at_most is None:
        return None
    low = 0.0 if learner.at_least is None else learner.at_least
    high = 1.0 if learner.at_most is None else learner.at_most
    return low <= accuracy <= high


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return delayed_xor_page.sections(results, arrays, config.evaluation)
