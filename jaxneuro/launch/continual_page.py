"""The page of networks that learn task after task: what is left of all tasks, and how it came to be."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.comparison_page import sentence
from jaxneuro.launch.figures import COLOURS, Panel
from jaxneuro.launch.report import Section
from jaxneuro.measure.interval import mean_interval

# Iyer et al. 2022 on permuted MNIST (60,000 images of 784 pixels, 2 x 2048 neurons): accuracy by number of tasks.
PUBLISHED: Mapping[str, Mapping[int, float]] = {
    "active dendrites": {10: 0.946, 25: 0.921, 50: 0.870, 100: 0.814},
    "active dendrites and intelligence": {10: 0.972, 25: 0.965, 50: 0.944, 100: 0.916},
    "three layers of a perceptron": {10: 0.820, 100: 0.483},
}


def sections(results: dict[str, Any]) -> list[Section]:
    """The page.

    Args:
        results: of the experiment `permuted_digits`.
    """
    rows, tasks = results["learners"], results["tasks"]
    best = max(rows, key=lambda row: np.mean(row["accuracy"]))
    answer = (
        f"After {tasks} tasks without replay, {best['learner']} names {100 * np.mean(best['accuracy']):.1f} % of the "
        f"images of all tasks rightly. " + " ".join(map(sentence, results["differences"]))
    )
    published = "; ".join(
        f"{name} {', '.join(f'{value:.3f} ({count} tasks)' for count, value in values.items())}"
        for name, values in PUBLISHED.items()
    )
    curves = {row["learner"]: 100 * np.asarray(row["curve"]) for row in rows}
    return [
        Section("Answer", answer),
        Section(
            "Accuracy over all tasks at the end",
            f"{results['data']}; {results['samples']['test']} test images, each shown in all {tasks} orders; mean and "
            f"95 % interval over {len(rows[0]['accuracy'])} seeds. With the context known, and with that of the "
            f"nearest prototype. The paper's figures on permuted MNIST, a larger set: {published}.",
            columns=heads(),
            rows=[cells(row) for row in rows],
        ),
        Section(
            "Accuracy against the number of tasks learned",
            "Mean over the tasks learned so far, context known; the line is the mean of all seeds, the band their "
            "range.",
            figure=figures.svg(by_tasks(curves)),
        ),
        Section(
            "Settings tried",
            "Validation accuracy (%) of each setting, the mean of its seeds; that of the chosen one is the largest.",
            columns=["network", "learning rate", "strength", "validation (%)", "chosen"],
            rows=[
                [
                    row["learner"],
                    f"{tried['learning_rate']:g}",
                    f"{tried['strength']:g}",
                    f"{100 * tried['validation']:.1f}",
                    "yes" if place == row["chosen"] else "",
                ]
                for row in rows
                for place, tried in enumerate(row["tried"])
            ],
        ),
    ]


def heads() -> list[str]:
    """The heads of the table of accuracies."""
    columns = ["network", "all tasks (%; 95 %)", "context inferred (%; 95 %)", "first task (%)", "last task (%)"]
    return [*columns, "parameters", "learning rate", "strength"]


def cells(row: Mapping[str, Any]) -> list[str]:
    """A row of that table."""

    def told(values: Sequence[float]) -> str:
        if len(values) < 2:
            return f"{100 * values[0]:.1f}"
        mean, low, high = (100 * value for value in mean_interval(values))
        return f"{mean:.1f} ({low:.1f} to {high:.1f})"

    each = 100 * np.asarray(row["tasks"]).mean(axis=0)
    inferred = told(row["inferred"]) if row["inferred"] else ""
    settings = [f"{row['learning_rate']:g}", f"{row['strength']:g}" if row["strength"] else ""]
    learned = [f"{each[0]:.1f}", f"{each[-1]:.1f}"]
    return [row["learner"], told(row["accuracy"]), inferred, *learned, f"{row['parameters']:,}", *settings]


def by_tasks(curves: Mapping[str, np.ndarray]) -> Panel:
    """A line per network: how right it is over the tasks so far.

    Args:
        curves: for each network `[seeds, tasks]` (%).
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for place, (name, values) in enumerate(curves.items()):
            learned = np.arange(1, values.shape[1] + 1)
            colour = COLOURS[place % len(COLOURS)]
            axes.plot(learned, values.mean(axis=0), color=colour, marker="o", markersize=3, label=name)
            axes.fill_between(learned, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
        axes.set(xlabel="tasks learned", ylabel="accuracy over them (%)", ylim=(None, 100.5))
        axes.legend(loc="lower left", fontsize=7)

    return draw
