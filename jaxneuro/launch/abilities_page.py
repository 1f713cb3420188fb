"""The page of the battery of abilities: how skill goes with the complexity of a neuron."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.figures import COLOURS, FAINT, INK, Panel
from jaxneuro.launch.probes import CURVES, Curve
from jaxneuro.launch.report import Section

LEVEL = 0.05
ATTACKS = ("clean", "noise", "fgsm", "pgd", "worst")


def sections(
    results: dict[str, Any], shapes: Mapping[str, str], hypothesis: str, perception: str, reference: str
) -> list[Section]:
    """The page: the answer, the figure, slopes, skills, comparisons, probes, who could not take part.

    Args:
        results: of the experiment `abilities`.
        shapes: the family of each neuron.
        hypothesis: as it stood in the config.
        perception: the name of the ability that is the control.
        reference: the neuron that all are compared with.
    """
    abilities = results["abilities"]
    slopes = [
        [
            row["ability"],
            ", ".join(row["tasks"]),
            interval(row["slope"]),
            verdict(row["slope"], row["ability"] == perception),
        ]
        for row in abilities
    ]
    text = (
        f"{answer(abilities, perception)} The hypothesis, written down before: {hypothesis} All networks have about "
        f"{results['size']:,} {results['equal']}. Skill: 0 is a rule without memory, 1 the best rule, or no loss where "
        "that is not known. Complexity: operations of a neuron and step that are no products with weights."
    )
    figure = figures.svg(*panels(abilities, shapes), columns=3, width=10.0, height=2.9)
    names = list(dict.fromkeys(row["neuron"] for row in results["rows"]))
    columns = list(dict.fromkeys(row["task"] for row in results["rows"]))
    of = {(row["neuron"], row["task"]): row for row in results["rows"]}
    skills = [
        [name, complexity_of(results, name), *(skill(of.get((name, task))) for task in columns)] for name in names
    ]
    compared = [
        [row["neuron"], row["task"], f"{row['mean']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f})", f"{row['p']:.2g}"]
        for row in results["against"]
        if row["p"] < LEVEL
    ]
    attacks = [
        [row["neuron"], *(f"{np.mean(row['besides'][kind]):.1f}" for kind in ATTACKS)]
        for row in probed(results, "worst")
    ]
    found = [
        Section("What does inner complexity buy?", text, figure=figure),
        Section("Slopes", "Of skill, per tenfold complexity.", ["ability", "tasks", "slope (95 %)", "verdict"], slopes),
        Section("Skills", "Means over seeds.", ["neuron", "complexity", *columns], skills),
        Section(
            f"Against {reference}",
            f"Differences of skill, seed by seed, with p < {LEVEL:g} after Holm's correction over all "
            f"{len(results['against'])} comparisons.",
            ["neuron", "task", "difference (95 %)", "p"],
            compared,
        ),
    ]
    if attacks:
        found += [
            Section(
                "Right answers under attack (%)",
                "If PGD leaves more right than FGSM does, or as much as noise of the same size, gradients are masked. "
                "Neurons that spike are attacked with three pretended slopes of their spikes besides; worst: what is "
                "left by all attacks together.",
                ["neuron", "clean", "noise", "FGSM", "PGD", "worst"],
                attacks,
            ),
            Section(
                "Right answers under noise and cover (%)",
                "Means over seeds. Covered: a stretch of an input's steps is 0.",
                figure=figures.svg(*(_disturbed(results, curve) for curve in CURVES), columns=2, width=9.0, height=4.0),
            ),
        ]
    heeded = [
        [
            row["neuron"],
            *(f"{np.mean(row['besides'][kind]):.2f}" for kind in ("relevant", "irrelevant")),
            f"{np.mean(row['besides']['relevant']) / abs(np.mean(row['besides']['irrelevant'])):.1f}",
        ]
        for row in probed(results, "relevant")
    ]
    if heeded:
        found.append(
            Section(
                "What is heeded when context decides",
                "Slopes of the logarithm of the odds of a choice, per standard deviation of the evidence of the stream "
                "that counts and of the other, and the ratio of their sizes.",
                ["neuron", "relevant", "irrelevant", "ratio"],
                heeded,
            )
        )
    if results["contrasts"]:
        found.append(
            Section(
                "Contrasts of the literature",
                "Differences of skill, seed by seed, where a paper says which neuron does better.",
                ["task", "better", "worse", "skills", "difference (95 %)", "p", "source"],
                [
                    [
                        *(row[field] for field in ("task", "better", "worse")),
                        "{:.2f}, {:.2f}".format(*row["skills"]),
                        f"{interval(row)}",
                        f"{row['p']:.2g}",
                        row["source"],
                    ]
                    for row in results["contrasts"]
                ],
            )
        )
    unfit = [[row["name"], row["task"], row["reason"]] for row in results["left_out"]]
    if unfit:
        found.append(Section("Not taking part", "", ["neuron", "task", "reason"], unfit))
    return found


def probed(results: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The rows of trained networks whose probe told this."""
    return [row for row in results["rows"] if row["besides"] and key in row["besides"] and row["ability"] != "robust"]


def interval(slope: Mapping[str, Any] | None) -> str:
    """A slope and its interval."""
    return "" if slope is None else f"{slope['mean']:+.2f} ({slope['low']:+.2f} to {slope['high']:+.2f})"


def verdict(slope: Mapping[str, float] | None, control: bool) -> str:
    """What a slope says of the hypothesis."""
    if slope is None:
        return "too few neurons"
    rises = "rises" if slope["low"] > 0 else "falls" if slope["high"] < 0 else "neither rises nor falls"
    return f"{rises}: {'as said' if (rises == 'rises') != control else 'not as said'}"


def answer(abilities: list[dict[str, Any]], perception: str) -> str:
    """The slopes in a sentence."""
    rising = [row["ability"] for row in abilities if row["slope"] and row["slope"]["low"] > 0]
    falling = [row["ability"] for row in abilities if row["slope"] and row["slope"]["high"] < 0]
    others = [row["ability"] for row in abilities if row["ability"] not in (*rising, *falling)]
    parts = [
        f"{'Skill' if not told else 'skill'} {how} with complexity in {', '.join(names)}"
        for told, (how, names) in enumerate((("rises", rising), ("falls", falling)))
        if names
    ]
    if others:
        parts.append(f"{'N' if not parts else 'n'}o slope is shown in {', '.join(others)}")
    return "; ".join(parts) + f". ({perception} is the control.)"


def complexity_of(results: dict[str, Any], name: str) -> str:
    """The mean over the tasks."""
    return f"{np.mean([row['complexity'] for row in results['rows'] if row['neuron'] == name]):.0f}"


def skill(row: dict[str, Any] | None) -> str:
    """A cell of the table."""
    return "" if row is None else f"{np.mean(row['skills']):.2f}"


def panels(abilities: list[dict[str, Any]], shapes: Mapping[str, str]) -> list[Panel]:
    """Skill against complexity, a panel for each ability.

    Args:
        abilities: of the results.
        shapes: the family of each neuron.
    """
    families = list(dict.fromkeys(shapes.values()))
    return [_panel(row, shapes, families, legend=row is abilities[-1]) for row in abilities]


def _disturbed(results: dict[str, Any], curve: Curve) -> Panel:
    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for number, row in enumerate(probed(results, "worst")):
            told = row["besides"]
            right = [np.mean(told[key]) for key in ("clean", *map(curve.key, curve.points))]
            style = ("-", "--", ":")[number // len(COLOURS) % 3]
            axes.plot([0, *curve.points], right, style, color=COLOURS[number % len(COLOURS)], label=row["neuron"])
        axes.set(xlabel=curve.name, ylabel="right answers (%)", ylim=(0, 100))
        axes.legend(fontsize=6, ncols=2)

    return draw


def _panel(row: dict[str, Any], shapes: Mapping[str, str], families: list[str], legend: bool) -> Panel:
    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for number, family in enumerate(families):
            own = [one for one in row["neurons"] if shapes[one["neuron"]] == family]
            if own:
                means = np.asarray([one["mean"] for one in own])
                reach = np.abs([[one["mean"] - one["low"], one["high"] - one["mean"]] for one in own]).T
                axes.errorbar(
                    [one["complexity"] for one in own],
                    means,
                    reach,
                    fmt="os^Dvphx*"[number % 9],
                    color=COLOURS[number % len(COLOURS)],
                    markersize=4,
                    linewidth=0.8,
                    label=family,
                )
        if row["slope"]:
            logs = np.log10([one["complexity"] for one in row["neurons"]])
            ends = np.asarray([logs.min(), logs.max()])
            middle = np.mean([one["mean"] for one in row["neurons"]])
            axes.plot(10**ends, middle + row["slope"]["mean"] * (ends - logs.mean()), color=INK, linewidth=1)
        axes.axhline(0, color=FAINT, linewidth=0.5)
        axes.set(xscale="log", title=row["ability"], xlabel="operations of a neuron", ylabel="skill", ylim=(-0.6, 1.1))
        if legend:
            axes.legend(fontsize=7, ncols=2, loc="upper center")

    return draw
