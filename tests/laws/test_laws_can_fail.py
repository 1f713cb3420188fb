"""A law that nothing can break says nothing: for each, machines that break it, and the check that catches them."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

import jaxneuro as jn
from tests.laws.machines import STEPS, SmoothSpike, floats
from tests.laws.test_carry import check_carry
from tests.laws.test_causality import check_causality
from tests.laws.test_docstring import check_docstring
from tests.laws.test_finite import check_finite
from tests.laws.test_gradients import (
    check_declared_gradients,
    check_finite_gradients,
    check_surrogate,
    check_true_gradients,
)
from tests.laws.test_init import check_init
from tests.laws.test_lowering import check_lowering
from tests.laws.test_one_trace import check_one_trace, check_size
from tests.laws.test_precision import check_precision
from tests.laws.test_save_load import check_save_load
from tests.laws.test_split import check_split
from tests.laws.test_transformations import (
    check_compiled_equals_eager,
    check_executors_agree,
    check_gradients_agree,
    check_map_equals_loop,
    hoisted,
)

breaks_the_law = pytest.raises(AssertionError)


class Level(eqx.Module):
    value: Float[Array, ""]


class Sum(jn.StateMachine):
    """A leaky sum that keeps the laws; the machines below differ from it in the one thing that is wrong."""

    gain: Float[Array, ""] = jn.parameter(0.5)

    def init(self, key):
        return Level(jnp.zeros_like(self.gain))

    def step(self, state, input):
        value = self.gain * state.value + input
        return Level(value), value


class Retyped(Sum):
    def step(self, state, input):
        return Level((self.gain * state.value + input).astype(jnp.bfloat16)), input


class WeaklyTyped(Sum):
    def init(self, key):
        return Level(jnp.asarray(0.0))


class Impure(Sum):
    """Counts how often it is traced, and lets the count out."""

    traced: ClassVar[list] = []

    def step(self, state, input):
        self.traced.append(0)
        value = self.gain * state.value + input + len(self.traced)
        return Level(value), value


@jax.custom_batching.custom_vmap
def centred(input):
    return input


@centred.def_vmap
def _(size, batched, inputs):
    return inputs - inputs.mean(0), True


class CentredInTime(jn.Stateless):
    """Subtracts the mean over what it is mapped over, and `run` maps it over time."""

    gain: Float[Array, ""] = jn.parameter(2.0)

    def respond(self, input):
        return self.gain * centred(input)


class CentredInBatch(Sum):
    def step(self, state, input):
        value = self.gain * state.value + centred(input)
        return Level(value), value


class Whimsical(Sum):
    def step(self, state, input):
        value = self.gain * state.value + (2 * input if isinstance(input, jax.core.Tracer) else input)
        return Level(value), value


class TwoMinded(jn.Driven):
    """Its step is not `transition(state, drive(input))`."""

    gain: Float[Array, ""] = jn.parameter(0.5)

    def init(self, key):
        return Level(jnp.zeros_like(self.gain))

    def drive(self, input):
        return self.gain * input

    def transition(self, state, drive):
        return Level(state.value + drive), state.value

    def step(self, state, input):
        return Level(state.value + input), state.value


class Frozen(Sum):
    """A number that is part of the program."""

    rate: float = eqx.field(static=True, default=0.1)

    def step(self, state, input):
        value = self.gain * state.value + self.rate * input
        return Level(value), value


class Silent(Sum):
    """Holds its number so that no field shows it."""

    rate: tuple = eqx.field(static=True, default=())

    def step(self, state, input):
        value = self.gain * state.value + len(self.rate) * input
        return Level(value), value


@jax.custom_batching.custom_vmap
def unrolled(input):
    return 2 * input


@unrolled.def_vmap
def _(size, batched, inputs):
    return jnp.stack([2 * inputs[time] for time in range(size)]), True


class Unrolled(jn.Stateless):
    gain: Float[Array, ""] = jn.parameter(2.0)

    def respond(self, input):
        return self.gain * unrolled(input)


class Rooted(Sum):
    """The root's slope at zero is infinite, and `where` does not hide it."""

    def step(self, state, input):
        value = self.gain * state.value + jnp.where(input > 0, jnp.sqrt(jnp.abs(input)), 0)
        return Level(value), value


@jax.custom_jvp
def lied(value):
    return jnp.sin(value)


lied.defjvp(lambda primals, tangents: (lied(*primals), 1.001 * jnp.cos(primals[0]) * tangents[0]))


class Lying(Sum):
    def step(self, state, input):
        value = lied(self.gain * state.value + input)
        return Level(value), value


class Mute(jn.Stateless):
    """Declares a surrogate and stops its gradient."""

    spike: jn.Surrogate = eqx.field(default_factory=jn.FastSigmoid)

    def respond(self, input):
        return jax.lax.stop_gradient(self.spike(input))


class Single(Sum):
    def step(self, state, input):
        value = self.gain * state.value + jnp.float32(2) * input
        return Level(value), value


class Narrowing(Sum):
    def step(self, state, input):
        state, value = super().step(state, input)
        return state, value.astype(jnp.float32)


class Forgetful(Sum):
    """Keeps what it drew where no file finds it."""

    drawn: tuple = eqx.field(static=True, default=())

    def step(self, state, input):
        value = self.gain * state.value + self.drawn[0] * input
        return Level(value), value


class Moody(Sum):
    def init(self, key):
        return Level(floats(np.random.default_rng().normal()))


class Explosive(Sum):
    gain: Float[Array, ""] = jn.parameter(1.01)


class Local(jn.Stateless):
    """Uses an operation that no TPU has."""

    gain: Float[Array, ""] = jn.parameter(1.0)

    def respond(self, input):
        return jnp.abs(jnp.linalg.eigvals(self.gain * jnp.full((2, 2), input)))


INPUTS = floats(np.random.default_rng(0).normal(size=STEPS))


def test_a_machine_without_fault_is_not_accused(tmp_path):
    check_carry(Sum(), INPUTS)
    check_split(Sum(), INPUTS)
    check_causality(Sum(), INPUTS)
    check_executors_agree(Sum(), INPUTS)
    check_one_trace(Sum(), Sum(0.4), INPUTS)
    check_finite_gradients(Sum(), INPUTS)
    check_save_load(lambda key: Sum(), INPUTS, tmp_path)


def test_law_1_catches_a_state_that_changes_type():
    with breaks_the_law:
        check_carry(Retyped(), INPUTS)


def test_law_1_catches_a_weakly_typed_state():
    with breaks_the_law:
        check_carry(WeaklyTyped(), INPUTS)


def test_law_2_catches_a_memory_outside_of_the_state():
    with breaks_the_law:
        check_split(Impure(), INPUTS)


def test_law_3_catches_an_output_that_knows_the_future():
    with breaks_the_law:
        check_causality(CentredInTime(), INPUTS)


def test_law_4_catches_a_step_that_is_another_when_compiled():
    with breaks_the_law:
        check_compiled_equals_eager(Whimsical(), INPUTS)


def test_law_4_catches_lanes_that_know_each_other():
    with breaks_the_law:
        check_map_equals_loop(CentredInBatch(), INPUTS)


def test_law_4_catches_an_executor_that_differs():
    with breaks_the_law:
        check_executors_agree(TwoMinded(), INPUTS)


def test_law_4_catches_gradients_that_differ():
    with breaks_the_law:
        check_gradients_agree(TwoMinded(), INPUTS, hoisted)


def test_law_5_catches_a_static_number():
    with breaks_the_law:
        check_one_trace(Frozen(), Frozen(), INPUTS)


def test_law_5_catches_a_program_compiled_again():
    with breaks_the_law:
        check_one_trace(Silent(rate=("a",)), Silent(rate=("a", "b")), INPUTS)


def test_law_5_catches_a_program_that_grows_with_time():
    with breaks_the_law:
        check_size(Unrolled(), INPUTS)


def test_law_6_catches_a_gradient_that_is_not_a_number():
    with breaks_the_law:
        check_finite_gradients(Rooted(), INPUTS)


@pytest.mark.usefixtures("float64")
def test_law_6_catches_a_gradient_that_is_wrong_by_a_thousandth():
    with breaks_the_law:
        check_true_gradients(Lying(), floats(np.asarray(INPUTS)))


def test_law_6_catches_a_spike_without_the_declared_gradient():
    with breaks_the_law:
        check_declared_gradients(Mute(), INPUTS, lambda machine, state, input: input)


def test_law_6_catches_a_surrogate_that_is_not_a_spike():
    with breaks_the_law:
        check_surrogate(SmoothSpike())


@pytest.mark.usefixtures("float64")
def test_law_7_catches_a_number_of_fixed_precision():
    with breaks_the_law:
        check_precision(Single(), INPUTS, jnp.float64)


@pytest.mark.usefixtures("float64")
def test_law_7_catches_an_output_of_lower_precision():
    with breaks_the_law:
        check_precision(Narrowing(), INPUTS, jnp.float64)


def test_law_8_catches_a_parameter_that_no_file_holds(tmp_path):
    with breaks_the_law:
        check_save_load(lambda key: Forgetful(drawn=(float(jax.random.normal(key)),)), INPUTS, tmp_path)


def test_law_9_catches_a_start_that_the_key_does_not_decide():
    with breaks_the_law:
        check_init(lambda key: Moody())


def test_law_10_catches_a_state_that_grows_without_bound():
    with breaks_the_law:
        check_finite(Explosive(), floats(np.ones(10_000)))


def test_law_11_catches_an_operation_that_a_platform_lacks():
    check_lowering(Local(), INPUTS, "cpu")
    with breaks_the_law:
        check_lowering(Local(), INPUTS, "tpu")


@pytest.mark.parametrize(
    "text",
    [
        "A cell. Input: a scalar. tau (ms). Reference: Hill 1936.",
        "A cell: `y = tau x`. Input: a scalar. tau (ms).",
        "A cell: `y = tau x`. tau (ms). Reference: Hill 1936.",
        "A cell: `y = tau x`. Input: a scalar. Reference: Hill 1936.",
    ],
    ids=["no equation", "no reference", "no shape", "no unit"],
)
def test_law_12_catches_a_docstring_that_lacks_something(text):
    class Cell(jn.Stateless[Float[Array, ""], Float[Array, ""]]):
        tau_ms: Float[Array, ""] = jn.parameter(1.0, unit="ms")

        def respond(self, input):
            return self.tau_ms * input

    Cell.__doc__ = text
    with breaks_the_law:
        check_docstring(Cell)
    Cell.__doc__ = "A cell: `y = tau x`. Input: a scalar. tau (ms). Reference: Hill 1936."
    check_docstring(Cell)
