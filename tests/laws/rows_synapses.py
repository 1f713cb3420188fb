"""Rows of the laws for kinetics, connections and plasticity of synapses."""

import jax.numpy as jnp

import jaxneuro as jn
from jaxneuro import spiking, synapses
from jaxneuro.flow import relayed
from tests.laws.row import Row, currents, floats, vectors


def arriving_at(generator, steps):
    """Spikes and the voltage they meet."""
    spikes = floats(generator.poisson(0.4, size=steps))
    return synapses.ArrivingAt(spikes, floats(generator.uniform(-80, 40, size=steps)))


def synaptic_lif_distance(machine, state, input):
    passed = relayed(machine.dt_ms, machine.tau_synapses_ms, machine.tau_ms)
    moved = machine.resistance_mohm / machine.tau_ms * jnp.sum(passed * (state.currents_na + input))
    target = machine.rest_mv + machine.resistance_mohm * machine.bias_na
    lost = (state.voltage_mv - target) * jnp.expm1(-machine.dt_ms / machine.tau_ms)
    return state.voltage_mv + lost + moved - machine.threshold_mv


SYNAPSES: tuple[Row, ...] = (
    Row("Delta", lambda key: synapses.Delta(weight_mv=1.5), vectors(), smooth=True, quick=False),
    Row("Exponential", lambda key: synapses.Exponential(tau_ms=3.0, dt_ms=1.0), vectors(), smooth=True),
    Row(
        "Exponential of charge",
        lambda key: synapses.Exponential(tau_ms=3.0, dt_ms=1.0, normalisation="charge"),
        vectors(),
        smooth=True,
        quick=False,
    ),
    Row("Alpha", lambda key: synapses.Alpha(tau_ms=3.0, dt_ms=1.0), vectors(), smooth=True, quick=False),
    Row(
        "DualExponential",
        lambda key: synapses.DualExponential(tau_rise_ms=2.0, tau_decay_ms=4.0, dt_ms=1.0),
        vectors(),
        smooth=True,
        order=2,
    ),
    Row(
        "DualExponential of equal times",
        lambda key: synapses.DualExponential(tau_rise_ms=3.0, tau_decay_ms=3.0, dt_ms=1.0, normalisation="charge"),
        vectors(),
        smooth=True,
        quick=False,
    ),
    Row(
        "ConductanceBased",
        lambda key: synapses.ConductanceBased(
            jn.Population(synapses.Exponential(tau_ms=3.0, dt_ms=1.0), 2, shared=True), reversal_mv=-7.0
        ),
        vectors(2),
        smooth=True,
        quick=False,
    ),
    Row("NMDA", lambda key: synapses.NMDA(synapses.Exponential(tau_ms=3.0, dt_ms=1.0)), arriving_at, smooth=True),
    Row(
        "SynapticLIF",
        lambda key: spiking.SynapticLIF(tau_ms=5.0, tau_synapses_ms=[2.0, 3.0], resistance_mohm=1.0, dt_ms=1.0),
        currents(2),
        distance=synaptic_lif_distance,
    ),
)
