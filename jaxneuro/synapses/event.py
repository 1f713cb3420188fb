"""Synapses that work only when a spike arrives."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, UInt

from jaxneuro.machine import Numbers, Stateless, parameter

BITS = 32
SHORT = 256
Spikes = Float[Array, "sources"]
Sums = Float[Array, "targets"]
Targets = Int[Array, "sources most"]


class EventSynapses(Stateless[Spikes, Sums]):
    """Sparse synapses of fixed places: `y_j = sum_i sum_(k: targets_ik = j) weights_ik x_i`.

    With `events`, only the rows of the neurons that spike are read: a step costs as much as there are spikes, and
    silence is nearly free. This is the fast way on a CPU, for one network. Without, every synapse is visited at every
    step, in a form that accelerators and `jax.vmap` like better. Both give the same sums, and both have the same
    gradients, in the weights and in the spikes, those of silent neurons included.

    Fields:
        weights: one scalar for all synapses, or `[sources, most]`, one for each.
        targets: whom neuron i reaches, `[sources, most]`; places beyond its last synapse hold the number of targets.
            `jaxneuro.synapses.bernoulli_targets` and `in_degree_targets` draw them.
        size: number of targets.
        events: whether to go from spike to spike.

    The units are those of whatever the synapses feed, so that the weights are dimensionless or, for instance, in mV.
    Input: spikes `[sources]`, 0 or 1, or any other number. Output: `[targets]`.

    Reference: Brette et al. 2007, Journal of Computational Neuroscience 23:349, section 2.2 (clock-driven simulation
    with event-driven propagation).
    """

    targets: Targets
    size: int = eqx.field(static=True)
    events: bool = eqx.field(static=True)
    weights: Numbers = parameter()

    def __init__(self, weights: Any, targets: Targets, size: int, events: bool = True) -> None:
        self.weights, self.targets, self.size, self.events = weights, targets, size, events
        if jnp.shape(weights) not in ((), targets.shape):
            raise ValueError(
                f"EventSynapses got weights of shape {jnp.shape(weights)}; it takes a scalar, or one for each place in "
                f"targets: {targets.shape}."
            )

    def respond(self, input: Spikes) -> Sums:
        """The sum of the weights of all spikes that arrive at each target."""
        if input.shape != self.targets.shape[:1]:
            raise ValueError(f"EventSynapses of {len(self.targets)} sources got {len(input)} spikes.")
        # One weight is multiplied with a count, which has no rounding errors.
        rows = self.weights if self.weights.ndim else jnp.ones((1, 1), input.dtype)
        total = (_by_events if self.events else _by_synapses)(self.size, self.targets, rows, input)
        return total if self.weights.ndim else self.weights * total


def _by_synapses(size: int, targets: Targets, weights: Float[Array, "_ _"], spikes: Spikes) -> Sums:
    sent = jnp.broadcast_to(weights * spikes[:, None], targets.shape)
    return jnp.zeros(size, spikes.dtype).at[targets].add(sent, mode="drop")


def _from_spike_to_spike(size: int, targets: Targets, weights: Float[Array, "_ _"], spikes: Spikes) -> Sums:
    def one_by_one(source: Int[Array, ""], total: Sums) -> Sums:
        spike = _at(spikes, source)

        def one(place: Int[Array, ""], total: Sums) -> Sums:
            target = _at(targets, source, place)
            weight = weights.reshape(()) if weights.size == 1 else _at(weights, source, place)
            sum_ = (_at(total, target) + weight * spike)[None]
            return jax.lax.dynamic_update_slice(total, sum_, (target,), allow_negative_indices=False)

        return jax.lax.fori_loop(0, targets.shape[1], one, total)

    def at_once(source: Int[Array, ""], total: Sums) -> Sums:
        row = weights[0] if len(weights) == 1 else _row(weights, source)
        sent = jnp.broadcast_to(row * _row(spikes, source), targets.shape[1:])
        return total.at[_row(targets, source)].add(sent)

    def add(total: Sums, source: Int[Array, ""]) -> Sums:
        # A scatter takes two thirds of the time of a loop, but on a CPU keeps a run from being a single kernel, which
        # is worth more where rows are short.
        if targets.shape[1] > SHORT:
            return at_once(source, total)
        return jax.lax.platform_dependent(source, total, cpu=one_by_one, default=at_once)

    # One place more, for targets that are none.
    return for_each_spike(add, jnp.zeros(size + 1, spikes.dtype), spikes)[:size]


def _at(array: Array, *index: Any) -> Array:
    index = tuple(jnp.asarray(place, jnp.int32) for place in index)
    return jax.lax.dynamic_slice(array, index, (1,) * array.ndim, allow_negative_indices=False).reshape(())


_by_events = jax.custom_jvp(_from_spike_to_spike, nondiff_argnums=(0,))


@_by_events.defjvp
def _by_events_jvp(size: int, primals: tuple[Array, Array, Array], tangents: tuple[Any, Array, Array]) -> Any:
    # A change of the input reaches its targets whether or not there is a spike: the derivative has no events.
    (targets, weights, spikes), (_, weights_change, spikes_change) = primals, tangents
    change = _by_synapses(size, targets, weights, spikes_change) + _by_synapses(size, targets, weights_change, spikes)
    return _by_events(size, targets, weights, spikes), change


def _row(array: Array, index: Int[Array, ""]) -> Array:
    return jax.lax.dynamic_index_in_dim(array, index, keepdims=False)


def pack(spikes: Float[Array, "neurons"]) -> UInt[Array, "words"]:
    """Spikes as bits: neuron `k W + w` is bit k of word w, where W is the number of words, a 32nd of the neurons.

    In this order 32 long slices make all words, without a transposition.

    Args:
        spikes: anything but 0 is a spike.

    Returns:
        The words.
    """
    count = -(-spikes.size // BITS)
    fired = jnp.pad(spikes != 0, (0, count * BITS - spikes.size))
    words = jnp.zeros(count, jnp.uint32)
    for bit in range(BITS):
        words |= jnp.where(fired[bit * count : (bit + 1) * count], jnp.uint32(1 << bit), jnp.uint32(0))
    return words


def unpack(words: UInt[Array, "*time words"], neurons: int) -> Float[Array, "*time neurons"]:
    """What `pack` packed.

    Args:
        words: any leading axes.
        neurons: how many there were.

    Returns:
        1.0 for a spike, else 0.0.
    """
    bits = jnp.stack([words >> jnp.uint32(bit) & jnp.uint32(1) for bit in range(BITS)], axis=-2)
    return bits.reshape(*words.shape[:-1], -1)[..., :neurons].astype(jnp.result_type(float))


def for_each_spike(add: Callable[[Sums, Int[Array, ""]], Sums], total: Sums, spikes: Spikes) -> Sums:
    """`total = add(total, i)` for every neuron i that spikes.

    Args:
        add: what a spike of neuron i does.
        total: what there was before.
        spikes: anything but 0 is a spike.

    Returns:
        The total after all spikes.
    """
    words = pack(spikes)
    count = words.size

    def busy(words: UInt[Array, "words"]) -> Int[Array, ""]:
        return jnp.argmax(words != 0).astype(jnp.int32)

    def left(carry: tuple[Array, Array, Array, Sums]) -> Array:
        return carry[1] != 0

    def one(carry: tuple[Array, Array, Array, Sums]) -> tuple[Array, Array, Array, Sums]:
        words, word, place, total = carry
        lowest = word & (~word + jnp.uint32(1))
        bit = jax.lax.population_count(lowest - jnp.uint32(1)).astype(jnp.int32)
        total = add(total, place + bit * count)
        words = jax.lax.dynamic_update_index_in_dim(words, word ^ lowest, place, 0)
        place = busy(words)
        return words, _row(words, place), place, total

    place = busy(words)
    return jax.lax.while_loop(left, one, (words, _row(words, place), place, total))[3]
