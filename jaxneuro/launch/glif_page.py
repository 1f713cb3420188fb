"""The report of what each level of the GLIF neuron explains."""

from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.report import Section

LEVELS = (1, 2, 3, 4, 5)
# Medians over cells of the Allen database (%), of the data of figure 5 of Teeter et al. 2018.
PUBLISHED = (70.2, 67.7, 72.4, 75.9, 77.6)
MEDIANS = {
    "mean": "mean_percent",
    "median": "median_percent",
    "median by gradient and threshold alone": "by_gradient_median_percent",
    "published median": "published_median_percent",
}


def sections(results: dict[str, Any], arrays: dict[str, np.ndarray], dt_ms: float) -> list[Section]:
    """The page: the ladder, its steps, every cell, and the spikes of one.

    Args:
        results: of the experiment `glif_ladder`.
        arrays: spikes of one cell, `[repetitions, steps]`, and of its models, `[levels, steps]`.
        dt_ms: step size (ms).
    """
    return [
        Section(
            title="What each level explains",
            text="Variance of held-out spike trains under a Gaussian of 10 ms that a level explains, relative to what "
            "repetitions explain of each other. Medians over cells beside the published ones.",
            columns=["", *(f"level {level}" for level in LEVELS)],
            rows=[
                [name, *(f"{value:.1f} %" for value in results[key])]
                for name, key in MEDIANS.items()
            ],
            figure=figures.svg(rungs(results), height=3.6),
        ),
        Section(
            title="What each step gains",
            text="Gain in percentage points, cell by cell: mean and its standard error over cells.",
            columns=["levels", "mean gain", "standard error", "cells better", "published, of medians"],
            rows=[
                [f"{step['from']} to {step['to']}", f"{step['mean_gain']:+.1f}", f"{step['standard_error'] or 0:.1f}",
                 f"{step['cells_better']} of {results['cells_counted']}", f"{step['published_gain_of_medians']:+.1f}"]
                for step in results["steps"]
            ],
        ),
        Section(
            title="Every cell",
            columns=["cell", "rate (Hz)", "reliability", *(f"level {level}" for level in LEVELS)],
            rows=[
                [row["cell"], f"{row['rate_hz']:.1f}", f"{row['reliability_percent']:.0f} %",
                 *(f"{value:.1f}" for value in row["explained_percent"])]
                for row in results["cells"]
            ],
        ),
        Section(
            title="Spikes of one cell",
            text=f"{results['shown']}: a held-out stimulus, repeated, and what the levels make of it.",
            figure=figures.svg(spikes_of(arrays["cell"], arrays["models"], dt_ms), height=2.8),
        ),
    ]  # fmt: skip


def rungs(results: dict[str, Any]) -> figures.Panel:
    """A thin line for every cell, the median, and the published medians."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for row in results["cells"]:
            name, style = ("one cell", "-") if row["counted"] else ("one that is too unreliable to count", ":")
            axes.plot(LEVELS, row["explained_percent"], style, color=figures.FAINT, linewidth=0.9, label=name)
        axes.plot(
            LEVELS, results["median_percent"], color=figures.COLOURS[0], marker="o", linewidth=2.5, label="median"
        )
        axes.plot(
            LEVELS,
            PUBLISHED,
            color=figures.COLOURS[1],
            marker="s",
            linestyle="--",
            label="median of Teeter et al. 2018",
        )
        axes.set(xlabel="level of GLIF", ylabel="explained variance (%)", xticks=LEVELS, ylim=(0, 105))
        handles, names = axes.get_legend_handles_labels()
        # One entry for all cells.
        entries = dict(zip(names, handles, strict=True))
        axes.legend(entries.values(), entries.keys(), loc="lower right")

    return draw


def spikes_of(cell: np.ndarray, models: np.ndarray, dt_ms: float) -> figures.Panel:
    """Repetitions of the cell above the levels, `[trains, steps]` each."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        trains = [*models[::-1], *cell[::-1]]
        names = [*(f"level {level}" for level in LEVELS[::-1]), *["cell"] * len(cell)]
        for place, train in enumerate(trains):
            times = dt_ms * (1 + np.flatnonzero(train))
            colour = figures.COLOURS[0] if place < len(models) else figures.INK
            axes.scatter(times, np.full(len(times), place), s=60, marker="|", color=colour, linewidths=0.9)
        axes.set(xlabel="time (ms)", xlim=(0, dt_ms * cell.shape[1]), yticks=range(len(trains)), yticklabels=names)

    return draw
