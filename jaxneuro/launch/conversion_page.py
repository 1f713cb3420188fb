"""The page and the figures of converted networks: how right they are, against time and against energy."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.figures import COLOURS, FAINT, Panel
from jaxneuro.launch.report import Section

NEAR = 0.5  # points of accuracy that count as no loss


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
        "Both count in single precision: that a graded network may do with 8 bits, 0.23 pJ for a MAC, is left out."
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
            "their range. Dashed: graded networks. Diamonds: graded networks, all connections and those without zeros."
        )
        figure = figures.svg(*panels(graded, spiking), columns=3, width=10.0, height=3.2)
        columns = ["network", "steps", "accuracy (%)", "accumulates", "MACs", *heads()]
        found.append(Section(f"Accuracy and energy of {name}", text, columns, table(graded, spiking), figure))
    return found


def sentence(row: dict[str, Any]) -> str:
    """An answer in words."""
    if row["steps"] is None:
        return f"{row['network']}, {row['scheme']}: never within {NEAR:g} points of its graded network. It loses."
    bare, memory = row["ratios"]["arithmetic"], row["ratios"]["with memory"]
    verdict = "It wins." if row["wins"] else "It does not win."
    if not row["wins"] and min(*bare.values(), *memory.values()) >= 1:
        verdict = "It loses."
    return (
        f"{row['network']}, {row['scheme']}: within {NEAR:g} points from {row['steps']} steps on, where arithmetic "
        f"takes {bare['all']:.2f} of the graded network's energy ({bare['not zero']:.2f} if that skips zeros), with "
        f"memory {memory['all']:.2f} ({memory['not zero']:.2f}). {verdict}"
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
    """Accuracy over time, over energy of arithmetic, over energy with memory."""
    lowest = min(80.0, *(float(np.mean(row["accuracy"])) - 5 for row in graded))
    levels = {row["neurons"]: (float("nan"), float(np.mean(row["accuracy"]))) for row in graded}
    over_time = {row["scheme"]: (np.asarray(row["times"]), np.asarray(row["accuracy"])) for row in spiking}
    drawn = [against(over_time, levels, "time steps", "accuracy (%)", lowest=lowest, legend=True)]
    for words in ("arithmetic", "with memory"):
        curves = {
            row["scheme"]: (
                np.asarray([energy["45 nm"][words] for energy in row["energy_nj"]]),
                np.asarray(row["accuracy"]),
            )
            for row in spiking
        }
        own = graded[0]
        points = {
            "graded": (own["energy_nj"]["45 nm"][words], levels["rectifier"][1]),
            "graded, without zeros": (own["energy_skipping_zeros_nj"]["45 nm"][words], levels["rectifier"][1]),
        }
        label = f"energy, 45 nm, {words} (nJ)"
        drawn.append(against(curves, points, label, "accuracy (%)", lowest=lowest))
    return drawn


def against(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    points: Mapping[str, tuple[float, float]],
    label: str,
    value: str,
    *,
    lowest: float,
    title: str = "",
    legend: bool = False,
) -> Panel:
    """A line per scheme over a logarithmic axis, in a band from the lowest to the highest seed, and graded networks.

    Args:
        curves: for each scheme where its points are, `[points]`, and their values, `[seeds, points]`.
        points: for each graded network where it is and its value, drawn as a diamond; one without a place (NaN) as a
            dashed line.
        label: of the axis, with its unit.
        value: what the values are, with their unit.
        lowest: where the axis of values begins; what is below is cut off.
        title: of the panel.
        legend: whether the names are written.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for colour, (name, (places, values)) in zip(COLOURS, curves.items(), strict=False):
            axes.plot(places, values.mean(axis=0), color=colour, marker="o", markersize=3, linewidth=1.2, label=name)
            axes.fill_between(places, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
        for style, (name, (place, height)) in zip(("D", "d", "s", "v"), points.items(), strict=False):
            if np.isnan(place):
                axes.axhline(height, color=FAINT, linestyle="--", linewidth=1)
            else:
                axes.plot([place], [height], color="#000000", marker=style, markersize=5, linestyle="none", label=name)
        axes.set_xscale("log")
        axes.set(xlabel=label, ylabel=value, title=title)
        axes.set_ylim(lowest, 100.5)
        if legend:
            axes.legend(loc="lower right", fontsize=7)

    return draw
