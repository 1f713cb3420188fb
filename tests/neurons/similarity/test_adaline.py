"""ADALINE: the least-mean-squares rule against an explicit loop, least squares and its bound of stability."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn


class Learning(jn.StateMachine):
    """The rule as a state machine: the neuron is the state, an example the input, the error the output."""

    untrained: jn.Adaline
    rate: jax.Array = jn.parameter()

    def init(self, key):
        return self.untrained

    def step(self, state, example):
        point, target = example
        return state.learn(point, target, self.rate)


def examples(number, inputs):
    generator = np.random.default_rng(number)
    points = generator.normal(size=(number, inputs)) * np.linspace(0.5, 1.5, inputs)
    targets = points @ np.arange(1.0, inputs + 1) - 0.7 + 0.5 * generator.normal(size=number)
    return jnp.asarray(points), jnp.asarray(targets)


def test_responds_with_the_weighted_sum(key):
    neuron, points = jn.Adaline(6, key=key), jax.random.normal(key, (50, 6))
    expected = np.asarray(points) @ np.asarray(neuron.weights) + np.asarray(neuron.bias)
    np.testing.assert_allclose(jax.vmap(neuron.respond)(points), expected, rtol=1e-5, atol=1e-6)


def test_learns_as_the_textbook_loop_does(key, float64):
    points, targets = examples(200, 4)
    neuron = jn.Adaline(4, key=key)
    weights, bias, errors = np.asarray(neuron.weights), 0.0, []
    for point, target in zip(np.asarray(points), np.asarray(targets), strict=True):
        error = target - (weights @ point + bias)
        weights, bias = weights + 0.05 * error * point, bias + 0.05 * error
        errors.append(error)
    learned, found = jn.run(Learning(neuron, 0.05), (points, targets))
    np.testing.assert_allclose(found, errors, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(learned.weights, weights, rtol=1e-12)
    assert learned.bias == pytest.approx(bias, rel=1e-12)


def test_a_step_goes_down_the_gradient_of_half_the_squared_error(key, float64):
    neuron, point, target = jn.Adaline(5, key=key), jax.random.normal(key, (5,)), jnp.asarray(0.7)
    learned, _ = neuron.learn(point, target, 0.1)
    gradient = jax.grad(lambda neuron: (target - neuron.respond(point)) ** 2 / 2)(neuron)
    np.testing.assert_allclose(learned.weights, neuron.weights - 0.1 * gradient.weights, rtol=1e-13)
    np.testing.assert_allclose(learned.bias, neuron.bias - 0.1 * gradient.bias, rtol=1e-13)


def test_converges_to_the_least_squares_solution(key, float64):
    points, targets = examples(40, 3)
    augmented = np.column_stack([points, np.ones(40)])
    solution, *_ = np.linalg.lstsq(augmented, targets, rcond=None)

    def distance(rate, epochs):
        data = jnp.tile(points, (epochs, 1)), jnp.tile(targets, epochs)
        learned, _ = jn.run(Learning(jn.Adaline(3, key=key), rate), data)
        return np.abs(np.append(learned.weights, learned.bias) - solution).max()

    # With a constant rate the rule circles round the solution, at a distance in proportion to the rate.
    assert distance(1e-3, 1000) < 2e-3
    assert distance(1e-4, 10_000) < 2e-4


@pytest.mark.parametrize(("part", "converges"), [(0.99, True), (1.01, False)])
def test_is_stable_up_to_twice_the_inverse_of_the_largest_eigenvalue(part, converges, key, float64):
    points, _ = examples(40, 3)
    augmented = np.column_stack([points, np.ones(40)])
    targets = jnp.asarray(augmented @ [1.0, -2.0, 3.0, 0.5])
    largest = np.linalg.eigvalsh(augmented.T @ augmented / 40).max()

    def average_step(neuron, _):
        # The mean over all the data of what the rule does to the neuron: E[x x'] is then the data's own, exactly.
        learned, errors = jax.vmap(lambda x, target: neuron.learn(x, target, part * 2 / largest))(points, targets)
        return jax.tree.map(lambda leaf: leaf.mean(axis=0), learned), jnp.abs(errors).max()

    _, errors = jax.lax.scan(average_step, jn.Adaline(3, key=key), length=800)
    # The mode of the largest eigenvalue is multiplied by 1 - 2 part in every step, and in the end it is all there is.
    assert (errors[-1] < errors[0]) == converges
    assert errors[-1] / errors[-101] == pytest.approx(abs(1 - 2 * part) ** 100, rel=1e-6)


@pytest.mark.parametrize(("part", "converges"), [(0.99, True), (1.01, False)])
def test_one_example_again_and_again_has_the_bound_of_its_own_length(part, converges, key, float64):
    point, target = jax.random.normal(key, (3,)), jnp.asarray(0.9)
    rate = part * 2 / (point @ point + 1)  # the bias is one input more, always 1
    data = jnp.broadcast_to(point, (400, 3)), jnp.broadcast_to(target, (400,))
    _, errors = jn.run(Learning(jn.Adaline(3, key=key), rate), data)
    np.testing.assert_allclose(errors, errors[0] * (1 - 2 * part) ** np.arange(400), rtol=1e-9)
    assert (abs(errors[-1]) < abs(errors[0])) == converges


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="Adaline got inputs=0; it must be at least 1"):
        jn.Adaline(0, key=key)
