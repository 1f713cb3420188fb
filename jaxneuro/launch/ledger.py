"""Rows of the ledger of errors: what was expected, what was found, and how far apart they may be."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxneuro.launch.report import Section


class Check(NamedTuple):
    """One comparison.

    Attributes:
        model: whose.
        what: which quantity, under what.
        expected, found: of several values those furthest apart.
        error: how far apart they are.
        allowed: how far they may be.
        unit: of the error.
        peer: the simulator that the expected values come from; empty where they come from theory.
        usual: the error of that simulator at its usual step, where it has one.
        best: the error of that simulator at the same step and at its highest order.
    """

    model: str
    what: str
    expected: float
    found: float
    error: float
    allowed: float
    unit: str
    peer: str = ""
    usual: float | None = None
    best: float | None = None

    def row(self) -> dict[str, Any]:
        """The comparison as it is stored, with whether it is `kept`."""
        return {**self._asdict(), "error": float(min(self.error, 1e300)), "kept": bool(self.error <= self.allowed)}


def worst(model: str, what: str, expected: Any, found: Any, allowed: float, unit: str, relative: bool = False) -> Check:
    """The comparison of the element that is furthest off.

    Args:
        model: whose.
        what: which quantity.
        expected: values in an array or a sequence.
        found: as many; another number of them is an infinite error.
        allowed: the largest error.
        unit: of the values.
        relative: whether errors are shares of the expected values.

    Returns:
        The row.
    """
    right, ours = np.atleast_1d(np.asarray(expected, float)), np.atleast_1d(np.asarray(found, float))
    if right.shape != ours.shape:
        return Check(model, what, float(right.size), float(ours.size), np.inf, allowed, "counts differ")
    errors = np.abs(ours - right) / (np.abs(right) if relative else 1)
    at = np.unravel_index(int(errors.argmax()), errors.shape)
    return Check(
        model, what, float(right[at]), float(ours[at]), float(errors[at]), allowed, "relative" if relative else unit
    )


def compared(record: dict[str, Any], parts: Sequence[Callable[[dict[str, Any]], list[Check]]]) -> list[Check]:
    """All comparisons with another simulator.

    Args:
        record: its recorded runs, `protocols`, and which `program` and `version` it is.
        parts: from the recorded runs to rows, in double precision, which the caller has switched on.

    Returns:
        The rows, with the peer's name.
    """
    peer = f"{record['program']} {record['version']}"
    return [check._replace(peer=peer) for part in parts for check in part(record["protocols"])]


def largest(expected: Any, found: Any) -> float:
    """The largest distance of as many values; infinite if there are not as many.

    Args:
        expected: values.
        found: others.

    Returns:
        The distance.
    """
    return worst("", "", expected, found, 0.0, "").error


def cells(row: dict[str, Any]) -> list[str]:
    """A stored row as text: model, what, error, allowed, unit."""
    return [row["model"], row["what"], _rounded(row["error"]), _rounded(row["allowed"]), row["unit"]]


def beside(row: dict[str, Any]) -> list[str]:
    """A stored row of a simulator as text: the simulator, model, what, error, allowed, unit, its own two errors."""
    own = ["" if row[name] is None else _rounded(row[name]) for name in ("usual", "best")]
    return [row["peer"], *cells(row), *own]


def _rounded(error: Any) -> str:
    return f"{error:.1e}" if error else "0"


def ledger_page(results: dict[str, Any]) -> list[Section]:
    """The ledger, first against theory, then beside other simulators.

    Args:
        results: with `checks`, rows as `Check.row` makes them, and how many of them are `kept`.

    Returns:
        Two sections.
    """
    rows = results["checks"]
    theory = [
        [*cells(row)[:2], f"{row['expected']:.9g}", f"{row['found']:.9g}", *cells(row)[2:]]
        for row in rows
        if not row["peer"]
    ]
    return [
        Section(
            title="Errors against theory",
            text=f"{results['kept']} of all {results['of']} comparisons are within what is allowed. Of several values "
            "the one furthest off is shown.",
            columns=["model", "what", "theory or converged", "found", "error", "allowed", "in"],
            rows=theory,
        ),
        Section(
            title="Errors beside other simulators",
            text="Their runs are recorded, exact or converged. NEURON's own errors are those of the same step: as it "
            "comes, and with `secondorder = 2` and without tables.",
            columns=["beside", "model", "what", "error", "allowed", "in", "its own usual step", "its own best"],
            rows=[beside(row) for row in rows if row["peer"]],
        ),
    ]
