"""Fitting GLIF neurons of all levels to spikes, by gradient, without a surrogate.

The threshold is made noisy, so that spikes have a likelihood, and the spikes of the cell, not those of the model, reset
the model: what a parameter does to the likelihood is then a smooth function of it. Afterwards the model runs alone and
without noise, and settles where it does that best. A level is a mask over what all levels have in common, so that all
are lanes of one program.
"""

import functools
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array

from jaxneuro.learning.optimizer import cosine_adam
from jaxneuro.neurons.spiking.glif import ABSENT, GLIF
from jaxneuro.run import run

# What a level may lack.
OPTIONAL = ABSENT[1]
REFRACTORY_MS = 2.0
SMOOTHING_MS = 10.0
# A threshold that is never reached; minus it is one that always is (mV).
FAR = 1e6
# Norm to which larger gradients (nats per spike) are shortened: Adam would forget a huge one only in a thousand steps.
LARGEST_GRADIENT = 2.0


class Numbers(NamedTuple):
    """What is learnt, dimensionless but for logarithms of times in ms; voltages are in parts of scale / leak."""

    log_tau: Array
    threshold: Array
    log_width: Array
    reset_fraction: Array
    reset_shift: Array
    threshold_step: Array
    log_tau_threshold: Array
    slow_step: Array
    log_tau_slow: Array
    fast_step: Array
    log_tau_fast: Array
    coupling: Array
    log_tau_voltage: Array


class Known(NamedTuple):
    """What is known of a cell before the fit: capacitance (pF), rest (mV), scale of its stimulus (pA)."""

    capacitance_pf: Array
    rest_mv: Array
    scale_pa: Array


def starts(random: np.random.Generator, count: int) -> Numbers:
    """Random starts, the same for all levels and cells, `[count]`."""

    def times(low: float, high: float) -> Array:
        return jnp.asarray(np.log(low) + random.random(count) * np.log(high / low), jnp.float32)

    def near(middle: float, spread: float) -> Array:
        return jnp.asarray(middle + spread * random.standard_normal(count), jnp.float32)

    return Numbers(
        log_tau=times(8.0, 30.0),
        threshold=near(1.0, 0.1),
        log_width=near(-2.3, 0.1),
        reset_fraction=near(0.0, 0.1),
        reset_shift=near(0.0, 0.1),
        threshold_step=near(0.05, 0.02),
        log_tau_threshold=times(50.0, 200.0),
        slow_step=near(-0.05, 0.02),
        log_tau_slow=times(80.0, 300.0),
        fast_step=near(-0.05, 0.02),
        log_tau_fast=times(5.0, 20.0),
        coupling=near(0.0, 0.1),
        log_tau_voltage=times(10.0, 50.0),
    )


def present(level: int) -> list[float]:
    """1 for each of `OPTIONAL` that a level has, else 0."""
    return [float(name not in ABSENT[level]) for name in OPTIONAL]


def model(numbers: Numbers, mask: Array, known: Known, dt_ms: float) -> tuple[GLIF, Array]:
    """The neuron, and the width of its noisy threshold (mV).

    Args:
        numbers: of one lane.
        mask: `present(level)`.
        known: of the cell.
        dt_ms: step (ms).
    """
    leak = known.capacitance_pf * jnp.exp(-numbers.log_tau)
    unit_mv = known.scale_pa / leak
    decay = jnp.exp(-numbers.log_tau_voltage)
    has = dict(zip(OPTIONAL, mask, strict=True))
    neuron = GLIF(
        capacitance_pf=known.capacitance_pf,
        leak_ns=leak,
        rest_mv=known.rest_mv,
        threshold_mv=known.rest_mv + numbers.threshold * unit_mv,
        refractory_ms=REFRACTORY_MS,
        reset_fraction=has["reset_fraction"] * numbers.reset_fraction,
        reset_shift_mv=has["reset_shift_mv"] * numbers.reset_shift * unit_mv,
        threshold_step_mv=has["threshold_step_mv"] * numbers.threshold_step * unit_mv,
        threshold_decay_per_ms=jnp.exp(-numbers.log_tau_threshold),
        slow_decay_per_ms=jnp.exp(-numbers.log_tau_slow),
        fast_decay_per_ms=jnp.exp(-numbers.log_tau_fast),
        slow_step_pa=has["slow_step_pa"] * numbers.slow_step * known.scale_pa,
        fast_step_pa=has["fast_step_pa"] * numbers.fast_step * known.scale_pa,
        threshold_coupling_per_ms=has["threshold_coupling_per_ms"] * numbers.coupling * decay,
        threshold_voltage_decay_per_ms=decay,
        dt_ms=dt_ms,
    )
    return neuron, jnp.exp(numbers.log_width) * unit_mv


def surprise(neuron: GLIF, width_mv: Array, currents: Array, spikes: Array) -> Array:
    """Minus the log likelihood of the spikes (nats), which also are what resets the neuron.

    A step that is not refractory has a spike with probability `sigmoid((V - threshold) / width)`.
    """
    silent, firing = (eqx.tree_at(lambda cell: cell.threshold_mv, neuron, jnp.float32(far)) for far in (FAR, -FAR))

    def step(state: Any, now: tuple[Array, Array]) -> tuple[Any, Array]:
        current, spike = now
        free = state.refractory_ms < neuron.dt_ms / 2
        moved, _ = silent.step(state, current)
        after, _ = firing.jump(moved, current, neuron.dt_ms)
        threshold = neuron.threshold_mv + moved.threshold_spike_mv + moved.threshold_voltage_mv
        above = (moved.voltage_mv - threshold) / width_mv
        state = jax.tree.map(lambda after, moved: jnp.where(free & (spike > 0), after, moved), after, moved)
        return state, jnp.where(free, jax.nn.softplus(above) - spike * above, 0)

    _, costs = jax.lax.scan(step, neuron.init(jax.random.key(0)), (currents, spikes))
    return costs.sum()


class Fit(NamedTuple):
    """What a fit needs: where it starts, what its level has, the cell, the learning rate, currents (pA) and spikes.

    Currents and spikes are `[stimuli, steps]`. Many fits have a leading axis of lanes in every leaf.
    """

    numbers: Numbers
    mask: Array
    known: Known
    rate: Array
    currents: Array
    spikes: Array


@functools.partial(jax.jit, static_argnums=(1, 2))
def fit(lanes: Fit, steps: int, dt_ms: float) -> tuple[Numbers, Array]:
    """Train all lanes: their numbers, and their losses in nats per spike, `[steps, lanes]`."""

    def loss(numbers: Numbers, lane: Fit) -> Array:
        neuron, width = model(numbers, lane.mask, lane.known, dt_ms)
        total = jax.vmap(functools.partial(surprise, neuron, width))(lane.currents, lane.spikes).sum()
        return total / jnp.maximum(lane.spikes.sum(), 1)

    def update(numbers: Numbers, state: Any, lane: Fit) -> tuple[Numbers, Any, Array]:
        value, gradient = jax.value_and_grad(loss)(numbers, lane)
        norm = optax.tree.norm(gradient)
        gradient = jax.tree.map(lambda leaf: leaf * jnp.minimum(1, LARGEST_GRADIENT / (norm + 1e-30)), gradient)
        # Optax raises floats to the power of integer counts, which strict promotion forbids.
        with jax.numpy_dtype_promotion("standard"):
            changes, state = cosine_adam(lane.rate, steps).update(gradient, state, numbers)
            new: Any = optax.apply_updates(numbers, changes)
        return new, state, value

    def step(carry: tuple[Numbers, Any], _: None) -> tuple[tuple[Numbers, Any], Array]:
        numbers, state, values = jax.vmap(update)(*carry, lanes)
        return (numbers, state), values

    state = jax.vmap(lambda numbers, rate: cosine_adam(rate, steps).init(numbers))(lanes.numbers, lanes.rate)
    (numbers, _), values = jax.lax.scan(step, (lanes.numbers, state), None, length=steps)
    return numbers, values


def free(lane: Fit, currents: Array, dt_ms: float) -> Array:
    """Spikes of the model without noise and without the cell's spikes, under currents `[stimuli, steps]`."""
    neuron, _ = model(lane.numbers, lane.mask, lane.known, dt_ms)
    return jax.vmap(lambda currents: run(neuron, currents)[1])(currents)


@functools.partial(jax.jit, static_argnums=(2,))
def alone(lanes: Fit, currents: Array, dt_ms: float) -> Array:
    """`free` of every lane, under currents of its own."""
    return jax.vmap(functools.partial(free, dt_ms=dt_ms))(lanes, currents)


@functools.partial(jax.jit, static_argnums=(3, 4))
def settle(lanes: Fit, keys: Array, shifts: Array, rounds: int, dt_ms: float) -> tuple[Numbers, Numbers]:
    """What makes models that run alone explain most of the training trains: a shift of the threshold, then anything.

    Args:
        lanes: fitted.
        keys: one for every lane.
        shifts: of the threshold, tried in turn, in widths.
        rounds: how often numbers are then changed by chance, and kept if that is better.
        dt_ms: step (ms).

    Returns:
        All numbers after the shift, and after the rounds.
    """
    reach = round(4 * SMOOTHING_MS / dt_ms)
    bell = jnp.exp(-0.5 * (dt_ms * jnp.arange(-reach, reach + 1, dtype=jnp.float32) / SMOOTHING_MS) ** 2)

    def smooth(spikes: Array) -> Array:
        return jax.vmap(lambda train: jnp.convolve(train, bell, mode="same"))(spikes).reshape(-1)

    def one(lane: Fit, key: Array) -> tuple[Numbers, Numbers]:
        data = smooth(lane.spikes)

        def score(numbers: Numbers) -> Array:
            found = smooth(free(lane._replace(numbers=numbers), lane.currents, dt_ms))
            return 1 - (found - data).var() / (found.var() + data.var() + 1e-9)

        def shifted(shift: Array) -> Numbers:
            # The width is in the threshold's own unit.
            moved = lane.numbers.threshold + shift * jnp.exp(lane.numbers.log_width)
            return lane.numbers._replace(threshold=moved)

        values = jax.lax.map(lambda shift: score(shifted(shift)), shifts)
        begin = shifted(shifts[values.argmax()])

        def change(carry: tuple[Numbers, Array], key: Array) -> tuple[tuple[Numbers, Array], None]:
            numbers, best = carry
            how_far, which, where = jax.random.split(key, 3)
            size = 10 ** jax.random.uniform(how_far, minval=-2.5, maxval=-0.5)
            moves = jax.random.normal(where, (len(Numbers._fields),)) * size
            moves = jnp.where(jax.random.bernoulli(which, 0.4, moves.shape), moves, 0)
            tried = Numbers(*(number + move for number, move in zip(numbers, moves, strict=True)))
            value = score(tried)
            better = value > best
            return (jax.tree.map(lambda new, old: jnp.where(better, new, old), tried, numbers), best.clip(value)), None

        (refined, _), _ = jax.lax.scan(change, (begin, values.max()), jax.random.split(key, rounds))
        return begin, refined

    return jax.vmap(one)(lanes, keys)
