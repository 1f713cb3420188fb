"""The report of detectors of anomalies under the score of the Numenta Anomaly Benchmark."""

from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.figures import COLOURS, FAINT, INK, Panel
from jaxneuro.launch.report import Section
from jaxneuro.measure.nab import PROFILES

NAMES = tuple(profile.name for profile in PROFILES)

# results/final_results.json of github.com/numenta/NAB at 5a98e4f15e45 (MIT), in the order of `PROFILES`.
PUBLISHED = {
    "ARTime": (74.853772, 65.154000, 80.362285),
    "Numenta HTM, backtracking memory": (70.101056, 63.116842, 74.320244),
    "context OSE": (69.899569, 66.977139, 73.181673),
    "htm.java": (65.549910, 53.256950, 70.424078),
    "Numenta HTM, temporal memory": (64.553464, 56.665308, 69.185068),
    "Skyline of Earthgecko": (58.200223, 46.195301, 63.800148),
    "kNN-CAD": (57.994343, 43.408517, 64.812321),
    "relative entropy": (54.642749, 47.598352, 58.842292),
    "random cut forest": (51.717055, 38.360772, 59.748765),
    "Twitter ADVec": (47.061957, 33.610052, 53.501075),
    "windowed Gaussian": (39.649523, 20.867986, 47.410027),
    "Skyline of Etsy": (35.687043, 27.081210, 44.481017),
    "EXPoSE": (16.436669, 3.190931, 26.920947),
    "random": (16.831768, 5.763682, 25.876351),
    "null": (0.0, 0.0, 0.0),
}


def sections(results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The page: all scores, scores by kind of stream, one stream, and what the memories had no room for.

    Args:
        results: of the experiment `anomaly`.
        arrays: `values`, `windows` and, for each model, `scores` of the stream that is shown.
    """
    detectors = results["detectors"]
    seeds = max(len(row["final"][NAMES[0]]) for row in detectors)
    text = (
        f"{results['data']}; {results['windows']} windows. 0: a detector that says nothing; 100: one that is right at "
        "once and never wrong. One threshold for all streams and each profile, the best one for these very streams, as "
        "the benchmark has it. 'Left out': every stream at the threshold that is best for all others. Mean and "
        f"standard deviation of {seeds} seeds."
    )
    rows = [score_row(row) for row in detectors]
    if results["published"]:
        rows += [
            [f"published: {name}", *(f"{value:.2f}" for value in values), "", ""] for name, values in PUBLISHED.items()
        ]
    found = [
        Section(
            "Scores",
            text,
            ["detector", *NAMES, "standard, left out", "best threshold"],
            rows,
            figures.svg(bars(detectors, results["published"]), height=0.24 * len(rows) + 1),
        ),
        Section(
            "Where",
            "Standard profile, by kind of stream, at the threshold for all; normalised by the windows of that kind. "
            "Where there is no window: the sum of penalties for false alarms.",
            ["detector", *results["kinds"]],
            [[row["name"], *(f"{np.mean(row['kinds'][kind]):.1f}" for kind in results["kinds"])] for row in detectors],
        ),
        Section(
            "One stream",
            f"{results['shown']}: values with labelled windows in grey, and scores of the first seed; dashed, the "
            "threshold.",
            figure=figures.svg(stream(arrays, results), height=3.6),
        ),
    ]
    models = [row for row in detectors if "rows_per_second" in row]
    names = list(models[0]["overflow"]) if models else []
    found.append(
        Section(
            "Speed and room",
            "Rows per second of the whole detector on this machine, and what the temporal memory had no room for, per "
            "1,000 rows; 0 everywhere: a memory without limits would have done the same.",
            ["detector", "rows per second", *names],
            [
                [row["name"], f"{row['rows_per_second']:,.0f}", *(f"{row['overflow'][name]:.3g}" for name in names)]
                for row in models
            ],
        )
    )
    return found


def score_row(row: dict[str, Any]) -> list[str]:
    """A line of the table of scores."""
    standard = NAMES[0]
    thresholds = [value for value in row["threshold"][standard] if value is not None]
    return [
        row["name"],
        *(spread(row["final"][name]) for name in NAMES),
        spread(row["final_left_out"][standard]),
        f"{np.mean(thresholds):.6g}" if thresholds else "none",
    ]


def spread(values: list[float]) -> str:
    """Mean, and standard deviation if there are several."""
    if len(values) == 1:
        return f"{values[0]:.2f}"
    return f"{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}"


def bars(detectors: list[dict[str, Any]], published: bool) -> Panel:
    """A bar for the standard score of every detector, with a dot for every seed; published ones in grey."""
    ours = [(row["name"], row["final"][NAMES[0]], COLOURS[0]) for row in detectors]
    theirs = [(f"{name} (published)", [values[0]], FAINT) for name, values in PUBLISHED.items()] if published else []
    rows = sorted([*ours, *theirs], key=lambda row: np.mean(row[1]))

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for place, (_, values, colour) in enumerate(rows):
            axes.barh(place, np.mean(values), color=colour, height=0.7)
            if len(values) > 1:
                axes.scatter(values, np.full(len(values), place), s=8, color=INK, zorder=3)
        axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
        axes.set(xlabel=f"score, {NAMES[0]} profile")

    return draw


def stream(arrays: dict[str, np.ndarray], results: dict[str, Any]) -> Panel:
    """Values above, scores of each model below."""
    scores = {name.removeprefix("scores/"): array for name, array in arrays.items() if name.startswith("scores/")}
    levels = {row["name"]: row["threshold"][NAMES[0]][0] for row in results["detectors"]}

    def draw(figure: Any) -> None:
        values, *others = figure.subplots(1 + len(scores), sharex=True, squeeze=False)[:, 0]
        values.plot(arrays["values"], color=INK, linewidth=0.6)
        values.set(ylabel="value")
        for colour, axes, (name, score) in zip(COLOURS, others, scores.items(), strict=False):
            axes.plot(score, color=colour, linewidth=0.6)
            if levels[name] is not None:
                axes.axhline(levels[name], color=FAINT, linestyle="--", linewidth=0.8)
            axes.set(ylabel="score", title=name, ylim=(-0.02, 1.05))
        for axes in (values, *others):
            for first, last in arrays["windows"]:
                axes.axvspan(first, last, color=FAINT, alpha=0.3, linewidth=0)
        (others or [values])[-1].set(xlabel="row")

    return draw
