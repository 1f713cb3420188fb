"""Linear equations of a tree of compartments, `(diag(m) + L) x = b`, in time proportional to their number.

L is the Laplacian of the axial conductances, `(L v)_i = sum_j g_ij (v_i - v_j)` over the neighbours j of i. Elimination
goes from the tips of the tree to its root and back. Compartments as far from the root as each other are eliminated
together, and the root is put into the middle of the tree, wherever the neuron's own is: so a cable of n compartments
takes n / 2 steps of two compartments each, and a branched tree fewer and wider ones. Derivatives are by a second
solution of the same symmetric equations, not through the elimination.

Reference: Hines 1984, International Journal of Bio-Medical Computing 15:69.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.ad_checkpoint import checkpoint_name
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array, Float

from jaxneuro.scan import KEPT

Parents = tuple[int, ...]
Vector = Float[Array, "compartments"]


class Levels(NamedTuple):
    """The order of elimination; a place beside a level's last compartment is number `compartments`.

    Attributes:
        members: `[levels, width]`, the compartments of each level, from the root on.
        edges: `[levels, width]`, which axial conductance joins each to the level before.
        above: `[levels, width]`, the place in the level before that each is joined to.
        below: `[levels, width, children]`, the places in the level after that are joined to each; `width` for none.
        place: `[compartments]`, where in the flattened levels each compartment is.
    """

    members: np.ndarray
    edges: np.ndarray
    above: np.ndarray
    below: np.ndarray
    place: np.ndarray


@functools.lru_cache(maxsize=256)
def levels(parents: Parents) -> Levels:
    """The order of elimination of a tree.

    Args:
        parents: of every compartment, smaller than its own number; -1 for the first.

    Returns:
        The levels by distance from the middle of the longest path.
    """
    count = len(parents)
    neighbours: list[list[tuple[int, int]]] = [[] for _ in parents]
    for child, parent in enumerate(parents[1:], start=1):
        neighbours[child].append((parent, child))
        neighbours[parent].append((child, child))

    def rooted(root: int) -> tuple[list[list[int]], list[int], list[int]]:
        found, edge, before = [[root]], [count] * count, [-1] * count
        while found[-1]:
            following = []
            for at in found[-1]:
                for other, joint in neighbours[at]:
                    if other != before[at]:
                        before[other], edge[other] = at, joint
                        following.append(other)
            found.append(following)
        return found[:-1], edge, before

    far = rooted(0)[0][-1][0]
    path, _, before = rooted(far)
    middle = path[-1][0]
    for _ in range(len(path) // 2):
        middle = before[middle]
    found, edge, before = rooted(middle)
    width = max(map(len, found))
    place = np.zeros(count, np.int32)
    members, edges = np.full((2, len(found), width), count, np.int32)
    above = np.zeros((len(found), width), np.int32)
    children: list[list[int]] = [[] for _ in parents]
    for depth, level in enumerate(found):
        for slot, at in enumerate(level):
            members[depth, slot], edges[depth, slot], place[at] = at, edge[at], depth * width + slot
            if depth:
                above[depth, slot] = place[before[at]] % width
                children[before[at]].append(slot)
    below = np.full((len(found), width, max(1, *map(len, children))), width, np.int32)
    for at, slots in enumerate(children):
        below[place[at] // width, place[at] % width, : len(slots)] = slots
    return Levels(members, edges, above, below, place)


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
    order = levels(parents)
    axial = axial.at[0].set(0)
    diagonal = membrane + axial + _from_children(parents, axial)
    zero, one = jnp.zeros_like(diagonal, shape=(1,)), jnp.ones_like(diagonal, shape=(1,))
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
        pivot = pivot - _taken(below[0], children).sum(axis=-1)
        right = right + _taken(below[1], children).sum(axis=-1)
        inverse = 1 / pivot
        share = joint * inverse
        passed = jnp.concatenate([joint * share, zero]), jnp.concatenate([share * right, zero])
        return passed, (share, inverse * right)

    def substitute(above: Array, level: tuple[Array, ...]) -> tuple[Array, Array]:
        share, alone, parent = level
        value = alone + share * _taken(above, parent)
        return value, value

    nothing = jnp.zeros_like(diagonal, shape=(order.members.shape[1] + 1,))
    _, (shares, alone) = jax.lax.scan(
        eliminate, (nothing, nothing), (pivots, rights, joints, jnp.asarray(order.below)), reverse=True
    )
    _, values = jax.lax.scan(substitute, nothing[1:], (shares, alone, jnp.asarray(order.above)))
    return _taken(values.reshape(-1), order.place)


def laplacian(parents: Parents, axial: Vector, voltage: Vector) -> Vector:
    """`L v`: the current that flows from each compartment to its neighbours.

    Args:
        parents: the tree.
        axial: conductance to the parent; that of the first does not count.
        voltage: v.

    Returns:
        The net axial current, outward positive.
    """
    to_parent = axial * (voltage - _taken(voltage, np.maximum(np.asarray(parents), 0)))
    return to_parent - _from_children(parents, to_parent)


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
    unbalanced = drive - leak * voltage - laplacian(parents, axial, voltage)
    return solve(parents, charge + leak, axial, unbalanced)


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


def _from_children(parents: Parents, values: Vector) -> Vector:
    """The sum over the children of each compartment."""
    only, several, own = _children(parents)
    padded = jnp.concatenate([values, jnp.zeros_like(values, shape=(1,))])
    total = _taken(padded, only)
    if not several.size:
        return total
    sums = _taken(padded, several).sum(axis=-1)
    return total + _taken(jnp.concatenate([sums, jnp.zeros_like(values, shape=(1,))]), own)


@functools.lru_cache(maxsize=256)
def _children(parents: Parents) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first child of each compartment, all others of those that have several, and whose those are."""
    count = len(parents)
    only, own = np.full(count, count, np.int32), np.zeros(count, np.int32)
    others: dict[int, list[int]] = {}
    for child, parent in enumerate(parents[1:], start=1):
        if only[parent] == count:
            only[parent] = child
        else:
            others.setdefault(parent, []).append(child)
    several = np.full((len(others), max(map(len, others.values()), default=0)), count, np.int32)
    own[:] = len(others)
    for row, (parent, children) in enumerate(others.items()):
        several[row, : len(children)], own[parent] = children, row
    return only, several, own
