"""Rotations in space: points to be turned, and the orientation of a body that is turned again and again."""

import functools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.algebra import QUATERNION
from jaxneuro.tasks.batch import Batch, Task, check_least, squared_error


def turned(rotations: Float[Array, "4 *many"], points: Float[Array, "3 *many"]) -> Float[Array, "3 *many"]:
    """`q p q*`: every point turned by its rotation.

    Args:
        rotations: quaternions of length 1.
        points: x, y and z.

    Returns:
        x, y and z.
    """
    pure = jnp.concatenate([jnp.zeros_like(points[:1]), points])
    return QUATERNION.multiply(QUATERNION.multiply(rotations, pure), QUATERNION.conjugate(rotations))[1:]


def _directions(key: PRNGKeyArray, *shape: int) -> Float[Array, "axes *many"]:
    """Vectors of length 1, along the first axis, in even directions."""
    drawn = jax.random.normal(key, shape)
    return drawn / jnp.linalg.norm(drawn, axis=0, keepdims=True)


# Compiled as a whole: rounding does not depend on who calls.
@functools.partial(jax.jit, static_argnums=(1, 2))
def _rotated_points(key: PRNGKeyArray, size: int, count: int) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    rotation_key, point_key = jax.random.split(key)
    rotation = _directions(rotation_key, 4, size, 1)
    rotation = jnp.where(rotation[:1] < 0, -rotation, rotation)
    points = _directions(point_key, 3, size, count)
    found = turned(jnp.broadcast_to(rotation, (4, size, count)), points)
    pure = jnp.concatenate([jnp.zeros_like(points[:1]), points])
    shown = jnp.concatenate([rotation, pure], axis=-1)
    inputs, targets = (jnp.moveaxis(part, 1, 0).reshape(size, 1, -1) for part in (shown, found))
    return inputs, targets


@functools.partial(jax.jit, static_argnums=(1, 2, 3))
def _orientations(
    key: PRNGKeyArray, size: int, steps: int, angle: float
) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    axis_key, angle_key = jax.random.split(key)
    half = jax.random.uniform(angle_key, (1, size, steps), maxval=angle / 2)
    rotations = jnp.concatenate([jnp.cos(half), jnp.sin(half) * _directions(axis_key, 3, size, steps)])
    whole = jax.lax.associative_scan(lambda first, then: QUATERNION.multiply(then, first), rotations, axis=2)
    axes = jnp.broadcast_to(jnp.eye(3)[:, :2, None, None], (3, 2, size, steps))
    found = turned(jnp.broadcast_to(whole[:, None], (4, 2, size, steps)), axes)
    targets = jnp.moveaxis(found, (2, 3), (0, 1)).reshape(size, steps, 6)
    return jnp.moveaxis(rotations, 0, 2), targets


class RotatedPoints(Task):
    """See a rotation and points, and say where the points are after it: `p -> q p q*`; one step.

    Rotations are even over all; points are on the sphere of radius 1.

    Input lines: `[4, points + 1]` in a row, coordinates of the rotation as a quaternion q, whose real part is at least
    0, and of the points as quaternions without real part. Outputs: `[3, points]` in a row.

    Baseline: that of the best constant, 0: its squared error is the number of points. Optimum: 0.

    Reference: Hamilton 1844, Philosophical Magazine 25:489; Parcollet et al. 2019, arXiv:1806.04418 (features in space
    as quaternions).
    """

    points: int = eqx.field(static=True, default=4)

    def __check_init__(self) -> None:
        check_least(self, points=1)

    @property
    def inputs(self) -> int:
        """A rotation and the points."""
        return 4 * (self.points + 1)

    @property
    def outputs(self) -> int:
        """The points."""
        return 3 * self.points

    @property
    def baseline(self) -> float:
        """Squared error of the best constant."""
        return float(self.points)

    @property
    def optimum(self) -> float:
        """The answer is certain."""
        return 0.0

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` rotations, each with points of its own."""
        inputs, targets = _rotated_points(key, size, self.points)
        return Batch(inputs, targets, jnp.ones((size, 1)))

    def loss(self, outputs: Float[Array, "batch time outputs"], batch: Batch) -> Float[Array, ""]:
        """Squared error, summed over points."""
        return squared_error(outputs, batch)


class Orientation(Task):
    """See rotations, one in each step, and say after each how a body is oriented that was turned by all so far.

    `s_t = q_t s_{t-1}`, quaternions; the order of rotations matters. Axes are even in space, angles uniform on
    `[0, angle]`. The orientation is said by where the body's first and second axis point.

    Input lines: q_t. Outputs: `[3, 2]` in a row, x of both axes, y of both, z of both.

    Baseline: the last rotation alone is known, those before have the mean `c^(t-1)` with
    `c = (1 + 2 sin(angle) / angle) / 3`, so that the error is the mean over the steps t of `2 (1 - c^(2 (t-1)))`.
    Optimum: 0.

    Reference: Euler 1775, Novi Commentarii 20:208 (rotations compose); with finite precision and one layer, linear
    recurrences cannot track such products, Merrill, Petty and Sabharwal 2024, arXiv:2404.08819.
    """

    steps: int = eqx.field(static=True, default=20)
    angle: float = eqx.field(static=True, default=1.5)

    def __check_init__(self) -> None:
        check_least(self, steps=2)
        if not 0 < self.angle <= math.pi:
            raise ValueError(f"Orientation got angle={self.angle:g}; it must be above 0 and at most pi.")

    @property
    def inputs(self) -> int:
        """A rotation."""
        return 4

    @property
    def outputs(self) -> int:
        """Two axes."""
        return 6

    @property
    def baseline(self) -> float:
        """Squared error without memory."""
        c = (1 + 2 * math.sin(self.angle) / self.angle) / 3
        return sum(2 * (1 - c ** (2 * step)) for step in range(self.steps)) / self.steps

    @property
    def optimum(self) -> float:
        """The orientation is certain."""
        return 0.0

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` sequences of `steps` steps."""
        inputs, targets = _orientations(key, size, self.steps, self.angle)
        return Batch(inputs, targets, jnp.ones((size, self.steps)))

    def loss(self, outputs: Float[Array, "batch time outputs"], batch: Batch) -> Float[Array, ""]:
        """Squared error, summed over both axes."""
        return squared_error(outputs, batch)
