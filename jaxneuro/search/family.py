"""A candidate's family: its line of descent, what each mutation gained, and what else was tried on the way.

Losses are comparable at one rung alone, as candidates of a later one were trained for longer. So a child is compared
with its parent at the last rung that both reached. Each starts from random weights of its own, so that a small change
of loss may be chance.
"""

from collections.abc import Sequence
from typing import NamedTuple

from jaxneuro.search.lineage import Record, ancestors


class Change(NamedTuple):
    """What became of a child, beside its parent.

    Attributes:
        rung: the last that both reached, counted from 1.
        loss: that of the child less that of the parent at this rung; None if one of them had diverged there.
    """

    rung: int
    loss: float | None


class Generation(NamedTuple):
    """A member of a line of descent.

    Attributes:
        record: of the member.
        change: beside its parent; None for the first of the line.
        others: its children beside the next in the line, with their changes: the better ones first, and last those
            that diverged; of the others those that were compared at a later rung first.
    """

    record: Record
    change: Change | None
    others: list[tuple[Record, Change]]


def change(parent: Record, child: Record) -> Change:
    """Compare a child with its parent.

    Args:
        parent: its record.
        child: its record.

    Returns:
        At which rung, and by how much the loss has changed.
    """
    rung = min(len(parent["losses"]), len(child["losses"]))
    before, after = parent["losses"][rung - 1], child["losses"][rung - 1]
    return Change(rung, None if before is None or after is None else after - before)


def descent(records: Sequence[Record], number: int) -> list[Generation]:
    """A candidate's line of descent by first parents, with all children of its members.

    Args:
        records: of all candidates, or of those alone that `relatives` gives.
        number: of the last in the line.

    Returns:
        The members from the first ancestor to the candidate itself.

    Raises:
        ValueError: if a member of the line is not among the records.
    """
    by_number = {record["number"]: record for record in records}
    try:
        line = ancestors(by_number, number)
    except KeyError as error:
        raise ValueError(f"candidate {error.args[0]} is in the line of {number}, but not among the records.") from None
    children: dict[int, list[Record]] = {record["number"]: [] for record in line}
    for record in records:
        if record["parents"] and record["parents"][0] in children:
            children[record["parents"][0]].append(record)
    found = []
    for place, record in enumerate(line):
        following = {member["number"] for member in line[place + 1 : place + 2]}
        others = [(child, change(record, child)) for child in children[record["number"]]]
        others = [(child, made) for child, made in others if child["number"] not in following]
        others.sort(key=_order)
        found.append(Generation(record, change(line[place - 1], record) if place else None, others))
    return found


def _order(other: tuple[Record, Change]) -> tuple[bool, bool, int, float, int]:
    record, made = other
    return made.loss is None, not is_better(made), -made.rung, made.loss or 0.0, record["number"]


def relatives(records: Sequence[Record], number: int) -> list[Record]:
    """The records that a family tree needs: the line of descent and all children of its members.

    Args:
        records: of all candidates.
        number: of the last in the line.

    Returns:
        The records in order of number.
    """
    found = {}
    for member in descent(records, number):
        found |= {record["number"]: record for record in (member.record, *(child for child, _ in member.others))}
    return [found[number] for number in sorted(found)]


def descent_table(records: Sequence[Record], number: int, scale: float = 1.0) -> tuple[list[str], list[list[str]]]:
    """A line of descent as a table, a row per member.

    Args:
        records: of all candidates, or of those alone that `relatives` gives.
        number: of the last in the line.
        scale: what losses are multiplied by.

    Returns:
        Columns and cells. Better children are those of a lower loss than the parent's.
    """
    columns = ["candidate", "how it was made", "loss", "rungs", "change", "at rung", "other children", "of them better"]
    rows = []
    for record, made, others in descent(records, number):
        rows.append(
            [
                str(record["number"]),
                record["operator"],
                shown_loss(record["losses"][-1], scale),
                str(len(record["losses"])),
                "" if made is None else shown_change(made.loss, scale),
                "" if made is None else str(made.rung),
                str(len(others)),
                str(sum(is_better(other) for _, other in others)),
            ]
        )
    return columns, rows


def is_better(made: Change) -> bool:
    """Whether the child has a lower loss."""
    return made.loss is not None and made.loss < 0


def shown_loss(loss: float | None, scale: float = 1.0) -> str:
    """A loss as text."""
    return "diverged" if loss is None else f"{scale * loss:.4g}"


def shown_change(loss: float | None, scale: float = 1.0) -> str:
    """A change of loss as text, with its sign."""
    return "diverged" if loss is None else f"{scale * loss:+.4f}".replace("-", "−")
