"""The two benchmark networks of integrate-and-fire neurons that keep themselves firing: CUBA and COBA."""

from collections.abc import Mapping
from types import MappingProxyType

import jax
from jaxtyping import PRNGKeyArray

from jaxneuro.compose import Population
from jaxneuro.machine import StateMachine
from jaxneuro.networks.network import Network, Projection
from jaxneuro.networks.random_start import RandomStart
from jaxneuro.networks.vary import various
from jaxneuro.neurons.spiking.lif import LIF
from jaxneuro.synapses.conductance_based import ConductanceBased
from jaxneuro.synapses.event import EventSynapses
from jaxneuro.synapses.exponential import Exponential
from jaxneuro.synapses.wiring import bernoulli_targets

NOTHING: Mapping[str, float] = MappingProxyType({})


def _excitatory(size: int) -> int:
    if size < 5:
        raise ValueError(f"The network got size={size}; it must be at least 5: four of five neurons excite.")
    return 4 * size // 5


def _network(
    neuron: StateMachine,
    size: int,
    synapses: dict[str, tuple[float, StateMachine]],
    degree: float,
    delay: int,
    spread: Mapping[str, float],
    events: bool,
    packed: bool,
    key: PRNGKeyArray,
) -> Network:
    """Two populations of one kind of neuron; of each, weight and kinetics of the synapses that it makes on both."""
    sizes = {"excitatory": _excitatory(size), "inhibitory": size - _excitatory(size)}
    keys = jax.random.split(key, 4)
    populations, projections = {}, []
    for index, (name, (weight, kinetics)) in enumerate(synapses.items()):
        populations[name] = various(neuron, sizes[name], spread, key=keys[index])
        targets = bernoulli_targets(sizes[name], size, degree / size, key=keys[2 + index])
        joined = EventSynapses(weight, targets, size, events)
        projections.append(Projection(name, ("excitatory", "inhibitory"), joined, kinetics, delay))
    return Network(populations, projections, packed=packed)


def cuba(
    size: int = 4000,
    *,
    degree: float = 80.0,
    excitatory_mv: float = 1.62,
    inhibitory_mv: float = -9.0,
    delay: int = 1,
    dt_ms: float = 0.1,
    spread: Mapping[str, float] = NOTHING,
    events: bool = True,
    packed: bool = False,
    key: PRNGKeyArray,
) -> Network:
    """The network of current-based synapses, four excitatory neurons to each inhibitory one.

    `tau dV = (g_e + g_i - (V - E_L)) dt`, with tau 20 ms, E_L -49 mV, above the threshold of -50 mV, reset to -60 mV
    and a refractory period of 5 ms; g_e and g_i jump with each spike and decay within 5 and 10 ms. Voltages start
    between reset and threshold. Resistances are 1 MOhm, so that g in mV is a current in nA. At the size of the paper it
    fires irregularly at 5 to 6 Hz.

    Args:
        size: number of neurons.
        degree: mean number of synapses on a neuron, from both populations; each pair is joined with `degree / size`.
        excitatory_mv: jump of g_e (mV).
        inhibitory_mv: jump of g_i (mV).
        delay: of every spike, in steps.
        dt_ms: step size (ms).
        spread: relative spread of parameters of `LIF` from neuron to neuron, by name.
        events: whether spikes are handed on one by one (see `EventSynapses`).
        packed: whether spikes come out as bits (see `Network`).
        key: random key for synapses and spread.

    Returns:
        A network of the populations "excitatory" and "inhibitory". `jn.run(network, jnp.zeros(steps))` lets it run.

    Reference: Vogels and Abbott 2005, Journal of Neuroscience 25:10786; as benchmark 2 of Brette et al. 2007, Journal
    of Computational Neuroscience 23:349.
    """
    neuron = LIF(
        tau_ms=20.0,
        resistance_mohm=1.0,
        rest_mv=-49.0,
        threshold_mv=-50.0,
        reset_mv=-60.0,
        refractory_ms=5.0,
        dt_ms=dt_ms,
    )
    synapses: dict[str, tuple[float, StateMachine]] = {
        "excitatory": (excitatory_mv, Population(Exponential(tau_ms=5.0, dt_ms=dt_ms), size, shared=True)),
        "inhibitory": (inhibitory_mv, Population(Exponential(tau_ms=10.0, dt_ms=dt_ms), size, shared=True)),
    }
    start = RandomStart(neuron, "voltage_mv", -55.0, 5.0)
    return _network(start, size, synapses, degree, delay, spread, events, packed, key)


def coba(
    size: int = 4000,
    *,
    degree: float = 80.0,
    excitatory_us: float = 0.006,
    inhibitory_us: float = 0.067,
    delay: int = 1,
    dt_ms: float = 0.1,
    spread: Mapping[str, float] = NOTHING,
    events: bool = True,
    packed: bool = False,
    key: PRNGKeyArray,
) -> Network:
    """The network of conductance-based synapses, four excitatory neurons to each inhibitory one.

    `tau dV = (R g_e (0 - V) + R g_i (-80 mV - V) - (V - E_L)) dt`, with tau 20 ms, R 100 MOhm, E_L and reset -60 mV,
    threshold -50 mV and a refractory period of 5 ms; g_e and g_i jump with each spike and decay within 5 and 10 ms.
    Voltages and conductances start at random, normal around -65 mV, 40 nS and 200 nS, as in the benchmark: from other
    starts it often falls silent. At the size of the paper it fires irregularly at 15 to 20 Hz.

    Args:
        size: number of neurons.
        degree: mean number of synapses on a neuron, from both populations; each pair is joined with `degree / size`.
        excitatory_us: jump of g_e (uS).
        inhibitory_us: jump of g_i (uS).
        delay: of every spike, in steps.
        dt_ms: step size (ms).
        spread: relative spread of parameters of `LIF` from neuron to neuron, by name.
        events: whether spikes are handed on one by one (see `EventSynapses`).
        packed: whether spikes come out as bits (see `Network`).
        key: random key for synapses and spread.

    Returns:
        A network of the populations "excitatory" and "inhibitory". `jn.run(network, jnp.zeros(steps))` lets it run.

    Reference: Vogels and Abbott 2005, Journal of Neuroscience 25:10786; as benchmark 1 of Brette et al. 2007, Journal
    of Computational Neuroscience 23:349.
    """
    neuron = LIF(
        tau_ms=20.0,
        resistance_mohm=100.0,
        rest_mv=-60.0,
        threshold_mv=-50.0,
        reset_mv=-60.0,
        refractory_ms=5.0,
        dt_ms=dt_ms,
    )

    def channels(tau_ms: float, mean_us: float, deviation_us: float, reversal_mv: float) -> ConductanceBased:
        kinetics = RandomStart(Exponential(tau_ms=tau_ms, dt_ms=dt_ms), "open", mean_us, deviation_us, normal=True)
        return ConductanceBased(Population(kinetics, size, shared=True), reversal_mv)

    synapses: dict[str, tuple[float, StateMachine]] = {
        "excitatory": (excitatory_us, channels(5.0, 0.04, 0.015, 0.0)),
        "inhibitory": (inhibitory_us, channels(10.0, 0.2, 0.12, -80.0)),
    }
    start = RandomStart(neuron, "voltage_mv", -65.0, 5.0, normal=True)
    return _network(start, size, synapses, degree, delay, spread, events, packed, key)
