"""Can one neuron learn an exclusive or by gradient, and which one?

A dendritic branch whose action potential is largest at threshold, a point neuron, a pyramidal neuron of two layers, and
the three models of a neuron with several dendrites learn the gates of two inputs: exclusive or, and, or. Every one from
many random starts, with the same loss, optimiser and number of steps. A start has solved a gate if all four answers of
the unit are on the right side of one half, those of the branch with its jump too, and not only with the smooth onset
that it was trained with.
"""

import functools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import xor_page
from jaxneuro.launch.config import Count, ExperimentConfig, LearningRate, Positive
from jaxneuro.launch.directory import Run
from jaxneuro.launch.report import Section
from jaxneuro.learning import train

PATTERNS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
GATES = {"exclusive or": (0.0, 1.0, 1.0, 0.0), "and": (0.0, 0.0, 0.0, 1.0), "or": (0.0, 1.0, 1.0, 1.0)}
TRAINED = ("weights", "bias", "coupling")
# What a probability keeps away from 0 and 1: the loss of a wrong answer that is sure of itself is finite.
SURE = 1e-6


class Config(ExperimentConfig):
    """See configs/xor_in_one_neuron/."""

    starts: Count = Field(default=200, le=100_000, description="random starts per unit and gate")
    steps: Count = Field(default=2000, le=1_000_000)
    points: Count = Field(default=20, le=1000, description="at which the loss is kept")
    learning_rate: LearningRate = 1e-2
    onset: Positive = Field(default=0.1, description="of the branch, while it learns")
    branches: Count = Field(default=3, le=100, description="of the two-layer neuron")
    dendrites: Count = Field(default=2, le=100, description="of the neuron with several thresholds")
    sharpness_per_mv: Positive = 4.0


class Unit(NamedTuple):
    """A neuron that learns, how it answers, and what it is judged as."""

    build: Callable[[PRNGKeyArray], Any]
    answer: Callable[[Any, Float[Array, "2"]], Float[Array, ""]]
    judged: Callable[[Any], Any] = lambda machine: machine


def with_bias(machine: Any, key: PRNGKeyArray) -> Any:
    """The machine with a bias drawn as its weights are, not 0."""
    drawn = jax.random.normal(jax.random.fold_in(key, 1), machine.bias.shape)
    return eqx.tree_at(lambda machine: machine.bias, machine, drawn)


def amplitude(machine: Any, input: Float[Array, "2"]) -> Float[Array, ""]:
    """The branch's answer is a probability as it is."""
    return machine.respond(input)


def logistic(machine: Any, input: Float[Array, "2"]) -> Float[Array, ""]:
    """A point neuron: a weighted sum through a logistic function."""
    return jax.nn.sigmoid(machine.respond(input))


def spikes_in_a_second(machine: Any, input: Float[Array, "2"]) -> Float[Array, ""]:
    """How likely a neuron of this rate (Hz) fires at all within a second."""
    return -jnp.expm1(-jax.nn.relu(machine.respond(input)))


def fires(machine: jn.Chain, input: Float[Array, "2"]) -> Float[Array, ""]:
    """How likely a neuron with several thresholds fires where its voltages are the inputs' weighted sums (mV)."""
    synapses, neuron = machine.machines
    distance = neuron.distance(synapses.respond(input))[0]  # pyright: ignore[reportAttributeAccessIssue]
    return jax.nn.sigmoid(neuron.sharpness_per_mv * distance)  # pyright: ignore[reportAttributeAccessIssue]


def units(config: Config) -> dict[str, Unit]:
    """All contenders."""

    def jump(machine: jn.dendritic.DCaAP) -> jn.dendritic.DCaAP:
        return eqx.tree_at(lambda machine: machine.onset, machine, jnp.zeros(()))

    def model(gating: float, independence: float) -> Unit:
        neuron = jn.dendritic.MultiThreshold(
            config.dendrites,
            threshold_mv=1.0,
            gating=gating,
            independence=independence,
            sharpness_per_mv=config.sharpness_per_mv,
        )

        def build(key: PRNGKeyArray) -> jn.Chain:
            synapses = with_bias(jn.Dense(2, config.dendrites + 1, key=key), key)
            weights = jax.random.normal(key, synapses.weights.shape)
            return jn.Chain(eqx.tree_at(lambda synapses: synapses.weights, synapses, weights), neuron)

        return Unit(build, fires)

    def branch(key: PRNGKeyArray) -> jn.dendritic.DCaAP:
        return with_bias(jn.dendritic.DCaAP(2, onset=config.onset, key=key), key)

    return {
        "dCaAP branch": Unit(branch, amplitude, jump),
        "point neuron": Unit(lambda key: with_bias(jn.Adaline(2, key=key), key), logistic),
        "two-layer": Unit(
            lambda key: with_bias(jn.dendritic.TwoLayer(2, config.branches, key=key), key), spikes_in_a_second
        ),
        "model I": model(0.0, 0.0),
        "model II": model(1.0, 0.0),
        "model III": model(1.0, 1.0),
    }


def loss(unit: Unit, machine: Any, targets: Float[Array, "4"], key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean cross-entropy of the four answers (nats)."""
    answers = jax.vmap(lambda input: unit.answer(machine, input))(jnp.asarray(PATTERNS))
    kept = SURE + (1 - 2 * SURE) * answers
    return -(targets * jnp.log(kept) + (1 - targets) * jnp.log1p(-kept)).mean()


def all_patterns(targets: Float[Array, "4"], key: PRNGKeyArray, step: Int[Array, ""]) -> Float[Array, "4"]:
    """The batch of a step: all there is."""
    return targets


def learn(config: Config, unit: Unit, gate: str, key: PRNGKeyArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train one unit on one gate from all starts.

    Returns:
        The answers as judged and as trained, `[starts, 4]`, and the losses, `[starts, points]`.
    """
    targets, optimizer = jnp.asarray(GATES[gate]), optax.adam(config.learning_rate)

    def begin(key: PRNGKeyArray) -> train.TrainState:
        return train.start(unit.build(key), optimizer, key, TRAINED)

    state, losses = jax.jit(jax.vmap(begin))(jax.random.split(key, config.starts)), []
    lengths = np.diff(np.round(np.linspace(0, config.steps, config.points + 1)).astype(int))
    objective = functools.partial(loss, unit)
    for steps in map(int, lengths):
        state, metrics = train.advance(
            state,
            targets,
            steps,
            loss=objective,
            sample=all_patterns,
            optimizer=optimizer,
            trained=TRAINED,
            lanes=True,
        )
        losses.append(np.asarray(metrics["loss"][-1]))

    @jax.jit
    @jax.vmap
    def answers(machine: Any) -> tuple[Array, Array]:
        judged = unit.judged(machine)
        every = jax.vmap(lambda input: (unit.answer(judged, input), unit.answer(machine, input)))
        return every(jnp.asarray(PATTERNS))

    judged, trained = answers(state.machine)
    return np.asarray(judged), np.asarray(trained), np.stack(losses, axis=1)


def solved(answers: np.ndarray, gate: str) -> int:
    """Starts from which all four answers are right."""
    return int(((answers > 0.5) == (np.asarray(GATES[gate]) > 0.5)).all(axis=1).sum())


def main(config: Config, run: Run) -> dict[str, Any]:
    """Let every unit learn every gate."""
    if config.points > config.steps:
        config = config.model_copy(update={"points": config.steps})
    rows, arrays = [], {}
    for name, unit in units(config).items():
        row: dict[str, Any] = {"unit": name, "gates": {}}
        began = time.monotonic()
        for gate in GATES:
            judged, trained, losses = learn(config, unit, gate, jax.random.key(config.seed))
            row["gates"][gate] = {"solved": solved(judged, gate), "as trained": solved(trained, gate)}
            if gate == "exclusive or":
                arrays[name] = losses
                row["parameters"] = train.count_trained(jax.eval_shape(unit.build, jax.random.key(0)), TRAINED)
        rows.append(row | {"seconds": round(time.monotonic() - began, 1)})
        run.say(f"{name}: " + ", ".join(f"{gate} {found['solved']}" for gate, found in row["gates"].items()))
    arrays["step"] = np.round(np.linspace(0, config.steps, config.points + 1))[1:]
    run.save_arrays(arrays)
    return {"starts": config.starts, "steps": config.steps, "units": rows}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return xor_page.sections(results, arrays)
