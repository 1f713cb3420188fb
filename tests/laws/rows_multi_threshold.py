"""Rows of the laws for neurons with several thresholds and units with an inner nonlinearity."""

import jax
import jax.numpy as jnp

import jaxneuro as jn
from jaxneuro import dendritic
from tests.laws.row import Row, SmoothSpike, currents, floats, vectors


def fast(**changes):
    return dendritic.MultiThreshold(
        2,
        threshold_mv=jnp.asarray([15.0, 10.0, 20.0]),
        tau_ms=jnp.asarray([5.0, 4.0, 8.0]),
        gating=0.7,
        independence=0.6,
        sharpness_per_mv=0.3,
        dt_ms=1.0,
        **changes,
    )


def origins(generator, steps):
    return floats((generator.uniform(size=(steps, 3)) < 0.2) * generator.uniform(size=(steps, 3)))


def pulses(generator, steps):
    return floats(generator.uniform(size=(steps, 4)) < 0.4)


def adaptation_distance(machine, state, input):
    pulse = (machine.weights * state.strengths[machine.dendrite]) @ input
    decayed = jnp.exp(-machine.dt_ms / machine.tau_ms) * (state.voltage_mv - machine.rest_mv)
    return machine.rest_mv + (decayed + pulse) - machine.threshold_mv


MULTI_THRESHOLD: tuple[Row, ...] = (
    Row(
        "MultiThreshold",
        lambda key: fast(refractory_ms=0.0, detach_reset=0.0, spike=SmoothSpike()),
        currents(3),
        smooth=True,
        quick=False,
    ),
    Row(
        "SpikeWaveform",
        lambda key: dendritic.SpikeWaveform(jax.random.normal(key, (3, 4))),
        origins,
        smooth=True,
        quick=False,
    ),
    Row("DCaAP", lambda key: dendritic.DCaAP(3, onset=0.2, key=key), vectors(3), smooth=True, quick=False),
    Row("TwoLayer", lambda key: dendritic.TwoLayer(3, 2, key=key), vectors(3), smooth=True, quick=False),
    Row(
        "DendriticAdaptation",
        lambda key: dendritic.DendriticAdaptation(4, 2, refractory_ms=1.0, dt_ms=1.0, spike=jn.FastSigmoid(0.5)),
        pulses,
        distance=adaptation_distance,
        quick=False,
    ),
)
