"""How a comparison is shown: its table, its differences seed by seed, its learning curves, its answer in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.report import Section

Row = Mapping[str, Any]


def sentence(difference: Row) -> str:
    """What a difference says: who is better than whom, by how much, or that it cannot be told.

    Args:
        difference: a row with `trial`, `ours`, `theirs`, `unit`, `higher_is_better`, `mean`, `low`, `high`, `differs`.
    """
    ours, theirs, unit = difference["ours"], difference["theirs"], difference["unit"]
    span = f"{difference['low']:+.3g} to {difference['high']:+.3g}"
    if not difference["differs"]:
        return f"{difference['trial']}: {ours} and {theirs} cannot be told apart ({span} {unit})."
    better = "better" if is_better(difference) else "worse"
    return f"{difference['trial']}: {ours} is {better} than {theirs} by {abs(difference['mean']):.3g} {unit} ({span})."


def is_better(difference: Row) -> bool:
    """Whether the interval of the difference is wholly on the better side."""
    return difference["differs"] and (difference["mean"] > 0) == difference["higher_is_better"]


def score_table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """The table of scores: columns and cells."""
    columns = ["task", "network", "score", "95 % interval", "unit", "parameters", "operations per step", "rate", "s"]
    cells = []
    for row in rows:
        sizes = [f"{row['parameters']:,}", f"{row['operations_per_step']:,}"]
        cells.append(
            [
                row["trial"],
                row["network"],
                f"{row['mean']:.4g}",
                f"{row['low']:.4g} to {row['high']:.4g}",
                row["unit"],
                *sizes,
                f"{row['learning_rate']:g}",
                f"{row['seconds']:.0f}",
            ]
        )
    return columns, cells


def sections(
    answer: str, results: Mapping[str, Any], arrays: Mapping[str, np.ndarray], seeds: int, note: str
) -> list[Section]:
    """The report of a comparison.

    Args:
        answer: in words.
        results: with `scores` and `differences`, lists of rows.
        arrays: for each trial and network `trial/network/step` and `.../validation`, `[points, rates, seeds]`.
        seeds: how many seeds each network was trained with.
        note: how it was done.
    """
    columns, cells = score_table(results["scores"])
    found = [
        Section("Answer", answer),
        Section("Scores on the test set", f"Means of {seeds} seeds. {note}", columns=columns, rows=cells),
        Section(
            "Differences, seed by seed",
            " ".join(map(sentence, results["differences"])) + " In brackets the 95 % interval of the mean difference.",
        ),
    ]
    for trial in dict.fromkeys(row["trial"] for row in results["scores"]):
        rows = [row for row in results["scores"] if row["trial"] == trial]
        curves = {row["network"]: _chosen(row, arrays[f"{trial}/{row['network']}/validation"]) for row in rows}
        steps = arrays[f"{trial}/{rows[0]['network']}/step"]
        floors = {"without memory": rows[0]["baseline"]} if rows[0].get("baseline") is not None else None
        draw = figures.learning_curves(curves, steps, f"validation score ({rows[0]['unit']})", floors)
        found.append(
            Section(
                f"Learning curves of {trial}",
                "At the chosen learning rate; the line is the mean of the seeds, the band their range.",
                figure=figures.svg(draw),
            )
        )
    return found


def _chosen(row: Row, validation: np.ndarray) -> np.ndarray:
    """`[seeds, points]` at the chosen learning rate."""
    return validation[:, row["rate_index"]].T
