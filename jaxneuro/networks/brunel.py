"""Random networks of integrate-and-fire neurons in Poisson noise: Brunel's, and one whose currents balance."""

import math
from collections.abc import Mapping

import jax
from jaxtyping import PRNGKeyArray

from jaxneuro.networks.network import Network, Projection
from jaxneuro.networks.poisson import PoissonSource
from jaxneuro.networks.random_start import RandomStart
from jaxneuro.networks.vary import various
from jaxneuro.networks.vogels_abbott import NOTHING
from jaxneuro.neurons.spiking.lif import LIF
from jaxneuro.synapses.delta import Delta
from jaxneuro.synapses.event import EventSynapses
from jaxneuro.synapses.one_to_one import OneToOne
from jaxneuro.synapses.wiring import in_degree_targets


def _most(mean: float) -> int:
    return math.ceil(mean + 6 * math.sqrt(mean)) + 6


def brunel(
    size: int = 12500,
    *,
    relative_inhibition: float = 5.0,
    relative_drive: float = 2.0,
    excitatory_degree: int = 1000,
    inhibitory_degree: int = 250,
    jump_mv: float = 0.1,
    delay_ms: float = 1.5,
    dt_ms: float = 0.1,
    spread: Mapping[str, float] = NOTHING,
    events: bool = True,
    packed: bool = False,
    key: PRNGKeyArray,
) -> Network:
    """Brunel's network: every neuron has C_E excitatory and C_I inhibitory synapses from neurons drawn at random.

    Each spike moves V by J or `-g J`, a delay later; every neuron also receives C_E Poisson trains of
    `eta theta / (J C_E tau)`. Membranes have tau 20 ms, threshold 20 mV, reset 10 mV, a refractory period of 2 ms.
    States (g, eta) of the paper: (3, 2) synchronous regular, (6, 4) synchronous irregular and fast, (5, 2) asynchronous
    irregular, (4.5, 0.9) synchronous irregular and slow. `brunel_rate` predicts the rates.

    Args:
        size: number of neurons, four excitatory to one inhibitory.
        relative_inhibition: g.
        relative_drive: eta.
        excitatory_degree: C_E.
        inhibitory_degree: C_I.
        jump_mv: J (mV).
        delay_ms: D (ms), rounded to steps.
        dt_ms: step size (ms).
        spread: relative spread of parameters of `LIF` from neuron to neuron, by name.
        events: whether spikes are handed on one by one (see `EventSynapses`).
        packed: whether spikes come out as bits (see `Network`).
        key: random key for synapses and spread.

    Returns:
        A network of the populations "excitatory", "inhibitory" and "external", of which the first two are put out.

    Reference: Brunel 2000, Journal of Computational Neuroscience 8:183, section 2 and fig. 8.
    """
    neuron = LIF(tau_ms=20.0, threshold_mv=20.0, reset_mv=10.0, refractory_ms=2.0, dt_ms=dt_ms)
    start = RandomStart(neuron, "voltage_mv", 10.0, 10.0)
    external_hz = 1000 * relative_drive * 20.0 / (jump_mv * 20.0)
    sizes = {"excitatory": 4 * size // 5, "inhibitory": size - 4 * size // 5}
    keys = jax.random.split(key, 4)
    delay = max(1, round(delay_ms / dt_ms))
    jumps = {"excitatory": jump_mv, "inhibitory": -relative_inhibition * jump_mv}
    degrees = {"excitatory": excitatory_degree, "inhibitory": inhibitory_degree}
    both = ("excitatory", "inhibitory")
    populations = {name: various(start, sizes[name], spread, key=keys[i]) for i, name in enumerate(both)}
    source = PoissonSource(external_hz, dt_ms, size, _most(external_hz * dt_ms / 1000))
    projections = [Projection("external", both, OneToOne(), Delta(jump_mv))]
    for index, name in enumerate(both):
        targets = in_degree_targets(sizes[name], size, degrees[name], key=keys[2 + index])
        projections.append(Projection(name, both, EventSynapses(1.0, targets, size, events), Delta(jumps[name]), delay))
    return Network(populations | {"external": source}, projections, outputs=both, packed=packed)


def balanced(
    size: int = 2000,
    *,
    degree: int = 100,
    drive_hz: float = 10.0,
    delay: int = 1,
    dt_ms: float = 0.1,
    spread: Mapping[str, float] = NOTHING,
    events: bool = True,
    packed: bool = False,
    key: PRNGKeyArray,
) -> Network:
    """A network of strong synapses, `J / sqrt(K)`, in which excitation and inhibition cancel but for fluctuations.

    Each neuron has K synapses from either population and from K Poisson trains outside. In units of
    `theta / sqrt(K)`, the jumps are 1 from excitatory neurons, -2 and -1.8 from inhibitory ones to excitatory and to
    inhibitory neurons, 1 and 0.8 from outside. As K grows, the mean input stays finite only if
    `r_0 + r_E - 2 r_I = 0` and `0.8 r_0 + r_E - 1.8 r_I = 0`: both rates approach the rate r_0 outside, in proportion,
    though single neurons are anything but linear. Membranes: tau 20 ms, theta 20 mV, reset 0 mV, no refractory period.

    Args:
        size: number of neurons, half of them excitatory.
        degree: K.
        drive_hz: r_0 (Hz).
        delay: of every spike, in steps.
        dt_ms: step size (ms).
        spread: relative spread of parameters of `LIF` from neuron to neuron, by name.
        events: whether spikes are handed on one by one (see `EventSynapses`).
        packed: whether spikes come out as bits (see `Network`).
        key: random key for synapses and spread.

    Returns:
        A network of the populations "excitatory" and "inhibitory", each with a source, of which the first two are put
        out.

    Reference: van Vreeswijk and Sompolinsky 1996, Science 274:1724; 1998, Neural Computation 10:1321, eqs. 4.3 and 4.4.
    """
    neuron = LIF(tau_ms=20.0, threshold_mv=20.0, reset_mv=0.0, refractory_ms=0.0, dt_ms=dt_ms)
    start = RandomStart(neuron, "voltage_mv", 10.0, 10.0)
    unit_mv = 20.0 / math.sqrt(degree)
    both = ("excitatory", "inhibitory")
    sizes = {"excitatory": size // 2, "inhibitory": size - size // 2}
    jumps = {
        ("excitatory", "excitatory"): 1.0,
        ("excitatory", "inhibitory"): 1.0,
        ("inhibitory", "excitatory"): -2.0,
        ("inhibitory", "inhibitory"): -1.8,
    }
    keys = iter(jax.random.split(key, 6))
    populations, projections = {}, []
    for name, outside in zip(both, (1.0, 0.8), strict=True):
        populations[name] = various(start, sizes[name], spread, key=next(keys))
        mean_hz = degree * drive_hz
        populations[f"{name} drive"] = PoissonSource(mean_hz, dt_ms, sizes[name], _most(mean_hz * dt_ms / 1000))
        projections.append(Projection(f"{name} drive", name, OneToOne(), Delta(outside * unit_mv)))
    for (source, target), jump in jumps.items():
        targets = in_degree_targets(sizes[source], sizes[target], degree, key=next(keys))
        joined = EventSynapses(1.0, targets, sizes[target], events)
        projections.append(Projection(source, target, joined, Delta(jump * unit_mv), delay))
    return Network(populations, projections, outputs=both, packed=packed)
