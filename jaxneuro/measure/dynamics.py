"""What a flow does under constant input: its phase plane, and where it stands still, stably or not."""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Complex, Float, PyTree

from jaxneuro.flow import Flow

Pair = tuple[Float[Array, ""], Float[Array, ""]]


class PhasePlane(eqx.Module):
    """How fast two variables of a flow change, on a grid of their values.

    Attributes:
        x, y: the values.
        x_slope, y_slope: their slopes (per ms), a row for every y, a column for every x.
    """

    x: Float[Array, "columns"]
    y: Float[Array, "rows"]
    x_slope: Float[Array, "rows columns"]
    y_slope: Float[Array, "rows columns"]


def phase_plane(
    flow: Flow,
    input: PyTree[Array],
    x: Float[Array, "columns"],
    y: Float[Array, "rows"],
    *,
    compose: Callable[[Array, Array], Any],
    read: Callable[[Any], Pair],
) -> PhasePlane:
    """The phase plane of two variables.

    Args:
        flow: any flow; of more than two variables a section is seen, which `compose` chooses.
        input: held constant.
        x: values of the first variable.
        y: values of the second.
        compose: makes a state of one value of each.
        read: picks the two variables of a state.

    Returns:
        The slopes of both on the grid.
    """

    def slopes(first: Array, second: Array) -> Pair:
        return read(flow.derivative(compose(first, second), input))

    x_slope, y_slope = jax.vmap(lambda second: jax.vmap(lambda first: slopes(first, second))(x))(y)
    return PhasePlane(x, y, x_slope, y_slope)


def nullclines(plane: PhasePlane) -> tuple[np.ndarray, np.ndarray]:
    """Where the first and where the second variable stand still.

    Args:
        plane: a phase plane.

    Returns:
        For each variable points `[number, 2]` on its nullcline, found on the lines of the grid by interpolation.
    """
    return _zeros(plane, plane.x_slope), _zeros(plane, plane.y_slope)


def _zeros(plane: PhasePlane, slope: Array) -> np.ndarray:
    x, y, values = (np.asarray(part, float) for part in (plane.x, plane.y, slope))
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    points = []
    for axis in (0, 1):
        before, after = (np.take(values, range(k, values.shape[axis] - 1 + k), axis) for k in (0, 1))
        start, end = (np.take(grid, range(k, values.shape[axis] - 1 + k), axis) for k in (0, 1))
        changes = (before < 0) != (after < 0)
        share = (before[changes] / (before[changes] - after[changes]))[:, None]
        points.append(start[changes] + share * (end - start)[changes])
    return np.concatenate(points)


def draw_phase_plane(plane: PhasePlane, axes: Any = None, *, names: tuple[str, str] = ("x", "y")) -> Any:
    """Streams and nullclines of a phase plane.

    Args:
        plane: what to draw.
        axes: Matplotlib axes; new ones unless given.
        names: of the two variables, with units.

    Returns:
        The axes.
    """
    if axes is None:
        from matplotlib.figure import Figure

        axes = Figure(layout="constrained").subplots()
    x, y, x_slope, y_slope = (np.asarray(leaf, float) for leaf in (plane.x, plane.y, plane.x_slope, plane.y_slope))
    axes.streamplot(x, y, x_slope, y_slope, color="#999999", density=0.8, linewidth=0.6, arrowsize=0.7)
    for slope, colour in ((x_slope, "#0072b2"), (y_slope, "#d55e00")):
        axes.contour(x, y, slope, levels=[0.0], colors=[colour])
    axes.set(xlabel=names[0], ylabel=names[1], title=f"blue: {names[0]} stands still; red: {names[1]}")
    return axes


class Branch(eqx.Module):
    """Fixed points along a parameter.

    Attributes:
        parameters: its values.
        states: the fixed points, with a leading axis.
        eigenvalues: of the linearised flow (1/ms); the point is stable if all real parts are below 0.
        residuals: the largest slope that is left (per ms); far from 0 where no fixed point was found.
    """

    parameters: Float[Array, "points"]
    states: Any
    eigenvalues: Complex[Array, "points variables"]
    residuals: Float[Array, "points"]

    @property
    def stable(self) -> np.ndarray:
        """Which points are stable, `[points]`."""
        return np.real(np.asarray(self.eigenvalues)).max(axis=1) < 0

    def changes_of_stability(self) -> np.ndarray:
        """The parameters at which stability is lost or gained, interpolated."""
        growth, parameters = np.real(np.asarray(self.eigenvalues)).max(axis=1), np.asarray(self.parameters)
        at = np.flatnonzero((growth[:-1] < 0) != (growth[1:] < 0))
        share = growth[at] / (growth[at] - growth[at + 1])
        return parameters[at] + share * (parameters[at + 1] - parameters[at])


@functools.partial(jax.jit, static_argnames=("make", "where", "iterations"))
def branch(
    make: Callable[[Array], tuple[Flow, Any]],
    parameters: Float[Array, "points"],
    start: Any,
    *,
    where: Callable[[Any], Any] = lambda state: state,
    iterations: int = 12,
) -> Branch:
    """Fixed points of a flow along a parameter, each by Newton's method from the one before, and their eigenvalues.

    Several branches are a `jax.vmap` over starts. Eigenvalues need a CPU.

    Args:
        make: gives the flow and the input for a value of the parameter.
        parameters: the values, in order and close together.
        start: a state near the first fixed point.
        where: picks the variables of a state that move; all, unless given.
        iterations: Newton steps per point.

    Returns:
        The branch.

    Reference: Strogatz 2015, Nonlinear Dynamics and Chaos, chapters 5 to 8.
    """
    first, restore = ravel_pytree(where(start))

    def whole(vector: Array) -> Any:
        return eqx.tree_at(where, start, restore(vector))

    def slopes(vector: Array, parameter: Array) -> Array:
        flow, input = make(parameter)
        return ravel_pytree(where(flow.derivative(whole(vector), input)))[0]

    def point(vector: Array, parameter: Array) -> tuple[Array, Array]:
        def newton(_: Array, vector: Array) -> Array:
            return vector - jnp.linalg.solve(jax.jacfwd(slopes)(vector, parameter), slopes(vector, parameter))

        vector = jax.lax.fori_loop(0, iterations, newton, vector)
        return vector, vector

    _, points = jax.lax.scan(point, first, parameters)
    eigenvalues = jax.vmap(lambda vector, parameter: jnp.linalg.eigvals(jax.jacfwd(slopes)(vector, parameter)))
    residuals = jax.vmap(lambda vector, parameter: jnp.abs(slopes(vector, parameter)).max())
    found = jax.vmap(whole)(points)
    return Branch(parameters, found, eigenvalues(points, parameters), residuals(points, parameters))
