"""EventProp: exact gradients of spikes of leaky integrate-and-fire layers, from spike to spike without time steps.

    tau V' = I - V,  tau_s I' = -I;  at an input spike of j: I_i <- I_i + w_ij;  at V = theta: a spike, V <- 0

Between events both equations have closed solutions, and so have their adjoints. What is kept for the backward pass is a
few numbers per event. Backwards, with a_V and a_I the derivatives of the loss by V and I:

    at a spike of cotangent g:       a_V <- (a_V V'(after) - g) / V'(before)
    at an input spike of weight w:   dL/dw = a_I,  dL/dt = w (a_I / tau_s - a_V / tau)

Reference: Wunderlich and Pehl 2021, Scientific Reports 11:12829, eqs. 1 to 4 and table 1.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxneuro.flow import exprel
from jaxneuro.root import root


class Neuron(NamedTuple):
    """A leaky integrate-and-fire neuron with exponential synapses; no gradients go to these numbers.

    Attributes:
        tau_ms: membrane time constant (ms).
        synapse_ms: time constant of the synaptic current (ms); it may be that of the membrane.
        threshold: the V at which it spikes, in units of weights.
        spikes: how many spikes it has at most.
        horizon_ms: when the simulation ends (ms).
    """

    tau_ms: float = 20.0
    synapse_ms: float = 5.0
    threshold: float = 1.0
    spikes: int = 4
    horizon_ms: float = 100.0


def spike_times(
    neuron: Neuron, weights: Float[Array, "neurons inputs"], input_times_ms: Float[Array, "inputs spikes"]
) -> Float[Array, "neurons output_spikes"]:
    """The spike times of a layer, differentiable by weights and input times; layers follow one another by calls.

    Args:
        neuron: all neurons of the layer.
        weights: from inputs to neurons.
        input_times_ms: of every input (ms), in any order; those at the horizon or after it have no effect.

    Returns:
        Times (ms), in order; the horizon, with no gradient, for spikes that do not come.
    """
    times = jnp.minimum(input_times_ms, neuron.horizon_ms).ravel()
    order = jnp.argsort(times)
    repeated = jnp.repeat(weights, input_times_ms.shape[1], axis=1)
    return jax.vmap(functools.partial(_one, neuron), in_axes=(0, None))(repeated[:, order], times[order])


class _Event(NamedTuple):
    """What the backward pass needs of an event: how long after the one before, its kind, its number, the current."""

    span: Array
    fires: Array
    number: Array
    current: Array
    weight: Array


def _decay(neuron: Neuron, span: Array) -> tuple[Array, Array, Array]:
    """How V and I fade over a span of time, and what of I becomes V."""
    membrane, synapse = jnp.exp(-span / neuron.tau_ms), jnp.exp(-span / neuron.synapse_ms)
    passed = span / neuron.tau_ms * membrane * exprel(span * (1 / neuron.tau_ms - 1 / neuron.synapse_ms))
    return membrane, synapse, passed


def simulate(
    neuron: Neuron, weights: Float[Array, "events"], times: Float[Array, "events"]
) -> tuple[Float[Array, "spikes"], Any]:
    """The spike times of one neuron from sorted input spikes, and the events; automatic differentiation goes through.

    Args:
        neuron: the neuron.
        weights: of every input spike.
        times: of every input spike (ms), sorted.

    Returns:
        Spike times, and what the backward pass of `spike_times` needs.
    """
    end = jnp.full_like(times[:1], neuron.horizon_ms)
    times, weights = jnp.append(times, end), jnp.append(weights, jnp.zeros_like(end))
    last = len(times) - 1

    def event(carry: tuple[Array, ...], _: None) -> tuple[tuple[Array, ...], _Event]:
        now, voltage, current, arrived, fired, found = carry
        rest = times[arrived] - now

        def reached(span: Array) -> tuple[Array, Array]:
            membrane, synapse, passed = _decay(neuron, span)
            return membrane * voltage + passed * current, synapse * current

        def excess(span: Array) -> Array:
            v, i = reached(span)
            return v - i

        # V rises while it is below I, so that it has one top at most.
        top = jnp.where(excess(rest) < 0, rest, root(excess, jnp.zeros_like(rest), rest))
        fires = (reached(top)[0] >= neuron.threshold) & (fired < neuron.spikes) & (excess(jnp.zeros_like(rest)) < 0)
        until = root(lambda span: reached(span)[0] - neuron.threshold, jnp.zeros_like(rest), jnp.where(fires, top, 0))
        span = jnp.where(fires, until, rest)
        voltage, current = reached(span)
        weight = weights[arrived]
        record = _Event(span, fires, jnp.where(fires, fired, arrived), current, weight)
        now = jnp.where(fires, now + span, times[arrived])
        found = jnp.where(fires & (jnp.arange(neuron.spikes, dtype=fired.dtype) == fired), now, found)
        arrived, fired = jnp.where(fires, arrived, jnp.minimum(arrived + 1, last)), fired + fires.astype(fired.dtype)
        voltage, current = jnp.where(fires, 0, voltage), jnp.where(fires, current, current + weight)
        return (now, voltage, current, arrived, fired, found), record

    zero, none = jnp.zeros_like(end[0]), jnp.zeros((), jnp.int32)
    start = (zero, zero, zero, none, none, jnp.broadcast_to(end, (neuron.spikes,)))
    carry, events = jax.lax.scan(event, start, length=last + 1 + neuron.spikes)
    return carry[-1], events


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _one(neuron: Neuron, weights: Array, times: Array) -> Array:
    return simulate(neuron, weights, times)[0]


def _forwards(neuron: Neuron, weights: Array, times: Array) -> tuple[Array, tuple[Any, Array]]:
    found, events = simulate(neuron, weights, times)
    return found, (events, jnp.zeros_like(times))


def _backwards(neuron: Neuron, kept: tuple[Any, Array], cotangents: Array) -> tuple[Array, Array]:
    events, zeros = kept
    tau, synapse = neuron.tau_ms, neuron.synapse_ms

    def event(carry: tuple[Array, ...], event: _Event) -> tuple[tuple[Array, ...], None]:
        by_voltage, by_current, by_weights, by_times = carry
        # An input spike; the one at the horizon is none, and falls out of the arrays.
        at = jnp.where(event.fires, len(zeros), event.number)
        by_weights = by_weights.at[at].set(by_current, mode="drop")
        moved = event.weight * (by_current / synapse - by_voltage / tau)
        by_times = by_times.at[at].set(moved, mode="drop")
        # A spike.
        cotangent = cotangents[jnp.where(event.fires, event.number, 0)]
        after = event.current / tau
        before = jnp.where(event.fires, (event.current - neuron.threshold) / tau, 1)
        by_voltage = jnp.where(event.fires, (by_voltage * after - cotangent) / before, by_voltage)
        # The way there.
        membrane, faded, passed = _decay(neuron, event.span)
        by_voltage, by_current = membrane * by_voltage, faded * by_current + passed * by_voltage
        return (by_voltage, by_current, by_weights, by_times), None

    start = (zeros[:1].sum(), zeros[:1].sum(), zeros, zeros)
    (_, _, by_weights, by_times), _ = jax.lax.scan(event, start, events, reverse=True)
    return by_weights, by_times


_one.defvjp(_forwards, _backwards)
