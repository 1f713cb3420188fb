"""The network of 1000 cortical neurons of different kinds that shows the rhythms of the cortex."""

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from jaxneuro.compose import Population
from jaxneuro.machine import StateMachine
from jaxneuro.networks.network import Network, Projection
from jaxneuro.networks.noise import NormalNoise
from jaxneuro.neurons.spiking.izhikevich import Izhikevich
from jaxneuro.synapses.event import EventSynapses
from jaxneuro.synapses.one_to_one import OneToOne

BOTH = ("excitatory", "inhibitory")


def izhikevich(
    size: int = 1000,
    *,
    excitatory_gain: float = 0.5,
    inhibitory_gain: float = -1.0,
    excitatory_noise: float = 5.0,
    inhibitory_noise: float = 2.0,
    delay: int = 1,
    events: bool = True,
    packed: bool = False,
    key: PRNGKeyArray,
) -> Network:
    """Izhikevich's network: four regular-spiking to one fast-spiking neuron, all to all, each with noise of its own.

    With r uniform in [0, 1) for each neuron, excitatory ones have `a = 0.02, b = 0.2, c = -65 + 15 r^2, d = 8 - 6 r^2`,
    inhibitory ones `a = 0.02 + 0.08 r, b = 0.25 - 0.05 r, c = -65, d = 2`. A spike gives every neuron a current of
    `gain r` for 1 ms, with another r for each synapse. The noise is one normal number per ms. The gains are
    those of 1000 neurons, and are scaled to the size.

    The paper's program takes the voltage in two halves of each step; here every half is a step of 0.5 ms. The noise
    holds for two of them, and a spike's current is doubled, so that it moves as much.

    Args:
        size: number of neurons, at least 5.
        excitatory_gain: largest current of a synapse from an excitatory neuron (mV/ms).
        inhibitory_gain: that from an inhibitory one.
        excitatory_noise: standard deviation of the noise of excitatory neurons (mV/ms).
        inhibitory_noise: that of inhibitory ones.
        delay: of every spike, in steps of 0.5 ms.
        events: whether spikes are handed on one by one (see `EventSynapses`).
        packed: whether spikes come out as bits (see `Network`).
        key: random key for neurons and synapses.

    Returns:
        A network of the populations "excitatory" and "inhibitory", each with its noise, of which the first two are put
        out.

    Reference: Izhikevich 2003, IEEE Transactions on Neural Networks 14:1569, section III and figure 3.
    """
    if size < 5:
        raise ValueError(f"izhikevich got size={size}; it must be at least 5: four of five neurons excite.")
    sizes = {"excitatory": 4 * size // 5, "inhibitory": size - 4 * size // 5}
    keys = jax.random.split(key, 4)
    kind, other = (jax.random.uniform(key, (sizes[name],)) for key, name in zip(keys[:2], BOTH, strict=True))

    def regular(r: jax.Array) -> Izhikevich:
        return Izhikevich(0.02, 0.2, -65 + 15 * r**2, 8 - 6 * r**2, start_mv=-65.0, start_recovery=-13.0, dt_ms=0.5)

    def fast(r: jax.Array) -> Izhikevich:
        b = 0.25 - 0.05 * r
        return Izhikevich(0.02 + 0.08 * r, b, -65.0, 2.0, start_mv=-65.0, start_recovery=-65 * b, dt_ms=0.5)

    populations: dict[str, StateMachine] = {
        "excitatory": Population(jax.vmap(regular)(kind), sizes["excitatory"]),
        "inhibitory": Population(jax.vmap(fast)(other), sizes["inhibitory"]),
    }
    projections = []
    for index, (name, gain) in enumerate(zip(BOTH, (excitatory_gain, inhibitory_gain), strict=True)):
        targets = jnp.broadcast_to(jnp.arange(size, dtype=jnp.int32), (sizes[name], size))
        weights = 2 * gain * 1000 / size * jax.random.uniform(keys[2 + index], targets.shape)
        projections.append(Projection(name, BOTH, EventSynapses(weights, targets, size, events), OneToOne(), delay))
    for name, deviation in zip(BOTH, (excitatory_noise, inhibitory_noise), strict=True):
        populations[f"{name} noise"] = NormalNoise(deviation, sizes[name], hold=2)
        projections.append(Projection(f"{name} noise", name, OneToOne(), OneToOne()))
    return Network(populations, projections, outputs=BOTH, packed=packed)
