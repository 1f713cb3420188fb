"""The page of the symbolic memory: its skill on each task beside that of tables, and how it came to it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.report import Section
from jaxneuro.measure.interval import mean_interval

MEMORY = "temporal memory"
ROUNDING = 0.005  # a smaller difference of skill is none, however sure
HEARD = {"told": "right answers are told", "own": "its own answers are heard"}


def sections(results: dict[str, Any], arrays: Mapping[str, np.ndarray], training: int) -> list[Section]:
    """The page.

    Args:
        results: of the experiment `symbolic_memory`.
        arrays: for each task the skill of the memory while it learned, `[seeds, points]`.
        training: sequences that were read.
    """
    seeds = len(next(iter(arrays.values())))
    found = [Section("Answer", answer(results["differences"]))]
    for mode, said in HEARD.items():
        found.append(
            Section(
                f"Skill where {said}",
                f"In the test, after {training:,} sequences that were read once; mean and 95 % interval of {seeds} "
                "seeds. 0 is the best rule without memory, 1 the best rule that hears no answers; losses beyond twice "
                "the distance count as -1. The last column is the difference to the table that is best in this test.",
                columns=heads(results["rows"]),
                rows=[cells(results, task, mode) for task in tasks(results)],
            )
        )
    points = next(iter(arrays.values())).shape[1]
    panel = figures.learning_curves(
        dict(arrays), training * np.arange(1, points + 1) / points, "skill", {"chance": 0.0}, step="sequences read"
    )
    text = "Skill of the temporal memory while it learns, of answers that it has not been told yet."
    found.append(Section("Learning", text, figure=figures.svg(panel, height=3.4)))
    overflow = results["overflow"]
    text = "Sums over everything; 0 means that the memory did what one without limits would have done."
    found.append(
        Section("What had no room", text, columns=list(overflow), rows=[[f"{value:,}" for value in overflow.values()]])
    )
    return found


def tasks(results: Mapping[str, Any]) -> list[str]:
    """Their names, in order."""
    return list(dict.fromkeys(row["task"] for row in results["rows"]))


def heads(rows: list[dict[str, Any]]) -> list[str]:
    """Of the table of skills."""
    return ["task", *dict.fromkeys(row["name"] for row in rows), "difference (95 %)", "p"]


def cells(results: Mapping[str, Any], task: str, mode: str) -> list[str]:
    """A row of the table of skills.

    Args:
        results: of the experiment.
        task: which one.
        mode: which answers were heard.
    """
    told = [task]
    for row in results["rows"]:
        if row["task"] == task:
            mean, low, high = mean_interval(row["skills"][mode])
            told.append(f"{mean:.2f} ({low:.2f} to {high:.2f})" if row["name"] == MEMORY else f"{mean:.2f}")
    (one,) = (one for one in results["differences"] if (one["task"], one["mode"]) == (task, mode))
    sure = f"{one['p']:.2g}" if abs(one["mean"]) >= ROUNDING else ""
    return [*told, f"{one['mean']:+.2f} ({one['low']:+.2f} to {one['high']:+.2f})", sure]


def answer(differences: list[dict[str, Any]]) -> str:
    """On which tasks the memory has more or less skill than the best table, one sentence for each way of testing."""
    said = []
    for mode, words in HEARD.items():
        own = [one for one in differences if one["mode"] == mode]
        clear = [one for one in own if one["p"] < 0.05 and abs(one["mean"]) >= ROUNDING]
        parts = [
            (f"has {more} skill than the best table on", [one["task"] for one in clear if (one["mean"] > 0) == above])
            for more, above in (("more", True), ("less", False))
        ]
        parts.append(("cannot be told apart from it on", [one["task"] for one in own if one not in clear]))
        told = ", ".join(f"{verb} {', '.join(names)}" for verb, names in parts if names)
        said.append(f"Where {words}, the temporal memory {told}.")
    return " ".join(said)
