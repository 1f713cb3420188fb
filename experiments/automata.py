"""How many states does a neuron need? Automata out of trained networks and of spiking neurons.

Small recurrent networks learn to say the sum of the numbers so far modulo m. Each is then run on all words of its
letters, states that are close together are merged, and the smallest automaton of the same behaviour is compared with
the m states that the sum needs; a search of pairs of states says on which word the network is wrong first. Spiking
neurons are counted in the same way, over currents for letters.
"""

import functools
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import automata_page
from jaxneuro.launch.config import ConfigPart, Count, ExperimentConfig, Name, NonNegative, Number, Positive
from jaxneuro.launch.directory import Run
from jaxneuro.launch.kinds import Kind, MachineSpec, build
from jaxneuro.launch.loop import train_in_chunks
from jaxneuro.launch.report import Section
from jaxneuro.learning import train
from jaxneuro.learning.optimizer import cosine_adam
from jaxneuro.measure import TooManyStates, distinguishing_word, extract, minimise
from jaxneuro.measure.automaton import Automaton
from jaxneuro.tasks.batch import Batch
from jaxneuro.tasks.modular import Modular


class NetworkPart(ConfigPart):
    """A recurrent layer with a readout, and how close states must be to be one.

    The first tolerance counts at which the automaton does on long sequences as the network does, or else the last.
    """

    name: Name
    layer: Annotated[MachineSpec, Kind(supplied=("inputs", "units"))]
    units: Count = Field(default=8, le=1000)
    tolerances: Annotated[tuple[NonNegative, ...], Field(min_length=1)] = (0.3, 0.1, 0.03)


class NeuronPart(ConfigPart):
    """A neuron, and the currents that it may get; a letter of one number is a scalar."""

    name: Name
    neuron: Annotated[MachineSpec, Kind()]
    alphabet: Annotated[tuple[tuple[Number, ...], ...], Field(min_length=1)]
    tolerance: NonNegative = 1e-3
    output_tolerance: NonNegative = 1e-3
    expected: Annotated[Count | None, Field(description="states that follow by hand")] = None


class Config(ExperimentConfig):
    """See configs/automata/."""

    seeds: Count = Field(default=3, le=100)
    modulus: Count = Field(default=2, le=100)
    length: Count = Field(default=12, description="of the sequences of training")
    long: Count = Field(default=200, description="of the sequences of the test")
    steps: Count = 600
    chunk: Count = 200
    batch: Count = 64
    learning_rate: Positive = 1e-2
    trained: tuple[str, ...] = ("weights", "bias", "input_weights", "recurrent_weights")
    limit: Count = Field(default=4096, description="largest number of states, and of pairs of states")
    networks: tuple[NetworkPart, ...] = ()
    neurons: tuple[NeuronPart, ...] = ()


class Total(eqx.Module):
    """The sum so far."""

    sum: Int[Array, ""]


class ModularSum(jn.StateMachine[Total, Float[Array, "modulus"], Float[Array, "modulus"]]):
    """What is to be learnt: `s <- (s + x) mod m`, x and s one-hot."""

    modulus: int = eqx.field(static=True)

    def init(self, key: PRNGKeyArray) -> Total:
        """Zero."""
        return Total(jnp.zeros((), jnp.int32))

    def step(self, state: Total, input: Float[Array, "modulus"]) -> tuple[Total, Float[Array, "modulus"]]:
        """Add the number."""
        total = (state.sum + input.argmax().astype(jnp.int32)) % self.modulus
        return Total(total), jax.nn.one_hot(total, self.modulus, dtype=input.dtype)


def answers(machine: jn.StateMachine, batch: Batch) -> Float[Array, "batch time outputs"]:
    """What a network says in every step of every sequence."""
    return jax.vmap(lambda sequence: jn.run(machine, sequence)[1])(batch.inputs)


def loss(task: Modular, machine: jn.StateMachine, batch: Batch, key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean cross-entropy (nats)."""
    return task.loss(answers(machine, batch), batch)


def sample(size: int, task: Modular, key: PRNGKeyArray, step: Int[Array, ""]) -> Batch:
    """The batch of a training step."""
    return task.batch(jax.random.fold_in(key, step), size)


def learned(config: Config, part: NetworkPart, run: Run) -> jn.StateMachine:
    """The networks of all seeds as lanes of one machine, trained."""
    task = Modular(config.modulus, config.length)
    optimizer = cosine_adam(config.learning_rate, config.steps, 0.0)

    def begin(number: Int[Array, ""]) -> train.TrainState:
        layer_key, last_key, train_key = jax.random.split(jax.random.fold_in(jax.random.key(config.seed), number), 3)
        layer = build(part.layer, key=layer_key, inputs=config.modulus, units=part.units)
        machine = jn.Chain(layer, jn.Dense(part.units, config.modulus, key=last_key))
        return train.start(machine, optimizer, train_key, config.trained)

    def advance(state: train.TrainState, steps: int) -> tuple[train.TrainState, dict[str, Array]]:
        return train.advance(
            state,
            task,
            steps,
            loss=functools.partial(loss, task),
            sample=functools.partial(sample, config.batch),
            optimizer=optimizer,
            trained=config.trained,
            clip=1.0,
            lanes=True,
        )

    state, _ = train_in_chunks(
        run,
        part.name,
        advance,
        jax.jit(jax.vmap(begin))(jnp.arange(config.seeds)),
        steps=config.steps,
        chunk=config.chunk,
    )
    return state.machine


def counted(machine: jn.StateMachine, alphabet: Array, limit: int, **options: Any) -> tuple[Automaton | None, str]:
    """The automaton of a machine, or why there is none."""
    try:
        return extract(machine, alphabet, limit=limit, **options), ""
    except TooManyStates as error:
        return None, str(error)


def drawing(automaton: Automaton) -> dict[str, Any]:
    """The smallest form of an automaton, as JSON holds it; nothing of one that is too large to be drawn."""
    smallest = minimise(automaton)
    if smallest.states > automata_page.MOST_DRAWN:
        return {"transitions": None, "outputs": None}
    said = smallest.outputs[smallest.labels]
    return {"transitions": smallest.transitions.tolist(), "outputs": said.tolist()}


def is_sum(automaton: Automaton, modulus: int) -> bool:
    """Whether the smallest form is that of sums modulo m: state s goes with letter x to s + x, and says so."""
    smallest = minimise(automaton)
    sums = np.add.outer(np.arange(modulus), np.arange(modulus)) % modulus
    return np.array_equal(smallest.transitions, sums) and np.array_equal(
        smallest.outputs[smallest.labels][..., 0], sums
    )


def of_network(config: Config, part: NetworkPart, machine: jn.StateMachine, seed: int) -> dict[str, Any]:
    """What one trained network is: its states, where it is wrong, and how well the automaton stands for it."""
    test = Modular(config.modulus, config.long).batch(jax.random.fold_in(jax.random.key(config.seed), 2**31), 200)
    said = np.asarray(jax.jit(answers)(machine, test)).argmax(-1)
    letters = np.asarray(test.inputs).argmax(-1)
    right = float((said == np.asarray(test.targets)).mean())
    row: dict[str, Any] = {}
    for tolerance in part.tolerances:
        row = {"network": part.name, "seed": seed, "right": right, "tolerance": tolerance}
        row |= at_tolerance(config, machine, tolerance, letters, said)
        if row["agreement"] in (1, None):
            break
    return row


def at_tolerance(
    config: Config, machine: jn.StateMachine, tolerance: float, letters: np.ndarray, said: np.ndarray
) -> dict[str, Any]:
    """The automaton of a network if states within the tolerance are one.

    Args:
        config: the modulus, and how many states are allowed.
        machine: the network.
        tolerance: of its state.
        letters: of long sequences, `[sequences, time]`.
        said: the network's answers to them.
    """
    alphabet, options = jnp.eye(config.modulus), {"read": jnp.argmax, "tolerance": tolerance}
    automaton, why = counted(machine, alphabet, config.limit, **options)
    if automaton is None:
        return {"found": None, "states": None, "is_sum": False, "agreement": None, "word": None, "why": why}
    copied = automaton.outputs[np.stack([automaton.run(word) for word in letters])][..., 0]
    try:
        word = distinguishing_word(machine, ModularSum(config.modulus), alphabet, limit=4 * config.limit, **options)
    except TooManyStates as error:
        word, why = None, str(error)
    return {
        "found": automaton.states,
        "states": minimise(automaton).states,
        "is_sum": is_sum(automaton, config.modulus),
        "agreement": float((copied == said).mean()),
        "word": None if word is None else list(word),
        "why": why,
        **drawing(automaton),
    }


def of_neuron(config: Config, part: NeuronPart) -> dict[str, Any]:
    """How many states a neuron has over its letters."""
    alphabet = jnp.asarray(part.alphabet, jnp.result_type(float))
    alphabet = alphabet[:, 0] if alphabet.shape[1] == 1 else alphabet
    options = {"tolerance": part.tolerance, "output_tolerance": part.output_tolerance}
    machine = build(part.neuron, key=jax.random.key(config.seed))
    automaton, why = counted(machine, alphabet, config.limit, **options)
    row: dict[str, Any] = {"neuron": part.name, "expected": part.expected, "tolerance": part.tolerance, "why": why}
    if automaton is None:
        return row | {"found": None, "states": None}
    return row | {"found": automaton.states, "states": minimise(automaton).states, **drawing(automaton)}


def main(config: Config, run: Run) -> dict[str, Any]:
    """Train the networks, and count the states of all."""
    networks = []
    for part in config.networks:
        lanes = learned(config, part, run)
        for seed in range(config.seeds):
            machine = jax.tree.map(lambda leaf, lane=seed: leaf[lane], lanes)
            networks.append(of_network(config, part, machine, seed))
            run.say(f"{part.name}, seed {seed}: {networks[-1]['states']} states")
    neurons = [of_neuron(config, part) for part in config.neurons]
    return {"modulus": config.modulus, "networks": networks, "neurons": neurons}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    return automata_page.sections(results)
