"""The perceptron against Novikoff's bound, Cover's count, and exact linear programming."""

from fractions import Fraction
from math import comb

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import hadamard
from scipy.optimize import linprog

import jaxneuro as jn


class Learning(jn.StateMachine):
    """The rule as a state machine: the perceptron is the state, an example the input, a mistake the output."""

    untrained: jn.Perceptron
    bias_rate: float = eqx.field(static=True, default=1.0)

    def init(self, key):
        return self.untrained

    def step(self, state, example):
        point, label = example
        return state.learn(point, label, bias_rate=self.bias_rate)


def blank(inputs):
    """A perceptron with all weights zero, where Novikoff's count of mistakes begins."""
    perceptron = jax.eval_shape(lambda: jn.Perceptron(inputs, key=jax.random.key(0)))
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), perceptron)


def epochs(points, labels, number):
    """The same examples again and again, as a sequence in time."""
    return jnp.tile(points, (number, 1)), jnp.tile(labels, number)


def test_responds_with_the_sign_of_the_weighted_sum(key):
    perceptron = eqx.tree_at(lambda p: p.bias, jn.Perceptron(5, key=key), jnp.asarray(0.3, jnp.float32))
    points = jax.random.normal(key, (200, 5))
    expected = (np.asarray(points) @ np.asarray(perceptron.weights) + 0.3 >= 0).astype(np.float32)
    np.testing.assert_array_equal(jax.vmap(perceptron.respond)(points), expected)
    assert blank(5).respond(points[0]) == 1


def test_gradient_passes_through_the_threshold_as_the_surrogate_says(key):
    point = jax.random.normal(key, (4,))
    straight = jn.Perceptron(4, key=key)
    np.testing.assert_array_equal(jax.grad(straight.respond)(point), straight.weights)
    curved = jn.Perceptron(4, spike=jn.ArcTangent(2.0), key=key)
    slope = 1 / (1 + (np.pi * (np.asarray(curved.weights) @ np.asarray(point))) ** 2)
    np.testing.assert_allclose(jax.grad(curved.respond)(point), slope * np.asarray(curved.weights), rtol=1e-5)


@pytest.mark.parametrize("bias_rate", [0.0, 1.0, 0.5])
def test_learns_as_the_textbook_loop_does(bias_rate, key):
    points = np.asarray(jax.random.normal(key, (60, 3)))
    labels = np.sign(points @ [1.0, -2.0, 0.5] + 0.2).astype(np.float32)
    weights, bias, mistakes = np.zeros(3, np.float32), np.float32(0), []
    for point, label in zip(points, labels, strict=True):
        wrong = label * (weights @ point + bias) <= 0
        if wrong:
            weights, bias = weights + label * point, bias + np.float32(bias_rate) * label
        mistakes.append(wrong)
    learned, counted = jn.run(Learning(blank(3), bias_rate), (jnp.asarray(points), jnp.asarray(labels)))
    np.testing.assert_array_equal(counted, mistakes)
    np.testing.assert_allclose(learned.weights, weights, atol=1e-6)
    assert learned.bias == bias


def test_mistakes_keep_novikoffs_bound_on_a_thousand_separable_problems(key):
    inputs, examples, problems = 5, 20, 1000

    def problem(key):
        plane_key, point_key, margin_key = jax.random.split(key, 3)
        plane = jax.random.normal(plane_key, (inputs,))
        plane /= jnp.linalg.norm(plane)
        points = jax.random.normal(point_key, (examples, inputs))
        side = jnp.sign(points @ plane)
        # Every point is moved away from the plane by the margin, so that a bound is known.
        margin = jax.random.uniform(margin_key, minval=0.05, maxval=0.5)
        points += margin * jnp.outer(side, plane)
        radius = jnp.linalg.norm(points, axis=1).max()
        bound = (radius / jnp.min(side * (points @ plane))) ** 2
        learned, mistakes = jn.run(Learning(blank(inputs), 0.0), epochs(points, side, 200))
        return mistakes.sum(), bound, jnp.all(side * (points @ learned.weights) > 0)

    mistakes, bounds, separated = jax.jit(jax.vmap(problem))(jax.random.split(key, problems))
    assert jnp.sum(mistakes > bounds) == 0
    assert separated.all()  # no mistake was still to come
    assert mistakes.min() >= 1


@pytest.mark.parametrize("inputs", [1, 16, 64])
def test_orthonormal_inputs_attain_novikoffs_bound(inputs):
    # The rows of a Hadamard matrix over sqrt(n), a power of two, are orthonormal without any rounding. R = 1, and the
    # widest margin is that of the mean of label x point: gamma = 1 / sqrt(n).
    points = np.asarray(hadamard(inputs) / inputs**0.5, np.float32)
    labels = np.random.default_rng(inputs).choice([-1.0, 1.0], inputs)
    widest = labels @ points / inputs**0.5
    bound = (1 / np.min(labels * (points @ widest))) ** 2
    _, mistakes = jn.run(Learning(blank(inputs), 0.0), epochs(jnp.asarray(points), jnp.asarray(labels, jnp.float32), 5))
    assert np.sum(mistakes) == bound == inputs
    assert np.sum(mistakes[inputs:]) == 0


def test_exclusive_or_is_never_learned_and_its_weights_go_round_in_a_cycle():
    points = jnp.asarray([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    labels = jnp.asarray([-1.0, 1.0, 1.0, -1.0])

    def weights(perceptron):
        return jnp.append(perceptron.weights, perceptron.bias)

    _, mistakes, visited = jn.run(Learning(blank(2)), epochs(points, labels, 100), observe=weights, every=4)
    # The rule is deterministic and its numbers are whole: an epoch that starts where an earlier one started repeats it,
    # mistakes and all, for ever.
    starts = [tuple(row) for row in visited.tolist()]
    first, again = next((starts.index(start), n) for n, start in enumerate(starts) if start in starts[:n])
    per_epoch = mistakes.reshape(-1, 4).sum(axis=1)
    assert again - first >= 1
    assert (per_epoch[first + 1 : again + 1] > 0).all()
    assert (per_epoch > 0).all()


def cover(patterns, inputs):
    """Cover's number of labellings of points in general position that a plane through the origin separates."""
    return 2 * sum(comb(patterns - 1, k) for k in range(inputs))


def test_capacity_is_two_patterns_per_weight_exactly():
    for inputs in (1, 2, 5, 10, 100):
        assert Fraction(cover(2 * inputs, inputs), 2 ** (2 * inputs)) == Fraction(1, 2)


@pytest.mark.parametrize("load", [1.5, 2.0, 2.5])
def test_random_patterns_are_separable_as_often_as_cover_counts(load):
    inputs, trials = 10, 300
    patterns = round(load * inputs)
    generator = np.random.default_rng(round(10 * load))
    points = generator.normal(size=(trials, patterns, inputs))
    labels = generator.choice([-1.0, 1.0], (trials, patterns))
    planes = np.zeros((trials, inputs))
    separable = np.zeros(trials, bool)
    for trial in range(trials):
        # A plane exists if and only if this program has a solution: label (w . x) >= 1 for all points.
        rows = -labels[trial, :, None] * points[trial]
        program = linprog(np.zeros(inputs), rows, -np.ones(patterns), bounds=(None, None))
        separable[trial] = program.status == 0
        planes[trial] = program.x if separable[trial] else 0
    chance = cover(patterns, inputs) / 2**patterns
    assert abs(separable.mean() - chance) <= 3 * (chance * (1 - chance) / trials) ** 0.5

    @jax.jit
    @jax.vmap
    def judge(plane, points, labels):
        solved = eqx.tree_at(lambda perceptron: perceptron.weights, blank(inputs), plane)
        _, mistakes = jn.run(Learning(blank(inputs), 0.0), epochs(points, labels, 50))
        return jax.vmap(solved.respond)(points), mistakes[-patterns:].sum() > 0

    answers, still_wrong = map(np.asarray, judge(*(jnp.asarray(a, jnp.float32) for a in (planes, points, labels))))
    np.testing.assert_array_equal(np.all(answers == (labels > 0), axis=1), separable)
    assert still_wrong[~separable].all()


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="Perceptron got inputs=0; it must be at least 1"):
        jn.Perceptron(0, key=key)
