"""A network whose neurons remember in one shot, and tell each other by packets what to keep and how to behave."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Parameterised, Scalar, parameter
from jaxneuro.neurons.conversational import Conversation, Experience, PacketGenome, PlasticNeuron

PROGRAM = ("gain", "bias", "rate", "persistence_h")
LOWEST = (-2.0, -2.0, 0.0, 0.01)
HIGHEST = (2.0, 2.0, 2.0, 100.0)


class ArcGenome(Parameterised):
    """All that neurons of such a network inherit, whatever their number (dimensionless but for the time constant).

    Fields:
        packets: what they say in which condition.
        gain, rate: of the neurons at birth.
        log_persistence: logarithm of the time constant of activity in hours.
        autonomy_logit: what share of fading weights a neuron keeps by itself, as a logit.
        expression_threshold, export_threshold, translation_threshold: of `Conversation`.
    """

    packets: PacketGenome
    gain: Scalar = parameter(1.0)
    rate: Scalar = parameter(0.8)
    log_persistence: Scalar = parameter(-4.0)
    autonomy_logit: Scalar = parameter(-3.0)
    expression_threshold: Scalar = parameter(4.0)
    export_threshold: Scalar = parameter(0.3)
    translation_threshold: Scalar = parameter(0.1)


def arc_genome(key: PRNGKeyArray, hidden: int = 16) -> ArcGenome:
    """A genome that has not learnt anything."""
    return ArcGenome(PacketGenome(len(PROGRAM), hidden=hidden, key=key))


def arc_memory(
    genome: ArcGenome,
    size: int,
    links: Float[Array, "neurons neurons"] | None = None,
    *,
    numbers: bool = False,
    capacity: int = 8,
) -> Conversation:
    """The network: every neuron has a synapse from every line of the key, and hears all others.

    Args:
        genome: of all its neurons.
        size: neurons, and lines of the key.
        links: who hears whom; everyone all others unless given.
        numbers: whether packets are data, which are added to what drives a neuron, instead of instructions.
        capacity: packets that a neuron reads in a step.

    Returns:
        The machine; all mix instructions, `hardness` 0.
    """
    neuron = PlasticNeuron(
        jnp.zeros(size),
        gain=genome.gain,
        persistence_h=jnp.exp(genome.log_persistence),
        rate=genome.rate,
        autonomy=jax.nn.sigmoid(genome.autonomy_logit),
    )
    return Conversation(
        neuron,
        genome.packets,
        1 - jnp.eye(size) if links is None else links,
        LOWEST,
        HIGHEST,
        expression_threshold=genome.expression_threshold,
        export_threshold=genome.export_threshold,
        translation_threshold=genome.translation_threshold,
        names=PROGRAM,
        late="late",
        traces=traces,
        hear=driven if numbers else None,
        shared=True,
        capacity=min(capacity, size),
    )


def traces(state: object) -> tuple[Array, Array]:
    """Early weights and tags of a plastic neuron."""
    return state.early, state.tag  # pyright: ignore[reportAttributeAccessIssue]


def driven(input: Experience, numbers: Float[Array, "program"]) -> Experience:
    """The input with the first of the numbers added to its drive."""
    return eqx.tree_at(lambda told: told.drive, input, input.drive + numbers[0])
