import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.scan import scan
from tests.laws.gradient import QUICK


def normal(seed, *shape):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape))


def lstm(p, state, x):
    h, c = state
    i, f, g, o = jnp.split(p["W"] @ x + p["U"] @ h + p["b"], 4)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def gru(p, h, x):
    r, z = jnp.split(jax.nn.sigmoid(p["W"] @ x + p["U"] @ h), 2)
    n = jnp.tanh(p["V"] @ x + p["R"] @ (r * h))
    h = z * h + (1 - z) * n
    return h, h


def twice_and_transposed(p, h, x):
    h = jnp.tanh(p["U"] @ h + (p["U"] @ x) * h + p["U"].T @ jnp.cos(h))
    return h, h @ p["U"]


def made_in_the_step(p, h, x):
    # The matrix depends on the state: not a loop invariant.
    h = jnp.tanh((p["U"] * h.sum()) @ h + x)
    return h, h


def squared_matrix(p, h, x):
    # The matrix is a function of a parameter, and the parameter is used elementwise too.
    h = jnp.tanh((p["U"] ** 2 * 0.1) @ h + x + p["U"][0])
    return h, h


@jax.jit
def inner(matrix, vector):
    return matrix @ vector


def in_a_nested_jit(p, h, x):
    h = jnp.tanh(inner(p["U"], h) + x)
    return h, h


def sum_read_twice(p, h, x):
    z = p["U"] @ h
    total = z + x
    return jnp.tanh(total), z * total


def complex_weights(p, h, x):
    h = p["C"] @ h * 0.3 + x
    return h * (1 - 0.1 * h), (h * h.conj()).real


def no_product(p, h, x):
    h = jnp.exp(-p["b"][:3]) * h + x
    return h, h


def mlp_in_the_loop(p, h, x):
    h = h + p["V"].T @ jnp.tanh(p["V"] @ h + x) * 0.1
    return h, h


P = {
    "W": normal(0, 12, 3),
    "U": normal(1, 12, 3),
    "V": normal(2, 3, 3),
    "R": normal(3, 3, 3),
    "b": normal(4, 12),
}
CASES = {
    "lstm": (lstm, P, (jnp.zeros(3), jnp.zeros(3))),
    "gru": (gru, P | {"W": normal(0, 6, 3), "U": normal(1, 6, 3)}, jnp.zeros(3)),
    "twice": (twice_and_transposed, {"U": normal(5, 3, 3)}, jnp.ones(3)),
    "made in the step": (made_in_the_step, {"U": normal(5, 3, 3)}, jnp.ones(3)),
    "squared": (squared_matrix, {"U": normal(5, 3, 3)}, jnp.ones(3)),
    "nested jit": (in_a_nested_jit, {"U": normal(5, 3, 3)}, jnp.ones(3)),
    "sum read twice": (sum_read_twice, {"U": normal(5, 3, 3)}, jnp.ones(3)),
    "no product": (no_product, P, jnp.ones(3)),
    "mlp": (mlp_in_the_loop, P, jnp.ones(3)),
}


# Of two steps of one nature the quick pass has one.
LATER = ("gru", "made in the step", "squared", "no product", "mlp")


@pytest.fixture(params=[pytest.param(name, marks=[pytest.mark.slow] * (name in LATER)) for name in CASES])
def case(request, float64):
    step, parameters, state = CASES[request.param]
    double = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf), jnp.float64), (parameters, state))
    return step, *double, jnp.asarray(np.random.default_rng(7).normal(size=(11, 3)))


quick = functools.partial(jax.jit, compiler_options=QUICK)


def objective(loop, step, **options):
    def value(p, state, inputs):
        final, outputs = loop(lambda s, x: step(p, s, x), state, inputs, **options)
        return sum((leaf**2).sum() for leaf in jax.tree.leaves((final, outputs))) + jnp.sin(outputs).sum()

    return value


def assert_equal(found, expected, rtol=1e-12):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * max(1e-3, float(jnp.abs(b).max())))


def argument_gradients(loop, step, **options):
    return quick(jax.value_and_grad(objective(loop, step, **options), argnums=(0, 1, 2)))


# 11 steps: blocks of 4 leave 3 over.
@pytest.mark.parametrize("options", [{"unroll": 3}, {"block": 4}], ids=str)
def test_values_and_gradients_equal_those_of_lax_scan(case, options):
    step, *arguments = case
    found = argument_gradients(scan, step, **options)(*arguments)
    assert_equal(found, argument_gradients(jax.lax.scan, step)(*arguments))


@pytest.mark.parametrize("options", [{}, {"block": 4}], ids=str)
def test_batches_inside_and_lanes_outside_of_the_gradient(case, options):
    step, p, state, inputs = case
    batch = jnp.stack([inputs, 2 * inputs, inputs[::-1]])
    lanes = jax.tree.map(lambda leaf: jnp.stack([leaf, 0.5 * leaf]), p)

    def gradients(loop, **options):
        def mean(p, batch):
            value = jax.jit(objective(loop, step, **options))
            return jax.vmap(lambda inputs: value(p, state, inputs))(batch).mean()

        return quick(jax.vmap(jax.grad(mean, argnums=(0, 1)), in_axes=(0, None)))(lanes, batch)

    assert_equal(gradients(scan, **options), gradients(jax.lax.scan))


def test_only_the_asked_gradients_are_made(case):
    step, *arguments = case
    _, expected = argument_gradients(jax.lax.scan, step)(*arguments)
    for argument in range(3):
        found = quick(jax.grad(objective(scan, step), argnums=argument))(*arguments)
        assert_equal(found, expected[argument])


def test_forward_mode_and_checkpoints(case):
    step, *arguments = case
    tangents = jax.tree.map(jnp.cos, tuple(arguments))

    def forward(loop, **options):
        return quick(lambda *arguments: jax.jvp(objective(loop, step, **options), arguments, tangents))(*arguments)

    assert_equal(forward(scan), forward(jax.lax.scan))
    assert_equal(forward(scan, block=4), forward(jax.lax.scan))
    saved = quick(jax.value_and_grad(jax.checkpoint(objective(scan, step)), argnums=(0, 1, 2)))
    assert_equal(saved(*arguments), argument_gradients(jax.lax.scan, step)(*arguments))


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"block": 4}], ids=str)
def test_second_derivatives(case, options):
    step, *arguments = case

    def twice(loop, **options):
        first = jax.grad(objective(loop, step, **options))
        return quick(jax.grad(lambda p, *others: sum((g**2).sum() for g in jax.tree.leaves(first(p, *others)))))

    assert_equal(twice(scan, **options)(*arguments), twice(jax.lax.scan)(*arguments), rtol=1e-10)


def test_complex_weights(float64):
    generator = np.random.default_rng(8)

    def draw(*shape):
        return jnp.asarray(generator.normal(size=shape) + 1j * generator.normal(size=shape))

    p, state, inputs = {"C": draw(3, 3)}, draw(3), draw(9, 3)

    def value(loop):
        return lambda p, inputs: loop(lambda s, x: complex_weights(p, s, x), state, inputs)[1].sum()

    found, expected = (jax.grad(value(loop), argnums=(0, 1))(p, inputs) for loop in (scan, jax.lax.scan))
    assert_equal(found, expected)


def test_counters_and_random_keys_may_be_in_the_state(key):
    weights = jnp.asarray(np.eye(3), jnp.float32)

    def value(loop, weights):
        def step(state, x):
            h, count, key = state
            key, draw = jax.random.split(key)
            h = jnp.tanh(weights @ h + x + 0.1 * jax.random.normal(draw, (3,)))
            return (h, count + 1, key), (h, count)

        (h, count, _), (trace, counts) = loop(step, (jnp.ones(3), jnp.int32(0), key), jnp.ones((5, 3)))
        return h.sum() + trace.sum(), (count, counts)

    found, expected = (
        jax.value_and_grad(lambda w, loop=loop: value(loop, w), has_aux=True)(weights) for loop in (scan, jax.lax.scan)
    )
    assert_equal(found, expected, rtol=1e-5)
    assert int(found[0][1][0]) == 5


def test_the_weight_gradient_is_one_product_over_time_and_batch():
    weights = jnp.ones((4, 4))

    def loss(weights, batch):
        def one(inputs):
            return scan(lambda h, x: (jnp.tanh(weights @ h + x),) * 2, jnp.zeros(4), inputs)[1].sum()

        return jax.vmap(one)(batch).sum()

    text = jax.jit(jax.grad(loss)).lower(weights, jnp.ones((5, 7, 4))).as_text()
    products = [line for line in text.splitlines() if "dot_general" in line and "tensor<4x4x" in line.split("->")[-1]]
    assert len(products) == 1, text
    loop_bodies = text.split("stablehlo.while")[1:]
    assert all("-> tensor<4x4x" not in body.split("stablehlo.return")[0] for body in loop_bodies)


def test_invariants_are_computed_before_the_loop():
    jaxpr = jax.make_jaxpr(lambda rate, x: scan(lambda s, x: (jnp.exp(-rate) * s + x, s), jnp.float32(0), x))(
        jnp.float32(1), jnp.ones(6)
    )
    names = [equation.primitive.name for equation in jaxpr.jaxpr.eqns]
    body = next(equation for equation in jaxpr.jaxpr.eqns if equation.primitive.name == "scan").params["jaxpr"]
    assert "exp" in names
    assert "exp" not in [equation.primitive.name for equation in body.jaxpr.eqns]


def test_a_state_that_changes_type_is_explained_by_lax_scan():
    with pytest.raises(TypeError, match="carry"):
        scan(lambda s, x: (s.astype(jnp.int32), s), jnp.float32(0), jnp.ones(3))


def test_the_program_does_not_grow_with_time():
    def size(steps):
        return len(
            str(
                jax.make_jaxpr(jax.grad(objective(scan, lstm)))(P, (jnp.zeros(3), jnp.zeros(3)), jnp.ones((steps, 3)))
            ).splitlines()
        )

    assert size(10) == size(1000)


def test_a_state_that_stays_as_it_is_keeps_its_batch_axis(float64):
    generator = np.random.default_rng(3)
    weights, inputs = (jnp.asarray(generator.normal(size=shape) + 0.5j) for shape in ((3, 3), (4, 3)))
    offsets = jnp.asarray(generator.normal(size=(3, 3)))

    def run(loop, **options):
        def one(weights, offset):
            def step(state, x):
                h, kept = state
                return (weights @ h + x + kept.astype(complex), kept), h

            return loop(step, (jnp.zeros(3, complex), offset), inputs, **options)[0][1]

        mapped = jax.jit(jax.vmap(one, in_axes=(None, 1)))
        return jax.vjp(lambda weights: mapped(weights, offsets), weights)[0]

    assert_equal(run(jax.lax.scan), offsets.T)
    assert_equal(run(scan, block=2), offsets.T)


@jax.custom_vjp
def clipped(x):
    return jnp.tanh(x)


clipped.defvjp(lambda x: (jnp.tanh(x), x), lambda x, g: (jnp.clip(g, -0.1, 0.1) * jnp.cos(x),))
LEFT_ALONE = {
    "custom_vjp": lambda u, h, x: jnp.tanh(u @ clipped(h) + x),
    "cond": lambda u, h, x: jax.lax.cond(h[0] > 0, lambda: jnp.tanh(h + x), lambda: 0 * h) + u @ h,
}


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_cannot_be_taken_apart_is_run_as_it_is(name, float64):
    weights, batch = (jnp.asarray(np.random.default_rng(4).normal(size=shape)) for shape in ((3, 3), (2, 9, 3)))

    def gradient(loop, **options):
        def one(u, inputs):
            return loop(lambda h, x: (LEFT_ALONE[name](u, h, x),) * 2, jnp.zeros(3), inputs, **options)[1].sum()

        return quick(jax.grad(lambda u: jax.vmap(lambda inputs: one(u, inputs))(batch).sum()))(weights)

    for options in ({}, {"block": 4}):
        assert_equal(gradient(scan, **options), gradient(jax.lax.scan))
