"""What became of every candidate, as records that a file of lines can hold, and what they tell of descent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxneuro.search.evolution import Candidate
from jaxneuro.search.race import Outcome
from jaxneuro.search.text import show

Record = Mapping[str, Any]


def record(candidate: Candidate, outcome: Outcome, objectives: Sequence[float | int]) -> dict[str, Any]:
    """A candidate as a record of numbers, text and lists.

    Args:
        candidate: the candidate.
        outcome: what became of it.
        objectives: what the searcher was told.

    Returns:
        number, parents, operator, digest, text, losses (of each rung; None if it diverged), and of each course parts,
        units and rates, and objectives.
    """
    return {
        "number": candidate.number,
        "parents": list(candidate.parents),
        "operator": candidate.operator,
        "digest": candidate.digest,
        "text": show(candidate.genome),
        "losses": [_finite(loss) for loss in outcome.losses],
        "parts": [_finite(loss) for loss in outcome.parts],
        "units": list(outcome.units),
        "rates": list(outcome.rates),
        "objectives": [_finite(value) for value in objectives],
    }


def objectives_of(record: Record) -> np.ndarray:
    """The objectives in a record."""
    return np.asarray([_number(value) for value in record["objectives"]])


def ancestors(records: Sequence[Record] | Mapping[int, Record], number: int) -> list[Record]:
    """A candidate's line of descent by first parents.

    Args:
        records: of all candidates, that of number n at place n; or by number, those of the line at least.
        number: of the last in the line.

    Returns:
        Records from the first ancestor to the candidate itself.
    """
    line = [records[number]]
    while line[-1]["parents"]:
        line.append(records[line[-1]["parents"][0]])
    return line[::-1]


def newick(records: Iterable[Record]) -> str:
    """The family trees in Newick's format, by first parents; names are numbers of candidates.

    Args:
        records: of all candidates, parents before children.

    Returns:
        One line per tree.
    """
    children: dict[int, list[int]] = {}
    roots = []
    for entry in records:
        if entry["parents"]:
            children.setdefault(entry["parents"][0], []).append(entry["number"])
        else:
            roots.append(entry["number"])
    written: dict[int, str] = {}
    for root in roots:
        waiting = [root]
        while waiting:
            number = waiting[-1]
            left = [child for child in children.get(number, ()) if child not in written]
            if left:
                waiting += left
                continue
            waiting.pop()
            below = ",".join(written[child] for child in children.get(number, ()))
            written[number] = f"({below}){number}" if below else str(number)
    return "".join(f"{written[root]};\n" for root in roots)


def best_so_far(records: Sequence[Record]) -> np.ndarray:
    """The least first objective among each candidate and those before it."""
    values = np.asarray([_number(entry["objectives"][0]) for entry in records])
    return np.minimum.accumulate(values)


def _finite(value: float | int) -> float | None:
    return float(value) if np.isfinite(value) else None


def _number(value: float | int | None) -> float:
    return float("inf") if value is None else float(value)
