"""The report of forecasts of a series."""

from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.figures import COLOURS, INK, Panel
from jaxneuro.launch.report import Section

# Of 17,520 rows, from row 10,000 on, 5 steps ahead: computed from the predictions published with Cui, Ahmad and Hawkins
# 2016; relative error (%) and normalised error.
PUBLISHED = {
    "HTM": (8.09, 0.286),
    "LSTM, last 6,000 rows": (8.19, 0.274),
    "k nearest neighbours": (7.06, 0.259),
    "as a week before": (8.80, None),
    "echo state network": (9.57, None),
    "as a day before": (17.8, None),
    "ARIMA": (29.4, None),
    "as the last value": (32.2, None),
}
WEEK = 336


def sections(results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The page: errors, how they went, and a week.

    Args:
        results: of the experiment `taxi`.
        arrays: `values` of the series, and `forecasts/<name>`, NaN before the first row that counts.
    """
    rows = [
        [row["name"], spread([100 * error for error in row["relative_error"]]), spread(row["normalised_error"], 3)]
        for row in results["forecasts"]
    ]
    if results["published"]:
        rows += [
            [f"published, longer series: {name}", f"{percent:.2f}", "" if ratio is None else f"{ratio:.3f}"]
            for name, (percent, ratio) in PUBLISHED.items()
        ]
    forecasts = {name.removeprefix("forecasts/"): array for name, array in arrays.items() if "/" in name}
    return [
        Section(
            "Errors",
            f"{results['data']}; {results['ahead']} steps ahead, errors of rows {results['start']:,} to "
            f"{results['rows']:,}. Mean absolute error over mean, and root mean square error over standard deviation; "
            f"mean and standard deviation of {results['seeds']} seeds. Everything learns from rows before the one it "
            "is asked for alone. The memory had no room, per 1,000 rows, for: "
            f"{', '.join(f'{number:.3g} {kind}' for kind, number in results['overflow'].items())}.",
            ["forecast", "relative error (%)", "normalised error"],
            rows,
        ),
        Section(
            "A week",
            "The last week of the series, and forecasts of the first seed.",
            figure=figures.svg(week(arrays["values"], forecasts), height=3.4),
        ),
        Section(
            "How the error went",
            "Relative error (%) of a week, at its end; the start of the learning included.",
            figure=figures.svg(over_time(arrays["values"], forecasts), height=3.0),
        ),
    ]


def spread(values: list[float], digits: int = 2) -> str:
    """Mean, and standard deviation if there are several."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{np.mean(values):.{digits}f} ± {np.std(values, ddof=1):.{digits}f}"


def week(values: np.ndarray, forecasts: dict[str, np.ndarray]) -> Panel:
    """The end of a series, and forecasts of it."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        rows = np.arange(max(len(values) - WEEK, 0), len(values))
        axes.plot(rows, values[rows], color=INK, linewidth=1.5, label="series")
        for place, (name, predicted) in enumerate(forecasts.items()):
            axes.plot(rows, predicted[rows], color=COLOURS[place % len(COLOURS)], linewidth=0.8, label=name)
        axes.set(xlabel="row", ylabel="value")
        axes.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))

    return draw


def over_time(values: np.ndarray, forecasts: dict[str, np.ndarray]) -> Panel:
    """The relative error of each week."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        weeks = len(values) // WEEK
        ends = WEEK * (1 + np.arange(weeks))
        scale = np.abs(values[: weeks * WEEK]).reshape(weeks, WEEK).sum(axis=1)
        for place, (name, predicted) in enumerate(forecasts.items()):
            wrong = np.abs(values - predicted)[: weeks * WEEK].reshape(weeks, WEEK).sum(axis=1)
            axes.plot(ends, 100 * wrong / scale, color=COLOURS[place % len(COLOURS)], linewidth=1, label=name)
        axes.set(xlabel="row", ylabel="relative error (%)")
        axes.set_ylim(bottom=0)
        axes.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))

    return draw
