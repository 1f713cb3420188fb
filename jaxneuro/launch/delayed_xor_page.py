"""The page of the delayed exclusive or: who remembers, by how much, and how it was learnt."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.comparison_page import sentence
from jaxneuro.launch.report import Section
from jaxneuro.measure.interval import mean_interval


def sections(results: Mapping[str, Any], arrays: Mapping[str, np.ndarray], evaluation: int) -> list[Section]:
    """The page.

    Args:
        results: of the experiment `delayed_xor`.
        arrays: for each network `name/step`, `[points]`, and `name/accuracy`, `[points, seeds]`.
        evaluation: number of new sequences.
    """
    rows = results["networks"]
    curves = {row["network"]: 100 * arrays[f"{row['network']}/accuracy"].T for row in rows}
    steps = arrays[f"{rows[0]['network']}/step"]
    return [
        Section("Answer", " ".join(map(sentence, results["differences"]))),
        Section(
            "Accuracy on new sequences",
            f"{evaluation:,} sequences of {results['steps_of_time']:,} steps; mean and 95 % interval over "
            f"{len(rows[0]['accuracy'])} seeds. Guesses are right in 50 %, with a loss of {results['baseline']:.3f} "
            f"nats; Bayes' rule in {100 * results['best_accuracy']:.2f} %, with {results['optimum']:.4f} nats.",
            columns=[
                "network",
                "neurons",
                "parameters",
                "accuracy (%; 95 %)",
                "at the end (%)",
                "loss (nats)",
                "bar (%)",
                "kept",
                "s",
            ],
            rows=[cells(row) for row in rows],
        ),
        Section(
            "Learning curves",
            "Accuracy on new sequences; the line is the mean of all seeds, the band their range.",
            figure=figures.svg(
                figures.learning_curves(curves, steps, "accuracy (%)", {"Bayes": 100 * results["best_accuracy"]})
            ),
        ),
    ]


def cells(row: Mapping[str, Any]) -> list[str]:
    """A row of the table.

    Args:
        row: of a network.
    """
    mean, low, high = (100 * value for value in mean_interval(row["accuracy"]))
    bars = [
        f"{sign} {100 * row[name]:g}" for name, sign in (("at_least", "≥"), ("at_most", "≤")) if row[name] is not None
    ]
    return [
        row["network"],
        f"{row['units']:,}",
        f"{row['parameters']:,}",
        f"{mean:.1f} ({low:.1f} to {high:.1f})",
        f"{100 * np.mean(row['last']):.1f}",
        f"{np.mean(row['loss']):.3f}",
        ", ".join(bars),
        {None: "", True: "yes", False: "no"}[row["kept"]],
        f"{row['seconds']:.0f}",
    ]
