"""The page of Brunel's network: its states beside the paper's and those of theory."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.figures import COLOURS, INK, Panel
from jaxneuro.launch.report import Section
from jaxneuro.measure.interval import mean_interval

# Half way between a clock, 0, and a Poisson process, 1.
IRREGULAR = 0.5
# Half way between synchrony that does not shrink with the size, 0, and that of independent neurons, -1/2.
SYNCHRONOUS = -0.25


class Published(NamedTuple):
    """What the paper's simulation shows.

    Attributes:
        state: what it is called there.
        rate_hz: of the neurons (Hz).
        peak_hz: of the oscillation (Hz).
    """

    state: str
    rate_hz: float | None = None
    peak_hz: float | None = None


# Brunel 2000, figure 8 and its table, by g and eta. The table has the three states where inhibition prevails.
PUBLISHED = {
    (3.0, 2.0): Published("synchronous regular"),
    (6.0, 4.0): Published("synchronous irregular, fast", 60.7, 180.0),
    (5.0, 2.0): Published("asynchronous irregular", 37.7),
    (4.5, 0.9): Published("synchronous irregular, slow", 5.5, 22.0),
}
UNPUBLISHED = Published("")


def sections(results: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> list[Section]:
    """The page.

    Args:
        results: of the experiment `brunel`.
        arrays: of each state `spikes`, `[steps, neurons]`, and `rate`, `[steps]` (Hz).
    """
    rows = results["states"]
    largest, seeds = rows[0]["sizes"][-1]["size"], len(rows[0]["sizes"][-1]["rate_hz"])
    alike = sum(verdict(row) == published(row).state.split(",")[0] for row in rows)
    sizes = [found["size"] for found in rows[0]["sizes"]]
    parts = [
        Section(
            "Answer",
            f"{alike} of {len(rows)} states are called what they are called in the paper."
            if len(sizes) > 1
            else "Whether a state is synchronous shows in networks of several sizes alone; there is one size here.",
        ),
        Section(
            "States",
            f"{largest:,} neurons, mean and 95 % interval over {seeds} drawings of the synapses; peaks of the spectrum "
            "of the population's rate from the lowest to the highest, and how far they are above what independent "
            "neurons have. Beside them theory (mean field) and the paper's simulation.",
            columns=heads(),
            rows=[cells(row) for row in rows],
        ),
        Section(
            "Synchrony and size",
            "The index is 1 if all neurons do the same. As the network grows, it shrinks as size^-0.5 if there is no "
            "synchrony, and as size^0 if there is.",
            columns=["state", *(f"index, {size:,} neurons" for size in sizes), "exponent", "found", "in the paper"],
            rows=[
                [row["state"], *map(index, row["sizes"]), exponent(row), verdict(row), published(row).state]
                for row in rows
            ],
        ),
        Section(
            "Distributions",
            f"Over the neurons of a network of {largest:,}, means of {seeds} networks: rates, and variation of "
            "intervals of those neurons of a sample that have enough, at "
            f"{', '.join(map(str, results['quantiles']))} %.",
            columns=["state", "rates (Hz)", "silent (%)", "variation of intervals"],
            rows=[distributions(row) for row in rows],
        ),
        Section(
            "Four states",
            "Spikes of some neurons, and the rate of the whole network in each step.",
            figure=figures.svg(
                *(
                    activity(row, arrays[f"{row['state']}/spikes"], arrays[f"{row['state']}/rate"], results["dt_ms"])
                    for row in rows
                ),
                columns=2,
                height=3.0,
            ),
        ),
    ]
    if results["curves"]:
        told = "Lines: mean-field theory. Dots: one network each."
        parts.append(Section("Rate and drive", told, figure=figures.svg(against_drive(results["curves"]))))
    return parts


def published(row: Mapping[str, Any]) -> Published:
    """What the paper has of a state."""
    return PUBLISHED.get((row["g"], row["eta"]), UNPUBLISHED)


def verdict(row: Mapping[str, Any]) -> str:
    """What to call a state: synchronous or not, if there are several sizes, and regular or not."""
    variation = known(row["sizes"][-1]["variation"])
    regular = "" if not variation else "irregular" if np.mean(variation) > IRREGULAR else "regular"
    if row["growth"] is None:
        return regular
    return f"{'synchronous' if np.mean(row['growth']) > SYNCHRONOUS else 'asynchronous'} {regular}".strip()


def heads() -> list[str]:
    """The columns of the table of states."""
    return [
        "state",
        "g, eta",
        "rate (Hz)",
        "theory",
        "paper",
        "variation of intervals",
        "theory",
        "peak (Hz)",
        "paper",
        "above independent",
    ]


def cells(row: Mapping[str, Any]) -> list[str]:
    """A row of the table of states."""
    found, paper = row["sizes"][-1], published(row)
    above = known(found["peak_over_independent"])
    return [
        row["state"],
        f"{row['g']:g}, {row['eta']:g}",
        interval(found["rate_hz"], 1),
        f"{row['theory']['rate_hz']:.1f}",
        "" if paper.rate_hz is None else f"{paper.rate_hz:.1f}",
        interval(found["variation"]),
        f"{row['theory']['variation']:.2f}",
        spread(found["peak_hz"]),
        "" if paper.peak_hz is None else f"{paper.peak_hz:.0f}",
        f"{np.mean(above):,.0f} times" if above else "",
    ]


def index(found: Mapping[str, Any]) -> str:
    """Of the networks of one size."""
    return interval(found["synchrony"], 3)


def exponent(row: Mapping[str, Any]) -> str:
    """How synchrony goes with the size."""
    return "" if row["growth"] is None else interval(row["growth"])


def distributions(row: Mapping[str, Any]) -> list[str]:
    """A row of the table of distributions."""
    found = row["sizes"][-1]

    def told(quantiles: list[Any], digits: int) -> str:
        there = known(quantiles)
        return ", ".join(f"{value:.{digits}f}" for value in np.mean(there, axis=0)) if there else ""

    silent = f"{100 * np.mean(found['silent']):.1f}"
    return [row["state"], told(found["rates_hz"], 1), silent, told(found["variations"], 2)]


def known(values: Sequence[Any]) -> list[Any]:
    """Those that there are."""
    return [value for value in values if value is not None]


def interval(values: Sequence[float | None], digits: int = 2) -> str:
    """Mean and 95 % interval, of those that there are."""
    there = known(values)
    if len(there) < 2:
        return ""
    mean, low, high = mean_interval(there)
    return f"{mean:z.{digits}f} ({low:z.{digits}f} to {high:z.{digits}f})"


def spread(values: Sequence[float]) -> str:
    """From the lowest to the highest."""
    low, high = min(values), max(values)
    return f"{low:.0f}" if round(low) == round(high) else f"{low:.0f} to {high:.0f}"


def activity(row: Mapping[str, Any], spikes: np.ndarray, rate: np.ndarray, dt_ms: float) -> Panel:
    """A tick for every spike above the rate of the population.

    Args:
        row: of the state.
        spikes: `[steps, neurons]`.
        rate: `[steps]` (Hz).
        dt_ms: length of a step (ms).
    """

    def draw(figure: Any) -> None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
        steps, neurons = np.nonzero(spikes)
        # One line with gaps: a tenth of the size of as many marks.
        gap = np.full(len(steps), np.nan)
        times = np.stack([(steps + 1) * dt_ms, (steps + 1) * dt_ms, gap], axis=1).ravel()
        above.plot(times, np.stack([neurons - 0.4, neurons + 0.4, gap], axis=1).ravel(), color=INK, linewidth=0.7)
        above.set(title=f"{row['state']}: g {row['g']:g}, eta {row['eta']:g}", ylabel="neuron")
        above.set_ylim(-1, spikes.shape[1])
        below.plot((1 + np.arange(len(rate))) * dt_ms, rate, color=COLOURS[0], linewidth=0.6)
        below.set(xlabel="time (ms)", ylabel="rate (Hz)", xlim=(0, len(rate) * dt_ms))
        below.set_ylim(bottom=0)

    return draw


def against_drive(curves: Sequence[Mapping[str, Any]]) -> Panel:
    """A line of theory and the dots of networks for every strength of inhibition.

    Args:
        curves: of the results.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for place, curve in enumerate(curves):
            colour = COLOURS[place % len(COLOURS)]
            axes.plot(curve["fine_eta"], curve["theory_hz"], color=colour, label=f"g {curve['g']:g}")
            axes.plot(curve["eta"], curve["rate_hz"], "o", color=colour, markersize=4)
        axes.set(xlabel="drive, in units of what brings the mean to threshold", ylabel="rate (Hz)")
        axes.set_ylim(bottom=0)
        axes.legend(title="inhibition")

    return draw
