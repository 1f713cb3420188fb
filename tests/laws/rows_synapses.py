"""Rows of the laws for kinetics, connections and plasticity of synapses."""

import jax.numpy as jnp
import numpy as np

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


def spikes(*shape):
    """Silence, or a spike of any size: not only those of size one have gradients."""

    def draw(generator, steps):
        return floats(generator.uniform(0.2, 1, (steps, *shape)) * (generator.uniform(size=(steps, *shape)) < 0.4))

    return draw


def delayed(key):
    connections = synapses.Sparse(4, 3, fan_out=2, key=key)
    return synapses.Delayed(connections, jnp.asarray([[0, 1], [2, 3], [3, 0], [1, 1]], jnp.int32), longest=3)


def firing(generator, steps):
    """Spikes of three neurons before and two behind."""
    return synapses.Firing(spikes(3)(generator, steps), spikes(2)(generator, steps))


def rewarded(generator, steps):
    """Spikes and now and then dopamine."""
    return synapses.RewardedFiring(firing(generator, steps), spikes()(generator, steps))


def episodes(generator, steps):
    """Spikes, then a time that is short or long beside the time constants."""
    return synapses.Episode(firing(generator, steps), floats(np.exp(generator.uniform(-1, 3, steps))))


def calcium(key):
    return synapses.CalciumPlasticity(
        0.4 + weights() / 3, 2, weak=0.5, strong=2.0, depression_threshold=0.7, potentiation_threshold=1.1,
        depression=2.0, potentiation=3.0, noise=0.1, tau_calcium_ms=3.0, tau_ms=40.0, dt_ms=1.0,
    )  # fmt: skip


def tag_and_capture(key):
    return synapses.TagAndCapture(
        4 + 3 * weights(), tau_early_ms=30.0, tau_late_ms=50.0, tau_protein_ms=40.0, tau_calcium_ms=4.0,
        potentiation=4.0, depression=2.0, potentiation_threshold=0.9, depression_threshold=0.4, tag_mv=0.3,
    )  # fmt: skip


def plastic(key):
    rule = synapses.PairSTDP(weights(), 0.02, 0.03, 3.0, 4.0, dt_ms=1.0)
    return synapses.Plastic(rule, jn.Population(jn.Rate(threshold=0.3), 2, shared=True), jnp.zeros(2))


def weights():
    """Of synapses that are neither at a bound nor far from it."""
    return 0.3 + 0.1 * jnp.arange(6.0).reshape(2, 3)


SYNAPSES: tuple[Row, ...] = (
    Row("Delta", lambda key: synapses.Delta(weight_mv=1.5), vectors(), smooth=True, quick=False),
    Row("Exponential", lambda key: synapses.Exponential(tau_ms=3.0, dt_ms=1.0), vectors(), smooth=True, quick=False),
    Row(
        "Exponential of charge",
        lambda key: synapses.Exponential(tau_ms=3.0, dt_ms=1.0, normalisation="charge"),
        vectors(),
        smooth=True,
        quick=False,
    ),
    Row(
        "Exponential in the middle",
        lambda key: synapses.Exponential(tau_ms=3.0, dt_ms=1.0, value_at="middle"),
        vectors(),
        smooth=True,
        quick=False,
    ),
    Row(
        "Alpha in the middle",
        lambda key: synapses.Alpha(tau_ms=3.0, dt_ms=1.0, value_at="middle"),
        vectors(),
        smooth=True,
        quick=False,
    ),
    Row(
        "DualExponential in the middle",
        lambda key: synapses.DualExponential(tau_rise_ms=2.0, tau_decay_ms=4.0, dt_ms=1.0, value_at="middle"),
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
    Row(
        "Receptors",
        lambda key: synapses.Receptors(
            synapses.Exponential(tau_ms=3.0, dt_ms=1.0),
            synapses.ConductanceBased(synapses.Alpha(tau_ms=2.0, dt_ms=1.0), reversal_mv=-7.0),
            synapses.Delta(),
        ),
        lambda generator, steps: tuple(vectors()(generator, steps) for _ in range(3)),
        smooth=True,
        quick=False,
    ),
    Row(
        "NMDA",
        lambda key: synapses.NMDA(synapses.Exponential(tau_ms=3.0, dt_ms=1.0)),
        arriving_at,
        smooth=True,
        quick=False,
    ),
    Row(
        "SynapticLIF",
        lambda key: spiking.SynapticLIF(tau_ms=5.0, tau_synapses_ms=[2.0, 3.0], resistance_mohm=1.0, dt_ms=1.0),
        currents(2),
        distance=synaptic_lif_distance,
        quick=False,
    ),
    Row("Sparse", lambda key: synapses.Sparse(4, 3, probability=0.5, key=key), vectors(4), smooth=True, quick=False),
    Row(
        "Sparse by events",
        lambda key: synapses.Sparse(4, 3, fan_out=2, events=2, key=key),
        spikes(4),
        smooth=True,
        quick=False,
    ),
    Row("Delayed", delayed, vectors(4), smooth=True),
    Row(
        "PairSTDP",
        lambda key: synapses.PairSTDP(weights(), 0.02, 0.03, 3.0, 4.0, softness=0.3, dt_ms=1.0),
        firing,
        smooth=True,
    ),
    Row(
        "PairSTDP of nearest spikes",
        lambda key: synapses.PairSTDP(weights(), 0.02, 0.03, 3.0, 4.0, dt_ms=1.0, pairing="nearest"),
        firing,
        smooth=True,
        quick=False,
    ),
    Row(
        "PairSTDP of sparse synapses",
        lambda key: synapses.PairSTDP(
            synapses.Sparse(3, 2, probability=0.6, weight=0.4, key=key), 0.02, 0.03, 3.0, 4.0, dt_ms=1.0
        ),
        firing,
        smooth=True,
        quick=False,
    ),
    Row(
        "TripletSTDP",
        lambda key: synapses.TripletSTDP(weights(), 0.01, 0.02, 0.02, 0.01, 3.0, 6.0, 4.0, 8.0, dt_ms=1.0),
        firing,
        smooth=True,
        quick=False,
    ),
    Row(
        "InhibitorySTDP",
        lambda key: synapses.InhibitorySTDP(weights(), target_hz=8.0, tau_ms=4.0, dt_ms=1.0),
        firing,
        smooth=True,
        quick=False,
    ),
    Row(
        "RewardedSTDP",
        lambda key: synapses.RewardedSTDP(weights(), 1.0, 2.0, 3.0, 4.0, 9.0, 5.0),
        rewarded,
        smooth=True,
        quick=False,
    ),
    Row("Plastic", plastic, spikes(3), smooth=True, quick=False),
    Row("CalciumPlasticity", calcium, firing, smooth=True, quick=False),
    Row("TagAndCapture", tag_and_capture, episodes, smooth=True, quick=False),
    Row(
        "TsodyksMarkram", lambda key: synapses.TsodyksMarkram(9.0, 20.0, dt_ms=1.0), spikes(), smooth=True, quick=False
    ),
    Row(
        "TsodyksMarkram without facilitation",
        lambda key: synapses.TsodyksMarkram(dt_ms=1.0),
        spikes(),
        smooth=True,
        quick=False,
    ),
    Row(
        "DynamicSynapse",
        lambda key: synapses.DynamicSynapse(2.0, 3.0, 20.0, 9.0, dt_ms=1.0),
        spikes(),
        smooth=True,
        quick=False,
    ),
)
