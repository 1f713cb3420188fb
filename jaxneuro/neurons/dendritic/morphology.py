"""The shape of a neuron: compartments, each a cylinder, joined to a tree."""

from typing import Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from jaxneuro.machine import Numbers, Parameterised, parameter

CM2_PER_UM2 = 1e-8


class Branch(NamedTuple):
    """An unbranched piece of a neuron, of one diameter.

    Attributes:
        parent: number of the branch that it grows from, which comes before it; -1 for the first branch.
        length_um: its length (um).
        diameter_um: its diameter (um).
        compartments: how many equal compartments it is cut into.
        grows_from: the "end" of its parent, or the "middle" of its parent's last compartment, as on a soma.
    """

    parent: int
    length_um: float
    diameter_um: float
    compartments: int = 1
    grows_from: Literal["end", "middle"] = "end"


class Morphology(Parameterised):
    """A tree of cylinders: `area = pi d L`, and between the middles of neighbours `R = R_i (L/2 / (pi d^2 / 4) + ...)`.

    A compartment of length 0 is a branch point: it has no membrane, and lets several branches meet at one voltage, so
    that a tree is as exact as a cable, of second order in the lengths of compartments.

    Fields:
        lengths_um: of every compartment, `[compartments]` (um); 0 for a branch point.
        diameters_um: of every compartment, `[compartments]` (um).
        parents: of every compartment the number of the one it grows from, which is smaller than its own; -1 for the
            first.

    Reference: Rall 1964, in Neural Theory and Modeling (compartments); Hines 1984, International Journal of Bio-Medical
    Computing 15:69 (branch points).
    """

    lengths_um: Numbers = parameter(at_least=0.0, unit="um")
    diameters_um: Numbers = parameter(above=0.0, unit="um")
    parents: tuple[int, ...] = eqx.field(
        static=True, default=(-1,), converter=lambda parents: tuple(int(p) for p in parents)
    )

    def __check_init__(self) -> None:
        count = len(self.parents)
        for name in ("lengths_um", "diameters_um"):
            shape = getattr(self, name).shape
            if shape[-1:] != (count,):
                raise ValueError(f"Morphology.{name} has shape {shape}; there are {count} parents, one for each.")
        if self.parents[:1] != (-1,):
            raise ValueError(f"Morphology.parents starts with {self.parents[:1]}; the first must be -1, the root.")
        for number, parent in enumerate(self.parents[1:], start=1):
            if not 0 <= parent < number:
                raise ValueError(f"Morphology.parents[{number}] is {parent}; it must be 0 to {number - 1}.")
        if isinstance(self.lengths_um, Tracer):
            return
        none = np.asarray(self.lengths_um) == 0
        for number, parent in enumerate(self.parents[1:], start=1):
            if (none[..., number] & none[..., parent]).any():
                raise ValueError(f"Morphology: compartments {parent} and {number} have no length; join them into one.")

    @property
    def compartments(self) -> int:
        """How many there are, branch points included."""
        return len(self.parents)

    def areas_cm2(self) -> Float[Array, "compartments"]:
        """The membrane of every compartment, without its ends (cm2)."""
        return jnp.pi * self.diameters_um * self.lengths_um * CM2_PER_UM2

    def axial_us(self, resistivity_ohm_cm: Float[Array, ""]) -> Float[Array, "compartments"]:
        """The conductance from the middle of each compartment to that of its parent (uS); 0 for the first.

        Args:
            resistivity_ohm_cm: of the cytoplasm (ohm cm).

        Returns:
            The inverses of the resistances of half the compartment and half its parent in series.
        """
        # ohm cm um / um2 is 10 kOhm.
        halves = resistivity_ohm_cm * 1e-2 * self.lengths_um / 2 / (jnp.pi / 4 * self.diameters_um**2)
        parents = np.maximum(np.asarray(self.parents), 0)
        inverse = 1 / (halves + halves[parents])[1:]
        return jnp.concatenate([jnp.zeros_like(inverse, shape=(1,)), inverse])


def cylinder(length_um: float, diameter_um: float, compartments: int) -> Morphology:
    """An unbranched cable with sealed ends.

    Args:
        length_um: its length (um).
        diameter_um: its diameter (um).
        compartments: how many equal ones.

    Returns:
        The morphology; compartments count from one end to the other.
    """
    return tree([Branch(-1, length_um, diameter_um, compartments)])


def ball_and_stick(soma_um: float, length_um: float, diameter_um: float, compartments: int) -> Morphology:
    """A soma with one dendrite.

    Args:
        soma_um: diameter of the soma (um), a cylinder as long as it is wide, which has the area of a sphere.
        length_um: of the dendrite (um).
        diameter_um: of the dendrite (um).
        compartments: of the dendrite.

    Returns:
        The morphology; compartment 0 is the soma.
    """
    return tree([Branch(-1, soma_um, soma_um), Branch(0, length_um, diameter_um, compartments, "middle")])


def rall_tree(trunk_um: float, diameter_um: float, levels: int, compartments: int) -> Morphology:
    """A tree whose branches fork in two, with the diameters under which it is equivalent to a cylinder.

    At every fork `d^(3/2) = 2 d_daughter^(3/2)`, and every branch is as long in its own length constants as the trunk,
    `L proportional to sqrt(d)`. Seen from the start of the trunk it is a cylinder of `levels` times the trunk's length.

    Args:
        trunk_um: length of the trunk (um).
        diameter_um: of the trunk (um).
        levels: 1 for the trunk alone, 2 for the trunk and two daughters, and so on.
        compartments: of every branch.

    Returns:
        The morphology; compartment 0 is the start of the trunk.

    Reference: Rall 1959, Experimental Neurology 1:491.
    """
    branches = [Branch(-1, trunk_um, diameter_um, compartments)]
    for number in range(1, 2**levels - 1):
        level = (number + 1).bit_length() - 1
        narrower = 2.0 ** (-2 * level / 3)
        length, diameter = trunk_um * narrower**0.5, diameter_um * narrower
        branches.append(Branch((number - 1) // 2, length, diameter, compartments))
    return tree(branches)


def tree(branches: list[Branch]) -> Morphology:
    """Branches, cut into compartments and joined; where several grow from one end there is a branch point.

    Args:
        branches: each after the one it grows from.

    Returns:
        The morphology: the compartments of the branches in order, each followed by its branch point if it has one.

    Raises:
        ValueError: a branch has no such parent, or no compartments.
    """
    at_end = np.zeros(len(branches), int)
    for number, branch in enumerate(branches):
        if branch.compartments < 1:
            raise ValueError(f"branch {number} has {branch.compartments} compartments; it must have at least 1.")
        if not (branch.parent == -1 if number == 0 else 0 <= branch.parent < number):
            allowed = f"0 to {number - 1}" if number else "-1"
            raise ValueError(f"branch {number} has parent {branch.parent}; it must be {allowed}.")
        if branch.grows_from not in ("end", "middle"):
            raise ValueError(f"branch {number} grows from {branch.grows_from!r}; it must be 'end' or 'middle'.")
        at_end[branch.parent] += number > 0 and branch.grows_from == "end"
    lengths: list[float] = []
    diameters: list[float] = []
    parents: list[int] = []
    ends, middles = [], []
    for number, branch in enumerate(branches):
        at = -1 if number == 0 else (ends if branch.grows_from == "end" else middles)[branch.parent]
        for _ in range(branch.compartments):
            parents.append(at)
            lengths.append(branch.length_um / branch.compartments)
            diameters.append(branch.diameter_um)
            at = len(parents) - 1
        middles.append(at)
        if at_end[number] > 1:
            parents.append(at)
            lengths.append(0.0)
            diameters.append(branch.diameter_um)
            at = len(parents) - 1
        ends.append(at)
    return Morphology(lengths, diameters, parents)
