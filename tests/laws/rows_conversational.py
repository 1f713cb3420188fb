"""Rows of the laws for neurons that send each other code."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp

import jaxneuro as jn
from tests.laws.row import Row, floats

talk = jn.conversational
PROGRAM = ("gain", "bias", "rate", "persistence_h")


def experiences(generator, steps, *many, synapses=3):
    teacher = floats(generator.uniform(-1, 1, size=(steps, *many)))
    hours = jnp.broadcast_to(floats(generator.uniform(0.05, 1, size=(steps, *[1] * len(many)))), teacher.shape)
    return talk.Experience(
        floats(generator.normal(size=(steps, *many, synapses))),
        teacher,
        floats(generator.normal(size=(steps, *many))),
        hours,
    )


def heard(generator, steps):
    input = experiences(generator, steps, 3)
    # In parts: packets of weight 0 have no order, and a finite difference would give them one.
    knocked_out = jnp.broadcast_to(floats([0.0, 0.2, 0.7]), (steps, 3))
    return talk.Heard(input, knocked_out, input.hours[:, 0])


def sequence(generator, steps):
    return floats(generator.normal(size=(steps, 3)))


def mail(generator, steps):
    return talk.Mail(floats(generator.uniform(-0.2, 1, size=(steps, 4))), floats(generator.normal(size=(steps, 4, 2))))


def traces(state):
    return state.early, state.tag


def conversation(key):
    neuron = talk.PlasticNeuron(late=0.3 * jax.random.normal(key, (3,)), autonomy=0.2, persistence_h=0.5)
    return talk.Conversation(
        neuron,
        talk.PacketGenome(4, address=2, hidden=3, key=key),
        links=jnp.full((3, 3), 0.8),
        lowest=[-2.0, -2.0, -2.0, 0.01],
        export_threshold=0.1,
        names=PROGRAM,
        late="late",
        traces=traces,
        shared=True,
        capacity=3,
    )


def layer(key, **words):
    # Links above 0: a finite difference would give a link to who had none.
    made = jn.networks.ArcLayer(3, 4, key=key, **words)
    return eqx.tree_at(lambda layer: layer.neurons.links, made, 0.8 * jnp.ones((4, 4)))


CONVERSATIONAL: tuple[Row, ...] = (
    Row("ArcLayer", layer, sequence, smooth=True, quick=False),
    Row("ArcLayer numbers", functools.partial(layer, packets="numbers"), sequence, smooth=True, quick=False),
    Row("Conversation", conversation, heard, smooth=True, quick=False),
    Row(
        "PlasticNeuron",
        lambda key: talk.PlasticNeuron(late=0.3 * jax.random.normal(key, (3,)), autonomy=0.2, limit=10.0),
        experiences,
        smooth=True,
        quick=False,
    ),
    Row("Inbox", lambda key: talk.Inbox(jnp.zeros(2), capacity=3, steps=2), mail, smooth=True, quick=False),
)
