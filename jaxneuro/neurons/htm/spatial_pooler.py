"""The spatial pooler: minicolumns that compete for inputs and learn what they respond to."""

import functools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, UInt32

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.neurons.htm.inhibition import local_winners, strongest
from jaxneuro.neurons.htm.proximal import (
    adapted,
    connected_words,
    draw_permanences,
    draw_pools,
    overlap,
    put,
    raised,
    settled,
    unpack,
)
from jaxneuro.neurons.htm.topology import Shape, centres, columns_per_input, grid, near, places
from jaxneuro.neurons.htm.weak_columns import strengthened


class Bits(eqx.Module):
    """An input to a `SpatialPooler` that says whether to learn from it: `bits` `Bool[inputs]`, `learn` a scalar."""

    bits: Bool[Array, "*steps inputs"]
    learn: Bool[Array, "*steps"]


class SpatialPoolerState(eqx.Module):
    """Synapses, how often columns were active, and what the last step found.

    Fields:
        permanences: of all synapses, 0 where there is none.
        potential: where there can be one.
        connected: the connected synapses, as bits of words.
        overlaps: of the last input, before boosting.
        overlap_duty, active_duty: how often a column has had an overlap above 0, and won.
        least_duty: a column whose overlap duty is below this is weak.
        boost: the factors of the overlaps.
        radius: of inhibition, in columns.
        steps: how many there were, learning or not.
        overflow: local winners so far for which the output had no place.
    """

    permanences: Float[Array, "columns inputs"]
    potential: Bool[Array, "columns inputs"]
    connected: UInt32[Array, "columns words"]
    overlaps: Int[Array, "columns"]
    overlap_duty: Float[Array, "columns"]
    active_duty: Float[Array, "columns"]
    least_duty: Float[Array, "columns"]
    boost: Float[Array, "columns"]
    radius: Int[Array, ""]
    steps: Int[Array, ""]
    overflow: Int[Array, ""]


class SpatialPooler(StateMachine[SpatialPoolerState, Bool[Array, "inputs"] | Bits, Int[Array, "winners"]]):
    """Columns with the most connected synapses on inputs that are on become active, and their synapses learn.

    `overlap_i = #{j: x_j = 1, p_ij >= connected}`, `b_i = exp(boost_strength (target - active_duty_i))`; the winners
    are the `winners` columns of the highest `b_i overlap_i`, of equal ones those of the higher index. Their potential
    synapses learn: `p <- p + increment` where x is 1, `p <- p - decrement` where it is 0, what is then below `increment
    / 2` to 0. Duty cycles follow by `d <- (d (T - 1) + x) / T`, `T = min(duty_period, steps)`. A column whose overlap
    duty is below `least_duty_share` of the highest grows all its synapses by `connected / 10`. All dimensionless.

    With `local` inhibition a column competes with its neighbours on the grid of columns only: it wins if fewer than a
    share of them are ahead. The neighbourhood follows how far the connected synapses of columns reach.

    Fields:
        potential_share: of the inputs near a column that it has potential synapses on.
        connected_share: of the potential synapses that start connected.
        connected_permanence: the permanence from which on a synapse is connected.
        increment, decrement: of the permanences of winners.
        stimulus_threshold: the least overlap of a winner, and the connected synapses that a winner is given at least.
        boost_strength: 0 for none.
        duty_period: steps that duty cycles are an average of.
        least_duty_share: of the highest overlap duty; what has less is weak.
        update_period: learning steps from one update of the inhibition radius and the least duty to the next.
        area_winners: local winners in the area of a neighbourhood, at most half of it.
        density: the share of local winners; if it is above 0, `area_winners` does not count.
        winners: the number of winners; with local inhibition the most that the output has a place for.
        potential_radius: how far from its centre a column has potential synapses, in inputs along each dimension.

    Input: x, `[inputs]`, true or false; or `Bits`, with `learn`. Inputs on a grid come row by row.
    Output: the winners, `[winners]`, ascending; at the end the number of columns for each that did not win.

    Reference: Cui, Ahmad and Hawkins 2017, Frontiers in Computational Neuroscience 11:111, eqs. 1 to 9.
    """

    inputs: int | Shape = eqx.field(static=True, converter=grid)
    columns: int | Shape = eqx.field(static=True, converter=grid, default=2048)
    winners: int = eqx.field(static=True, default=40)
    potential_radius: int | None = eqx.field(static=True, default=None)
    local: bool = eqx.field(static=True, default=False)
    wrap: bool = eqx.field(static=True, default=True)
    potential_share: Scalar = parameter(0.5, at_least=0.0, at_most=1.0)
    connected_share: Scalar = parameter(0.5, at_least=0.0, at_most=1.0)
    connected_permanence: Scalar = parameter(0.1, above=0.0, at_most=1.0)
    increment: Scalar = parameter(0.05, at_least=0.0, at_most=1.0)
    decrement: Scalar = parameter(0.008, at_least=0.0, at_most=1.0)
    stimulus_threshold: Scalar = parameter(0.0, at_least=0.0)
    boost_strength: Scalar = parameter(0.0, at_least=0.0)
    duty_period: Scalar = parameter(1000.0, at_least=1.0)
    least_duty_share: Scalar = parameter(0.001, at_least=0.0, at_most=1.0)
    update_period: Scalar = parameter(50.0, at_least=1.0)
    area_winners: Scalar = parameter(10.0, at_least=0.0)
    density: Scalar = parameter(0.0, at_least=0.0, at_most=0.5)

    def __check_init__(self) -> None:
        inputs, columns = grid(self.inputs), grid(self.columns)
        check_sizes("SpatialPooler", inputs=min(inputs), columns=min(columns), winners=self.winners)
        if len(inputs) != len(columns):
            raise ValueError(
                f"SpatialPooler got inputs={inputs} and columns={columns}; both grids must have as many dimensions."
            )
        if self.winners > math.prod(columns):
            raise ValueError(f"SpatialPooler got winners={self.winners} of columns={columns}; there are not so many.")

    def init(self, key: PRNGKeyArray) -> SpatialPoolerState:
        """Random pools and permanences; nobody has been active."""
        pool_key, permanence_key = jax.random.split(key)
        inputs, columns = grid(self.inputs), grid(self.columns)
        farthest = (16 if self.local else max(inputs)) if self.potential_radius is None else self.potential_radius
        around = near(centres(columns, inputs), places(inputs), inputs, jnp.asarray(farthest, jnp.int32), self.wrap)
        potential = draw_pools(pool_key, around, self.potential_share)
        drawn = draw_permanences(permanence_key, potential, self.connected_permanence, self.connected_share)
        permanences, connected = self.finished(drawn, potential)
        nothing = jnp.zeros(math.prod(columns), permanences.dtype)
        return SpatialPoolerState(
            permanences=permanences,
            potential=potential,
            connected=connected,
            overlaps=jnp.zeros(math.prod(columns), jnp.int32),
            overlap_duty=nothing,
            active_duty=nothing,
            least_duty=nothing,
            boost=jnp.ones_like(nothing),
            radius=self.reach(connected),
            steps=jnp.zeros((), jnp.int32),
            overflow=jnp.zeros((), jnp.int32),
        )

    def step(
        self, state: SpatialPoolerState, input: Bool[Array, "inputs"] | Bits
    ) -> tuple[SpatialPoolerState, Int[Array, "winners"]]:
        """Overlap, boost, inhibit; then, if it learns, synapses, duty cycles, weak columns and boost."""
        bits, learn = (input.bits, input.learn) if isinstance(input, Bits) else (input, jnp.asarray(True))
        steps = state.steps + 1
        overlaps = overlap(state.connected, bits)
        scores = overlaps.astype(state.boost.dtype) * jnp.where(learn, state.boost, 1)
        winners, overflow = self.inhibit(scores, state.radius)
        permanences, connected = self.adapt(state, bits, winners, learn)

        period = jnp.minimum(self.duty_period, steps.astype(self.duty_period.dtype))
        active = jnp.zeros_like(state.active_duty).at[winners].set(1, mode="drop")
        overlap_duty = (state.overlap_duty * (period - 1) + (overlaps > 0).astype(period.dtype)) / period
        active_duty = (state.active_duty * (period - 1) + active) / period
        weak = learn & (overlap_duty < state.least_duty)
        threshold, trim = self.connected_permanence, self.increment / 2
        permanences, connected = strengthened(permanences, connected, state.potential, weak, threshold, trim)
        boost = jnp.exp(self.boost_strength * (self.target(active_duty, state.radius) - active_duty))

        def update(connected: UInt32[Array, "columns words"]) -> tuple[Array, Array]:
            radius = self.reach(connected)
            return radius, self.least_duty_share * self.highest(overlap_duty, radius)

        due = learn & (steps % jnp.round(self.update_period).astype(jnp.int32) == 0)
        radius, least = jax.lax.cond(due, update, lambda connected: (state.radius, state.least_duty), connected)
        duties = (overlap_duty, active_duty, boost)
        old = (state.overlap_duty, state.active_duty, state.boost)
        overlap_duty, active_duty, boost = jax.tree.map(functools.partial(jnp.where, learn), duties, old)
        return SpatialPoolerState(
            permanences=permanences,
            potential=state.potential,
            connected=connected,
            overlaps=overlaps,
            overlap_duty=overlap_duty,
            active_duty=active_duty,
            least_duty=least,
            boost=boost,
            radius=radius,
            steps=steps,
            overflow=state.overflow + overflow,
        ), winners

    def finished(
        self, permanences: Float[Array, "rows inputs"], potential: Bool[Array, "rows inputs"]
    ) -> tuple[Float[Array, "rows inputs"], UInt32[Array, "rows words"]]:
        """The permanences within their limits and with enough of them connected, and the connected synapses."""
        connected = self.connected_permanence
        permanences = raised(permanences, potential, connected, connected / 10, self.stimulus_threshold)
        permanences = settled(permanences, potential, self.increment / 2)
        return permanences, connected_words(permanences, connected)

    def adapt(
        self,
        state: SpatialPoolerState,
        bits: Bool[Array, "inputs"],
        winners: Int[Array, "winners"],
        learn: Bool[Array, ""],
    ) -> tuple[Float[Array, "columns inputs"], UInt32[Array, "columns words"]]:
        """The synapses after those of the winners, and no others, have learnt."""
        # Places beyond the last column, all different, stand for no column.
        rows = jnp.where(winners < len(state.boost), winners, winners + jnp.arange(self.winners, dtype=jnp.int32))
        arrays = (state.permanences, state.connected, state.potential)
        old, words, potential = (array.at[rows].get(mode="clip") for array in arrays)
        new, packed = self.finished(adapted(old, potential, bits, self.increment, self.decrement), potential)
        new, packed = jnp.where(learn, new, old), jnp.where(learn, packed, words)
        return put(state.permanences, rows, new), put(state.connected, rows, packed)

    def inhibit(
        self, scores: Float[Array, "columns"], radius: Int[Array, ""]
    ) -> tuple[Int[Array, "winners"], Int[Array, ""]]:
        """The winners, ascending, and how many there are beyond the output's places."""
        if not self.local:
            return strongest(scores, self.winners, self.stimulus_threshold), jnp.zeros((), jnp.int32)
        won = local_winners(scores, self.neighbours(radius), self.local_density(radius), self.stimulus_threshold)
        places = jnp.nonzero(won, size=self.winners, fill_value=len(won))[0]
        return places.astype(jnp.int32), jnp.maximum(jnp.sum(won, dtype=jnp.int32) - self.winners, 0)

    def neighbours(self, radius: Int[Array, ""]) -> Bool[Array, "columns columns"]:
        """Which columns are in the neighbourhood of which."""
        columns = grid(self.columns)
        return near(places(columns), places(columns), columns, radius, self.wrap)

    def local_density(self, radius: Int[Array, ""]) -> Float[Array, ""]:
        """The share of a neighbourhood that wins."""
        columns = grid(self.columns)
        area = jnp.minimum((2 * radius + 1) ** len(columns), math.prod(columns)).astype(self.density.dtype)
        return jnp.where(self.density > 0, self.density, jnp.minimum(self.area_winners / area, 0.5))

    def target(self, duty: Float[Array, "columns"], radius: Int[Array, ""]) -> Float[Array, "columns"]:
        """The activity that boosting leads a column to: the winners' share, or the mean of the neighbourhood."""
        if not self.local:
            return jnp.full_like(duty, self.winners / len(duty))
        neighbours = self.neighbours(radius).astype(duty.dtype)
        return jnp.sum(neighbours * duty[None, :], axis=1) / jnp.sum(neighbours, axis=1)

    def highest(self, duty: Float[Array, "columns"], radius: Int[Array, ""]) -> Float[Array, "columns"]:
        """The highest duty of all columns, or of the neighbourhood."""
        if not self.local:
            return jnp.full_like(duty, jnp.max(duty))
        return jnp.max(jnp.where(self.neighbours(radius), duty[None, :], 0), axis=1)

    def reach(self, connected: UInt32[Array, "columns words"]) -> Int[Array, ""]:
        """The radius of inhibition: half of what the connected synapses of a column span on average, in columns."""
        columns, inputs = grid(self.columns), grid(self.inputs)
        if not self.local:
            return jnp.asarray(max(columns), jnp.int32)
        on = unpack(connected, math.prod(inputs))[:, :, None]
        place = places(inputs)[None]
        first = jnp.min(jnp.where(on, place, max(inputs)), axis=1)
        span = jnp.maximum(jnp.max(jnp.where(on, place, -1), axis=1) - first + 1, 0)
        diameter = jnp.mean(span.astype(self.density.dtype)) * columns_per_input(columns, inputs)
        return jnp.floor(jnp.maximum(1, (diameter - 1) / 2) + 0.5).astype(jnp.int32)
