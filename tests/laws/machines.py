"""The table of the laws: one row for every public machine, and further rows where one machine has several natures.

To add a neuron, add a row. `build` makes the machine from a random key, `inputs` a bounded random sequence of any
length from a NumPy generator. Sizes are small and time constants short, so that a few steps show everything a neuron
can do: spike, be refractory, forget. All laws run on every row.
"""

import functools
import itertools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

import jaxneuro as jn
from tests.laws.row import Row, SmoothSpike, currents, floats, vectors
from tests.laws.rows_algebra import ALGEBRA
from tests.laws.rows_branched import BRANCHED
from tests.laws.rows_cable import CABLE
from tests.laws.rows_complex import COMPLEX
from tests.laws.rows_conversational import CONVERSATIONAL
from tests.laws.rows_conversion import CONVERSION
from tests.laws.rows_gated import GATED
from tests.laws.rows_htm import HTM
from tests.laws.rows_htm_columns import HTM_COLUMNS
from tests.laws.rows_htm_differentiable import HTM_DIFFERENTIABLE
from tests.laws.rows_htm_input import HTM_INPUT
from tests.laws.rows_interop import INTEROP
from tests.laws.rows_linear import LINEAR
from tests.laws.rows_membranes import MEMBRANES
from tests.laws.rows_minimal import MINIMAL
from tests.laws.rows_multi_threshold import MULTI_THRESHOLD
from tests.laws.rows_networks import NETWORKS
from tests.laws.rows_search import SEARCH
from tests.laws.rows_spiking import SPIKING
from tests.laws.rows_synapses import SYNAPSES
from tests.laws.rows_wide import WIDE

STEPS = 14
HALF = 7


class FilterState(eqx.Module):
    """Two stages of a low-pass filter."""

    fast: Float[Array, ""]
    slow: Float[Array, ""]


class Filter(jn.Flow[FilterState, Float[Array, ""], Float[Array, ""]]):
    """A linear flow: `fast' = (x - fast) / tau_fast`, `slow' = (fast - slow) / tau_slow`."""

    tau_fast_ms: Float[Array, ""] = jn.parameter(2.0, above=0.0, unit="ms")
    tau_slow_ms: Float[Array, ""] = jn.parameter(7.0, above=0.0, unit="ms")

    def init(self, key):
        """Empty."""
        return FilterState(jnp.zeros_like(self.tau_fast_ms), jnp.zeros_like(self.tau_fast_ms))

    def derivative(self, state, input):
        """Both stages."""
        return FilterState((input - state.fast) / self.tau_fast_ms, (state.fast - state.slow) / self.tau_slow_ms)

    def jump(self, state, input, dt_ms):
        """None; the slow stage is the output."""
        return state, state.slow


def messages(generator, steps):
    """Inputs to a rewritable rate neuron, whose gain and threshold they move, but not far."""
    edits = np.diff(np.sin(generator.uniform(0, 6, size=(2, steps + 1))))
    return jn.Rewrite(floats(generator.normal(size=steps)), (floats(edits[0]), floats(edits[1])))


def lif(**changes):
    return jn.LIF(tau_ms=5.0, dt_ms=1.0, **changes)


def various(size):
    """A population of LIF neurons that all differ."""
    return jn.Population(jax.vmap(lambda tau: jn.LIF(tau_ms=tau, dt_ms=1.0))(jnp.linspace(3.0, 9.0, size)), size)


def spiking_network(key):
    first, second = jax.random.split(key)
    leaks = jn.Population(jn.LeakyReadout(tau_ms=3.0), 2, shared=True)
    return jn.Chain(jn.Dense(3, 4, gain=60.0, key=first), various(4), jn.Dense(4, 2, key=second), leaks)


def smooth_network(key):
    first, second, third = jax.random.split(key, 3)
    rates = jn.Population(jn.Rate(), 4, shared=True)
    return jn.Chain(jn.Dense(3, 4, key=first), rates, jn.LSTM(4, 4, key=second), jn.Dense(4, 2, key=third))


def elman(key):
    return jn.Feedback(
        jn.Population(jn.Rate(), 3, shared=True), jn.Dense(3, 3, bias=False, key=key), initial=jnp.zeros(3)
    )


def delayed_spikes(key):
    path = jn.Chain(jn.Delay(jnp.zeros(3), steps=2), jn.Dense(3, 3, bias=False, gain=60.0, key=key))
    return jn.Feedback(various(3), path, initial=jnp.zeros(3))


def lif_distance(machine, state, input):
    target = machine.rest_mv + machine.resistance_mohm * input
    change = (state.voltage_mv - target) * jnp.expm1(-machine.dt_ms / machine.tau_ms)
    return state.voltage_mv + change - machine.threshold_mv


def flow_distance(machine, state, input):
    return machine.advance(state, input).voltage_mv - machine.flow.threshold_mv


def perceptron_distance(machine, state, input):
    return machine.weights @ input + machine.bias


TABLES = (
    GATED,
    MINIMAL,
    HTM_DIFFERENTIABLE,
    COMPLEX,
    LINEAR,
    HTM_INPUT,
    MULTI_THRESHOLD,
    BRANCHED,
    CABLE,
    ALGEBRA,
    CONVERSATIONAL,
    INTEROP,
    WIDE,
    SEARCH,
    SPIKING,
    MEMBRANES,
    NETWORKS,
    SYNAPSES,
    CONVERSION,
    HTM,
    HTM_COLUMNS,
)

MACHINES = (
    Row("Perceptron", lambda key: jn.Perceptron(5, key=key), vectors(5), distance=perceptron_distance),
    Row("Cosine", lambda key: jn.Cosine(5, key=key), vectors(5), smooth=True, order=2, quick=False),
    Row("Adaline", lambda key: jn.Adaline(5, key=key), vectors(5), smooth=True, order=2, quick=False),
    Row("Rate", lambda key: jn.Rate(threshold=0.3), vectors(), smooth=True, order=2),
    Row(
        "LeakyRate",
        lambda key: jn.LeakyRate(threshold=0.3, memory=1.0),
        vectors(),
        smooth=True,
        order=2,
        quick=False,
    ),
    Row("LIF", lambda key: lif(), currents(), distance=lif_distance),
    Row("LIF soft reset", lambda key: lif(soft_reset=1.0), currents(), distance=lif_distance, quick=False),
    Row("LIF attached reset", lambda key: lif(detach_reset=0.0), currents(), distance=lif_distance, quick=False),
    Row(
        "LIF smooth spike",
        lambda key: lif(detach_reset=0.0, soft_reset=0.5, refractory_ms=0.0, spike=SmoothSpike()),
        currents(),
        smooth=True,
    ),
    Row("PreciseLIF", lambda key: jn.PreciseLIF(tau_ms=5.0, dt_ms=1.0), currents(), smooth=True),
    Row("LeakyReadout", lambda key: jn.LeakyReadout(tau_ms=3.0), vectors(), smooth=True, order=2),
    Row("LSTM", lambda key: jn.LSTM(3, 4, key=key), vectors(3), smooth=True),
    Row("Dense", lambda key: jn.Dense(3, 4, key=key), vectors(3), smooth=True),
    Row("Dense no bias", lambda key: jn.Dense(3, 4, bias=False, key=key), vectors(3), smooth=True, quick=False),
    Row("Euler LIF", lambda key: jn.Euler(lif(), dt_ms=1.0), currents(), distance=flow_distance, quick=False),
    Row(
        "ExponentialEuler LIF",
        lambda key: jn.ExponentialEuler(lif(), dt_ms=1.0),
        currents(),
        distance=flow_distance,
        quick=False,
    ),
    Row(
        "RungeKutta4 LIF", lambda key: jn.RungeKutta4(lif(), dt_ms=1.0), currents(), distance=flow_distance, quick=False
    ),
    Row("Exact LIF", lambda key: jn.Exact(lif(), dt_ms=1.0), currents(), distance=flow_distance, quick=False),
    Row("Euler filter", lambda key: jn.Euler(Filter(), dt_ms=0.5), vectors(), smooth=True, order=2, quick=False),
    Row("ExponentialEuler filter", lambda key: jn.ExponentialEuler(Filter(), dt_ms=0.5), vectors(), smooth=True),
    Row(
        "SplitExponentialEuler filter",
        lambda key: jn.SplitExponentialEuler(Filter(), dt_ms=0.5),
        vectors(),
        smooth=True,
    ),
    Row("RungeKutta4 filter", lambda key: jn.RungeKutta4(Filter(), dt_ms=0.5), vectors(), smooth=True, quick=False),
    Row("Exact filter", lambda key: jn.Exact(Filter(), dt_ms=0.5), vectors(), smooth=True),
    Row("Population of various", lambda key: various(3), currents(3)),
    Row(
        "Population of equal",
        lambda key: jn.Population(jn.stack(jn.Rate(), 3), 3),
        vectors(3),
        smooth=True,
        quick=False,
    ),
    Row("Population shared", lambda key: jn.Population(lif(), 3, shared=True), currents(3)),
    Row("Chain spiking", spiking_network, vectors(3)),
    Row("Chain smooth", smooth_network, vectors(3), smooth=True, quick=False),
    Row("Feedback spiking", delayed_spikes, currents(3)),
    Row("Feedback smooth", elman, vectors(3), smooth=True, quick=False),
    Row("Delay of 0", lambda key: jn.Delay(jnp.zeros(2), steps=0), vectors(2), smooth=True, quick=False),
    Row("Delay of 1", lambda key: jn.Delay(jnp.ones(2), steps=1), vectors(2), smooth=True, quick=False),
    Row("Delay of 3", lambda key: jn.Delay(jnp.ones(2), steps=3), vectors(2), smooth=True),
    Row("Rewritable", lambda key: jn.Rewritable(jn.Rate(), ("gain", "threshold")), messages, smooth=True),
    *itertools.chain.from_iterable(TABLES),
)


def each(rows):
    """The rows as parameters of a law; what is not for the quick pass is slow."""
    return [pytest.param(row, id=row.name, marks=() if row.quick else pytest.mark.slow) for row in rows]


every_machine = pytest.mark.parametrize("row", each(MACHINES))

# For what is a matter of `run`, not of the machine, one row of each nature is enough.
NATURES = ("Rate", "LIF", "LeakyReadout", "LSTM", "Population of various", "Chain spiking", "Delay of 0", "Delay of 3")
diverse_machines = pytest.mark.parametrize("row", each(row for row in MACHINES if row.name in NATURES))


@functools.cache
def example(row: Row) -> tuple[jn.StateMachine, Any]:
    """The machine of a row and `STEPS` inputs, in single precision."""
    with jax.enable_x64(False):
        return make(row, STEPS)


def one_of_each_nature() -> list[Row]:
    """Of machines whose natures `run` tells apart, and of every table the first: enough for what takes seconds each."""
    return [*(row for row in MACHINES if row.name in NATURES), *(table[0] for table in TABLES)]


def make(row: Row, steps: int) -> tuple[jn.StateMachine, Any]:
    """The machine of a row and inputs, in JAX's present precision."""
    return row.build(jax.random.key(1)), row.inputs(np.random.default_rng(2), steps)
