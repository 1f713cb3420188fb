"""The known cells equal the machines of this library, in outputs and in gradients, and all run in one program."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.machine import cast
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


def both(name, dtype, seed=1):
    """Outputs of the machine and of the cell, and the slopes of those parameters of the machine that both have.

    All numbers that they start from are single precision's, so that those in double precision are the same.
    """
    inputs = np.random.default_rng(seed).normal(size=(STEPS, UNITS)).astype(np.float32)
    inputs, machine = cast((jnp.asarray(inputs), machine_of(name, "float32")), dtype)
    expected, slopes, weights = by_hand(name, machine, inputs)
    outputs, found = interpreted(cell_of(name, weights), inputs)
    assert outputs.dtype == dtype
    found = pulled(name, machine, [found.input_weights, found.recurrent_weights, found.bias])
    compared = EQUAL[name].compared
    return expected, outputs, compared(slopes), compared(found)


def check_equal(name, dtype):
    close, alike = PRECISION[dtype]
    with jax.enable_x64(dtype == "float64"):
        expected, outputs, slopes, found = both(name, dtype)
        np.testing.assert_allclose(outputs, expected, rtol=0, atol=close * max(1, np.abs(expected).max()))
        assert np.std(expected) > 0.02
        scale = max(float(np.abs(slope).max()) for slope in slopes)
        assert scale > 0.1
        for ours, theirs in zip(found, slopes, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=alike * scale)
            assert np.any(np.asarray(theirs)), "a parameter that the outputs do not depend on shows nothing"


@pytest.mark.parametrize("name", EQUAL)
def test_a_known_cell_equals_its_machine(name):
    check_equal(name, "float64")


# Double precision tells the most; of single precision the quick pass looks at those where it matters most.
DELICATE = ("GRU", "ComplexLinear")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in DELICATE else pytest.mark.slow) for name in EQUAL if name != "LIF"],
)
def test_a_known_cell_equals_its_machine_in_single_precision(name):
    check_equal(name, "float32")


def test_the_spiking_cell_is_in_single_precision_as_exact_as_its_machine():
    """Rounding grows from spike to spike on its way back through time: the machine's own gradient is 1e-6 to 7e-6 of
    its scale from the one in double precision. The cell's must not be further from it, over several inputs."""
    machines, cells = [], []
    for seed in range(6):
        with jax.enable_x64(True):
            _, _, slopes, _ = both("LIF", "float64", seed)
        expected, outputs, machine, cell = both("LIF", "float32", seed)
        np.testing.assert_allclose(outputs, expected, rtol=0, atol=PRECISION["float32"][0])
        assert 0 < np.mean(expected) < 1
        scale = max(float(np.abs(slope).max()) for slope in slopes)
        for found, errors in ((machine, machines), (cell, cells)):
            errors.append(max(np.abs(np.subtract(a, b)).max() for a, b in zip(found, slopes, strict=True)) / scale)
    assert np.mean(cells) < 1.5 * np.mean(machines)
    assert max(machines) < 1e-5


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
