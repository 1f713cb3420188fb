"""Rows of the laws for spiking neurons, membranes and synapses."""

import jax
import jax.numpy as jnp

import jaxneuro as jn
from jaxneuro import spiking
from tests.laws.row import Row, SmoothSpike, currents, floats


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


def glif_distance(machine, state, input):
    # The first step of a cell at rest: no after-spike current, the threshold at theta but for what V pulls.
    x = machine.leak_ns * machine.dt_ms / machine.capacitance_pf
    above, mean = -jnp.expm1(-x), 1 + jnp.expm1(-x) / x
    decay = machine.threshold_voltage_decay_per_ms
    pulled = machine.threshold_coupling_per_ms * -jnp.expm1(-decay * machine.dt_ms) / decay
    drive = (input + state.slow_pa * x_mean(machine.slow_decay_per_ms, machine.dt_ms)) / machine.leak_ns
    drive = drive + state.fast_pa * x_mean(machine.fast_decay_per_ms, machine.dt_ms) / machine.leak_ns
    target, start = machine.rest_mv + drive, state.voltage_mv
    voltage = start + (target - start) * above
    spiked = state.threshold_spike_mv * jnp.exp(-machine.threshold_decay_per_ms * machine.dt_ms)
    gained = state.threshold_voltage_mv * jnp.exp(-decay * machine.dt_ms)
    gained = gained + pulled * (start + (target - start) * mean - machine.rest_mv)
    return voltage - machine.threshold_mv - spiked - gained


def x_mean(rate, dt):
    return -jnp.expm1(-rate * dt) / (rate * dt)


def pushes(generator, steps):
    return floats(generator.uniform(-3, 6, size=steps))


def response_distance(machine, state, input):
    _, own = jax.random.split(state.key)
    draw = jax.random.uniform(own, dtype=jnp.float32) + 2.0**-24
    patience = -jnp.log1p(-draw).astype(input.dtype)
    decay = jnp.exp(-machine.dt_ms / machine.tau_ms)
    filtered = state.input_mv * decay + machine.resistance_mohm * input * (1 - decay)
    after = state.after_mv * jnp.exp(-machine.dt_ms / machine.tau_after_ms)
    u = machine.rest_mv + filtered + after
    return u - machine.threshold_mv - machine.softness_mv * jnp.log(patience / (machine.rate_per_ms * machine.dt_ms))


def resonant_distance(machine, state, input):
    z, rate = (
        jax.lax.complex(state.current, state.voltage),
        jax.lax.complex(machine.damping_per_ms, machine.frequency_per_ms),
    )
    factor = jnp.exp(rate * jax.lax.complex(machine.dt_ms, jnp.zeros_like(machine.dt_ms)))
    driven = jax.lax.complex(input, jnp.zeros_like(input)) * (factor - jnp.ones_like(factor)) / rate
    return (z * factor + driven).imag - machine.threshold


def everything(generator, steps):
    conductance = generator.uniform(0, 0.1, size=steps)
    return jn.Stimulus(
        current=floats(generator.uniform(-20, 80, size=steps)),
        jump=jn.VoltageJump(floats(generator.uniform(-2, 8, size=steps))),
        channels=jn.Conductance(floats(conductance), floats(conductance * generator.uniform(-90, 0, size=steps))),
    )


def adex(**changes):
    # A small cell: the currents of the table carry it from rest over its peak in a step.
    return spiking.AdEx(
        capacitance_pf=1.0, leak_ns=0.1, coupling_ns=0.05, increment_pa=5.0, tau_adaptation_ms=20.0, peak_mv=-40.0,
        dt_ms=0.5, **changes,
    )  # fmt: skip


def generalised(**changes):
    return spiking.GLIF(capacitance_pf=2.0, leak_ns=1.0, dt_ms=1.0, **changes)


def adaptive(**changes):
    return spiking.AdaptiveLIF(tau_ms=5.0, tau_adaptation_ms=9.0, increment_mv=3.0, dt_ms=1.0, **changes)


SPIKING: tuple[Row, ...] = (
    Row(
        "IntegrateAndFire",
        lambda key: spiking.IntegrateAndFire(capacitance_nf=5.0, refractory_ms=2.0, dt_ms=1.0),
        currents(),
        distance=distance("threshold_mv"),
        quick=False,
    ),
    Row(
        "QIF",
        lambda key: spiking.QIF(peak_mv=-55.0, dt_ms=1.0),
        currents(),
        distance=distance("peak_mv"),
        quick=False,
    ),
    Row(
        "EIF",
        lambda key: spiking.EIF(capacitance_pf=1.0, leak_ns=0.1, dt_ms=0.5),
        currents(),
        distance=distance("peak_mv"),
        quick=False,
    ),
    Row("AdEx", lambda key: adex(), currents(), distance=distance("peak_mv"), quick=False),
    Row("AdaptiveLIF", lambda key: adaptive(), currents(), distance=adaptive_distance),
    Row(
        "AdEx by current, jump and channels",
        lambda key: adex(),
        everything,
        distance=distance("peak_mv"),
        quick=False,
    ),
    Row(
        "AdEx smooth spike",
        lambda key: adex(detach_reset=0.0, spike=SmoothSpike()),
        currents(),
        smooth=True,
        quick=False,
    ),
    Row(
        "AdaptiveLIF smooth spike",
        lambda key: adaptive(
            refractory_ms=0.0, soft_reset=0.5, raised_reset=0.5, detach_reset=0.0, spike=SmoothSpike()
        ),
        currents(),
        smooth=True,
        quick=False,
    ),
    Row(
        "GLIF smooth spike",
        lambda key: generalised(refractory_ms=0.0, detach_reset=0.0, spike=SmoothSpike()),
        currents(),
        smooth=True,
        quick=False,
    ),
    Row("Izhikevich", lambda key: spiking.Izhikevich(dt_ms=1.0), currents(), distance=izhikevich_distance),
    Row(
        "PreciseIzhikevich",
        lambda key: spiking.PreciseIzhikevich(start_mv=20.0, reset_mv=-30.0, increment=1.0, dt_ms=0.1),
        currents(),
        smooth=True,
        quick=False,
    ),
    Row(
        "GLIF",
        # A steep kernel would show the rounding of -50 mV.
        lambda key: generalised(refractory_ms=2.0, spike=jn.FastSigmoid(0.5)),
        currents(),
        distance=glif_distance,
        quick=False,
    ),
    Row("SpikeResponse", lambda key: spiking.SpikeResponse(dt_ms=1.0), currents(), distance=response_distance),
    Row(
        "ResonateAndFire",
        lambda key: spiking.ResonateAndFire(dt_ms=1.0),
        pushes,
        distance=resonant_distance,
        quick=False,
    ),
)
