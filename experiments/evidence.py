"""Can synapses learn from what they know at the time? E-prop beside backpropagation, where memory is needed.

A recurrent network of leaky integrate-and-fire neurons, some of which have a threshold that adapts, learns a task with
a delay. The rules differ in the gradient alone: the same networks, batches, optimiser and number of steps. Loss and
accuracy on new sequences are measured at the end of every chunk.
"""

import functools
import time
from typing import Annotated, Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import figures
from jaxneuro.launch.config import ConfigPart, Count, ExperimentConfig, Fraction, Name, Positive
from jaxneuro.launch.devices import lane_by_lane, place_lanes
from jaxneuro.launch.directory import Run
from jaxneuro.launch.kinds import Kind, MachineSpec, build
from jaxneuro.launch.loop import train_in_chunks
from jaxneuro.launch.report import Section
from jaxneuro.learning import train
from jaxneuro.learning.eprop import eprop_loss
from jaxneuro.learning.optimizer import cosine_adam
from jaxneuro.measure.interval import mean_interval
from jaxneuro.networks.recurrent import recurrent_network
from jaxneuro.tasks.batch import Batch, Classification

TRAINED = ("weights", "bias")


class Learner(ConfigPart):
    """A network and the rule that it learns by."""

    name: Name
    rule: Literal["backpropagation", "symmetric e-prop", "random e-prop"]
    adaptive: Annotated[Fraction, Field(description="share of the neurons whose threshold adapts")] = 0.5


class Config(ExperimentConfig):
    """See configs/evidence/."""

    seeds: Count = Field(default=5, le=1000)
    task: Annotated[MachineSpec, Kind(Classification)]
    units: Count = Field(default=60, le=10_000)
    tau_ms: Positive = 20.0
    tau_adaptation_ms: Positive = 500.0
    increment_mv: Positive = 0.3
    tau_readout_ms: Positive = 20.0
    steps: Count = 400
    chunk: Count = 20
    batch: Count = Field(default=32, le=4096)
    evaluation: Count = Field(default=256, le=100_000)
    learning_rate: Positive = 5e-3
    clip: Positive = 1.0
    learners: tuple[Learner, ...] = Field(min_length=1)


def network(config: Config, learner: Learner, task: Classification, key: PRNGKeyArray) -> jn.Chain:
    """Input synapses, recurrent neurons of which the first ones adapt, output synapses, leaky outputs.

    Voltages are in units of the threshold. Steps are of 1 ms.
    """
    readout = jn.LeakyReadout(tau_ms=config.tau_readout_ms)
    # Inputs are rare: without gain a cell would not reach its threshold.
    made = recurrent_network(
        jn.LIF,
        False,
        task.inputs,
        config.units,
        task.outputs,
        readout=readout,
        input_gain=40.0,
        recurrent_gain=2.0,
        key=key,
    )
    adaptive = jnp.arange(config.units) < round(learner.adaptive * config.units)

    def neuron(increment: Float[Array, ""]) -> jn.spiking.AdaptiveLIF:
        return jn.spiking.AdaptiveLIF(
            tau_ms=config.tau_ms,
            tau_adaptation_ms=config.tau_adaptation_ms,
            threshold_mv=1.0,
            increment_mv=increment,
            refractory_ms=3.0,
            soft_reset=1.0,
            dt_ms=1.0,
            spike=jn.Triangular(height=0.2),
        )

    neurons = jn.Population(jax.vmap(neuron)(jnp.where(adaptive, config.increment_mv, 0.0)), config.units)
    first, layer, *rest = made.machines
    assert isinstance(layer, jn.Feedback)
    return jn.Chain(first, jn.Feedback(neurons, layer.path, layer.initial), *rest)


def step_loss(output: Float[Array, "classes"], target: tuple[Int[Array, ""], Float[Array, ""]]) -> Float[Array, ""]:
    """Cross-entropy (nats) of one step, by its weight."""
    right, weight = target
    return weight * optax.softmax_cross_entropy_with_integer_labels(output, right)


def loss(
    rule: str, feedback: Float[Array, "units outputs"], machine: jn.StateMachine, batch: Batch, key: PRNGKeyArray
) -> Float[Array, ""]:
    """Mean cross-entropy over the steps that count."""

    def one(inputs: Array, targets: Array, weights: Array) -> Float[Array, ""]:
        if rule == "backpropagation":
            _, outputs = jn.run(machine, inputs)
            return jax.vmap(step_loss)(outputs, (targets, weights)).sum()
        back = feedback if rule == "random e-prop" else None
        return eprop_loss(machine, inputs, (targets, weights), step_loss, key=key, feedback=back)

    return jax.vmap(one)(batch.inputs, batch.targets, batch.weights).sum() / jnp.maximum(batch.weights.sum(), 1)


def sample(size: int, task: Classification, key: PRNGKeyArray, step: Int[Array, ""]) -> Batch:
    """The batch of a training step."""
    return task.batch(jax.random.fold_in(key, step), size)


def score(task: Classification, machine: jn.StateMachine, batch: Batch) -> dict[str, Array]:
    """Loss, share of sequences whose answer is right, and how often neurons fire.

    The answer is the class of the largest sum of outputs over the steps that count.
    """
    body, tail = jn.Chain(*machine.machines[:2]), jn.Chain(*machine.machines[2:])  # pyright: ignore[reportAttributeAccessIssue]

    def one(inputs: Array) -> tuple[Array, Array]:
        spikes = jn.run(body, inputs)[1]
        return jn.run(tail, spikes)[1], spikes.mean() * 1000

    outputs, rates = jax.vmap(one)(batch.inputs)
    answers = (outputs * batch.weights[..., None]).sum(1).argmax(-1)
    right = (batch.targets * batch.weights.astype(jnp.int32)).max(1)
    return {
        "held_out_loss": task.loss(outputs, batch),
        "accuracy": (answers == right).mean(),
        "rate_hz": rates.mean(),
    }


def main(config: Config, run: Run) -> dict[str, Any]:
    """Train every network by its rule."""
    task = build(config.task)
    rows, arrays = [], {}
    held = jax.jit(lambda key: task.batch(key, config.evaluation))(
        jax.random.fold_in(jax.random.key(config.seed), 2**31)
    )
    for learner in config.learners:
        began = time.monotonic()
        optimizer = cosine_adam(config.learning_rate, config.steps)

        def begin(seed: Array, learner: Learner = learner, optimizer: Any = optimizer) -> train.TrainState:
            weight_key, train_key = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), seed))
            return train.start(network(config, learner, task, weight_key), optimizer, train_key, TRAINED)

        shape = (config.units, task.outputs)
        # Of the size of the readout's weights at the start.
        feedback = jax.random.normal(jax.random.fold_in(jax.random.key(config.seed), 2**30), shape) / config.units**0.5
        objective = functools.partial(loss, learner.rule, feedback)
        draw = functools.partial(sample, config.batch)

        def lane(
            state: train.TrainState,
            steps: int,
            objective: Any = objective,
            draw: Any = draw,
            optimizer: Any = optimizer,
        ) -> tuple[train.TrainState, Any]:
            state, metrics = train.advance(
                state,
                task,
                steps,
                loss=objective,
                sample=draw,
                optimizer=optimizer,
                trained=TRAINED,
                clip=config.clip,
            )
            measured = {name: value[None] for name, value in score(task, state.machine, held).items()}
            return state, metrics | measured

        state = place_lanes(jax.jit(jax.vmap(begin))(jnp.arange(config.seeds)), config.devices)
        every = lane_by_lane(lane, state, config.devices, donate=True)

        def advance(state: train.TrainState, steps: int, every: Any = every) -> tuple[train.TrainState, Any]:
            state, metrics = every(state, steps)
            return state, jax.tree.map(np.transpose, jax.device_get(metrics))

        state, history = train_in_chunks(run, learner.name, advance, state, steps=config.steps, chunk=config.chunk)
        rows.append(
            {
                "network": learner.name,
                "rule": learner.rule,
                "adaptive": learner.adaptive,
                "parameters": train.count_trained(jax.tree.map(lambda leaf: leaf[0], state.machine), TRAINED),
                "accuracy": history["accuracy"][-1].tolist(),
                "loss": history["held_out_loss"][-1].tolist(),
                "rate_hz": history["rate_hz"][-1].tolist(),
                "seconds": round(time.monotonic() - began, 1),
            }
        )
        arrays |= {f"{learner.name}/{name}": history[name] for name in ("step", "loss", "held_out_loss", "accuracy")}
    run.save_arrays(arrays)
    return {"baseline": task.baseline, "steps_of_time": held.inputs.shape[1], "networks": rows}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report: the table, and how the accuracy grew."""
    rows = results["networks"]
    table = []
    for row in rows:
        accuracy = mean_interval(row["accuracy"]) if config.seeds > 1 else None
        table.append(
            [
                row["network"],
                row["rule"],
                f"{100 * row['adaptive']:.0f} %",
                f"{100 * np.mean(row['accuracy']):.1f} %",
                "" if accuracy is None else f"{100 * accuracy.low:.1f} to {100 * accuracy.high:.1f}",
                f"{np.mean(row['loss']):.3f}",
                f"{np.mean(row['rate_hz']):.0f}",
                f"{row['seconds']:.0f}",
            ]
        )
    curves = {row["network"]: 100 * arrays[f"{row['network']}/accuracy"].T for row in rows}
    step = arrays[f"{rows[0]['network']}/step"]
    return [
        Section(
            title="Accuracy on new sequences",
            text=f"{config.evaluation} sequences of {results['steps_of_time']:,} steps; mean and 95 % interval over "
            f"{config.seeds} seeds. An answer by chance has a loss of {results['baseline']:.3f} nats.",
            columns=["network", "rule", "adaptive", "accuracy", "95 % interval (%)", "loss (nats)", "rate (Hz)", "s"],
            rows=table,
        ),
        Section(
            title="Learning curves",
            text="Accuracy on new sequences; the line is the mean of all seeds, the band their range.",
            figure=figures.svg(figures.learning_curves(curves, step, "accuracy (%)")),
        ),
    ]
