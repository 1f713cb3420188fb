"""The page of gates in one neuron: how often each unit learns each gate."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.figures import COLOURS, Panel
from jaxneuro.launch.report import Section

XOR = "exclusive or"


def sections(results: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> list[Section]:
    """The page.

    Args:
        results: of the experiment `xor_in_one_neuron`.
        arrays: `step`, and the losses of each unit on the exclusive or, `[starts, points]`.
    """
    rows, starts = results["units"], results["starts"]
    best = max(rows, key=lambda row: row["gates"][XOR]["solved"])
    never = [row["unit"] for row in rows if row["gates"][XOR]["solved"] == 0]
    told = f"From {share(best['gates'][XOR]['solved'], starts)} of {starts} starts the {best['unit']} learns it."
    return [
        Section("Exclusive or", f"{told} Never: {', '.join(never) or 'none of the units'}."),
        Section(
            "Gates learned",
            f"Starts, of {starts}, from which {results['steps']:,} steps of Adam lead to four right answers.",
            columns=heads(rows),
            rows=[cells(row, starts) for row in rows],
        ),
        Section(
            "Losses",
            "Of the exclusive or; each line is the mean of all starts. ln 2 is the loss of one half for an answer.",
            figure=figures.svg(losses({row["unit"]: arrays[row["unit"]] for row in rows}, arrays["step"])),
        ),
    ]


def heads(rows: list[dict[str, Any]]) -> list[str]:
    """The columns of the table."""
    return ["unit", "numbers learned", *rows[0]["gates"]]


def cells(row: Mapping[str, Any], starts: int) -> list[str]:
    """A row of the table."""
    return [row["unit"], str(row["parameters"]), *(share(found["solved"], starts) for found in row["gates"].values())]


def share(solved: int, starts: int) -> str:
    """As a percentage."""
    return f"{100 * solved / starts:.1f} %"


def losses(curves: Mapping[str, np.ndarray], steps: np.ndarray) -> Panel:
    """A line per unit.

    Args:
        curves: for each `[starts, points]`.
        steps: `[points]`.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for place, (name, values) in enumerate(curves.items()):
            axes.plot(steps, np.nanmean(values, axis=0), color=COLOURS[place % len(COLOURS)], label=name)
        axes.axhline(np.log(2), color=figures.FAINT, linestyle="--", linewidth=1)
        axes.set(xlabel="training step", ylabel="loss (nats)", yscale="log")
        axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))

    return draw
