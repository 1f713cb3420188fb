"""Reconstructed neurons: files of the SWC format, read as text and checked line by line."""

import itertools
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxneuro.neurons.dendritic.morphology import Morphology

LARGEST_BYTES = 64_000_000
MOST_COMPARTMENTS = 100_000
LARGEST_UM = 1e6
SOMA = 1
COLUMNS = "number type x y z radius parent"


class Point(NamedTuple):
    """One line of a file.

    Attributes:
        line: where it is, from 1.
        kind: 1 soma, 2 axon, 3 basal dendrite, 4 apical dendrite, others as the file means them.
        place: x, y and z (um).
        radius: (um).
        parent: position of its parent in the list of points; -1 for the root.
    """

    line: int
    kind: int
    place: tuple[float, float, float]
    radius: float
    parent: int


def read_swc(path: Path | str, longest_um: float = 20.0) -> Morphology:
    """The morphology in a file.

    A soma that is one point is a cylinder as long as it is wide, which has the area of the sphere; so is one of three
    points, of which two hang on the first as far from it as its radius. Everything else is cut at its forks, and each
    piece into equal compartments whose diameters are the means along them. What grows from the soma starts at its
    surface.

    Args:
        path: of the file.
        longest_um: no compartment is longer than this (um).

    Returns:
        The morphology, with branch points; compartment 0 is the first of the root, usually the soma.

    Raises:
        ValueError: the file cannot be read or is no SWC file; with its line, what is there and what is allowed.
        FileNotFoundError: there is none.
    """
    path = Path(path)
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise ValueError(f"{path} has {size} bytes; a morphology may have {LARGEST_BYTES}.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8: {error}.") from None
    return morphology(points(text, str(path)), longest_um, str(path))


def points(text: str, name: str = "text") -> list[Point]:
    """The points of a file, in its order.

    Args:
        text: what is in the file: lines of seven numbers, and comments behind `#`.
        name: of the file, for messages.

    Returns:
        The points, each after its parent.

    Raises:
        ValueError: a line is wrong; the message says which, what came and what is allowed.
    """
    found: list[Point] = []
    known: dict[int, int] = {}
    for line, written in enumerate(text.splitlines(), start=1):
        words = written.split("#", 1)[0].split()
        if not words:
            continue
        where = f"{name}, line {line}"
        if len(words) != 7:
            raise ValueError(f"{where} has {len(words)} columns: {shown(written)}; it must have 7: {COLUMNS}.")
        number, kind, parent = (whole(words[i], where, COLUMNS.split()[i]) for i in (0, 1, 6))
        x, y, z, radius = (real(words[i], where, COLUMNS.split()[i]) for i in (2, 3, 4, 5))
        if radius <= 0:
            raise ValueError(f"{where}: radius is {shown(words[5])}; it must be above 0 um.")
        if number in known:
            first = found[known[number]].line
            raise ValueError(f"{where}: number {number} is that of line {first} too; each must be there once.")
        if parent == -1 and found:
            raise ValueError(f"{where}: parent is -1, the root's; line {found[0].line} is the root already.")
        if parent != -1 and parent not in known:
            raise ValueError(f"{where}: parent is {parent}; it must be the number of a line above, or -1 for the root.")
        known[number] = len(found)
        found.append(Point(line, kind, (x, y, z), radius, -1 if parent == -1 else known[parent]))
    if not found:
        raise ValueError(f"{name} has no points; each line must have: {COLUMNS}.")
    return found


def morphology(found: list[Point], longest_um: float = 20.0, name: str = "text") -> Morphology:
    """The compartments between points, as `read_swc` tells.

    Args:
        found: the points.
        longest_um: no compartment is longer than this (um).
        name: of the file, for messages.

    Returns:
        The morphology.

    Raises:
        ValueError: nothing has a length, or there are too many compartments.
    """
    if not longest_um > 0:
        raise ValueError(f"read_swc got longest_um={longest_um}; it must be above 0 um.")
    ball = soma_points(found)
    children: list[list[int]] = [[] for _ in found]
    for number, point in enumerate(found):
        if point.parent >= 0 and number not in ball:
            children[0 if point.parent in ball else point.parent].append(number)
    lengths, diameters, parents = [], [], []

    def add(length: float, diameter: float, parent: int) -> int:
        if len(parents) >= MOST_COMPARTMENTS:
            raise ValueError(f"{name} has more than {MOST_COMPARTMENTS} compartments of {longest_um} um.")
        lengths.append(length)
        diameters.append(diameter)
        parents.append(parent)
        return len(parents) - 1

    at = {0: -1}
    if ball:
        at[0] = add(2 * found[0].radius, 2 * found[0].radius, -1)
    waiting = [(0, child) for child in reversed(children[0])]
    if not ball and len(waiting) > 1:
        at[0] = add(0.0, 2 * found[0].radius, -1)
    while waiting:
        start, child = waiting.pop()
        path = [start, child]
        while len(children[path[-1]]) == 1:
            path.append(children[path[-1]][0])
        from_ball = bool(ball) and start == 0
        end = at[start]
        for length, diameter in pieces([found[number] for number in path], from_ball, longest_um, name):
            end = add(length, diameter, end)
        forks = children[path[-1]]
        if forks and end >= 0 and lengths[end] > 0:
            end = add(0.0, 2 * found[path[-1]].radius, end)
        at[path[-1]] = end
        waiting += [(path[-1], fork) for fork in reversed(forks)]
    if not any(lengths):
        raise ValueError(f"{name}: no two points are apart, and there is no soma; it has no membrane.")
    return Morphology(lengths, diameters, parents)


def soma_points(found: list[Point]) -> set[int]:
    """The points that make a round soma: a lone root of type 1, and the two that give it the form of a cylinder."""
    root = found[0]
    others = [number for number, point in enumerate(found) if point.kind == SOMA and number]
    if root.kind != SOMA:
        return set()
    if not others:
        return {0}
    # The points of three may be written with few digits.
    round_ = len(others) == 2 and all(
        found[number].parent == 0
        and math.isclose(math.dist(found[number].place, root.place), root.radius, rel_tol=0.01)
        for number in others
    )
    return {0, *others} if round_ else set()


def pieces(path: list[Point], from_ball: bool, longest_um: float, name: str) -> list[tuple[float, float]]:
    """Lengths and mean diameters (um) of equal compartments along an unbranched path of points."""
    steps = np.array([math.dist(one.place, other.place) for one, other in itertools.pairwise(path)])
    radii = np.array([point.radius for point in path])
    if from_ball:
        # The inside of the soma is no cable, and what is outside is as wide there as at its first point.
        steps[0] = max(0.0, steps[0] - path[0].radius)
        radii[0] = radii[1]
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] <= 0:
        return []
    count = math.ceil(along[-1] / longest_um)
    if count > MOST_COMPARTMENTS:
        raise ValueError(
            f"{name}, line {path[-1].line}: {along[-1]:g} um before it are {count} compartments; too many."
        )
    cuts = np.linspace(0, along[-1], count + 1)
    # The integral of the diameter, which goes in straight lines from point to point.
    inner = np.unique(np.concatenate([along, cuts]))
    diameter = 2 * np.interp(inner, along, radii)
    integral = np.concatenate([[0.0], np.cumsum(np.diff(inner) * (diameter[1:] + diameter[:-1]) / 2)])
    means = np.diff(np.interp(cuts, inner, integral)) / np.diff(cuts)
    return [(along[-1] / count, float(mean)) for mean in means]


def whole(word: str, where: str, column: str) -> int:
    """A whole number of a line."""
    digits = word[1:] if word[:1] in "+-" else word
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise ValueError(f"{where}: {column} is {shown(word)}; it must be a whole number.")
    return int(word)


def real(word: str, where: str, column: str) -> float:
    """A number of a line, in um."""
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if "_" in word or not abs(number) <= LARGEST_UM:
        raise ValueError(f"{where}: {column} is {shown(word)}; it must be a number of at most {LARGEST_UM:g} um.")
    return number


def shown(word: str) -> str:
    """What came, shortened."""
    return repr(word if len(word) <= 40 else word[:40] + "...")
