"""The page and the figure of what a brain of one kind of neuron would compute."""

from collections.abc import Sequence
from typing import Any

from jaxneuro.launch import figures
from jaxneuro.launch.figures import COLOURS, FAINT, INK, Panel
from jaxneuro.launch.report import Section

Stated = tuple[str, float, float, str]


def sections(results: dict[str, Any], stated: Sequence[Stated], assumed: str, brain_watts: float) -> list[Section]:
    """The page: the answer, the figure, what each kind does, what it would draw, and who else said what.

    Args:
        results: of the experiment `brain_compute`.
        stated: estimates of others: name, lowest and highest operations per second, source; the essay's first.
        assumed: numbers of neurons, synapses and spikes, in words.
        brain_watts: what a brain draws.
    """
    rows = [(model, way) for model in results["models"] for way in model["ways"]]
    essay = stated[0][1]
    within = [named(model, way) for model, way in rows if way["operations_per_second"] <= essay]
    ten = [named(model, way) for model, way in rows if essay < way["operations_per_second"] <= 10 * essay]
    answer = (
        f"{essay:.3g} operations per second are {results['essay_per_neuron_and_second']:.3g} for each neuron and "
        f"{results['essay_per_synapse_and_second']:.3g} for each synapse: not one for each neuron. "
        f"{'No kind' if not within else ', '.join(within)} stays within them; within ten times as many: "
        f"{', '.join(ten) or 'none besides'}. From the simplest to the richest kind it is a factor of "
        f"{results['dearest'] / results['cheapest']:.2g}."
    )
    counted = [
        [
            named(model, way),
            f"{model['step_ms']:g} ms",
            f"{model['own_operations_per_step']:,.0f}",
            f"{model['operations_per_synapse']:.1f}",
            f"{way['operations_per_second']:.2g}",
            f"{way['of_the_essay']:.2g}",
        ]
        for model, way in rows
    ]
    tables = list(rows[0][1]["watts"])
    power = [[named(model, way), *(f"{way['watts'][table]:.2g}" for table in tables)] for model, way in rows]
    others = [[name, spread(low, high), source] for name, low, high, source in stated]
    heads = ["neurons and counting", "step", "operations of the neuron", "of a synapse", "operations per second"]
    note = (
        "Estimates from published energies of single operations, not measurements; memory: all parameters read and the "
        f"state read and written in each step, from a small cache, which no brain of this size fits in. A brain draws "
        f"{brain_watts:g} W."
    )
    return [
        Section(
            "What would a brain compute?", f"{answer} {assumed}", figure=figures.svg(bars(rows, stated), height=4.6)
        ),
        Section(
            "Counted",
            "In the programs of this project's neurons, per step; LSTM, ELM and HTM cell look at all synapses.",
            [*heads, "times the essay's"],
            counted,
        ),
        Section("Power (W)", note, ["neurons and counting", *tables], power),
        Section("What others say", "", ["who", "operations per second", "source"], others),
    ]


def named(model: dict[str, Any], way: dict[str, Any]) -> str:
    """A kind of neuron and how its synapses are counted."""
    return f"{model['kind']}, {way['way']}"


def spread(low: float, high: float) -> str:
    """A number or a range."""
    return f"{low:.3g}" if low == high else f"{low:.1g} to {high:.1g}"


def bars(rows: Sequence[tuple[dict[str, Any], dict[str, Any]]], stated: Sequence[Stated]) -> Panel:
    """A mark for each kind of neuron, a line for each estimate.

    Args:
        rows: kinds and ways of counting.
        stated: estimates of others.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        names = [named(model, way) for model, way in rows] + [name for name, *_ in stated]
        for place, (_, way) in enumerate(rows):
            filled = way["way"] == "all synapses"
            axes.plot(
                way["operations_per_second"],
                place,
                "o",
                color=COLOURS[0],
                markerfacecolor=COLOURS[0] if filled else "white",
            )
        for place, (_, low, high, _) in enumerate(stated, start=len(rows)):
            axes.plot([low, high], [place, place], "|-", color=INK, linewidth=2, markersize=9)
        axes.axvline(stated[0][1], color=FAINT, linestyle="--", linewidth=1)
        axes.axhline(len(rows) - 0.5, color=FAINT, linewidth=0.5)
        axes.set(xscale="log", xlabel="operations per second", yticks=range(len(names)), yticklabels=names)
        axes.invert_yaxis()

    return draw
