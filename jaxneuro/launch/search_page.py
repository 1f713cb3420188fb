"""How a search is shown: its front with every cell's drawing, the winner's family tree, and the winner at work.

A page is made of records (`jaxneuro.search.lineage`), of the measures of all candidates, and of what `watch` gives.
All three fit in a run's results and arrays, so that it can be made again without training: keep `measures(records)` and
the record of `watch` as arrays, and of the records those that `kept` names.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from jaxneuro.launch import figures, search_figures
from jaxneuro.launch.report import Section
from jaxneuro.search import cost as costs
from jaxneuro.search import family, pareto
from jaxneuro.search.draw import svg
from jaxneuro.search.family_tree import family_tree
from jaxneuro.search.genome import parameter_count
from jaxneuro.search.lineage import Record
from jaxneuro.search.text import parse
from jaxneuro.search.watch import OUTPUT

MOST, UNITS = 8, 24  # cells of a front, and units of a cell, that are drawn
SPECIAL = {"\n": "⏎", " ": "␣", "\t": "⇥"}  # characters that would not be seen
Cost = Literal["operations", "parameters", "depth"]
CAPTIONS = {
    "operations": "operations of a step",
    "parameters": "parameters of the cell",
    "depth": "operations that follow one another in a step",
}


def measures(records: Sequence[Record], inputs: int) -> dict[str, np.ndarray]:
    """What each candidate attained, and what its cell costs.

    Args:
        records: of all candidates, in order of number.
        inputs: inputs of the first task.

    Returns:
        Arrays `[candidates]`: "loss" at the last rung that it reached, infinite if it diverged; "rungs", how many it
        reached; "operations", "parameters" and "depth" of its cell in the first task.
    """
    genomes = [parse(record["text"]) for record in records]
    sizes = [(genome, inputs, record["units"][0]) for genome, record in zip(genomes, records, strict=True)]
    losses = [record["losses"][-1] for record in records]
    return {
        "loss": np.array([np.inf if loss is None else loss for loss in losses], float),
        "rungs": np.array([len(record["losses"]) for record in records], int),
        "operations": np.array([costs.operations(*size) for size in sizes], int),
        "parameters": np.array([parameter_count(*size) for size in sizes], int),
        "depth": np.array([costs.depth(genome) for genome in genomes], int),
    }


def front(measures: Mapping[str, np.ndarray], cost: Cost = "operations") -> np.ndarray:
    """The candidates that none dominates in loss and cost, of those that were trained to the last rung.

    Args:
        measures: as `measures` gives them.
        cost: which of them is the cost.

    Returns:
        Their numbers in order of cost.
    """
    whole = np.flatnonzero((measures["rungs"] == measures["rungs"].max(initial=0)) & np.isfinite(measures["loss"]))
    objectives = np.stack([measures["loss"][whole], measures[cost][whole]], 1).astype(float)
    found = pareto.fronts(objectives)[0] if len(whole) else np.zeros(0, int)
    return whole[found[np.argsort(objectives[found, 1], kind="stable")]]


def chosen(measures: Mapping[str, np.ndarray], cost: Cost = "operations", most: int = MOST) -> np.ndarray:
    """Cells of the front to be drawn: both ends, and between them those that are furthest from their neighbours.

    Args:
        measures: as `measures` gives them.
        cost: which of them is the cost.
        most: how many at most.

    Returns:
        Their numbers in order of cost.
    """
    numbers = front(measures, cost)
    objectives = np.stack([measures["loss"][numbers], measures[cost][numbers]], 1).astype(float)
    return numbers[np.sort(np.argsort(-pareto.crowding(objectives), kind="stable")[:most])] if len(numbers) else numbers


def kept(
    records: Sequence[Record], measures: Mapping[str, np.ndarray], winner: int, cost: Cost = "operations"
) -> list[Record]:
    """The records that the page needs beside the measures.

    Args:
        records: of all candidates, in order of number.
        measures: as `measures` gives them.
        winner: number of the best candidate.
        cost: which of the measures is the cost of the front.

    Returns:
        Those of the drawn cells and of the winner's family, in order of number.
    """
    numbers = {record["number"] for record in family.relatives(records, winner)}
    return [records[number] for number in sorted(numbers | {int(number) for number in chosen(measures, cost)})]


def sections(
    search: str,
    records: Sequence[Record],
    measures: Mapping[str, np.ndarray],
    winner: int,
    unit: str,
    scale: float = 1.0,
    cost: Cost = "operations",
) -> list[Section]:
    """The front of a search, the drawings of its cells, and the family tree of the winner.

    Args:
        search: its name, in front of the titles.
        records: of all candidates, or of those that `kept` names.
        measures: as `measures` gives them.
        winner: number of the best candidate.
        unit: of the losses.
        scale: what losses are multiplied by to have this unit.
        cost: which of the measures is the cost of the front.
    """
    return [
        *front_sections(search, records, measures, unit, scale, cost),
        family_section(search, records, winner, unit, scale),
    ]


def front_sections(
    search: str,
    records: Sequence[Record],
    measures: Mapping[str, np.ndarray],
    unit: str,
    scale: float = 1.0,
    cost: Cost = "operations",
) -> list[Section]:
    """The front of a search with its cells as a table, and the drawing of each.

    Args:
        search: its name, in front of the titles.
        records: of all candidates, or of those that `kept` names.
        measures: as `measures` gives them.
        unit: of the losses.
        scale: what losses are multiplied by to have this unit.
        cost: which of the measures is the cost of the front.
    """
    whole, drawn = front(measures, cost), chosen(measures, cost)
    place = {int(number): str(1 + i) for i, number in enumerate(drawn)}
    panel = search_figures.pareto_front(
        scale * measures["loss"],
        measures[cost],
        whole,
        [place.get(int(number), "") for number in whole],
        f"validation loss ({unit})",
        CAPTIONS[cost],
        measures["rungs"],
    )
    lost = int(np.sum(~np.isfinite(measures["loss"])))
    text = (
        f"Candidates: {len(measures['loss']):,}, of which {lost:,} diverged and are not shown. Paler ones were stopped "
        "at an earlier rung; triangles lie above the upper edge. The front are those of the candidates trained to the "
        f"last rung that no other one beats in loss and {cost} at once: {len(whole)}, of which {len(drawn)} are "
        "numbered and drawn below."
    )
    columns = ["", "candidate", f"loss ({unit})", "units", "parameters", "operations per step", "depth"]
    by_number, rows, drawings = {record["number"]: record for record in records}, [], []
    for number, name in place.items():
        record = by_number[number]
        sizes = [f"{measures[size][number]:,}" for size in ("parameters", "operations", "depth")]
        loss = f"{scale * measures['loss'][number]:.4g}"
        rows.append([name, str(number), loss, str(record["units"][0]), *sizes])
        told = f"Loss {loss} {unit}; {sizes[0]} parameters, {sizes[1]} operations per step, depth {sizes[2]}. "
        title = f"{search}, front {name}: candidate {number}"
        drawings.append(Section(title, told + _in_one_line(record["text"]), figure=svg(parse(record["text"]))))
    figure = figures.svg(panel, height=4.2)
    return [Section(f"{search}: the Pareto front", text, columns, rows, figure), *drawings]


def family_section(search: str, records: Sequence[Record], winner: int, unit: str, scale: float = 1.0) -> Section:
    """The winner's line of descent, and what else was tried on the way.

    Args:
        search: its name, in front of the title.
        records: of all candidates, or of those that `kept` names.
        winner: number of the best candidate.
        unit: of the losses.
        scale: what losses are multiplied by to have this unit.
    """
    line = family.descent(records, winner)
    first, mutations = line[0].record, len(line) - 1
    text = (
        f"Mutations from candidate {first['number']} ({first['operator']}) to candidate {winner}: {mutations}. "
        f"Children of these candidates: {mutations + sum(len(member.others) for member in line)}. Losses in {unit}. "
        "A child is compared with its parent at the last rung that both reached, as a loss after longer training is "
        "another measure; a change below zero is for the better. Every candidate starts from random weights of its "
        "own, so a small change may be chance."
    )
    columns, rows = family.descent_table(records, winner, scale)
    return Section(f"{search}: family tree of the winner", text, columns, rows, family_tree(records, winner, scale))


def gates_section(
    search: str,
    record: Record,
    values: Mapping[str, np.ndarray],
    inputs: np.ndarray,
    symbols: str | Sequence[str] | None = None,
) -> Section:
    """A trained cell at work.

    Args:
        search: the name of the search.
        record: of the cell; only number and text are used.
        values: for each wire `[time, units]`, as `watch` gives them.
        inputs: what the cell reads, `[time, features]`.
        symbols: what is read at each time step, such as a character.
    """
    labels = _lines(record["text"])
    units = _most_active(values[OUTPUT])
    shown = {name: np.asarray(values[name], float)[:, units] for name in labels}
    steps = None if symbols is None else [SPECIAL.get(symbol, symbol) for symbol in symbols]
    panel = search_figures.gates_over_time(shown, np.asarray(inputs, float), labels, steps)
    all_units = values[OUTPUT].shape[1]
    some = "all units" if len(units) == all_units else f"the {len(units)} of {all_units} units whose output varies most"
    text = (
        f"Every wire of candidate {record['number']}, trained, while it reads one sequence: {some}, a line of colour "
        "each, in all rows in the order of their mean output. States are those before the step. What stays between 0 "
        "and 1 is drawn from white to black, all else from blue through white at 0 to red."
    )
    figure = figures.svg(panel, width=9.5, height=0.6 + 0.36 * (1 + len(shown)))
    return Section(f"{search}: the winner's gates over one sequence", text, figure=figure)


def _in_one_line(text: str) -> str:
    return "; ".join(text.splitlines())


def _lines(text: str) -> dict[str, str]:
    """What the text of a cell says of each wire: states, slots and nodes, the output."""
    lines = text.splitlines()
    becomes = dict(line.split(" <- ") for line in lines if " <- " in line)
    made = {line.split(" = ")[0]: line for line in lines if " = " in line}
    states = {state: f"state {state}, then {wire}" for state, wire in becomes.items()}
    return states | made | {OUTPUT: lines[-1]}


def _most_active(output: np.ndarray, most: int = UNITS) -> np.ndarray:
    """The units whose output varies most, in order of its mean."""
    numbers = np.sort(np.argsort(-np.std(output, axis=0), kind="stable")[:most])
    return numbers[np.argsort(np.mean(output, axis=0)[numbers], kind="stable")]
