"""Machines under JAX's own transformations, and the rules for their parameters."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxneuro as jn
from jaxneuro.machine import Bounds


@pytest.fixture
def lif():
    return jn.LIF(dt_ms=1.0)


@pytest.fixture
def start(lif, key):
    return lif.init(key)


@jax.jit
def lstm_of(key):
    return jn.LSTM(3, 4, key=key)


CURRENTS = np.random.default_rng(0).normal(80, 40, 40).astype(np.float32)


def by_hand(lif, state, currents):
    spikes = []
    for current in currents:
        state, spike = lif.step(state, jnp.asarray(current))
        spikes.append(float(spike))
    return state, spikes


def test_a_bound_step_is_the_body_of_a_scan(lif, start):
    state, spikes = jax.lax.scan(lif.step, start, jnp.asarray(CURRENTS))
    expected_state, expected = by_hand(lif, start, CURRENTS)
    np.testing.assert_array_equal(spikes, expected)
    assert sum(expected) > 3
    np.testing.assert_allclose(state.voltage_mv, expected_state.voltage_mv, rtol=1e-5)


def test_an_unbound_step_is_a_function_of_parameters_state_and_input(lif, start):
    bound, unbound = lif.step(start, jnp.asarray(20.0)), jn.LIF.step(lif, start, jnp.asarray(20.0))
    assert eqx.tree_equal(bound, unbound)
    by_parameters = jax.grad(lambda lif: jn.LIF.step(lif, start, jnp.asarray(10.0))[0].voltage_mv)(lif)
    assert by_parameters.resistance_mohm == pytest.approx(10 * (1 - np.exp(-1 / 20)), rel=1e-5)


def test_the_same_machine_twice_inside_one_jit(lif, start):
    @jax.jit
    def twice(lif, state, currents):
        state, first = jax.lax.scan(lif.step, state, currents)
        state, second = jax.lax.scan(lif.step, state, currents)
        return state, jnp.concatenate([first, second])

    _, spikes = twice(lif, start, jnp.asarray(CURRENTS))
    np.testing.assert_array_equal(spikes, by_hand(lif, start, np.tile(CURRENTS, 2))[1])


def test_two_machines_of_one_kind_inside_one_jit_are_not_taken_for_one(start):
    @jax.jit
    def both(slow, fast, state, current):
        return (
            jax.checkpoint(slow.step)(state, current)[0].voltage_mv,
            jax.checkpoint(fast.step)(state, current)[0].voltage_mv,
        )

    slow, fast = both(jn.LIF(tau_ms=100.0), jn.LIF(tau_ms=1.0), start, jnp.asarray(10.0))
    assert slow == pytest.approx(10 * -np.expm1(-0.1 / 100), rel=1e-4)
    assert fast == pytest.approx(10 * -np.expm1(-0.1 / 1), rel=1e-4)


TRANSFORMS = {
    "jit": jax.jit,
    "checkpoint": jax.checkpoint,
    "checkpoint in jit": lambda f: jax.jit(jax.checkpoint(f)),
    "jit in jit": lambda f: jax.jit(jax.jit(f)),
    "vmap": lambda f: (
        lambda *args: jax.tree.map(
            lambda leaf: leaf[1], jax.vmap(f)(*jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), args))
        )
    ),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transformations_take_bound_and_unbound_methods(name, lif, start):
    transform, current = TRANSFORMS[name], jnp.asarray(20.0)
    expected = lif.step(start, current)
    for found in (transform(lif.step)(start, current), transform(jn.LIF.step)(lif, start, current)):
        jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-6), found, expected)


def test_gradients_go_through_a_bound_method(lif, start):
    slope = jax.grad(lambda current: lif.step(start, current)[0].voltage_mv)(jnp.asarray(3.0))
    assert slope == pytest.approx(1 - np.exp(-1 / 20), rel=1e-5)
    dense = jn.Dense(3, 1, key=jax.random.key(0))
    np.testing.assert_array_equal(jax.jacobian(dense.respond)(jnp.ones(3)), dense.weights)


def test_vmap_over_parameters_makes_different_neurons(start):
    taus = jnp.asarray([5.0, 20.0, 80.0])
    neurons = jax.vmap(lambda tau: jn.LIF(tau_ms=tau))(taus)
    moved = jax.vmap(lambda lif: lif.step(start, jnp.asarray(10.0))[0].voltage_mv)(neurons)
    np.testing.assert_allclose(moved, 10 * -np.expm1(-0.1 / np.asarray(taus)), rtol=1e-5)


def test_a_bound_method_knows_its_name_and_what_it_wraps(lif, start):
    assert lif.step.__name__ == "step"
    assert lif.step == lif.step
    assert hash(lif.step) == hash(lif.step)
    assert lif.step != jn.LIF(dt_ms=1.0).step
    assert eqx.tree_equal(lif.step.__wrapped__(start, jnp.asarray(1.0)), lif.step(start, jnp.asarray(1.0)))
    # A bound method is a pytree of the machine's leaves, so that it may be an argument of a compiled function.
    assert jax.jit(lambda step: step(start, jnp.asarray(400.0))[1])(lif.step) == 1


def test_optax_trains_a_machine_as_it_is(key):
    target, neuron = jn.Adaline(4, key=key), jn.Adaline(4, key=jax.random.key(1))
    points = jax.random.normal(key, (64, 4))
    wanted, optimizer = jax.vmap(target.respond)(points), optax.adam(0.05)

    def loss(neuron):
        return jnp.mean((jax.vmap(neuron.respond)(points) - wanted) ** 2)

    @jax.jit
    def train(neuron):
        def step(carry, _):
            neuron, optimizer_state = carry
            value, gradient = jax.value_and_grad(loss)(neuron)
            # Optax raises a float to the power of a whole count, which strict promotion forbids.
            with jax.numpy_dtype_promotion("standard"):
                change, optimizer_state = optimizer.update(gradient, optimizer_state, neuron)
            return (optax.apply_updates(neuron, change), optimizer_state), value

        return jax.lax.scan(step, (neuron, optimizer.init(neuron)), length=400)

    (trained, _), losses = train(neuron)
    assert isinstance(trained, jn.Adaline)
    assert losses[-1] < 1e-6 * losses[0]
    np.testing.assert_allclose(trained.weights, target.weights, atol=1e-3)


REFUSED = [
    (lambda: jn.LIF(tau_ms=-1.0), "LIF.tau_ms is -1; it must be above 0 ms."),
    (lambda: jn.LIF(tau_ms=0), "LIF.tau_ms is 0; it must be above 0 ms."),
    (lambda: jn.LIF(refractory_ms=-0.5), "LIF.refractory_ms is -0.5; it must be at least 0 ms."),
    (lambda: jn.LIF(soft_reset=1.5), "LIF.soft_reset is 1.5; it must be at most 1."),
    (lambda: jn.LIF(threshold_mv=np.inf), "LIF.threshold_mv is inf; it must be finite."),
    (lambda: jn.LeakyReadout(tau_ms=jnp.nan), "LeakyReadout.tau_ms is nan; it must be finite."),
    (lambda: jn.FastSigmoid(0.0), "FastSigmoid.slope is 0; it must be above 0."),
    (lambda: jn.FastSigmoid(jnp.asarray([3.0, -2.0])), "FastSigmoid.slope is -2 to 3; it must be above 0."),
    (lambda: jn.PreciseLIF(dt_ms=np.float32(-1)), "PreciseLIF.dt_ms is -1; it must be above 0 ms."),
]


@pytest.mark.parametrize(("build", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_a_parameter_out_of_bounds_is_refused_by_name_value_and_rule(build, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
        build()
    assert str(error.value) == message


def test_a_machine_can_be_built_of_known_numbers_inside_a_compiled_function():
    lif = jn.LIF()
    step = jax.jit(lambda state, current: jn.Euler(lif, lif.dt_ms).step(state, current))
    assert step(lif.init(jax.random.key(0)), jnp.asarray(1e9))[1] == 1


def test_parameters_on_their_inclusive_bounds_are_taken():
    assert jn.LIF(refractory_ms=0.0, soft_reset=1.0, detach_reset=0.0).soft_reset == 1
    assert Bounds(at_least=0.0, at_most=1.0).violation(0.0, 1.0) is None
    assert Bounds(above=0.0).violation(0.0, 1.0) == "must be above 0"


def test_bounds_and_units_can_be_read_from_the_fields():
    fields = jn.LIF.__dataclass_fields__
    assert fields["tau_ms"].metadata["parameter"] == Bounds(above=0.0, unit="ms")
    assert fields["rest_mv"].metadata["parameter"] == Bounds(unit="mV")


@pytest.mark.parametrize("number", [10, 10.0, True, np.float32(10), np.int64(10), np.asarray(10)], ids=repr)
def test_python_and_numpy_numbers_become_arrays_of_explicit_type(number):
    neuron = jn.LIF(tau_ms=number)
    assert neuron.tau_ms == float(number)
    for leaf in jax.tree.leaves(neuron):
        assert isinstance(leaf, jax.Array)
        assert leaf.dtype == jnp.float32
        assert not leaf.weak_type


@pytest.mark.parametrize("build", [lambda: jnp.asarray(10.0), lambda: jnp.sqrt(100.0), lambda: jax.jit(lambda: 10.0)()])
def test_weakly_typed_arrays_become_arrays_of_explicit_type(build):
    assert not jn.LIF(tau_ms=build()).tau_ms.weak_type


def test_arrays_keep_the_type_they_have(float64):
    assert jn.LIF(tau_ms=10.0).tau_ms.dtype == jnp.float64
    assert jn.LIF(tau_ms=np.float32(10)).tau_ms.dtype == jnp.float32
    assert jn.LIF(tau_ms=jnp.asarray(10, jnp.bfloat16)).tau_ms.dtype == jnp.bfloat16


def test_new_numbers_of_any_origin_use_the_same_program(start):
    traces = []

    @jax.jit
    def step(lif, state):
        traces.append(lif)
        return lif.step(state, jnp.asarray(1.0))

    for tau in (5, 10.0, np.float32(15), np.float64(20), jnp.full((), 25.0), jnp.asarray(30.0)):
        step(jn.LIF(tau_ms=tau), start)
    assert len(traces) == 1


def test_cast_changes_real_and_complex_leaves_and_nothing_else(key, float64):
    tree = {
        "real": jnp.ones(2, jnp.float32), "complex": jnp.ones(2, jnp.complex64), "whole": jnp.arange(2),
        "truth": jnp.ones(2, bool), "key": key,
    }  # fmt: skip
    unchanged = {name: tree[name].dtype for name in ("whole", "truth", "key")}
    double = {name: leaf.dtype for name, leaf in jn.cast(tree, jnp.float64).items()}
    assert double == {"real": jnp.float64, "complex": jnp.complex128} | unchanged
    half = {name: leaf.dtype for name, leaf in jn.cast(tree, jnp.bfloat16).items()}
    assert half == {"real": jnp.bfloat16, "complex": jnp.complex64} | unchanged


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_a_cast_machine_runs_in_its_new_type(dtype, key, float64):
    lstm = jn.cast(lstm_of(key), dtype)
    state, outputs = jn.run(lstm, jnp.ones((5, 3), dtype))
    assert {leaf.dtype for leaf in jax.tree.leaves((state, outputs))} == {jnp.dtype(dtype)}


def test_count_parameters_counts_complex_numbers_twice_and_whole_ones_never():
    tree = {"real": jnp.ones((3, 4)), "complex": jnp.ones(5, jnp.complex64), "whole": jnp.ones(7, jnp.int32)}
    assert jn.count_parameters(tree) == 12 + 10


def test_count_parameters_counts_what_its_path_says(key):
    network = jn.Chain(jn.Dense(3, 5, key=key), jn.Dense(5, 2, key=key))
    assert jn.count_parameters(network) == 3 * 5 + 5 + 5 * 2 + 2
    assert jn.count_parameters(network, lambda path: path == ".machines[0].weights") == 15
    assert jn.count_parameters(network, lambda path: path.endswith("bias")) == 7


def test_a_stateless_machine_has_an_empty_state(key):
    dense = jn.Dense(3, 2, key=key)
    state, output = dense.step(dense.init(key), jnp.ones(3))
    assert isinstance(state, jn.NoState)
    assert jax.tree.leaves(state) == []
    np.testing.assert_array_equal(output, dense.respond(jnp.ones(3)))


def test_a_driven_machine_is_its_transition_after_its_drive(key):
    lstm = lstm_of(key)
    state, _ = jn.run(lstm, jnp.ones((3, 3)))
    assert eqx.tree_equal(lstm.step(state, jnp.ones(3)), lstm.transition(state, lstm.drive(jnp.ones(3))))


def test_an_affine_machine_is_linear_in_its_state(key):
    readout, input = jn.LeakyReadout(), jnp.asarray(2.0)
    a, b = readout.affine(input)
    state, output = readout.step(jax.tree.map(lambda leaf: leaf + 3, readout.init(key)), input)
    assert state.value == pytest.approx(float(a.value * 3 + b.value), rel=1e-6)
    assert output == state.value
