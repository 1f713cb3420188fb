"""The page of the experiments with electrodes: what each kind of cell does, and how often its model is found blind."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.figures import COLOURS, INK, Panel
from jaxneuro.launch.report import Section
from jaxneuro.measure.electrodes import MODELS, QUESTIONS, Bench


def sections(results: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> list[Section]:
    """The page.

    Args:
        results: of the experiment `independent_thresholds`.
        arrays: waveforms of one cell of each kind, `[trials, samples]`.
    """
    level = tested(results)
    cells, trials = sum(each["examined"] for each in level["cells"]), results["trials"]
    shown = {f"model {model}": arrays[f"{level['noise']:g}/{model}/waveforms"] for model in ("I", "III")}
    shown |= {each["cell"]: arrays[f"other/{each['cell']}/waveforms"] for each in results["others"]}
    return [
        Section(
            "Answer",
            f"From {trials} noisy trials each, {100 * level['recovered']:.2f} % of {cells:,} random cells are taken "
            "for the model that they follow.",
        ),
        Section(
            "Verdicts",
            "How often the answer is yes. The models answer no, yes, yes, yes, yes (I), no, yes, no, yes, yes (II) and "
            "yes, no, no, no, no (III).",
            columns=["experiment", *names(results)],
            rows=verdicts(results),
        ),
        Section(
            "Models found blind",
            "Against noise in stimuli, currents and recordings, in units of that of the test; rows are what cells are.",
            columns=["noise", "cells of", *(f"taken for {model}" for model in MODELS), "right"],
            rows=recovery(results),
        ),
        Section(
            "Waveforms",
            "Of one cell each, stimulated by two electrodes in turn, aligned where they cross the threshold.",
            figure=figures.svg(*(waveforms(name, found) for name, found in shown.items()), columns=3, height=2.2),
        ),
    ]


def tested(results: dict[str, Any]) -> dict[str, Any]:
    """The level of noise that is nearest to that of the test."""
    return min(results["levels"], key=lambda level: abs(np.log(level["noise"])))


def names(results: dict[str, Any]) -> list[str]:
    """The kinds of cells."""
    return [f"model {each['cell']}" for each in tested(results)["cells"]] + [each["cell"] for each in results["others"]]


def verdicts(results: dict[str, Any]) -> list[list[str]]:
    """A row per question."""
    cells = [*tested(results)["cells"], *results["others"]]
    rows = [
        [question, *(f"{100 * each['yes'][place]:.0f} %" for each in cells)] for place, question in enumerate(QUESTIONS)
    ]

    def taken(counts: Sequence[int]) -> str:
        return MODELS[int(np.argmax(counts))] + f" ({100 * max(counts) / sum(counts):.1f} %)"

    return [*rows, ["taken for model", *(taken(each["taken for"]) for each in cells)]]


def recovery(results: dict[str, Any]) -> list[list[str]]:
    """A row per level of noise and model."""
    return [
        [
            f"{level['noise']:g}",
            each["cell"],
            *map(str, each["taken for"]),
            f"{100 * each['taken for'][place] / each['examined']:.1f} %",
        ]
        for level in results["levels"]
        for place, each in enumerate(level["cells"])
    ]


def waveforms(name: str, found: np.ndarray) -> Panel:
    """Each trial a line, in the colour of its electrode.

    Args:
        name: of the cell.
        found: `[trials, samples]` (mV), electrodes in turn.
    """
    bench = Bench()

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        time_ms = bench.dt_ms * np.arange(found.shape[1]) - bench.before_ms
        for number, voltage in enumerate(found):
            axes.plot(time_ms, voltage, color=COLOURS[number % 2], linewidth=0.7)
        axes.set(title=name, xlabel="time from crossing (ms)", ylabel="voltage (mV)")
        axes.axhline(float(bench.crossing_mv), color=INK, linestyle=":", linewidth=0.7)

    return draw
