"""The page of the sequence memory: what was learnt, how fast, and what dead cells cost, beside published figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.figures import COLOURS, FAINT, Panel
from jaxneuro.launch.report import Section

# Released results of Cui et al. 2016: mean final accuracy, elements until learnt, after the change the same.
PUBLISHED = {
    "HTM": (1.000, 7010, 1.000, 2935),
    "TDNN": (1.000, 2766, 1.000, 3917),
    "LSTM, window 9000": (0.986, 3959, 0.976, 8864),
    "LSTM, window 3000": (0.917, 2906, 0.877, 4059),
    "LSTM, window 1000": (0.735, 1989, 0.725, 2466),
    "LSTM, online": (0.895, 4540, 0.879, 3275),
    "ELM": (0.839, 5039, 0.732, 19169),
}
DEATHS = ("0", "10", "20", "30", "40", "50")
PUBLISHED_DEATHS = {
    "HTM": (1.0, 1.0, 1.0, 1.0, 0.894, 0.522),
    "LSTM": (0.994, 0.585, 0.432, 0.313, 0.263, 0.269),
    "ELM": (0.96, 0.855, 0.799, 0.575, 0.57, 0.378),
}
PUBLISHED_ENDINGS = {"HTM": (0.986, 0.992), "LSTM": (0.855, 0.434), "ELM": (0.600, 0.378)}
# A reference implementation of the temporal memory in C++ on the stream of Hawkins and Ahmad, one seed.
REFERENCE_HITS = {
    1000: 0.458, 1500: 0.495, 2500: 0.495, 3500: 0.490, 3700: 0.339, 4000: 0.299, 5000: 0.445, 7000: 0.50,
}  # fmt: skip
HITS_AT = tuple(REFERENCE_HITS)


def number(value: float | int | None) -> str:
    """A whole number, or a dash."""
    return "–" if value is None else f"{value:,.0f}"


def middle(values: Sequence[float | int | None]) -> float | None:
    """The mean, None if a seed has none."""
    return None if None in values else float(np.mean(np.asarray(values, float)))


def sections(
    results: dict[str, Any],
    arrays: Mapping[str, np.ndarray],
    changes: Mapping[str, int],
    seeds: int,
    endings: set[int],
    hits: bool,
) -> list[Section]:
    """The page: what was learnt, without dead cells too, how many predicted minicolumns come, and what had no room.

    Args:
        results: of the experiment `sequence_memory`.
        arrays: the curves.
        changes: of each trial, the element at which the sequences change.
        seeds: how many.
        endings: how many endings the trials' beginnings have.
        hits: whether the stream is that of Hawkins and Ahmad.
    """
    rows = results["trials"]
    found = [ends(rows, arrays, changes, seeds, endings, hits)]
    if dying := [row for row in rows if row["deaths"]]:
        found.append(dead_cells(dying))
    if hits:
        found.append(predicted_minicolumns(rows, arrays, changes))
    found.append(
        Section(
            title="What had no room",
            text="Sums over all seeds and elements; 0 means that the memory did what one without limits would have "
            "done. Segments and synapses: mean at the end.",
            columns=["trial", *rows[0]["overflow"], "segments", "synapses", "s"],
            rows=[
                [
                    row["trial"],
                    *(f"{value:,}" for value in row["overflow"].values()),
                    f"{np.mean(row['segments']):,.0f}",
                    f"{np.mean(row['synapses']):,.0f}",
                    f"{row['seconds']:.0f}",
                ]
                for row in rows
            ],
        )
    )
    return found


def ends(
    rows: list[dict[str, Any]],
    arrays: Mapping[str, np.ndarray],
    changes: Mapping[str, int],
    seeds: int,
    endings: set[int],
    hits: bool,
) -> Section:
    """Learning curves, and beside the measured figures the published ones of the same stream.

    Args:
        rows: results of the trials.
        arrays: the curves.
        changes: of each trial, the element at which the sequences change.
        seeds: how many.
        endings: how many endings the trials' beginnings have.
        hits: whether the stream is that of Hawkins and Ahmad, for which no such figures are published.
    """
    table = [
        [
            row["trial"],
            f"{np.mean(row['final']):.3f}",
            number(middle(row["learnt_at"])),
            f"{np.mean(row['final_after']):.3f}" if "final_after" in row else "",
            number(middle(row["relearnt_after"])) if "final_after" in row else "",
        ]
        for row in rows
    ]
    if endings == {1} and not hits:
        table += [
            [f"{name} (paper)", f"{first:.3f}", number(learnt), f"{second:.3f}", number(again)]
            for name, (first, learnt, second, again) in PUBLISHED.items()
        ]
    for place, count in enumerate((2, 4)):
        if count in endings:
            table += [
                [f"{name}, {count} endings (paper)", f"{values[place]:.3f}", "", "", ""]
                for name, values in PUBLISHED_ENDINGS.items()
            ]
    return Section(
        title="Last elements of sequences",
        text=f"Share of right predictions over the last 100 sequences, mean of {seeds} seeds; elements until 95 of "
        "the last 100 were right, a dash if that never was. Bands: range of the seeds. Paper: Cui et al. 2016.",
        columns=["", "accuracy", "elements", "accuracy after change", "elements to relearn"],
        rows=table,
        figure=figures.svg(curves(rows, arrays, "accuracy", changes, "right (%)"), height=3.4),
    )


def dead_cells(rows: list[dict[str, Any]]) -> Section:
    """What is right without some of the cells, beside published figures."""
    shares = list(rows[0]["deaths"])
    return Section(
        title="Dead cells",
        text="Share of right predictions after cells have died, without learning. Points are seeds.",
        columns=["dead", *(f"{100 * float(share):.0f} %" for share in shares)],
        rows=[
            *(
                [row["trial"], *(f"{np.mean(values):.3f}" for values in row["deaths"].values())]
                for row in rows
                if list(row["deaths"]) == shares
            ),
            *(
                [f"{name} (paper)", *(published(values, share) for share in shares)]
                for name, values in PUBLISHED_DEATHS.items()
            ),
        ],
        figure=figures.svg(deaths(rows[0]["deaths"]), height=3.0),
    )


def predicted_minicolumns(
    rows: list[dict[str, Any]], arrays: Mapping[str, np.ndarray], changes: Mapping[str, int]
) -> Section:
    """The curve of Hawkins and Ahmad, beside that of a reference."""
    return Section(
        title="Predicted minicolumns that become active",
        text="Share, smoothed; of every element, so that no memory can exceed the share of elements that can be "
        "predicted. Bands: range of the seeds. Reference: a temporal memory in C++, one seed.",
        columns=["element", *(row["trial"] for row in rows), "reference"],
        rows=[
            [
                f"{place:,}",
                *(f"{np.mean(row['hits'][str(place)]):.3f}" if str(place) in row["hits"] else "" for row in rows),
                f"{value:.3f}",
            ]
            for place, value in REFERENCE_HITS.items()
        ],
        figure=figures.svg(
            curves(rows, arrays, "hits", changes, "predicted that come (%)", REFERENCE_HITS), height=3.4
        ),
    )


def published(values: tuple[float, ...], share: str) -> str:
    """The published figure for a share of dead cells, if there is one."""
    name = f"{100 * float(share):.0f}"
    return f"{values[DEATHS.index(name)]:.3f}" if name in DEATHS else ""


def curves(
    rows: list[dict[str, Any]],
    arrays: Mapping[str, np.ndarray],
    what: str,
    changes: Mapping[str, int],
    label: str,
    points: Mapping[int, float] | None = None,
) -> Panel:
    """A line per trial, the mean of its seeds in a band of their range, with the changes of the sequences.

    Args:
        rows: results of the trials.
        arrays: the curves, for each trial `[seeds, points]`, and where the points are.
        what: which curve.
        changes: of each trial, the element at which the sequences change.
        label: of the vertical axis.
        points: values to compare with, by element.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        last = 0
        for colour, row in zip(COLOURS, rows, strict=False):
            places, values = arrays[f"{row['trial']}/elements"], 100 * arrays[f"{row['trial']}/{what}"]
            axes.plot(places, values.mean(axis=0), color=colour, label=row["trial"])
            axes.fill_between(places, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
            last = max(last, places[-1])
        for change in {changes[row["trial"]] for row in rows if changes[row["trial"]] < last}:
            axes.axvline(change, color=FAINT, linestyle="--", linewidth=1)
            axes.annotate("change", (change, 1), xycoords=("data", "axes fraction"), color=FAINT, ha="right", va="top")
        if shown := {place: 100 * value for place, value in (points or {}).items() if place <= last}:
            axes.plot(*zip(*shown.items(), strict=True), "kx", markersize=5, label="reference")
        axes.set(xlabel="elements", ylabel=label, xlim=(0, last), ylim=(0, None))
        axes.legend(loc="lower right", fontsize=7)

    return draw


def deaths(measured: Mapping[str, list[float]]) -> Panel:
    """Accuracy over the share of dead cells, with every seed as a point, beside published lines.

    Args:
        measured: of each share the accuracies of the seeds.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        places = [100 * float(share) for share in measured]
        for place, values in zip(places, measured.values(), strict=True):
            axes.plot([place] * len(values), 100 * np.asarray(values), ".", color=COLOURS[0], alpha=0.4, markersize=4)
        means = [100 * float(np.mean(values)) for values in measured.values()]
        axes.plot(places, means, color=COLOURS[0], marker="o", markersize=4, label="this memory")
        for colour, (name, values) in zip(COLOURS[1:], PUBLISHED_DEATHS.items(), strict=False):
            axes.plot([float(share) for share in DEATHS], 100 * np.asarray(values), "--", color=colour, linewidth=1,
                      label=f"{name} (paper)")  # fmt: skip
        axes.set(xlabel="dead cells (%)", ylabel="right (%)", ylim=(0, 103))
        axes.legend(fontsize=7)

    return draw
