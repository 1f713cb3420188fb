"""The page of the speed of populations: every way and every peer beside ours, and whether all compute the same."""

from collections.abc import Mapping
from typing import Any

from jaxneuro.launch.report import Section

TITLES = {
    "network": "CUBA, {neurons:,} neurons, {steps:,} steps",
    "population": "{population:,} LIF neurons, {population_steps:,} steps",
    "membranes": "{membranes:,} Hodgkin-Huxley membranes, {membrane_steps:,} steps",
    "thresholds": "{cells:,} neurons of {sites} inputs each, {cell_steps:,} steps",
}
ANSWERS = {"network": "mean rate (Hz)", "population": "spikes per neuron", "membranes": "mean voltage (mV)"}


def rows(found: Mapping[str, Any]) -> list[list[str]]:
    """The rows of one work: the first way, and all others beside it.

    Args:
        found: what `jaxneuro.measure.timing.compare` gives.

    Returns:
        Of each way its name, its milliseconds, how many times the first it takes, and the range of that.
    """
    ours, *others = found["milliseconds"]
    made = [[ours, f"{found['milliseconds'][ours]:,.0f}", "1", ""]]
    for other in others:
        ratio = found["peer_over_ours"][other]
        spread = f"{ratio['min']:.2f} to {ratio['max']:.2f}"
        made.append([other, f"{found['milliseconds'][other]:,.0f}", f"{ratio['median']:.2f}", spread])
    return made


def answers(results: Mapping[str, Any]) -> list[list[str]]:
    """What each program found, as rows of work, number, program and value."""
    return [
        [work, quantity, name, f"{value:.3f}"]
        for work, quantity in ANSWERS.items()
        for name, value in results[work]["answers"].items()
    ]


def sections(results: Mapping[str, Any], config: Mapping[str, Any]) -> list[Section]:
    """The page.

    Args:
        results: of the experiment `population_speed`.
        config: of the run, resolved.
    """
    made = []
    for work, title in TITLES.items():
        found = results[work]
        ours = next(iter(found["milliseconds"]))
        text = (
            f"Median of {config['rounds']} interleaved rounds; what needs less time than '{ours}' has a ratio below 1."
        )
        if "first_call_milliseconds" in found:
            text += (
                f" The first call of '{ours}', with its compilation, took {found['first_call_milliseconds']:,.0f} ms."
            )
        columns = ["way", "ms", f"times '{ours}'", "rounds"]
        made.append(Section(title=title.format_map(config), text=text, columns=columns, rows=rows(found)))
    text = (
        "Each program draws its own connections and voltages, and has an integrator of its own for membranes, whose "
        "errors at this step size differ: the numbers are alike, not equal."
    )
    columns = ["work", "number", "program", "value"]
    return [*made, Section("Do they compute the same?", text, columns=columns, rows=answers(results))]
