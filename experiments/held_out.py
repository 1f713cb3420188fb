"""Are cells that a search found better than known ones on tasks that it never saw?

Cells and controls are trained on every task at equal size and equal tuning, with the same seeds and batches; the
learning rate of each is chosen on validation data, its score is that on test data. For each cell and control the losses
are compared seed by seed, and the p-values of all comparisons are corrected together (Holm).
"""

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from jaxneuro.launch import comparison, comparison_page
from jaxneuro.launch.config import ExperimentConfig, Fraction
from jaxneuro.launch.directory import Run
from jaxneuro.launch.network import Architecture
from jaxneuro.launch.report import Section
from jaxneuro.launch.trial import TrialConfig, contest
from jaxneuro.measure.interval import holm, paired_p_value


class Config(ExperimentConfig):
    """See configs/search/held_out.yaml."""

    trained: tuple[str, ...] = ("weights", "bias", "input_weights", "recurrent_weights")
    found: Annotated[tuple[Architecture, ...], Field(min_length=1, description="cells of the search")]
    controls: Annotated[tuple[Architecture, ...], Field(min_length=1, description="what they have to beat")]
    trials: Annotated[tuple[TrialConfig, ...], Field(min_length=1)]
    level: Fraction = Field(default=0.01, description="of significance, after correction")


def main(config: Config, run: Run) -> dict[str, Any]:
    """Train all cells on all tasks, and compare them seed by seed."""
    networks = [*config.found, *config.controls]
    scores, curves, data = contest(
        run, networks, config.trials, seed=config.seed, devices=config.devices, trained=config.trained
    )
    run.save_arrays(curves)
    pairs = [(ours.name, theirs.name) for ours in config.found for theirs in config.controls]
    differences = comparison.differences(scores, pairs)
    of = {(row["trial"], row["network"]): row for row in scores}
    values = []
    for row in differences:
        ours, theirs = of[row["trial"], row["ours"]], of[row["trial"], row["theirs"]]
        row["percent"] = 100 * (ours["mean"] / theirs["mean"] - 1)
        values.append(paired_p_value(ours["score"], theirs["score"]))
    for row, value, corrected in zip(differences, values, holm(values), strict=True):
        row["p"], row["p_holm"] = value, corrected
    summary = [summed(differences, ours, theirs, config.level) for ours, theirs in pairs]
    return {"data": data, "scores": scores, "differences": differences, "summary": summary}


def summed(differences: list[dict[str, Any]], ours: str, theirs: str, level: float) -> dict[str, Any]:
    """One cell against one control over all tasks."""
    rows = [row for row in differences if (row["ours"], row["theirs"]) == (ours, theirs)]
    clear = [row for row in rows if row["p_holm"] < level]
    return {
        "ours": ours,
        "theirs": theirs,
        "tasks": len(rows),
        "better": [row["trial"] for row in clear if row["mean"] < 0],
        "worse": [row["trial"] for row in clear if row["mean"] > 0],
        "mean_percent": float(np.mean([row["percent"] for row in rows])),
        "median_percent": float(np.median([row["percent"] for row in rows])),
    }


def sentence(row: dict[str, Any], level: float) -> str:
    """A line of the summary in words."""
    told = [f"{len(row[how])} of {row['tasks']} tasks {how}" for how in ("better", "worse")]
    which = ", ".join(row["better"]) or "none"
    return (
        f"{row['ours']} against {row['theirs']}: {' and '.join(told)} at p < {level:g} (better: {which}); loss "
        f"{row['mean_percent']:+.1f} % in the mean over the tasks, {row['median_percent']:+.1f} % in the median."
    )


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    table = [
        [
            row["trial"],
            row["ours"],
            row["theirs"],
            f"{row['percent']:+.1f} %",
            f"{row['mean']:+.3g} ({row['low']:+.3g} to {row['high']:+.3g}) {row['unit']}",
            f"{row['p_holm']:.2g}",
        ]
        for row in results["differences"]
    ]
    seeds = config.trials[0].budget.seeds
    tests = Section(
        "Tests",
        f"Loss of the cell less that of the control, {seeds} seeds, two-sided paired t-tests; p after Holm's "
        f"correction over all {len(table)} comparisons.",
        columns=["task", "cell", "control", "loss", "difference (95 % interval)", "p"],
        rows=table,
    )
    note = "All have as many parameters as each other, and were tried at the same learning rates and seeds."
    answer = " ".join(sentence(row, config.level) for row in results["summary"])
    first, *rest = comparison_page.sections(answer, results, arrays, seeds, note)
    return [first, tests, *rest]
