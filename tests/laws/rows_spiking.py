"""Rows of the laws for spiking neurons, membranes and synapses."""

import jax.numpy as jnp

import jaxneuro as jn
from jaxneuro import spiking
from tests.laws.row import Row, currents


def distance(threshold):
    """The distance that a flow's own Euler step ends from the threshold, which is a parameter of this name."""

    def after_the_step(machine, state, input):
        moved = jn.Euler(machine, machine.dt_ms).advance(machine.receive(state, input), input)
        return moved.voltage_mv - getattr(machine, threshold)

    return after_the_step


def adaptive_distance(machine, state, input):
    target = machine.rest_mv + machine.resistance_mohm * input
    voltage = target + (state.voltage_mv - target) * jnp.exp(-machine.dt_ms / machine.tau_ms)
    raised = state.raised_mv * jnp.exp(-machine.dt_ms / machine.tau_adaptation_ms)
    return voltage - machine.threshold_mv - raised


def izhikevich_distance(machine, state, input):
    v, u = state.voltage_mv, state.recovery
    rise = machine.quadratic * v**2 + machine.linear_per_ms * v + machine.constant - u + input
    return v + machine.dt_ms * rise - machine.peak_mv


def integrate_and_fire(**changes):
    return spiking.IntegrateAndFire(capacitance_nf=5.0, refractory_ms=2.0, dt_ms=1.0, **changes)


def adex(**changes):
    # A small cell: the currents of the table carry it from rest over its peak in a step.
    return spiking.AdEx(
        capacitance_pf=1.0, leak_ns=0.1, coupling_ns=0.05, increment_pa=5.0, tau_adaptation_ms=20.0, peak_mv=-40.0,
        dt_ms=0.5, **changes,
    )  # fmt: skip


def adaptive(**changes):
    return spiking.AdaptiveLIF(tau_ms=5.0, tau_adaptation_ms=9.0, increment_mv=3.0, dt_ms=1.0, **changes)


SPIKING: tuple[Row, ...] = (
    Row("IntegrateAndFire", lambda key: integrate_and_fire(), currents(), distance=distance("threshold_mv")),
    Row(
        "IntegrateAndFire attached soft reset",
        lambda key: integrate_and_fire(soft_reset=1.0, detach_reset=0.0),
        currents(),
        distance=distance("threshold_mv"),
        quick=False,
    ),
    Row("QIF", lambda key: spiking.QIF(peak_mv=-55.0, dt_ms=1.0), currents(), distance=distance("peak_mv")),
    Row(
        "EIF",
        lambda key: spiking.EIF(capacitance_pf=1.0, leak_ns=0.1, dt_ms=0.5),
        currents(),
        distance=distance("peak_mv"),
    ),
    Row("AdEx", lambda key: adex(), currents(), distance=distance("peak_mv")),
    Row(
        "AdEx attached reset",
        lambda key: adex(detach_reset=0.0),
        currents(),
        distance=distance("peak_mv"),
        quick=False,
    ),
    Row("AdaptiveLIF", lambda key: adaptive(), currents(), distance=adaptive_distance),
    Row(
        "AdaptiveLIF soft reset",
        lambda key: adaptive(soft_reset=1.0, raised_reset=0.5, detach_reset=0.0),
        currents(),
        distance=adaptive_distance,
        quick=False,
    ),
    Row("Izhikevich", lambda key: spiking.Izhikevich(dt_ms=1.0), currents(), distance=izhikevich_distance),
    Row(
        "Izhikevich attached reset",
        lambda key: spiking.Izhikevich(dt_ms=1.0, detach_reset=0.0),
        currents(),
        distance=izhikevich_distance,
        quick=False,
    ),
    Row(
        "PreciseIzhikevich",
        lambda key: spiking.PreciseIzhikevich(start_mv=20.0, reset_mv=-30.0, increment=1.0, dt_ms=0.1),
        currents(),
        smooth=True,
    ),
)
