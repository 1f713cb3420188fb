"""The page of how deep a neuron is: verdicts, scores by depth and by memories."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.figures import COLOURS, Panel
from jaxneuro.launch.report import Section
from jaxneuro.measure.interval import mean_interval


def sections(results: Mapping[str, Any], bin_ms: int) -> list[Section]:
    """The page.

    Args:
        results: of the experiment `dendritic_depth`.
        bin_ms: length of a bin (ms).
    """
    rows = results["networks"]
    kinds = (("TCN", "hidden layers"), ("ELM", "memories"))
    chosen = [([row for row in rows if row["kind"] == kind], label) for kind, label in kinds]
    panels = [by_size(mine, label) for mine, label in chosen if mine]
    fired = "; ".join(f"{cell['condition']}: {cell['rate_hz']:.2f} spikes a second" for cell in results["cells"])
    return [
        Section(
            "Expected and found",
            "Differences are means over seeds, seed by seed, with 95 % intervals.",
            columns=["what", "found", "95 % interval", "bar", "kept"],
            rows=[verdict(row) for row in results["verdicts"]],
        ),
        Section(
            "Scores",
            f"Area under the curve for a spike in a bin of {bin_ms} ms, and explained variance of the soma's voltage, "
            f"on recordings that nobody has seen; mean and 95 % interval over {len(rows[0]['auc'])} seeds. {fired}.",
            columns=["cell", "network", "parameters", "AUC (95 %)", "voltage explained (%)", "s"],
            rows=[cells(row) for row in rows],
        ),
        Section(
            "By depth and by memories",
            "Means over seeds; bands are 95 % intervals.",
            figure=figures.svg(*panels, columns=len(panels)),
        ),
    ]


def verdict(row: Mapping[str, Any]) -> list[str]:
    """An expectation, and what became of it.

    Args:
        row: of `verdicts`.
    """
    whole = row["mean"] == round(row["mean"])
    interval = "" if row["low"] is None else f"{row['low']:+.4f} to {row['high']:+.4f}"
    found = f"{row['mean']:g}" if whole else f"{row['mean']:+.4f}"
    return [row["what"], found, interval, row["bar"], "yes" if row["kept"] else "no"]


def cells(row: Mapping[str, Any]) -> list[str]:
    """A row of the table of scores.

    Args:
        row: of a network.
    """
    mean, low, high = mean_interval(row["auc"])
    return [
        row["condition"],
        row["network"],
        f"{row['parameters']:,}",
        f"{mean:.4f} ({low:.4f} to {high:.4f})",
        f"{100 * np.mean(row['voltage']):.1f}",
        f"{row['seconds']:.0f}",
    ]


def by_size(rows: Sequence[Mapping[str, Any]], label: str) -> Panel:
    """A line per cell, the mean over seeds, in a band from the lowest to the highest.

    Args:
        rows: of networks of one kind.
        label: what their size is.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for colour, condition in zip(COLOURS, dict.fromkeys(row["condition"] for row in rows), strict=False):
            mine = sorted((row for row in rows if row["condition"] == condition), key=lambda row: row["size"])
            sizes, scores = [row["size"] for row in mine], np.asarray([row["auc"] for row in mine])
            axes.plot(sizes, scores.mean(axis=1), color=colour, marker="o", markersize=3, label=condition)
            axes.fill_between(sizes, scores.min(axis=1), scores.max(axis=1), color=colour, alpha=0.15, linewidth=0)
        axes.set(xlabel=label, ylabel="area under the curve")
        axes.legend()

    return draw
