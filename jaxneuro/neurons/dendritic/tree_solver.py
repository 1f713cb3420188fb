"""Linear equations of a tree of compartments, `(diag(m) + L) x = b`, in time proportional to their number.

L is the Laplacian of the axial conductances, `(L v)_i = sum_j g_ij (v_i - v_j)` over the neighbours j of i. Elimination
goes from the tips of the tree to its root and back. Compartments as far from the root as each other are eliminated
together, and the root is put into the middle of the tree, wherever the neuron's own is: a branched tree takes fewer and
wider steps than an unbranched cable, which goes from one end to the other. Derivatives are by a second
solution of the same symmetric equations, not through the elimination.

Reference: Hines 1984, International Journal of Bio-Medical Computing 15:69.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.ad_checkpoint import checkpoint_name
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Float

from jaxneuro.neurons.dendritic.tree_order import Parents, joints_of, levels
from jaxneuro.scan import KEPT

# Compartments of a chain per iteration of the compiled loop; of more a CPU makes several programs, which is slow.
UNROLL = 4

Vector = Float[Array, "compartments *lanes"]


def solve(parents: Parents, membrane: Vector, axial: Vector, right: Vector) -> Vector:
    """`x` of `(diag(membrane) + L) x = right`.

    Args:
        parents: the tree.
        membrane: m, at least 0, and above 0 somewhere.
        axial: conductance to the parent; that of the first does not count.
        right: b.

    Returns:
        x.
    """
    return _in_lanes(functools.partial(_eliminated, parents))(membrane, axial, right)


def _in_lanes(function: Callable[..., Vector]) -> Callable[..., Vector]:
    """The same function of arrays `[compartments]`, which under `jax.vmap` has `[compartments, lanes]` at once.

    So what is gathered is contiguous, and a vector of the processor holds the same compartment of several neurons.
    """
    alone = jax.custom_batching.custom_vmap(function)

    @alone.def_vmap
    def together(lanes: int, batched: list[bool], *arrays: Array) -> tuple[Array, bool]:
        last = [
            jnp.moveaxis(array, 0, -1) if has else jnp.broadcast_to(array[..., None], (*array.shape, lanes))
            for array, has in zip(arrays, batched, strict=True)
        ]
        return jnp.moveaxis(function(*last), -1, 0), True

    return alone


def _eliminated(parents: Parents, membrane: Vector, axial: Vector, right: Vector) -> Vector:
    if not joints_of(parents).children.size:
        return _solve_chain(membrane, axial, right)
    order = levels(parents)
    diagonal = membrane + _meeting(parents, axial[1:], _taken(axial, joints_of(parents).children), 1.0)
    zero, one = jnp.zeros_like(diagonal[:1]), jnp.ones_like(diagonal[:1])
    pivots, rights, joints = (
        _taken(jnp.concatenate([values, filler]), places)
        for values, filler, places in (
            (diagonal, one, order.members),
            (right, zero, order.members),
            (axial, zero, order.edges),
        )
    )

    def eliminate(below: tuple[Array, Array], level: tuple[Array, ...]) -> tuple[tuple[Array, Array], Any]:
        pivot, right, joint, children = level
        pivot = pivot - _taken(below[0], children).sum(axis=1)
        right = right + _taken(below[1], children).sum(axis=1)
        inverse = 1 / pivot
        share = joint * inverse
        passed = jnp.concatenate([joint * share, zero]), jnp.concatenate([share * right, zero])
        return passed, (share, inverse * right)

    def substitute(above: Array, level: tuple[Array, ...]) -> tuple[Array, Array]:
        share, alone, parent = level
        value = alone + share * _taken(above, parent)
        return value, value

    nothing = jnp.zeros_like(diagonal, shape=(order.members.shape[1] + 1, *diagonal.shape[1:]))
    _, (shares, alone) = jax.lax.scan(
        eliminate, (nothing, nothing), (pivots, rights, joints, jnp.asarray(order.below)), reverse=True
    )
    _, values = jax.lax.scan(substitute, nothing[1:], (shares, alone, jnp.asarray(order.above)))
    return _taken(values.reshape(-1, *diagonal.shape[1:]), order.place)


def _solve_chain(membrane: Vector, axial: Vector, right: Vector) -> Vector:
    """Elimination from one end of an unbranched cable to the other: numbers instead of levels."""
    count, axial = right.shape[0], axial.at[0].set(0)
    extra = -count % UNROLL
    filler = jnp.zeros_like(right, shape=(extra, *right.shape[1:]))
    onward = jnp.concatenate([axial[1:], jnp.zeros_like(axial[:1])])
    pivots = jnp.concatenate([membrane + axial + onward, filler + 1])
    axial, onward, right = (jnp.concatenate([values, filler]) for values in (axial, onward, right))

    def eliminate(before: tuple[Array, Array], now: tuple[Array, ...]) -> tuple[tuple[Array, Array], Any]:
        (inverse, alone), (pivot, joint, right) = before, now
        inverse = 1 / (pivot - joint * joint * inverse)
        alone = inverse * (right + joint * alone)
        return (inverse, alone), (inverse, alone)

    def substitute(after: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
        share, alone = now
        value = alone + share * after
        return value, value

    nothing = jnp.zeros_like(right[0])
    _, (inverses, alone) = jax.lax.scan(eliminate, (nothing, nothing), (pivots, axial, right), unroll=UNROLL)
    shares = inverses * onward
    return jax.lax.scan(substitute, nothing, (shares, alone), reverse=True, unroll=UNROLL)[1][:count]


def laplacian(parents: Parents, axial: Vector, voltage: Vector) -> Vector:
    """`L v`: the current that flows from each compartment to its neighbours.

    Args:
        parents: the tree.
        axial: conductance to the parent; that of the first does not count.
        voltage: v.

    Returns:
        The net axial current, outward positive.
    """
    joints = joints_of(parents)
    across = _taken(axial, joints.children) * (_taken(voltage, joints.children) - _taken(voltage, joints.parents))
    return _meeting(parents, axial[1:] * jnp.diff(voltage, axis=0), across, -1.0)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def relaxed(parents: Parents, charge: Vector, leak: Vector, drive: Vector, axial: Vector, voltage: Vector) -> Vector:
    """The change of voltage in an implicit step: `(diag(charge + leak) + L) x = drive - leak v - L v`.

    The right side is made of differences of voltages, so that where currents are in balance the change is 0 in single
    precision too, however strong the coupling is.

    Args:
        parents: the tree.
        charge: capacitance over the step.
        leak: the sum of the conductances g_k of the membrane.
        drive: current into each compartment at 0 voltage, the sum of `g_k E_k` included.
        axial: conductance to the parent; that of the first does not count.
        voltage: v, before the step.

    Returns:
        x, so that `charge x` is the current at the voltage `v + x`.
    """

    def change(charge: Vector, leak: Vector, drive: Vector, axial: Vector, voltage: Vector) -> Vector:
        unbalanced = drive - leak * voltage - laplacian(parents, axial, voltage)
        return _eliminated(parents, charge + leak, axial, unbalanced)

    return _in_lanes(change)(charge, leak, drive, axial, voltage)


def _relaxed_jvp(parents: Parents, primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # With A = diag(charge + leak) + L the equations read A (v + x) = drive + charge v.
    charge, leak, _, axial, voltage = primals
    d_charge, d_leak, d_drive, d_axial, d_voltage = tangents
    # The reverse pass of a time loop keeps what is named so, and computes the rest again.
    change = checkpoint_name(relaxed(parents, *primals), KEPT)
    after = voltage + change
    terms = []
    if _moves(d_drive):
        terms.append(d_drive)
    if _moves(d_charge):
        terms.append(-d_charge * change)
    if _moves(d_leak):
        terms.append(-d_leak * after)
    if _moves(d_axial):
        terms.append(-laplacian(parents, d_axial, after))
    if _moves(d_voltage):
        terms.append(charge * d_voltage)
    if not terms:
        return change, jnp.zeros_like(change)
    tangent = jax.lax.custom_linear_solve(
        lambda x: (charge + leak) * x + laplacian(parents, axial, x),
        functools.reduce(jnp.add, terms),
        lambda _, right: solve(parents, charge + leak, axial, right),
        symmetric=True,
    )
    return change, tangent - d_voltage if _moves(d_voltage) else tangent


relaxed.defjvp(_relaxed_jvp, symbolic_zeros=True)


def _moves(tangent: Any) -> bool:
    return not isinstance(tangent, SymbolicZero)


def _taken(values: Array, places: np.ndarray | Array) -> Array:
    return jnp.take(values, places, axis=0, mode="clip")


def _meeting(
    parents: Parents, along: Float[Array, "links *lanes"], across: Float[Array, "joints *lanes"], back: float
) -> Vector:
    """What flows out of each compartment over all links, and `back` times what flows in.

    Args:
        parents: the tree.
        along: of the links to the number before, `[compartments - 1]`, whether there is such a link or not.
        across: of the other links, in their order.
        back: 1 or -1.

    Returns:
        The sum at each compartment.
    """
    joints = joints_of(parents)
    along = jnp.where(joints.consecutive.reshape(-1, *(1,) * (along.ndim - 1)), along, 0)
    none = jnp.zeros_like(along, shape=(1, *along.shape[1:]))
    total = jnp.concatenate([none, along]) + back * jnp.concatenate([along, none])
    if not joints.children.size:
        return total
    sums = _taken(jnp.concatenate([across, back * across, none]), joints.flows).sum(axis=1)
    return total + _taken(jnp.concatenate([sums, none]), joints.rows)
