"""The page of the soft temporal memory: does gradient beat Hebb's rule, and at which noise."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.comparison_page import sentence
from jaxneuro.launch.figures import COLOURS, Panel
from jaxneuro.launch.report import Section
from jaxneuro.measure.interval import mean_interval


def sections(results: dict[str, Any], surprise: np.ndarray) -> list[Section]:
    """The page.

    Args:
        results: of the experiment `soft_memory`.
        surprise: in training, `[seeds, steps]` (nats).
    """
    levels, rows = results["noise"], results["contenders"]
    place = levels.index(results["trained_noise"])
    seeds = len(rows[0]["accuracy"])
    curves = {row["contender"]: 100 * np.asarray(row["accuracy"]) for row in rows}
    return [
        Section("Answer", " ".join(map(sentence, results["differences"]))),
        Section(
            "Elements foretold",
            f"Held-out sequences with {100 * results['trained_noise']:g} % of the active minicolumns wrong, as in "
            f"training; mean and 95 % interval over {seeds} seeds. The last elements depend on how the sequence began.",
            columns=["memory", "right (%; 95 %)", "last elements (%; 95 %)", "surprise (nats)"],
            rows=[cells(row, place) for row in rows],
        ),
        Section(
            "Against noise",
            "Of all elements but the first; lines are means over seeds, bands their range.",
            figure=figures.svg(against_noise(curves, np.asarray(levels))),
        ),
        Section(
            "Learning by gradient",
            "Mean surprise of an element in training; the line is the mean of the seeds, the band their range.",
            figure=figures.svg(
                figures.learning_curves(
                    {"learned": surprise}, np.arange(1, surprise.shape[1] + 1), "surprise of an element (nats)"
                )
            ),
        ),
    ]


def cells(row: Mapping[str, Any], place: int) -> list[str]:
    """A row of the table.

    Args:
        row: of a contender.
        place: of the level of noise.
    """

    def told(values: list[list[float]]) -> str:
        mean, low, high = (100 * value for value in mean_interval([seed[place] for seed in values]))
        return f"{mean:.1f} ({low:.1f} to {high:.1f})"

    surprise = "" if row["surprise"] is None else f"{np.mean([seed[place] for seed in row['surprise']]):.1f}"
    return [row["contender"], told(row["accuracy"]), told(row["last"]), surprise]


def against_noise(curves: Mapping[str, np.ndarray], levels: np.ndarray) -> Panel:
    """A line per contender.

    Args:
        curves: for each `[seeds, levels]` (%).
        levels: shares of wrong minicolumns.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for place, (name, values) in enumerate(curves.items()):
            colour = COLOURS[place % len(COLOURS)]
            axes.plot(100 * levels, values.mean(axis=0), color=colour, marker="o", markersize=3, label=name)
            axes.fill_between(100 * levels, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.15)
        axes.set(xlabel="wrong minicolumns (%)", ylabel="elements foretold (%)", ylim=(0, 102))
        axes.legend(loc="lower left", fontsize=7)

    return draw
