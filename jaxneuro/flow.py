"""Continuous physics and the integrators that turn it into machines.

A `Flow` states the physics, `d state / dt = derivative(state, input)`, with a `jump` at the end of each step (threshold
and reset). An integrator states the numerics: it advances the flow by `dt_ms` under an input held constant over the
step, then applies the jump. Orders of accuracy: Euler 1, exponential Euler 1 (exact where a flow is linear in each of
its own variables and these do not change each other; 2 where it is split and started half a step apart), Runge-Kutta 4,
Exact: machine precision for linear flows.
"""

import dataclasses
from abc import abstractmethod
from typing import Any, Generic, TypeVar, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.machine import Input, Output, Scalar, State, StateMachine, parameter

Variables = TypeVar("Variables")

NEAR_ZERO = 0.1  # below, `e^z - 1` is a series


class Flow(eqx.Module, Generic[State, Input, Output]):
    """Continuous dynamics with jumps. Time is in ms."""

    @abstractmethod
    def init(self, key: PRNGKeyArray) -> State:
        """The state before the first input."""

    def receive(self, state: State, input: Input) -> State:
        """What happens at the start of a step: jumps that the input brings. None, unless a flow says otherwise."""
        return state

    @abstractmethod
    def derivative(self, state: State, input: Input) -> State:
        """`d state / dt` per ms, with the structure of the state."""

    @abstractmethod
    def jump(self, state: State, input: Input, dt_ms: Float[Array, ""]) -> tuple[State, Output]:
        """What happens at the end of a step of `dt_ms`: spikes, resets, counters; and the output."""


class Relaxing(Flow[State, Input, Output]):
    """A flow whose every variable goes towards a target that it does not move itself: `s' = rate (target - s)`.

    Gates and voltages of membranes are of this kind. Exponential Euler takes rates and targets as they are, without
    automatic differentiation.
    """

    @abstractmethod
    def relaxation(self, state: State, input: Input) -> tuple[State, State]:
        """The rates (1/ms) and the targets of all variables; neither may depend on the variable itself."""

    @final
    def derivative(self, state: State, input: Input) -> State:
        """`rate (target - s)`."""
        rates, targets = self.relaxation(state, input)
        return jax.tree.map(lambda rate, target, s: rate * (target - s), rates, targets, state)


class Integrator(StateMachine[State, Input, Output], Generic[State, Input, Output]):
    """A machine made of a flow and a step size."""

    flow: eqx.AbstractVar[Flow[State, Input, Output]]
    dt_ms: eqx.AbstractVar[Float[Array, ""]]

    @abstractmethod
    def advance(self, state: State, input: Input) -> State:
        """The state `dt_ms` later, before the jump."""

    def init(self, key: PRNGKeyArray) -> State:
        """The initial state of the flow."""
        return self.flow.init(key)

    def step(self, state: State, input: Input) -> tuple[State, Output]:
        """Receive, advance by `dt_ms`, then jump."""
        return self.flow.jump(self.advance(self.flow.receive(state, input), input), input, self.dt_ms)


def _move(state: Variables, dt_ms: Array, slope: Variables) -> Variables:
    return jax.tree.map(lambda s, d: s + dt_ms * d, state, slope)


class Euler(Integrator[State, Input, Output]):
    """Forward Euler: `s <- s + dt f(s, x)`, by steps of `dt_ms` (ms). Order 1.

    Reference: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I (1993), section I.7.
    """

    flow: Flow[State, Input, Output]
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")

    def advance(self, state: State, input: Input) -> State:
        """`s + dt f(s, x)`."""
        return _move(state, self.dt_ms, self.flow.derivative(state, input))


class ExponentialEuler(Integrator[State, Input, Output]):
    """Exponential Euler, one variable at a time: `s_i <- s_i + dt phi(dt b_i) f_i(s, x)`, `phi(z) = (e^z - 1) / z`.

    Steps are of `dt_ms` (ms); `b_i = d f_i / d s_i` comes from automatic differentiation. For a variable that obeys
    `s' = (s_inf - s) / tau` this is the usual `s_inf + (s - s_inf) e^(-dt / tau)`, exact while `s_inf` and `tau` stand
    still. Order 1. The leaves of the state must be scalars (one neuron; `Population` makes many); the flow is evaluated
    once per leaf.

    Reference: MacGregor 1987, Neural and Brain Modeling, ch. 14; Hochbruck and Ostermann 2010, Acta Numerica 19:209,
    section 2.
    """

    flow: Flow[State, Input, Output]
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")

    def advance(self, state: State, input: Input) -> State:
        """`s_i + dt phi(dt df_i/ds_i) f_i(s, x)` for every variable i."""
        return _exponential(self.flow, state, input, self.dt_ms)


class SplitExponentialEuler(Integrator[State, Input, Output]):
    """Exponential Euler, one field of the state after the other, each of which sees the new values of those before it.

    `s_i <- s_i + dt phi(dt b_i) f_i(s_1 new, ..., s_(i-1) new, s_i, ..., s_n, x)`, in the order in which the state
    names its fields, by steps of `dt_ms` (ms); phi and b as in `ExponentialEuler`, variables within one field at once.
    A membrane that names its gates before its voltage has "gates first, then V", the staggered scheme in which gates
    are known half a step beside the voltage: spike times of a Hodgkin-Huxley membrane then converge with order 2. In
    general the order is 1. Variables are scalars unless the flow is `Relaxing`.

    Reference: Hines 1984, International Journal of Bio-Medical Computing 15:69 (staggered steps); MacGregor 1987,
    Neural and Brain Modeling, ch. 14 (exponential steps).
    """

    flow: Flow[State, Input, Output]
    dt_ms: Scalar = parameter(0.025, above=0.0, unit="ms")

    def advance(self, state: State, input: Input) -> State:
        """Every field from the newest values of all."""
        if not isinstance(state, eqx.Module):
            raise ValueError(
                f"SplitExponentialEuler got a state of type {type(state).__name__}; it needs an eqx.Module, whose "
                "fields say in which order the variables go."
            )
        newest: Any = state
        for field in dataclasses.fields(state):
            # All of the flow is traced for each field; what the field does not need is not computed.
            new = getattr(_exponential(self.flow, newest, input, self.dt_ms), field.name)
            newest = dataclasses.replace(newest, **{field.name: new})
        return newest


def _exponential(flow: Flow, state: Any, input: Any, dt_ms: Array) -> Any:
    """The state after an exponential step of every variable alone."""
    if isinstance(flow, Relaxing):
        rates, targets = flow.relaxation(state, input)
        return jax.tree.map(lambda s, r, target: s + (s - target) * _expm1(-dt_ms * r), state, rates, targets)
    leaves, structure = jax.tree.flatten(state)
    for leaf in leaves:
        if leaf.ndim:
            raise ValueError(
                f"ExponentialEuler got a state variable of shape {leaf.shape}; it takes scalars. Write the flow "
                "for one neuron and make many with Population(ExponentialEuler(flow), size)."
            )

    def moved(i: int) -> Array:
        def at(value: Array) -> Array:
            changed = jax.tree.unflatten(structure, [*leaves[:i], value, *leaves[i + 1 :]])
            return jax.tree.leaves(flow.derivative(changed, input))[i]

        slope, own = jax.jvp(at, (leaves[i],), (jnp.ones_like(leaves[i]),))
        return leaves[i] + dt_ms * exprel(dt_ms * own) * slope

    return jax.tree.unflatten(structure, [moved(i) for i in range(len(leaves))])


def exprel(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """`(e^z - 1) / z`, and 1 at 0, with its derivatives; rates of channels are made of it too.

    Args:
        z: real numbers.

    Returns:
        The quotient, to the last digits.
    """
    # Near zero the quotient loses its digits by cancellation, and its gradient more of them. Twice `where`: the branch
    # not taken must not divide by zero either.
    small = jnp.abs(z) < NEAR_ZERO
    safe = jnp.where(small, 1, z)
    return jnp.where(small, _exprel_near_zero(z), (jnp.exp(safe) - 1) / safe)


def inverse_exprel(
    z: Float[Array, "*shape"], exponential: Float[Array, "*shape"] | None = None
) -> Float[Array, "*shape"]:
    """`z / (e^z - 1)`, and 1 at 0, with its derivatives: `1 / exprel(z)` by one division instead of two.

    Args:
        z: real numbers.
        exponential: `e^z`, where it is known already.

    Returns:
        The quotient, to the last digits.
    """
    small = jnp.abs(z) < NEAR_ZERO
    safe = jnp.where(small, 1, z)
    # The series of the Bernoulli numbers, B_k / k!, as far as double precision needs it below `NEAR_ZERO`.
    square = jnp.where(small, z, 0) ** 2
    even = 1 / 12 + square * (-1 / 720 + square * (1 / 30_240 - square / 1_209_600))
    power = jnp.exp(safe) if exponential is None else jnp.where(small, 2, exponential)
    return jnp.where(small, 1 - z / 2 + square * even, safe / (power - 1))


def _expm1(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """`e^z - 1`, in half the time of `jnp.expm1`; what it loses to rounding, z or 1 lose too."""
    return jnp.where(jnp.abs(z) < NEAR_ZERO, z * _exprel_near_zero(z), jnp.exp(z) - 1)


def _exprel_near_zero(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The series `sum z^k / (k + 1)!`, as far as the precision of z needs it below `NEAR_ZERO`; 1 above."""
    z = jnp.where(jnp.abs(z) < NEAR_ZERO, z, 0)
    terms = 9 if jnp.finfo(z.dtype).bits > 32 else 5
    total = jnp.ones_like(z)
    for k in range(terms, 1, -1):
        total = 1 + z / k * total
    return total


def relayed(
    dt_ms: Float[Array, "*time"], first_ms: Float[Array, "*first"], second_ms: Float[Array, "*second"]
) -> Float[Array, "*shape"]:
    """What a decaying source of initial strength 1 leaves in a decaying store that was empty, `dt` later.

    With source `r' = -r / tau_1`, store `s' = -s / tau_2 + r` this is the integral of
    `e^(-(dt - t) / tau_2) e^(-t / tau_1)` over the step: `(e^(-dt / tau_1) - e^(-dt / tau_2)) / (1/tau_2 - 1/tau_1)`,
    and `dt e^(-dt / tau)` where both are tau. Smooth there too.

    Args:
        dt_ms: the step (ms).
        first_ms: tau_1 (ms).
        second_ms: tau_2 (ms).

    Returns:
        The content of the store, in ms times the source's unit.

    Reference: Rotter and Diesmann 1999, Biological Cybernetics 81:381.
    """
    first, second = dt_ms / first_ms, dt_ms / second_ms
    # The slower decay stands before `exprel`, so that the exponential in it cannot overflow.
    slower = jnp.where(first > second, second, first)
    return dt_ms * jnp.exp(-slower) * exprel(jnp.where(first > second, second - first, first - second))


class RungeKutta4(Integrator[State, Input, Output]):
    """The classical Runge-Kutta method. Order 4 between jumps.

    `k1 = f(s)`, `k2 = f(s + dt k1 / 2)`, `k3 = f(s + dt k2 / 2)`, `k4 = f(s + dt k3)`,
    `s <- s + dt (k1 + 2 k2 + 2 k3 + k4) / 6`, by steps of `dt_ms` (ms).

    Reference: Kutta 1901, Zeitschrift fuer Mathematik und Physik 46:435.
    """

    flow: Flow[State, Input, Output]
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")

    def advance(self, state: State, input: Input) -> State:
        """Four evaluations of the flow, weighted 1, 2, 2, 1."""
        f, dt = self.flow.derivative, self.dt_ms
        k1 = f(state, input)
        k2 = f(_move(state, dt / 2, k1), input)
        k3 = f(_move(state, dt / 2, k2), input)
        k4 = f(_move(state, dt, k3), input)
        return jax.tree.map(lambda s, a, b, c, d: s + dt * (a + 2 * b + 2 * c + d) / 6, state, k1, k2, k3, k4)


class Exact(Integrator[State, Input, Output]):
    """The exact propagator of a linear flow `s' = A s + b(x)` under an input held constant over the step.

    `[s, 1] <- expm(dt [[A, b], [0, 0]]) [s, 1]`, by steps of `dt_ms` (ms), where `A` and `b` come from automatic
    differentiation at the present state. For a flow that is not linear this is the exponential Rosenbrock-Euler method,
    of order 2.

    Reference: Rotter and Diesmann 1999, Biological Cybernetics 81:381, eq. 4; Van Loan 1978, IEEE TAC 23:395.
    """

    flow: Flow[State, Input, Output]
    dt_ms: Scalar = parameter(0.1, above=0.0, unit="ms")

    def advance(self, state: State, input: Input) -> State:
        """`s + dt phi(dt A) f(s, x)` by one matrix exponential."""
        vector, restore = ravel_pytree(state)

        def slopes(values: Float[Array, "variables"]) -> Float[Array, "variables"]:
            return ravel_pytree(self.flow.derivative(restore(values), input))[0]

        rates = jax.jacfwd(slopes)(vector)
        top = jnp.concatenate([rates, slopes(vector)[:, None]], axis=1)
        augmented = jnp.concatenate([top, jnp.zeros_like(top[:1])], axis=0)
        generator = self.dt_ms * augmented
        # The linear algebra inside has no half precision.
        wide = jnp.float32 if jnp.finfo(vector.dtype).bits < 32 else vector.dtype
        change = jax.scipy.linalg.expm(generator.astype(wide))[:-1, -1]
        return restore(vector + change.astype(vector.dtype))
