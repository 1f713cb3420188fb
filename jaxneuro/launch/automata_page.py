"""The report of the automata that networks and neurons are."""

from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.report import Section

MOST_DRAWN = 40  # states


def sections(results: dict[str, Any]) -> list[Section]:
    """The page: an answer, a table of networks, a table of neurons, drawings.

    Args:
        results: of the experiment `automata`.
    """
    found = [Section("Answer", answer(results))]
    if results["networks"]:
        found.append(
            Section(
                "Networks",
                "States found: those that differ by more than the tolerance. States needed: those of the smallest "
                "automaton. Agreement: of the automaton with the network on long random sequences; below 100 % the "
                "network keeps more than the tolerance lets see. A network is wrong first on the word, if the search "
                "of pairs finds one.",
                columns=[
                    "network",
                    "seed",
                    "right",
                    "tolerance",
                    "states found",
                    "states needed",
                    "the sum",
                    "agreement",
                    "word",
                ],
                rows=[
                    [
                        row["network"],
                        str(row["seed"]),
                        f"{100 * row['right']:.2f} %",
                        f"{row['tolerance']:g}",
                        _number(row["found"]),
                        _number(row["states"]),
                        "yes" if row["is_sum"] else "no",
                        "" if row["agreement"] is None else f"{100 * row['agreement']:.2f} %",
                        "".join(map(str, row["word"])) if row["word"] else "none" if row["found"] else "",
                    ]
                    for row in results["networks"]
                ],
            )
        )
    if results["neurons"]:
        found.append(
            Section(
                "Neurons",
                "States over the letters of the config; by hand where that is easy.",
                columns=["neuron", "tolerance", "states found", "states needed", "by hand"],
                rows=[
                    [
                        row["neuron"],
                        f"{row['tolerance']:g}",
                        _number(row["found"]),
                        _number(row["states"]),
                        "" if row["expected"] is None else str(row["expected"]),
                    ]
                    for row in results["neurons"]
                ],
            )
        )
    drawn = {row.get("network") or row["neuron"]: row for row in (*results["networks"], *results["neurons"])}
    drawn = {name: row for name, row in drawn.items() if row.get("transitions")}
    if drawn:
        panels = [graph(name, row["transitions"], row["outputs"]) for name, row in drawn.items()]
        text = "A dot is a state, the start has a ring; a colour is a letter. Solid arrows say 0, dashed ones else."
        found.append(Section("Smallest automata", text, figure=figures.svg(*panels, columns=3, height=2.6)))
    return found


def answer(results: dict[str, Any]) -> str:
    """The finding in words, whichever way it falls."""
    told, modulus = [], results["modulus"]
    for name in dict.fromkeys(row["network"] for row in results["networks"]):
        rows = [row for row in results["networks"] if row["network"] == name]
        alike = [row for row in rows if row["is_sum"] and not row["word"]]
        exact = [row for row in alike if row["agreement"] == 1]
        told.append(f"{name}: {len(exact)} of {len(rows)} networks are the automaton of sums modulo {modulus}.")
        if len(alike) > len(exact):
            told.append(
                f"{len(alike) - len(exact)} more look like it within the tolerance, but drift: on long sequences the "
                "automaton and the network part."
            )
    by_hand = [row for row in results["neurons"] if row["expected"] is not None]
    if by_hand:
        right = sum(row["states"] == row["expected"] for row in by_hand)
        told.append(f"Neurons: {right} of {len(by_hand)} have as many states as follow by hand.")
    return " ".join(told)


def _number(states: int | None) -> str:
    return "too many" if states is None else f"{states:,}"


def graph(title: str, transitions: list[list[int]], outputs: list[list[list[float]]]) -> figures.Panel:
    """States on a circle, arrows between them.

    Args:
        title: above the drawing.
        transitions: next states, `[states, letters]`.
        outputs: what comes with them, `[states, letters, numbers]`.
    """
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(transitions)) / len(transitions)
    places = np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.scatter(*places.T, color=figures.INK, s=18, zorder=3)
        axes.scatter(*places[0], facecolor="none", edgecolor=figures.INK, s=70)
        for state, row in enumerate(transitions):
            for letter, target in enumerate(row):
                style = "-" if not np.any(outputs[state][letter]) else "--"
                colour = figures.COLOURS[letter % len(figures.COLOURS)]
                if target == state:
                    around = 1.17 + 0.1 * letter
                    axes.plot(*(around * places[state]), marker="$\\circlearrowleft$", color=colour, markersize=8)
                    continue
                arrow = {"arrowstyle": "->", "color": colour, "linestyle": style, "shrinkA": 4, "shrinkB": 4}
                arrow["connectionstyle"] = f"arc3,rad={0.12 + 0.12 * letter}"
                axes.annotate("", xy=places[target], xytext=places[state], arrowprops=arrow)
        axes.set(title=title, xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
        axes.axis("off")

    return draw
