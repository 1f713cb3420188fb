"""A neuron of many compartments: a tree of cable with channels."""

import functools
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_choice
from jaxneuro.machine import Numbers, Parameterised, Scalar, StateMachine, parameter
from jaxneuro.neurons.dendritic.morphology import Morphology
from jaxneuro.neurons.dendritic.tree_solver import relaxed
from jaxneuro.neurons.spiking.membrane import Channel, Gates
from jaxneuro.stimulus import Reaching, jumped, stimulus

Spike = Float[Array, ""]
Vector = Float[Array, "compartments"]

US_PER_MS = 1000.0  # uS in a mS, and nF in a uF
FARTHEST_STEP_MV = 5.0  # of the search for the state of rest
SEARCH_STEPS = 40
GRID = 256  # voltages among which it starts


class Inserted(Parameterised):
    """A channel in some compartments: `g_i = density_i g`.

    Fields:
        channel: which.
        density: how much of the channel's conductance there is (dimensionless), a scalar or one for each place.
        places: numbers of the compartments; None for all.

    Reference: Hodgkin and Huxley 1952, Journal of Physiology 117:500, eq. 26, for one patch.
    """

    channel: Channel
    density: Numbers = parameter(1.0, at_least=0.0)
    places: tuple[int, ...] | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        if self.places is not None and list(self.places) != sorted({p for p in self.places if p >= 0}):
            raise ValueError(f"Inserted.places is {self.places}; it must be compartments in rising order, each once.")

    def chosen(self, values: Vector) -> Float[Array, "places"]:
        """The values at the channel's places."""
        if self.places is None:
            return values
        return jnp.concatenate([values[start:stop] for start, stop in self._runs()])

    def spread(self, values: Float[Array, "places"], compartments: int) -> Vector:
        """Values at the channel's places, 0 elsewhere."""
        if self.places is None:
            return values
        pieces, at, taken = [], 0, 0
        for start, stop in self._runs():
            pieces += [jnp.zeros_like(values, shape=(start - at,)), values[taken : taken + stop - start]]
            at, taken = stop, taken + stop - start
        return jnp.concatenate([*pieces, jnp.zeros_like(values, shape=(compartments - at,))])

    def _runs(self) -> list[tuple[int, int]]:
        places = np.asarray(self.places or (), int)
        pieces = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
        return [(int(piece[0]), int(piece[-1]) + 1) for piece in pieces if piece.size]


class CableState(eqx.Module):
    """The gates of every channel at its places, the voltages (mV), and 1.0 while that of the output is at threshold."""

    gates: tuple[Gates, ...]
    voltage_mv: Vector
    above: Float[Array, ""]


class Cable(StateMachine[CableState, Reaching, Spike]):
    """A tree of compartments i: `C_i dV_i/dt = I_i - sum_k g_ik open_ik (V_i - E_k) - sum_j (V_i - V_j) / R_ij`.

    j are the neighbours of i. In a step the gates go first, exactly for the present voltages, then all voltages at once
    by an implicit step: the trapezoidal rule, of second order in `dt_ms`, or implicit Euler, of first order, which
    damps what is faster than the step. It starts at the rest of its own parameters, which is solved for; gradients go
    through it.

    Fields:
        morphology: the compartments, `[compartments]` of them.
        channels: a tuple of `Inserted`, or of channels, which are then everywhere. At least one must be open at rest.
        capacitance_uf_per_cm2: of the membrane (uF/cm2), a scalar or `[compartments]`.
        resistivity_ohm_cm: R_i of the cytoplasm (ohm cm).
        threshold_mv: the voltage whose upward crossing is a spike (mV).
        dt_ms: step size (ms).
        output: number of the compartment whose spikes are put out.
        scheme: "trapezoidal" or "implicit_euler".

    Input: current (nA), `[compartments]`; or a `Stimulus` with channels (uS, and nA for `g E`) or a jump of V (mV).
    Output: 1.0 in the step in which V of the output compartment reaches threshold from below, else 0.0; it has no
    gradient, the voltages have.

    Reference: Hines 1984, International Journal of Bio-Medical Computing 15:69; Mascagni and Sherman 1998, in Methods
    in Neuronal Modeling, chapter 14 (staggered gates, trapezoidal rule).
    """

    morphology: Morphology
    channels: tuple[Inserted, ...] = eqx.field(
        converter=lambda channels: tuple(c if isinstance(c, Inserted) else Inserted(c) for c in channels)
    )
    capacitance_uf_per_cm2: Numbers = parameter(1.0, above=0.0, unit="uF/cm2")
    resistivity_ohm_cm: Scalar = parameter(100.0, above=0.0, unit="ohm cm")
    threshold_mv: Scalar = parameter(0.0, unit="mV")
    dt_ms: Scalar = parameter(0.025, above=0.0, unit="ms")
    output: int = eqx.field(static=True, default=0)
    scheme: Literal["trapezoidal", "implicit_euler"] = eqx.field(static=True, default="trapezoidal")

    def __check_init__(self) -> None:
        check_choice("Cable", "scheme", self.scheme, ("trapezoidal", "implicit_euler"))
        count = self.morphology.compartments
        places = [self.output, *(place for inserted in self.channels for place in inserted.places or ())]
        if not all(0 <= place < count for place in places):
            raise ValueError(f"Cable got compartments {places}; its morphology has 0 to {count - 1}.")
        if not self.channels:
            raise ValueError("Cable got no channels; it must have at least one: Cable(morphology, (Leak(),)).")

    def init(self, key: PRNGKeyArray) -> CableState:
        """At rest without input."""
        return self.rest()

    @jax.jit  # always compiled, so that inside other programs it has the same last digits
    def rest(self) -> CableState:
        """Where all currents, steady and axial, are in balance: Newton's method, with the tree's own solver."""
        channels = [inserted.channel for inserted in self.channels]
        count = self.morphology.compartments
        weights = [inserted.spread(self._largest(inserted), count) for inserted in self.channels]

        def steady(channel: Channel, voltage: Float[Array, "some"]) -> Float[Array, "some"]:
            """The current of a channel after a long time, as a share of its largest conductance."""

            def one(voltage: Float[Array, ""]) -> Float[Array, ""]:
                return self._open(channel, channel.kinetics(voltage)[1]) * (voltage - channel.reversal_mv)

            return jax.vmap(one)(voltage)

        def current(voltage: Vector) -> Vector:
            parts = [weight * steady(channel, voltage) for weight, channel in zip(weights, channels, strict=True)]
            return functools.reduce(jnp.add, parts)

        # Of several states of rest the one with the lowest voltage is meant: the first from below where the current of
        # a compartment alone turns outward.
        reversals = jnp.stack([channel.reversal_mv for channel in channels])
        grid = jnp.linspace(reversals.min(), reversals.max(), GRID)
        shares = jnp.stack([steady(channel, grid) for channel in channels])
        outward = jnp.einsum("kg,kc->gc", shares, jnp.stack(weights)) >= 0
        start = jax.lax.stop_gradient(grid[jnp.argmax(outward, axis=0)])
        axial = self.morphology.axial_us(self.resistivity_ohm_cm)

        def nearer(voltage: Vector, _: None) -> tuple[Vector, None]:
            # Derivatives are those of the last step, which is next to nothing but for them.
            voltage = jax.lax.stop_gradient(voltage)
            outward, slope = jax.jvp(current, (voltage,), (jnp.ones_like(voltage),))
            slope = jax.lax.stop_gradient(slope)
            drive = slope * voltage - outward
            step = relaxed(self.morphology.parents, 0 * slope, slope, drive, axial, voltage)
            return voltage + jnp.clip(step, -FARTHEST_STEP_MV, FARTHEST_STEP_MV), None

        voltage = jax.lax.scan(nearer, start, None, length=SEARCH_STEPS)[0]
        gates = tuple(jax.vmap(inserted.channel.kinetics)(inserted.chosen(voltage))[1] for inserted in self.channels)
        return CableState(gates, voltage, self._above(voltage))

    def step(self, state: CableState, input: Reaching) -> tuple[CableState, Spike]:
        """Gates, then voltages, then the spike."""
        reached, count = stimulus(input), self.morphology.compartments
        voltage = jumped(reached, state.voltage_mv)
        gates = tuple(
            self._moved(inserted, own, voltage) for inserted, own in zip(self.channels, state.gates, strict=True)
        )
        leak = drive = jnp.zeros_like(voltage)
        for inserted, own in zip(self.channels, gates, strict=True):
            opened = inserted.spread(self._largest(inserted) * self._open(inserted.channel, own), count)
            leak, drive = leak + opened, drive + opened * inserted.channel.reversal_mv
        if reached.channels is not None:
            leak, drive = leak + reached.channels.conductance, drive + reached.channels.driving
        if reached.current is not None:
            drive = drive + reached.current
        share = 1.0 if self.scheme == "implicit_euler" else 0.5
        charge = self._capacitance_nf() / (share * self.dt_ms)
        axial = self.morphology.axial_us(self.resistivity_ohm_cm)
        voltage = voltage + relaxed(self.morphology.parents, charge, leak, drive, axial, voltage) / share
        above = self._above(voltage)
        return CableState(gates, voltage, above), above * (1 - state.above)

    def _capacitance_nf(self) -> Vector:
        return US_PER_MS * self.capacitance_uf_per_cm2 * self.morphology.areas_cm2()

    def _largest(self, inserted: Inserted) -> Float[Array, "places"]:
        """The conductance of all channels of a kind at each of their places (uS)."""
        areas = inserted.chosen(self.morphology.areas_cm2())
        return US_PER_MS * inserted.density * inserted.channel.conductance_ms_per_cm2 * areas

    def _open(self, channel: Channel, gates: Gates) -> Any:
        """The share of the channels of a kind that are open at each of their places."""
        opened = 1.0
        if gates.activation is not None:
            opened = gates.activation**channel.power
        return opened if gates.inactivation is None else opened * gates.inactivation

    def _moved(self, inserted: Inserted, gates: Gates, voltage: Vector) -> Gates:
        rates, targets = jax.vmap(inserted.channel.kinetics)(inserted.chosen(voltage))
        return jax.tree.map(
            lambda x, rate, target: x + (x - target) * (jnp.exp(-self.dt_ms * rate) - 1), gates, rates, targets
        )

    def _above(self, voltage: Vector) -> Float[Array, ""]:
        return (voltage[self.output] >= self.threshold_mv).astype(voltage.dtype)
