"""Law 6: gradients are finite; where a machine is smooth they are the true ones; a surrogate's is the one it declares.

Finite differences cannot judge a spike: across a threshold they must disagree with a surrogate. So three claims are
kept apart. Every gradient is finite, silence included. Smooth machines, and spiking ones with the spike replaced by the
function whose true derivative is its surrogate, agree with central differences in every parameter, input and state
variable. And one step of a spiking machine has the gradient `kernel(u) du`, where u is the distance from threshold.
"""

import functools
import inspect

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import jaxneuro as jn
from tests.laws import gradient
from tests.laws.compare import as_parts, assert_same, from_parts, numbers, silenced, weighted_sum
from tests.laws.machines import HALF, MACHINES, each, every_machine, example, make

STEP = 1e-5
SMOOTH = [row for row in MACHINES if row.smooth]
SPIKING = [row for row in MACHINES if row.distance]
SURROGATES = [
    kind
    for _, kind in inspect.getmembers(jn, inspect.isclass)
    if issubclass(kind, jn.Surrogate) and not inspect.isabstract(kind)
]


def objective(machine, inputs):
    """A scalar of a run as a function of all parameters, the initial state and all inputs, and what these are."""
    state = machine.init(jax.random.key(0))
    varied, fixed = eqx.partition((machine, state, inputs), eqx.is_inexact_array)

    def total(varied):
        return weighted_sum(gradient.run(*eqx.combine(varied, fixed)))

    return total, varied


def check_finite_gradients(machine, inputs):
    state = machine.init(jax.random.key(0))
    _, slopes = gradient.outcome_and_gradient(gradient.run, machine, state, silenced(inputs))
    for path, leaf in jax.tree_util.tree_leaves_with_path(slopes):
        assert np.isfinite(numbers(leaf)).all(), f"the gradient at {jax.tree_util.keystr(path)} is {leaf}"


def check_true_gradients(machine, inputs, order=1):
    """All partial derivatives against central differences; both modes of differentiation; call it in float64.

    A complex state variable or input is two real ones: a neuron of modulus and phase has no complex derivative.
    """
    total, varied = objective(machine, inputs)
    point, join = ravel_pytree(as_parts(varied))
    point = np.asarray(point)

    def restore(point):
        return from_parts(join(point), varied)

    assert point.dtype == np.float64
    quick = functools.partial(jax.jit, compiler_options=gradient.QUICK)
    objective_at, slope_at = (lambda point: total(restore(point))), jax.grad(lambda point: total(restore(point)))
    # One program for the values and the slopes of all points: to compile a second one takes longer than its numbers.
    of_all = quick(lambda points: jax.lax.map(jax.value_and_grad(objective_at), points))
    offsets, along = STEP * np.eye(point.size), np.cos(np.arange(point.size))
    further = np.stack([point + STEP * along, point - STEP * along, point])
    values, slopes = map(np.asarray, of_all(np.concatenate([point + offsets, point - offsets, further])))
    above, below = np.split(values[:-3], 2)
    assert_close(slopes[-1], (above - below) / (2 * STEP), 1e-5)
    if order > 1:
        curvature = quick(lambda point: jax.jvp(slope_at, (point,), (along,))[1])(point)
        assert_close(curvature, (slopes[-3] - slopes[-2]) / (2 * STEP), 1e-4)
    # Reverse mode is the transpose of forward mode, so that there is no more to see than that forward mode exists.
    jax.eval_shape(lambda point: jax.jvp(objective_at, (point,), (along,)), point)


def assert_close(actual, expected, tolerance):
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale)


def surrogate_of(machine):
    """The spike nonlinearity of a machine or of its flow, or None."""
    if isinstance(machine, jn.search.EvolvedCell):
        return jn.FastSigmoid()  # as its docstring says
    fields = [*vars(machine).values(), *vars(getattr(machine, "flow", machine)).values()]
    return next((field for field in fields if isinstance(field, jn.Surrogate)), None)


@functools.partial(jax.jit, static_argnums=0, compiler_options=gradient.QUICK)
def actual_and_declared(distance, machine, state, inputs):
    """The spikes of one step and their gradient; what these are by declaration; for every input from the same state.

    Of several spikes the gradients are added up, each with a weight of its own.
    """

    def both(input):
        varied, fixed = eqx.partition((machine, state, input), eqx.is_inexact_array)

        def spikes(varied):
            machine, state, input = eqx.combine(varied, fixed)
            return machine.step(state, input)[1]

        def distances(varied):
            return distance(*eqx.combine(varied, fixed))

        fired, slopes = jax.vjp(spikes, varied)
        u, declared = jax.vjp(distances, varied)
        weights = jnp.cos(jnp.arange(u.size, dtype=u.dtype)).reshape(u.shape)
        spike = (u >= 0).astype(u.dtype)
        return (fired, slopes(weights)), (spike, declared(surrogate_of(machine).kernel(u) * weights))

    return jax.vmap(both)(inputs)


def check_declared_gradients(machine, inputs, distance):
    actual, declared = actual_and_declared(distance, machine, machine.init(jax.random.key(0)), inputs)
    assert 0 < declared[0].sum() < declared[0].size, "the inputs must lead to both sides of threshold"
    assert_same(actual, declared, ulps=64)


def check_surrogate(surrogate):
    distances = jnp.concatenate([jnp.linspace(-3.0, 3.0, 61), jnp.asarray([0.0, -0.0, 1e-7, -1e-7])])
    spikes, slopes = jax.vmap(jax.value_and_grad(lambda u: surrogate(u)))(distances)
    np.testing.assert_array_equal(spikes, np.asarray(distances) >= 0)
    np.testing.assert_allclose(slopes, surrogate.kernel(distances), rtol=1e-6)


@every_machine
def test_gradients_are_finite(row):
    check_finite_gradients(*example(row))


@pytest.mark.parametrize("row", each(SMOOTH))
@pytest.mark.usefixtures("float64")
def test_gradients_of_a_smooth_machine_equal_finite_differences(row):
    check_true_gradients(*make(row, HALF), row.order)


@pytest.mark.parametrize("row", each(SPIKING))
def test_the_gradient_of_a_spike_is_the_declared_one(row):
    check_declared_gradients(*example(row), row.distance)


@pytest.mark.parametrize("kind", SURROGATES)
def test_a_surrogate_spikes_like_heaviside_and_has_its_own_kernel_for_gradient(kind):
    check_surrogate(kind())
