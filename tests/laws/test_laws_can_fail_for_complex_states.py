"""Machines of complex state that break a law in the imaginary part alone, and the checks that catch them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Complex, Float

import jaxneuro as jn
from tests.laws.machines import STEPS, floats
from tests.laws.test_carry import check_carry
from tests.laws.test_finite import check_finite
from tests.laws.test_gradients import check_finite_gradients, check_true_gradients
from tests.laws.test_one_trace import check_one_trace
from tests.laws.test_precision import check_precision
from tests.laws.test_save_load import check_save_load
from tests.laws.test_split import check_split
from tests.laws.test_transformations import check_compiled_equals_eager, check_executors_agree, check_gradients_agree

breaks_the_law = pytest.raises(AssertionError)


class Wave(eqx.Module):
    value: Complex[Array, ""]


class Rotor(jn.StateMachine):
    """A leaky sum in the complex plane that keeps the laws; the machines below differ in its imaginary part alone."""

    gain: Float[Array, ""] = jn.parameter(0.5)
    turn: Float[Array, ""] = jn.parameter(0.7)

    def init(self, key):
        return Wave(jax.lax.complex(jnp.zeros_like(self.gain), jnp.zeros_like(self.gain)))

    def step(self, state, input):
        factor = jax.lax.complex(self.gain * jnp.cos(self.turn), self.gain * jnp.sin(self.turn))
        value = factor * state.value + input
        return Wave(value), value


@jax.custom_jvp
def crooked(value):
    return jax.lax.complex(value.real, jnp.sin(value.imag))


@crooked.defjvp
def _(primals, tangents):
    (value,), (change,) = primals, tangents
    return crooked(value), jax.lax.complex(change.real, 1.001 * jnp.cos(value.imag) * change.imag)


class Crooked(Rotor):
    def step(self, state, input):
        state, value = super().step(state, input)
        return Wave(crooked(value)), crooked(value)


class Pointed(Rotor):
    """The modulus has no finite slope at zero."""

    def step(self, state, input):
        state, value = super().step(state, input)
        return state, jnp.sqrt(value.real**2 + value.imag**2)


class Spiralling(Rotor):
    def step(self, state, input):
        value = jax.lax.complex(input.real, 1.01 * state.value.imag + input.imag)
        return Wave(value), value


class Halved(Rotor):
    def step(self, state, input):
        state, value = super().step(state, input)
        return state, value.astype(jnp.complex64)


class Whirling(Rotor):
    """Turns the other way when it is compiled."""

    def step(self, state, input):
        state, value = super().step(state, input)
        value = value.conj() if isinstance(input, jax.core.Tracer) else value
        return Wave(value), value


INPUTS = floats(np.random.default_rng(0).normal(size=STEPS))
WAVES = jax.lax.complex(INPUTS, INPUTS[::-1])


def test_a_machine_of_complex_state_and_input_without_fault_is_not_accused(tmp_path):
    check_carry(Rotor(), WAVES)
    check_split(Rotor(), WAVES)
    check_compiled_equals_eager(Rotor(), WAVES)
    check_executors_agree(Rotor(), WAVES)
    check_gradients_agree(Rotor(), WAVES)
    check_one_trace(Rotor(), Rotor(0.4), WAVES)
    check_finite_gradients(Rotor(), WAVES)
    check_precision(Rotor(), WAVES, jnp.float32)
    check_save_load(lambda key: Rotor(), WAVES, tmp_path)
    with jax.enable_x64(True):
        check_true_gradients(*jn.cast((Rotor(), WAVES), jnp.float64), order=2)


def test_law_4_catches_a_conjugate():
    with breaks_the_law:
        check_compiled_equals_eager(Whirling(), WAVES)


@pytest.mark.usefixtures("float64")
def test_law_6_catches_a_gradient_that_is_wrong_in_the_imaginary_part():
    with breaks_the_law:
        check_true_gradients(*jn.cast((Crooked(), WAVES), jnp.float64))


def test_law_6_catches_the_slope_of_a_modulus_at_zero():
    with breaks_the_law:
        check_finite_gradients(Pointed(), 0 * WAVES)


@pytest.mark.usefixtures("float64")
def test_law_7_catches_a_complex_number_of_lower_precision():
    with breaks_the_law:
        check_precision(Halved(), WAVES, jnp.float64)


def test_law_10_catches_an_imaginary_part_that_grows_without_bound():
    with breaks_the_law:
        check_finite(Spiralling(), jnp.full(10_000, 1 + 1j))
