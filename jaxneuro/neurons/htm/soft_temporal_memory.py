"""The temporal memory with soft thresholds: its permanences have a gradient, and as it cools it is the hard memory."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from jaxneuro.machine import Scalar, StateMachine, parameter
from jaxneuro.neurons.htm.segment_pool import EPSILON, SegmentPool


class SoftMemoryState(eqx.Module):
    """How strongly each cell expects to be active in the next step."""

    depolarised: Float[Array, "columns cells"]


class SoftMemoryOutput(eqx.Module):
    """What a step gives; shares from 0 to 1.

    Attributes:
        active: of each cell.
        depolarised: of each cell, for the next step.
        absent: log of the probability that a minicolumn is not active in the next step.
        anomaly: how little the active minicolumns were expected, their mean.
    """

    active: Float[Array, "*time columns cells"]
    depolarised: Float[Array, "*time columns cells"]
    absent: Float[Array, "*time columns"]
    anomaly: Float[Array, "*time"]


class SoftTemporalMemory(StateMachine[SoftMemoryState, Float[Array, "columns"] | Int[Array, "active"], Any]):
    """Sequence memory of minicolumns, made smooth, with the segments of a temporal memory.

        n_s = sum_i sigmoid((p_i - theta_c) / tau_p) a_i          active connected synapses of a segment
        g_s = sigmoid((n_s - theta_s + 1/2) / tau_s)              activity of a segment
        d_j = 1 - prod over the segments of cell j of (1 - g_s)   depolarisation of a cell
        a_j <- x (d_j + prod over the cells k of the minicolumn of (1 - d_k))         activity of a cell

    The last line is for the depolarisation from the step before: a cell becomes active if it is depolarised, or if none
    of its minicolumn is, which then bursts; both with the probability that they have if depolarisations are independent
    chances. With both temperatures tau going to 0 this is the hard memory that does not learn, exactly. With `hardness`
    1 it is so at any temperature, and only the gradient is that of the soft memory (straight through). A minicolumn is
    expected in the next step with the probability `P = 1 - (1 - b) prod (1 - g_s)` over all its segments.

    Fields:
        pool: the segments; its `permanences` p are what can be learned by gradient, who is connected to whom is fixed.
        activation_threshold: theta_s.
        connected_permanence: theta_c; a permanence less than this by 1e-5 counts as equal, as in the hard memory.
        segment_temperature: tau_s.
        permanence_temperature: tau_p.
        hardness: from 0 (soft) to 1 (hard forwards, soft backwards).
        spontaneous: b, with which a minicolumn is expected that no segment speaks for.
        cells: per minicolumn.

    Input: the activity x of each minicolumn from 0 to 1, `[columns]`, or numbers of the active ones, integers
    `[active]`, filled up with `columns`. Output: `SoftMemoryOutput`. All quantities dimensionless.

    Reference: the hard memory is that of Hawkins and Ahmad 2016, Frontiers in Neural Circuits 10:23; the
    soft one is ours. Straight through: Bengio, Leonard and Courville 2013, arXiv:1308.3432.
    """

    pool: SegmentPool
    cells: int = eqx.field(static=True)
    activation_threshold: Scalar = parameter(13.0, at_least=1.0)
    connected_permanence: Scalar = parameter(0.5, at_least=0.0, at_most=1.0)
    segment_temperature: Scalar = parameter(1.0, above=0.0)
    permanence_temperature: Scalar = parameter(0.05, above=0.0)
    hardness: Scalar = parameter(0.0, at_least=0.0, at_most=1.0)
    spontaneous: Scalar = parameter(0.01, above=0.0, at_most=0.5)

    @property
    def columns(self) -> int:
        """How many minicolumns there are."""
        return self.pool.sizes.shape[1]

    def init(self, key: PRNGKeyArray) -> SoftMemoryState:
        """Nothing is expected."""
        return SoftMemoryState(jnp.zeros((self.columns, self.cells), self.activation_threshold.dtype))

    def step(
        self, state: SoftMemoryState, input: Float[Array, "columns"] | Int[Array, "active"]
    ) -> tuple[SoftMemoryState, SoftMemoryOutput]:
        """Activates cells by what was expected, and finds what is expected next."""
        column = self._activity(input)
        before = state.depolarised
        burst = jnp.prod(1 - before, axis=1)
        hard = (before > 0.5) | ~(before > 0.5).any(axis=1, keepdims=True)
        active = column[:, None] * self._hardened(before + burst[:, None], hard)
        depolarised, absent = self._expected(active)
        anomaly = (column * burst).sum() / jnp.maximum(column.sum(), 1)
        return SoftMemoryState(depolarised), SoftMemoryOutput(active, depolarised, absent, anomaly)

    def _activity(self, input: Array) -> Float[Array, "columns"]:
        dtype = self.activation_threshold.dtype
        if jnp.issubdtype(input.dtype, jnp.floating):
            return input
        places = jnp.where(input < 0, self.columns, input)
        return jnp.zeros(self.columns, dtype).at[places].set(1, mode="drop")

    def _hardened(self, soft: Float[Array, "*shape"], hard: Bool[Array, "*shape"]) -> Float[Array, "*shape"]:
        return soft + self.hardness * jax.lax.stop_gradient(hard.astype(soft.dtype) - soft)

    def _expected(
        self, active: Float[Array, "columns cells"]
    ) -> tuple[Float[Array, "columns cells"], Float[Array, "columns"]]:
        """Depolarisation of every cell, and the log probability that a minicolumn will not be active."""
        pool = self.pool
        sizes = pool.sizes.ravel().astype(jnp.int32)
        held = jnp.arange(pool.permanences.shape[1], dtype=jnp.int32)[None] < sizes[:, None]
        sources = jnp.where(held, active.ravel()[pool.sources.astype(jnp.int32)], 0)
        margin = pool.permanences - self.connected_permanence + jnp.asarray(EPSILON, active.dtype)
        strength = self._hardened(jax.nn.sigmoid(margin / self.permanence_temperature), margin >= 0)
        excess = (strength * sources).sum(axis=1) - self.activation_threshold + 0.5
        # log(1 - g), which no temperature drives out of the numbers.
        silent = jnp.where(sizes > 0, -jax.nn.softplus(excess / self.segment_temperature), 0)
        groups = jnp.tile(jnp.arange(self.columns, dtype=jnp.int32), pool.sizes.shape[0])
        owners = pool.owners.ravel().astype(jnp.int32)
        shape = (self.columns, self.cells)
        quiet = jnp.zeros(shape, active.dtype).at[groups, owners].add(silent)
        speaks = jnp.zeros(shape, bool).at[groups, owners].max((excess > 0) & (sizes > 0))
        return self._hardened(-jnp.expm1(quiet), speaks), quiet.sum(axis=1) + jnp.log1p(-self.spontaneous)


def surprise(absent: Float[Array, "columns"], column: Float[Array, "columns"]) -> Float[Array, ""]:
    """How unlikely the minicolumns that came were, `-log P` (nats), each minicolumn an event of its own.

    Args:
        absent: of the output of the step before.
        column: 1 for minicolumns that are active now, else 0.
    """
    # log(1 - exp(y)) by whichever of two forms is exact.
    near = absent > -0.6931
    present = jnp.where(
        near, jnp.log(-jnp.expm1(jnp.where(near, absent, -1))), jnp.log1p(-jnp.exp(jnp.where(near, -1, absent)))
    )
    return -(column * present + (1 - column) * absent).sum()
