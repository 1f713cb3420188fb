"""The page and the figures of converted networks: how right they are, against time and against energy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.figures import COLOURS, FAINT, INK, Panel
from jaxneuro.launch.report import Section

NEAR = 0.5  # points of accuracy that count as no loss

# The ways to compare energies: of arithmetic or with memory; the graded network going through zeros or skipping them.
RATIOS = {
    "arithmetic": ("arithmetic", "energy_nj"),
    "arithmetic_zeros_skipped": ("arithmetic", "energy_skipping_zeros_nj"),
    "memory": ("with memory", "energy_nj"),
    "memory_zeros_skipped": ("with memory", "energy_skipping_zeros_nj"),
}


def sections(results: dict[str, Any], seeds: int) -> list[Section]:
    """The page: the verdict, an answer for every network and scheme, and for every network a table and figures.

    Args:
        results: of the experiment `conversion`.
        seeds: how many.
    """
    won = [f"{row['network']} by {row['scheme']}" for row in results["answers"] if row["wins"]]
    verdict = (
        f"Spikes win whichever way it is counted for {', '.join(won)}, and for no other."
        if won
        else "No spiking network wins over its graded one in every way of counting."
    )
    note = (
        "Energies are estimates from published figures for single operations (45 nm), not measurements. Memory: graded "
        "networks read two words for each MAC, spiking ones move three for each event; nothing is kept between uses. "
        "Both count in single precision; 8 bits, 0.23 pJ for a MAC and 0.03 for an addition, are left out."
    )
    found = [
        Section("Do spikes pay?", f"{verdict} {note}"),
        Section("Answers", columns=["network and scheme"], rows=[[sentence(row)] for row in results["answers"]]),
    ]
    for name in dict.fromkeys(row["network"] for row in results["graded"]):
        spiking = [row for row in results["spiking"] if row["network"] == name]
        graded = [row for row in results["graded"] if row["network"] == name]
        text = (
            f"{results['samples']['test']} test images, {results['data']}; lines are means of {seeds} seeds, bands "
            "their range. Dashed lines and black marks: graded networks."
        )
        figure = figures.svg(*panels(graded, spiking), columns=3, width=10.0, height=3.2)
        columns = ["network", "steps", "accuracy (%)", "accumulates", "MACs", *heads()]
        found.append(Section(f"Accuracy and energy of {name}", text, columns, table(graded, spiking), figure))
    return found


def sentence(row: dict[str, Any]) -> str:
    """An answer in words."""
    if row["steps"] is None:
        return f"{row['network']}, {row['scheme']}: never within {NEAR:g} points of its graded network. It loses."
    ratios = [row[name] for name in RATIOS]
    bare, bare_skipped, memory, memory_skipped = (f"{ratio:.2f}" for ratio in ratios)
    verdict = "It wins." if row["wins"] else "It loses." if min(ratios) >= 1 else "It does not win."
    return (
        f"{row['network']}, {row['scheme']}: within {NEAR:g} points from {row['steps']} steps on, where arithmetic "
        f"takes {bare} of the graded network's energy ({bare_skipped} if that skips zeros), with memory {memory} "
        f"({memory_skipped}). {verdict}"
    )


def heads() -> list[str]:
    """The heads of the columns of energies."""
    operations = [f"{name} {words} (nJ)" for name in ("45 nm", "7 nm") for words in ("arithmetic", "with memory")]
    return [*operations, "TrueNorth (nJ)", "Loihi (nJ)"]


def table(graded: list[dict[str, Any]], spiking: list[dict[str, Any]]) -> list[list[str]]:
    """A row for every graded network, and for every scheme and time."""

    def costs(energy: dict[str, dict[str, float | None]]) -> list[str]:
        values = [energy[name][words] for name in ("45 nm", "7 nm") for words in ("arithmetic", "with memory")]
        values += [energy[name]["arithmetic"] for name in ("TrueNorth", "Loihi")]
        return ["" if value is None else f"{value:,.1f}" for value in values]

    rows = []
    for row in graded:
        right = f"{np.mean(row['accuracy']):.2f}"
        for words, macs, field in (
            ("", row["macs"], "energy_nj"),
            (" without zeros", row["macs_not_zero"], "energy_skipping_zeros_nj"),
        ):
            rows.append([f"graded, {row['neurons']}{words}", "", right, "", f"{macs:,.0f}", *costs(row[field])])
    for row in spiking:
        for place, steps in enumerate(row["times"]):
            right = f"{np.mean([seed[place] for seed in row['accuracy']]):.2f}"
            counts = [f"{row[kind][place]:,.0f}" for kind in ("accumulates", "macs")]
            rows.append([row["scheme"], str(steps), right, *counts, *costs(row["energy_nj"][place])])
    return rows


def panels(graded: list[dict[str, Any]], spiking: list[dict[str, Any]]) -> list[Panel]:
    """Accuracy over time, over energy of arithmetic, over energy with memory.

    Args:
        graded: the results of a network, with rectifiers and with steps.
        spiking: of its schemes.
    """
    right = {row["neurons"]: float(np.mean(row["accuracy"])) for row in graded}
    lowest = min(80.0, *(level - 5 for level in right.values()))
    values = {row["scheme"]: np.asarray(row["accuracy"]) for row in spiking}
    over_time = {row["scheme"]: (np.asarray(row["times"]), values[row["scheme"]]) for row in spiking}
    drawn = [against(over_time, {}, list(right.values()), "time steps", lowest)]
    for words in ("arithmetic", "with memory"):
        spent = {row["scheme"]: np.asarray([e["45 nm"][words] for e in row["energy_nj"]]) for row in spiking}
        curves = {scheme: (places, values[scheme]) for scheme, places in spent.items()}
        points = {}
        for row in graded:
            for zeros, field in (("", "energy_nj"), (", zeros skipped", "energy_skipping_zeros_nj")):
                points[f"graded, {row['neurons']}{zeros}"] = (row[field]["45 nm"][words], right[row["neurons"]])
        drawn.append(against(curves, points, [], f"energy, 45 nm, {words} (nJ)", lowest))
    return drawn


def against(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    points: Mapping[str, tuple[float, float]],
    levels: Sequence[float],
    label: str,
    lowest: float,
) -> Panel:
    """Accuracy over a logarithmic axis: a line per scheme, in a band from the lowest to the highest seed.

    Args:
        curves: for each scheme where its points are, `[points]`, and their accuracies, `[seeds, points]` (%).
        points: for each graded network where it is and its accuracy; the legend names these if there are any, else the
            curves.
        levels: accuracies of graded networks, as dashed lines.
        label: of the axis, with its unit.
        lowest: where the axis of accuracies begins; what is below is cut off.
    """

    def draw(figure: Any) -> None:
        from matplotlib.ticker import NullLocator

        axes = figure.subplots()
        axes.set_xscale("log")
        for colour, (name, (places, values)) in zip(COLOURS, curves.items(), strict=False):
            name = f"_{name}" if points else name
            axes.plot(places, values.mean(axis=0), color=colour, marker="o", markersize=3, linewidth=1.2, label=name)
            axes.fill_between(places, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
            if not points:
                axes.set_xticks(places, [f"{place:g}" for place in places], fontsize=7)
                axes.xaxis.set_minor_locator(NullLocator())
        for style, (name, (place, height)) in zip("DdsP", points.items(), strict=False):
            axes.plot([place], [height], color=INK, marker=style, markersize=5, linestyle="none", label=name)
        for level in levels:
            axes.axhline(level, color=FAINT, linestyle="--", linewidth=1)
        seen = [place for places, values in curves.values() for place in places[values.max(axis=0) >= lowest]]
        axes.set_xlim(left=0.7 * min((*seen, *(place for place, _ in points.values())), default=1))
        axes.set(xlabel=label, ylabel="accuracy (%)", ylim=(lowest, 100.5))
        axes.legend(loc="lower right", fontsize=6, frameon=True, framealpha=0.8, edgecolor="none", borderpad=0.1)

    return draw
