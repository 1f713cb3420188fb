"""In which order the compartments of a tree are eliminated, and which of its links are no links to the number before.

Reference: Hines 1984, International Journal of Bio-Medical Computing 15:69.
"""

import functools
from typing import NamedTuple

import numpy as np

Parents = tuple[int, ...]


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


class Joints(NamedTuple):
    """The links of a tree that do not lead to the number before.

    Attributes:
        consecutive: `[compartments - 1]`, whether compartment i + 1 grows from i.
        children: `[joints]`, those that grow from another.
        parents: `[joints]`, that other.
        flows: `[touched, most]`, for every compartment with such a link the numbers of the links that leave it, those
            that come in counted on from `joints`; `2 joints` for none.
        rows: `[compartments]`, the row of `flows` of each; `touched` for none.
    """

    consecutive: np.ndarray
    children: np.ndarray
    parents: np.ndarray
    flows: np.ndarray
    rows: np.ndarray


@functools.lru_cache(maxsize=256)
def joints_of(parents: Parents) -> Joints:
    """The links of a tree that do not lead to the number before.

    Args:
        parents: of every compartment, smaller than its own number; -1 for the first.

    Returns:
        The links, and where they meet.
    """
    above = np.asarray(parents, np.int32)
    consecutive = above[1:] == np.arange(len(parents) - 1)
    children = (np.flatnonzero(~consecutive) + 1).astype(np.int32)
    touching: dict[int, list[int]] = {}
    for number, child in enumerate(children):
        touching.setdefault(int(child), []).append(number)
        touching.setdefault(parents[child], []).append(number + len(children))
    flows = np.full((len(touching), max(map(len, touching.values()), default=0)), 2 * len(children), np.int32)
    rows = np.full(len(parents), len(touching), np.int32)
    for row, (compartment, links) in enumerate(touching.items()):
        flows[row, : len(links)], rows[compartment] = links, row
    return Joints(consecutive, children, above[children], flows, rows)
