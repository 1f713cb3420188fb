"""Surrogates: exactly Heaviside forwards, the documented formula backwards."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

import jaxneuro as jn


def normal(u, mean, deviation):
    return np.exp(-((u - mean) ** 2) / (2 * deviation**2)) / np.sqrt(2 * np.pi * deviation**2)


# Each surrogate with its formula as the paper states it, and the area under that curve.
FORMULAS = {
    "fast sigmoid": (lambda: jn.FastSigmoid(10.0), lambda u: 1 / (1 + 10 * np.abs(u)) ** 2, 2 / 10),
    "triangular": (lambda: jn.Triangular(0.3, 1.0), lambda u: 0.3 * np.maximum(0, 1 - np.abs(u)), 0.3),
    "arc tangent": (lambda: jn.ArcTangent(2.0), lambda u: (2 / 2) / (1 + (np.pi / 2 * 2 * u) ** 2), 1.0),
    "multi-Gaussian": (
        lambda: jn.MultiGaussian(0.5, 0.15, 0.5, 6.0),
        lambda u: 0.5 * (1.15 * normal(u, 0, 0.5) - 0.15 * normal(u, 0.5, 3) - 0.15 * normal(u, -0.5, 3)),
        0.5 * (1 + 0.15 - 2 * 0.15),
    ),
    "straight through": (jn.StraightThrough, np.ones_like, None),
}
EVERY = pytest.mark.parametrize("name", FORMULAS)
GRID = np.concatenate([np.linspace(-4, 4, 401), [-1e-3, 1e-3, -1e-6, 1e-6, -50.0, 50.0]])


@EVERY
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_forward_is_exactly_heaviside_in_every_dtype(name, dtype, float64):
    dtype = jnp.dtype(dtype)
    tiny = jnp.finfo(dtype).tiny
    distances = jnp.asarray([-np.inf, -3, -1e-3, -tiny, -0.0, 0.0, tiny, 1e-3, 3, np.inf, np.nan], dtype)
    spikes = jax.jit(lambda distances: jn.cast(FORMULAS[name][0](), dtype)(distances))(distances)
    assert spikes.dtype == dtype
    assert spikes.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0]


@EVERY
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
def test_backward_is_the_documented_formula(name, dtype, tolerance, float64):
    make, formula, _ = FORMULAS[name]
    surrogate, grid = jn.cast(make(), dtype), GRID.astype(dtype)
    expected = formula(grid.astype(np.float64))

    @jax.jit
    def slopes(u):
        forward_mode = jax.jvp(surrogate, (u,), (jnp.ones_like(u),))[1]
        return jax.grad(lambda u: surrogate(u).sum())(u), forward_mode, surrogate.kernel(u)

    # The two sides of the multi-Gaussian cancel near its zeros: there the peak of the curve is the measure.
    for found in slopes(jnp.asarray(grid)):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * expected.max() / 10)


@EVERY
def test_backward_is_finite_at_infinite_and_vanishing_distances(name):
    extremes = jnp.asarray([-jnp.inf, -jnp.finfo(jnp.float32).tiny, 0.0, jnp.finfo(jnp.float32).tiny, 1e30, jnp.inf])
    slopes = jax.jit(jax.grad(lambda u: FORMULAS[name][0]()(u).sum()))(extremes)
    assert np.isfinite(slopes).all()


@pytest.mark.parametrize("name", [name for name, row in FORMULAS.items() if row[2] is not None])
def test_area_under_the_kernel_is_the_known_one(name, float64):
    make, _, area = FORMULAS[name]
    # u = x / (1 - x) brings the half line to [0, 1]; u = 1, where the triangle ends, is x = 1/2, a border of panels.
    nodes, weights = np.polynomial.legendre.leggauss(200)
    x = np.concatenate([(nodes + 1) / 4, (nodes + 3) / 4])
    kernel = make().kernel(jnp.asarray(x / (1 - x)))
    assert 2 * np.sum(np.tile(weights / 4, 2) * kernel / (1 - x) ** 2) == pytest.approx(area, rel=1e-9)


def test_the_kernels_own_numbers_get_no_gradient():
    gradients = jax.grad(lambda surrogate: surrogate(jnp.linspace(-1.0, 1.0, 9)).sum())(jn.MultiGaussian())
    assert all(leaf == 0 for leaf in jax.tree.leaves(gradients))


def test_a_sweep_of_slopes_traces_once():
    traces = []

    @jax.jit
    def backward(surrogate, distance):
        traces.append(surrogate)
        return jax.grad(surrogate)(distance)

    for slope in (1, 2.0, np.float32(5), jnp.asarray(25.0)):
        expected = 1 / (1 + float(slope) * 0.5) ** 2
        assert backward(jn.FastSigmoid(slope), jnp.asarray(0.5)) == pytest.approx(expected, rel=1e-6)
    assert len(traces) == 1


def test_slopes_are_an_axis_for_vmap():
    slopes = jnp.asarray([1.0, 5.0, 25.0])
    swept = jax.vmap(lambda slope: jax.grad(jn.ArcTangent(slope))(jnp.asarray(0.3)))(slopes)
    np.testing.assert_allclose(swept, slopes / 2 / (1 + (np.pi / 2 * slopes * 0.3) ** 2), rtol=1e-6)


class SmoothArcTangent(jn.Surrogate):
    """A graded spike whose true derivative is the kernel of `ArcTangent(2)`."""

    def kernel(self, distance):
        return 1 / (1 + (jnp.pi * distance) ** 2)

    def __call__(self, distance):
        return jnp.arctan(jnp.pi * distance) / jnp.pi + 0.5


@pytest.mark.parametrize("soft_reset", [0.0, 1.0])
def test_a_network_of_smooth_spikes_has_the_gradient_of_finite_differences(soft_reset, key, float64):
    # With the primitive of the kernel in its place, the pretended derivative is a true one, and what finite differences
    # then test is everything around the spike: time, reset, recurrence, readout.
    neuron = jn.LIF(
        tau_ms=5.0, threshold_mv=1.0, refractory_ms=0.0, soft_reset=soft_reset, detach_reset=0.0, dt_ms=1.0,
        spike=SmoothArcTangent(),
    )  # fmt: skip
    keys = jax.random.split(key, 4)
    network = jn.Chain(
        jn.Dense(2, 3, gain=3.0, key=keys[0]),
        jn.Feedback(jn.Population(jn.stack(neuron, 3), 3), jn.Dense(3, 3, key=keys[1]), jnp.zeros(3)),
        jn.Dense(3, 1, key=keys[2]),
        jn.Population(jn.LeakyReadout(tau_ms=5.0), 1, shared=True),
    )
    inputs = jax.random.normal(keys[3], (12, 2))

    def loss(network, inputs):
        return jnp.sum(jn.run(network, inputs)[1] ** 2)

    check_grads(jax.jit(loss), (network, inputs), order=1, modes=("fwd", "rev"), atol=1e-6, rtol=1e-5)
