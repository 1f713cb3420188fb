"""Rows of the laws for networks, what they are made of, and sparse synapses."""

import jax
import jax.numpy as jnp

import jaxneuro as jn
from jaxneuro import networks, synapses
from tests.laws.row import Row, SmoothSpike, currents, floats, vectors

TARGETS = ((0, 2, 4), (1, 4, 4), (3, 4, 4), (0, 0, 3), (4, 4, 4))


def spikes(*shape):
    return lambda generator, steps: floats(generator.random((steps, *shape)) < 0.4)


def event_synapses(key, events, each):
    weights = jax.random.normal(key, (5, 3)) if each else 1.5
    return synapses.EventSynapses(weights, jnp.asarray(TARGETS, jnp.int32), 4, events)


def exponential(size):
    return jn.Population(synapses.Exponential(tau_ms=3.0, dt_ms=1.0), size, shared=True)


def spiking_network(key):
    start = networks.RandomStart(jn.LIF(tau_ms=5.0, dt_ms=1.0), "voltage_mv", 5.0, 3.0)
    wide = synapses.EventSynapses(40.0, jnp.asarray(TARGETS, jnp.int32), 4)
    source = networks.PoissonSource(300.0, 1.0, 5)
    return networks.Network(
        (
            ("source", source),
            ("a", jn.Population(start, 2, shared=True)),
            ("b", networks.various(start, 2, {"tau_ms": 0.2}, key=key)),
        ),
        (
            networks.Projection("source", ("a", "b"), wide, exponential(4), 2),
            networks.Projection("b", "a", synapses.OneToOne(), synapses.Delta(weight_mv=4.0)),
        ),
        outputs=("a", "b"),
    )


def smooth_network(key):
    smooth = jn.LIF(tau_ms=5.0, dt_ms=1.0, refractory_ms=0.0, detach_reset=0.0, soft_reset=0.5, spike=SmoothSpike())
    first, second = jn.Population(smooth, 5, shared=True), jn.Population(smooth, 4, shared=True)
    weights = jax.random.normal(key, (5, 3))
    joined = synapses.EventSynapses(weights, jnp.asarray(TARGETS, jnp.int32), 4)
    back = jn.Dense(4, 5, bias=False, gain=0.5, key=key)
    channels = synapses.ConductanceBased(exponential(5), -20.0)
    return networks.Network(
        {"first": first, "second": second},
        (
            networks.Projection("first", "second", joined, exponential(4), 2),
            networks.Projection("second", "first", back, channels),
        ),
    )


def drives(generator, steps):
    return {"first": currents(5)(generator, steps), "second": currents()(generator, steps)}


NETWORKS: tuple[Row, ...] = (
    Row("EventSynapses", lambda key: event_synapses(key, True, False), spikes(5), smooth=True),
    Row("EventSynapses of weights", lambda key: event_synapses(key, True, True), spikes(5), smooth=True, quick=False),
    Row("EventSynapses all", lambda key: event_synapses(key, False, True), spikes(5), smooth=True, quick=False),
    Row("OneToOne", lambda key: synapses.OneToOne(1.5), vectors(3), smooth=True, quick=False),
    Row(
        "PoissonSource",
        lambda key: networks.PoissonSource(900.0, 1.0, 3),
        lambda generator, steps: floats(generator.uniform(0, 500, (steps, 3))),
        smooth=True,
        quick=False,
    ),
    Row("NormalNoise", lambda key: networks.NormalNoise(2.0, 3, hold=2), vectors(3), smooth=True, quick=False),
    Row(
        "RandomStart",
        lambda key: networks.RandomStart(synapses.Exponential(tau_ms=3.0, dt_ms=1.0), "open", 2.0, 1.0),
        vectors(),
        smooth=True,
        quick=False,
    ),
    Row(
        "RandomStart normal",
        lambda key: networks.RandomStart(jn.LeakyReadout(tau_ms=3.0), "value", 2.0, 1.0, normal=True),
        vectors(),
        smooth=True,
        quick=False,
    ),
    Row("Network smooth", smooth_network, drives, smooth=True, quick=False),
    Row("Network spiking", spiking_network, currents(), quick=False),
    Row("Fold", lambda key: networks.Fold(3), vectors(6), smooth=True, quick=False),
    Row("Total", lambda key: networks.Total(), vectors(4, 3), smooth=True, quick=False),
)
