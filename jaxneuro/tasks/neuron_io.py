"""What a pyramidal cell answers to thousands of spikes: data for a network that has to say the same."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.networks.innervated import Innervated, InnervatedState
from jaxneuro.networks.pyramidal import BRANCHES

SHARED = 0.2  # of the variance of rates
SEGMENT_MS = 25  # of the drawn rates, between which they are interpolated


class Answer(eqx.Module):
    """A cell's input and output in steps of 1 ms.

    Attributes:
        spikes: that arrive in each step, 0 or 1, `[time, synapses]`: the excitatory synapse of every compartment of the
            dendrites, then the inhibitory ones.
        voltage_mv: of the soma at the end of each step, `[time]` (mV).
        output: 1 where the soma spiked in the step, `[time]`.
    """

    spikes: Float[Array, "time synapses"]
    voltage_mv: Float[Array, "time"]
    output: Float[Array, "time"]


def dendrites() -> tuple[np.ndarray, np.ndarray]:
    """The compartments that have synapses: their numbers in the cell, and the branch that each is of."""
    branches = range(1, len(BRANCHES))
    forks = [
        sum(other.parent == number and other.grows_from == "end" for other in BRANCHES) > 1
        for number in range(len(BRANCHES))
    ]
    sizes = [branch.compartments + fork for branch, fork in zip(BRANCHES, forks, strict=True)]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    places = [np.arange(starts[number], starts[number] + BRANCHES[number].compartments) for number in branches]
    owners = [np.full(BRANCHES[number].compartments, number - 1) for number in branches]
    return np.concatenate(places).astype(np.int32), np.concatenate(owners).astype(np.int32)


def synaptic_rates(
    key: PRNGKeyArray, milliseconds: int, excitatory_hz: float, inhibitory_hz: float, depth: float
) -> Float[Array, "time synapses"]:
    """Rates that go up and down, branch by branch: `rate exp(depth z - depth^2 / 2)`, z normal and smooth in time.

    A fifth of the variance of z is shared by all branches, the rest a branch's own; excitation and inhibition have each
    their z.

    Args:
        key: random key.
        milliseconds: how long.
        excitatory_hz: mean rate of an excitatory synapse (Hz).
        inhibitory_hz: that of an inhibitory one (Hz).
        depth: how much rates vary, the standard deviation of their logarithms.

    Returns:
        The rates (Hz).
    """
    _, owners = dendrites()
    segments, branches = milliseconds // SEGMENT_MS + 2, len(BRANCHES) - 1
    shared, own = jax.random.split(key)
    z = SHARED**0.5 * jax.random.normal(shared, (segments, 2, 1))
    z = z + (1 - SHARED) ** 0.5 * jax.random.normal(own, (segments, 2, branches))
    time = np.arange(milliseconds)
    low, share = time // SEGMENT_MS, jnp.asarray(time % SEGMENT_MS / SEGMENT_MS, z.dtype)[:, None, None]
    # A mean of two has less variance; the share of each keeps it 1.
    z = (z[low] * (1 - share) + z[low + 1] * share) / jnp.sqrt(share**2 + (1 - share) ** 2)
    rates = jnp.exp(depth * z - depth**2 / 2) * jnp.asarray([excitatory_hz, inhibitory_hz], z.dtype)[None, :, None]
    return rates[:, :, owners].reshape(milliseconds, -1)


def neuron_io(
    cell: Innervated,
    key: PRNGKeyArray,
    milliseconds: int,
    *,
    steps_per_ms: int = 10,
    excitatory_hz: float = 3.3,
    inhibitory_hz: float = 6.0,
    depth: float = 1.0,
) -> Answer:
    """Lets random spikes arrive at a pyramidal cell and records what it does.

    Under `jax.vmap` over keys it makes a batch: `jax.vmap(lambda key: neuron_io(cell, key, 1000))(keys)`. The first 100
    ms or so depend on the start at rest.

    Args:
        cell: `pyramidal_cell(nmda)`.
        key: random key of the spikes.
        milliseconds: how long.
        steps_per_ms: of the cell, as it was told.
        excitatory_hz: mean rate of an excitatory synapse (Hz).
        inhibitory_hz: that of an inhibitory one (Hz).
        depth: how much rates vary in time, the standard deviation of their logarithms.

    Returns:
        Spikes, voltage and output.

    Reference: Beniaguev, Segev and London 2021, Neuron 109:2727, Methods (bins of 1 ms, modulated Poisson input).
    """
    places, _ = dendrites()
    for_rates, for_spikes = jax.random.split(key)
    rates = synaptic_rates(for_rates, milliseconds, excitatory_hz, inhibitory_hz, depth)
    spikes = jax.random.bernoulli(for_spikes, jnp.minimum(rates / 1000, 1)).astype(rates.dtype)
    compartments, dtype = cell.neuron.morphology.compartments, rates.dtype
    # What arrives in a millisecond arrives in its first step.
    first = (jnp.arange(steps_per_ms) == 0).astype(dtype)

    def millisecond(state: InnervatedState, spikes: Array) -> tuple[InnervatedState, tuple[Array, Array]]:
        excitation, inhibition = (
            jnp.zeros(compartments, dtype).at[places].set(half, unique_indices=True) for half in jnp.split(spikes, 2)
        )

        def step(state: InnervatedState, now: Array) -> tuple[InnervatedState, Array]:
            return cell.step(state, (now * excitation, now * excitation, now * inhibition))

        state, fired = jax.lax.scan(step, state, first)
        return state, (state.neuron.voltage_mv[0], fired.max())

    _, (voltage, output) = jax.lax.scan(millisecond, cell.init(key), spikes)
    return Answer(spikes, voltage, output)
