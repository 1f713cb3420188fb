"""The known cells equal the machines of this library, in outputs and in gradients, and all run in one program."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.search.genome import Space
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.text import TextError
from tests.laws.gradient import QUICK
from tests.search.equivalents import EQUAL, UNITS, cell_of, machine_of, weights_of

STEPS = 50
PRECISION = {"float32": (2e-6, 1e-6), "float64": (1e-12, 1e-12)}


def weighted(outputs):
    return jnp.sum(outputs * jnp.cos(jnp.arange(outputs.size, dtype=outputs.dtype)).reshape(outputs.shape))


def outcome(machine, inputs):
    """Outputs, and how a weighted sum of them changes with all numbers of the machine."""
    numbers, rest = eqx.partition(machine, eqx.is_inexact_array)

    def total(numbers):
        machine = eqx.combine(numbers, rest)
        _, outputs = jax.lax.scan(machine.step, machine.init(jax.random.key(0)), inputs)
        return weighted(outputs), outputs

    (_, outputs), slopes = jax.value_and_grad(total, has_aux=True)(numbers)
    return outputs, slopes


quickly = functools.partial(jax.jit, compiler_options=QUICK)


@functools.partial(quickly, static_argnums=0)
def by_hand(name, machine, inputs):
    """For the machine, and its parameters as weights."""
    return *outcome(machine, inputs), weights_of(name, machine)


@functools.partial(quickly, static_argnums=0)
def pulled(name, machine, slopes):
    """The slopes of weights as slopes of the machine's parameters."""
    return jax.vjp(lambda machine: weights_of(name, machine), machine)[1](slopes)[0]


@quickly
def interpreted(cell, inputs):
    """For a cell: the one program for all of them."""
    return outcome(cell, inputs)


def check_equal(name, dtype):
    close, alike = PRECISION[dtype]
    with jax.enable_x64(dtype == "float64"):
        inputs = jnp.asarray(np.random.default_rng(1).normal(size=(STEPS, UNITS)), dtype)
        machine = machine_of(name, dtype)
        expected, slopes, weights = by_hand(name, machine, inputs)
        outputs, found = interpreted(cell_of(name, weights), inputs)
        assert outputs.dtype == dtype
        np.testing.assert_allclose(outputs, expected, rtol=0, atol=close * max(1, np.abs(expected).max()))
        assert np.std(expected) > 0.02
        compared = EQUAL[name].compared
        found = pulled(name, machine, [found.input_weights, found.recurrent_weights, found.bias])
        scale = max(float(np.abs(slope).max()) for slope in compared(slopes))
        assert scale > 0.1
        for ours, theirs in zip(compared(found), compared(slopes), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=alike * scale)
            assert np.any(np.asarray(theirs)), "a parameter that the outputs do not depend on shows nothing"


@pytest.mark.parametrize("name", EQUAL)
def test_a_known_cell_equals_its_machine(name):
    check_equal(name, "float64")


# Double precision tells the most; of single precision the quick pass looks at those where it matters most.
DELICATE = ("GRU", "LIF", "ComplexLinear")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in DELICATE else pytest.mark.slow) for name in EQUAL]
)
def test_a_known_cell_equals_its_machine_in_single_precision(name):
    check_equal(name, "float32")


def test_all_known_cells_have_an_equal():
    assert EQUAL.keys() == TEXTS.keys()


def test_names_and_room_are_checked():
    with pytest.raises(ValueError, match=r"There is no genome 'LSTMM'. Did you mean LSTM\? Allowed: RNN, LSTM, GRU"):
        named("LSTMM")
    with pytest.raises(TextError, match="the cell has 4 slots, but there is room for 3"):
        named("LSTM", Space(1, 3, 5, 2))


def test_all_known_cells_are_one_program():
    traces = []

    @quickly
    def outputs(cell, inputs):
        traces.append(1)
        return jax.lax.scan(cell.step, cell.init(jax.random.key(0)), inputs)[1]

    inputs = jnp.ones((STEPS, UNITS))
    weights = weights_of("RNN", machine_of("RNN"))
    found = [np.asarray(outputs(cell_of(name, weights), inputs)) for name in EQUAL]
    assert len(traces) == 1
    assert outputs._cache_size() == 1
    assert not np.array_equal(found[0], found[1])
