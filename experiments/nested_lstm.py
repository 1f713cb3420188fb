"""Does memory inside memory help? Nested LSTM against stacked and single LSTM at equal size and equal tuning.

All networks have the same number of trained parameters, are tried at the same learning rates, with the same seeds and
on the same batches; the rate of each is chosen on validation data, its score is that on test data. The claim to test:
a Nested LSTM beats both others at similar size (Moniz and Krueger 2017, arXiv:1801.10308).
"""

from typing import Any

import numpy as np
from pydantic import Field

from jaxneuro.launch import comparison, comparison_page
from jaxneuro.launch.config import ExperimentConfig
from jaxneuro.launch.directory import Run
from jaxneuro.launch.network import Architecture
from jaxneuro.launch.report import Section
from jaxneuro.launch.trial import TrialConfig, contest


class Config(ExperimentConfig):
    """See configs/nested_lstm/full.yaml."""

    trained: tuple[str, ...] = ("weights", "bias", "input_weights", "recurrent_weights")
    networks: tuple[Architecture, ...] = Field(min_length=2)
    trials: tuple[TrialConfig, ...] = Field(min_length=1)


def main(config: Config, run: Run) -> dict[str, Any]:
    """Train all networks on all tasks, and compare them seed by seed."""
    scores, curves, data = contest(
        run, config.networks, config.trials, seed=config.seed, devices=config.devices, trained=config.trained
    )
    run.save_arrays(curves)
    ours, *others = (network.name for network in config.networks)
    differences = comparison.differences(scores, [(ours, other) for other in others])
    return {"data": data, "scores": scores, "differences": differences, "answer": answer(differences)}


def answer(differences: list[dict[str, Any]]) -> str:
    """The finding in words, whichever way it falls."""
    ours, trials = differences[0]["ours"], list(dict.fromkeys(row["trial"] for row in differences))
    better = [t for t in trials if all(comparison_page.is_better(row) for row in differences if row["trial"] == t)]
    worse = [row for row in differences if row["differs"] and not comparison_page.is_better(row)]
    if len(better) == len(trials):
        verdict = f"Yes: {ours} is better than all others on every task."
    elif better:
        verdict = f"In part: {ours} is better than all others on {', '.join(better)}, not on the other tasks."
    else:
        verdict = f"No: on no task is {ours} better than all others."
    beaten = sorted({f"{row['theirs']} on {row['trial']}" for row in worse})
    lost = f" It is worse than {', '.join(beaten)}." if beaten else ""
    return verdict + lost


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    note = (
        "The learning rate of each network is the best on validation data of "
        + ", ".join(
            f"{trial.name}: {', '.join(f'{r:g}' for r in trial.budget.learning_rates)}" for trial in config.trials
        )
        + ". Lower is better. Operations are those of one step of time, forward; seconds are those of all its lanes."
    )
    return comparison_page.sections(results["answer"], results, arrays, config.trials[0].budget.seeds, note)
