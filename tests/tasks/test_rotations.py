"""Rotations against the formula of Rodrigues and products of matrices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.tasks.rotations import Orientation, RotatedPoints
from tests.tasks.rules import check_mean, draw

TASK = Orientation(steps=7, angle=1.2)


def rodrigues(quaternion):
    """The matrix of a rotation about an axis by an angle, both read off a quaternion of length 1."""
    half = np.arctan2(np.linalg.norm(quaternion[1:]), quaternion[0])
    x, y, z = quaternion[1:] / np.linalg.norm(quaternion[1:])
    across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(2 * half) * across + (1 - np.cos(2 * half)) * across @ across


def test_points_are_turned_as_by_a_matrix():
    batch = draw(RotatedPoints(points=3), 20)
    for shown, answer in zip(np.asarray(batch.inputs)[:, 0], np.asarray(batch.targets)[:, 0], strict=True):
        elements = shown.reshape(4, 4).astype(float)
        assert elements[0, 0] >= 0
        np.testing.assert_array_equal(elements[0, 1:], 0)
        np.testing.assert_allclose(np.linalg.norm(elements, axis=0), 1, atol=1e-6)
        np.testing.assert_allclose(answer.reshape(3, 3), rodrigues(elements[:, 0]) @ elements[1:, 1:], atol=1e-6)


def test_the_best_constant_has_the_baseline_of_points():
    task = RotatedPoints(points=3)
    batch = draw(task, 4000)
    assert float(task.loss(jnp.zeros((4000, 1, 9)), batch)) == pytest.approx(task.baseline, rel=1e-5)
    for number in np.asarray(batch.targets)[:, 0].T:
        check_mean(number, 0)


def test_orientations_are_products_of_matrices():
    batch = draw(TASK, 5)
    for rotations, answers in zip(np.asarray(batch.inputs, float), np.asarray(batch.targets), strict=True):
        whole = np.eye(3)
        for rotation, answer in zip(rotations, answers, strict=True):
            whole = rodrigues(rotation) @ whole
            np.testing.assert_allclose(answer.reshape(3, 2), whole[:, :2], atol=1e-5)


def test_without_memory_the_mean_of_what_was_before_has_the_baseline():
    batch = draw(TASK, 4000)
    c = (1 + 2 * np.sin(1.2) / 1.2) / 3
    rotations, targets = np.asarray(batch.inputs, float), np.asarray(batch.targets)
    matrices = np.stack([[rodrigues(rotation)[:, :2] for rotation in sequence] for sequence in rotations[:1500]])
    said = matrices * (c ** np.arange(7))[None, :, None, None]
    errors = ((said.reshape(1500, 7, 6) - targets[:1500]) ** 2).sum(-1).mean(-1)
    check_mean(errors, TASK.baseline)
    # A worse guess of what was before is worse.
    worse = matrices * (0.5 ** np.arange(7))[None, :, None, None]
    assert ((worse.reshape(1500, 7, 6) - targets[:1500]) ** 2).sum(-1).mean() > TASK.baseline * 1.02


def test_angles_are_uniform_and_axes_even():
    rotations = np.asarray(draw(TASK, 1000).inputs).reshape(-1, 4)
    angles = 2 * np.arccos(np.clip(rotations[:, 0], -1, 1))
    check_mean(angles, 0.6)
    assert angles.max() <= 1.2 + 1e-3
    axes = rotations[:, 1:] / np.linalg.norm(rotations[:, 1:], axis=1, keepdims=True)
    for axis in axes.T:
        check_mean(axis, 0)
        check_mean(axis**2, 1 / 3)


@pytest.mark.parametrize("angle", [0.0, -1.0, 3.2, float("nan")])
def test_impossible_angles_are_refused(angle):
    with pytest.raises(ValueError, match="Orientation got angle="):
        Orientation(angle=angle)


def test_sizes_are_refused_that_leave_nothing_to_do():
    with pytest.raises(ValueError, match="RotatedPoints got points=0; it must be at least 1"):
        RotatedPoints(points=0)
    with pytest.raises(ValueError, match="Orientation got steps=1; it must be at least 2"):
        Orientation(steps=1)


def test_a_rotation_in_double_precision_is_exact(float64):
    batch = jax.jit(lambda key: TASK.batch(key, 4))(jax.random.key(2))
    lengths = np.linalg.norm(np.asarray(batch.targets).reshape(4, 7, 3, 2), axis=2)
    np.testing.assert_allclose(lengths, 1, atol=1e-14)
