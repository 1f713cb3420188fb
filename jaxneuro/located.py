"""Event mode: spikes of nonlinear flows located inside the step, with exact gradients."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Generic

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.flow import Flow
from jaxneuro.machine import Input, Output, Scalar, State, StateMachine, parameter
from jaxneuro.root import root
from jaxneuro.timed import TimedSpike

Vector = Float[Array, "variables"]
Slope = Callable[[Vector], Vector]

# Dormand and Prince 1980, table 2: what each stage takes of the slopes before it; the last row is the step. And the
# weights of the difference to the embedded step of order 4.
STAGES = (
    (0, 0, 0, 0, 0, 0, 0),
    (1 / 5, 0, 0, 0, 0, 0, 0),
    (3 / 40, 9 / 40, 0, 0, 0, 0, 0),
    (44 / 45, -56 / 15, 32 / 9, 0, 0, 0, 0),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0, 0),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0, 0),
    (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0),
)
ERROR = (71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
MOST_SUBSTEPS = 2000


class Eventful(Flow[State, Input, Output]):
    """A flow that says when it spikes, and what a spike does to it, at any moment and not on a grid alone."""

    @abstractmethod
    def distance(self, state: State) -> Float[Array, ""]:
        """The distance to threshold; a spike is where it rises through 0."""

    @abstractmethod
    def fire(self, state: State) -> State:
        """The state just after a spike, from the one just before."""


class Located(StateMachine[State, Input, TimedSpike], Generic[State, Input]):
    """A flow off the grid: an adaptive method of order 5, and spikes where the distance to threshold is 0.

    `s' = f(s, x)` with the input held constant over a step of `dt_ms` (ms); at the offset t* with
    `distance(s(t*)) = 0` the state becomes `fire(s)`, and goes on for what is left of the step. Times are as exact as
    the digits asked for, whatever the step. Gradients of spike times and states, in either mode, are exact, by the
    implicit function theorem at t*; the spike itself has none. A step holds at most one spike: `dt_ms` must be at most
    the shortest interval between spikes.

    Fields:
        flow: an `Eventful` flow; the `jump` that it has for a grid is not used.
        dt_ms: step size (ms), that of the input and of the output.
        digits: how exact a substep is: its error is `10^-digits`, relative to 1 + the variable (dimensionless); what
            single precision cannot keep, some 6, is not asked of it.

    Input: that of the flow. Output: `TimedSpike`, two scalars.

    Reference: Dormand and Prince 1980, Journal of Computational and Applied Mathematics 6:19 (the method); Hairer,
    Norsett and Wanner 1993, Solving Ordinary Differential Equations I, section II.4 (step sizes).
    """

    flow: Eventful
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")
    digits: Scalar = parameter(9.0, above=0.0)

    def init(self, key: PRNGKeyArray) -> State:
        """The initial state of the flow."""
        return self.flow.init(key)

    def step(self, state: State, input: Input) -> tuple[State, TimedSpike]:
        """All substeps to the spike, the spike, and all substeps to the end."""
        varied, fixed = eqx.partition((self, state, input), eqx.is_inexact_array)
        numbers, restore = ravel_pytree(varied)
        restore_outcome = ravel_pytree((state, TimedSpike(self.dt_ms, self.dt_ms)))[1]

        def program(numbers: Float[Array, "numbers"]) -> Float[Array, "outcome"]:
            machine, state, input = eqx.combine(restore(numbers), fixed)
            return ravel_pytree(machine._locate(state, input))[0]

        # The substeps are a loop of unknown length, which has no reverse mode: the Jacobian comes by forward mode.
        located = jax.custom_jvp(program)

        def moved(values: tuple[Array], changes: tuple[Array]) -> tuple[Array, Array]:
            jacobian, outcome = jax.jacfwd(lambda numbers: (program(numbers),) * 2, has_aux=True)(*values)
            return outcome, jacobian @ changes[0]

        located.defjvp(moved)
        return restore_outcome(located(numbers))

    def _locate(self, state: State, input: Input) -> tuple[State, TimedSpike]:
        received = self.flow.receive(state, input)
        start, restore = ravel_pytree(received)

        def slope(vector: Vector) -> Vector:
            return ravel_pytree(self.flow.derivative(restore(vector), input))[0]

        def distance(vector: Vector) -> Float[Array, ""]:
            return self.flow.distance(restore(vector))

        # An input that throws the state over the threshold makes it spike at once.
        at_once = (self.flow.distance(state) < 0) & (distance(start) >= 0)
        before, left, bracket, crossed = self._substeps(slope, distance, start, self.dt_ms, ~at_once)
        spiked = crossed | at_once
        until = root(lambda h: distance(_dormand_prince(slope, before, h)[0]), jnp.zeros_like(bracket), bracket)
        until = jnp.where(crossed, until, 0)
        fired = ravel_pytree(self.flow.fire(restore(_dormand_prince(slope, before, until)[0])))[0]
        left = left - until
        end, *_ = self._substeps(slope, None, jnp.where(spiked, fired, before), left, jnp.ones_like(spiked))
        offset = jnp.where(spiked, self.dt_ms - left, 0)
        return restore(end), TimedSpike(spiked.astype(offset.dtype), offset)

    def _substeps(
        self,
        slope: Slope,
        distance: Callable[[Vector], Float[Array, ""]] | None,
        start: Vector,
        span: Float[Array, ""],
        going: Array,
    ) -> tuple[Vector, Float[Array, ""], Float[Array, ""], Array]:
        """Over a span of time, or up to the substep in which the distance rises through 0.

        Gives the state before that substep or at the end, what is left of the span, the length of that substep (0 if
        none), and whether there is one.
        """
        tolerance = jnp.maximum(jax.lax.stop_gradient(10**-self.digits), 8 * jnp.finfo(start.dtype).eps)

        def unfinished(carry: tuple[Array, ...]) -> Array:
            _, left, _, crossed, count = carry
            return going & (left > 0) & ~crossed & (count < MOST_SUBSTEPS)

        def substep(carry: tuple[Array, ...]) -> tuple[Array, ...]:
            state, left, longest, _, count = carry
            h = jnp.where(longest < left, longest, left)
            new, error = _dormand_prince(slope, state, h)
            scale = tolerance * (1 + jnp.maximum(jnp.abs(state), jnp.abs(new)))
            size = jax.lax.stop_gradient(jnp.max(jnp.abs(error) / scale))
            good = size <= 1
            crossed = jnp.zeros_like(good)
            if distance is not None:
                crossed = good & (distance(state) < 0) & (distance(new) >= 0)
            moved = good & ~crossed
            # Where the error is not a number the step was far too long.
            factor = jnp.where(jnp.isfinite(size), jnp.clip(0.9 * (size + 1e-10) ** -0.2, 0.2, 5), 0.2)
            longest = jax.lax.stop_gradient(jnp.where(crossed, h, h * factor))
            state, left = jnp.where(moved, new, state), jnp.where(moved, left - h, left)
            return state, left, longest, crossed, count + 1

        zero = jnp.zeros((), jnp.int32)
        carry = (start, span, jax.lax.stop_gradient(span), jnp.zeros_like(going), zero)
        state, left, longest, crossed, _ = jax.lax.while_loop(unfinished, substep, carry)
        return state, left, jnp.where(crossed, longest, 0), crossed


def _dormand_prince(slope: Slope, state: Vector, h: Float[Array, ""]) -> tuple[Vector, Vector]:
    """The state a step of h later, to order 5, and its difference from that of order 4."""
    rows = jnp.asarray(STAGES, state.dtype)

    # One program for all stages: the flow is compiled once.
    def stage(number: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        slopes, _ = carry
        reached = state + h * (rows[number][:, None] * slopes).sum(axis=0)
        return slopes.at[number].set(slope(reached)), reached

    slopes = jnp.zeros((len(STAGES), *state.shape), state.dtype)
    slopes, new = jax.lax.fori_loop(0, len(STAGES), stage, (slopes, state))
    return new, h * (jnp.asarray(ERROR, state.dtype)[:, None] * slopes).sum(axis=0)
