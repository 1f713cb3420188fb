"""Do cells found by evolution beat the LSTM? A search for cell graphs, and a fair comparison of what it finds.

Candidates are trained by gradient, thousands of different graphs in a few compiled programs, each with as many units as
the parameter budget allows. Beside the search runs a random search of equal cost. Then the best of both and the known
cells are trained anew, as straight-line code, at equal size, equal tuning and with several seeds, and compared seed by
seed on test data. Every candidate is in the run's log; a run that was stopped goes on from it.
"""

import functools
import time
from typing import Any, Literal

import jax
import numpy as np
from pydantic import Field

from jaxneuro.launch import comparison, comparison_page, figures
from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.config import ConfigPart, Count, ExperimentConfig, Fraction, LearningRate
from jaxneuro.launch.directory import Run
from jaxneuro.launch.lock import RunError
from jaxneuro.launch.report import Section
from jaxneuro.launch.trial import TrialConfig, prepared
from jaxneuro.networks.recurrent import recurrent_network
from jaxneuro.search import cost, lineage
from jaxneuro.search.draw import svg
from jaxneuro.search.equations import latex
from jaxneuro.search.evolution import NSGA2, AgingEvolution, Candidate, MapElites, RandomSearch, Searcher
from jaxneuro.search.genome import Genome, Space
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.race import Budget, Outcome, Race
from jaxneuro.search.straight import StraightCell
from jaxneuro.search.text import TextError, parse, show
from jaxneuro.search.training import Trainer

TRAINED = ("weights", "bias", "input_weights", "recurrent_weights")
DEPTHS, SHARES = (2, 4, 6, 8, 10), (0.2, 0.4, 0.6)  # bins of MAP-Elites: depth of a step, share of products


class SpaceConfig(ConfigPart):
    """The space of genomes."""

    stages: Count = 2
    slots: Count = 4
    nodes: Count = 12
    states: Count = 4


class SearchConfig(ConfigPart):
    """How the space is searched, and what each candidate may spend."""

    method: Literal["aging", "nsga2", "map_elites"] = "aging"
    candidates: Count
    generation: Count = Field(default=32, description="candidates that are trained side by side")
    population: Count = 64
    start: tuple[str, ...] = Field(default=(), description="known cells to begin with")
    rungs: tuple[Count, ...] = (20, 60, 300)
    keep: Fraction = 0.25
    learning_rates: tuple[LearningRate, ...] = (1e-2,)
    widths: tuple[Count, ...] = (16, 32, 64)
    room: Count = 128
    batch: Count = 16
    chunk: Count = 8


class Config(ExperimentConfig):
    """See configs/search/quickstart.yaml."""

    trial: TrialConfig
    space: SpaceConfig = SpaceConfig()
    search: SearchConfig
    controls: tuple[str, ...] = ("LSTM", "GRU")
    finalists: Count = Field(default=1, description="of each search, trained anew and compared")


def searcher(config: Config, method: str) -> Searcher:
    """The one that proposes candidates."""
    space, settings = Space(**config.space.model_dump()), config.search
    for field, names in (("search.start", settings.start), ("controls", config.controls)):
        if unknown := [name for name in names if name not in TEXTS]:
            raise ConfigError(f"{field}: there is no cell {unknown[0]!r}. Allowed: {', '.join(TEXTS)}.")
    if method == "random":
        return RandomSearch(space, config.seed + 1)
    try:
        start = [named(name, space) for name in settings.start]
    except TextError as error:
        raise ConfigError(f"search.start does not fit the space: {error}") from error
    if method == "nsga2":
        return NSGA2(space, config.seed, start, population=settings.population)
    if method == "map_elites":
        return MapElites(space, config.seed, start, edges=(DEPTHS, SHARES), random=settings.population)
    return AgingEvolution(space, config.seed, start, population=settings.population)


def objectives(method: str, candidate: Candidate, outcome: Outcome, race: Race) -> list[float]:
    """What the searcher is told."""
    genome, loss = candidate.genome, outcome.losses[-1]
    if method == "nsga2":
        inputs = race.trainer.task.inputs
        return [loss, cost.operations(genome, inputs, outcome.units), cost.depth(genome), cost.memory(genome)]
    if method == "map_elites":
        return [loss, cost.depth(genome), cost.multiplicative(genome)]
    return [loss]


def search(config: Config, run: Run, race: Race, method: str, scale: float) -> tuple[list[dict[str, Any]], Searcher]:
    """Search, going on from the log: told the same scores again, the searcher asks for the same candidates again."""
    found, log = searcher(config, method), run.records(method)
    total, size = config.search.candidates, config.search.generation
    done = len(log) if len(log) == total else len(log) // size * size
    run.rewind(method, done - 1)
    records: list[dict[str, Any]] = []
    began = time.monotonic()
    while len(records) < total:
        candidates = found.ask(min(size, total - len(records)))
        if len(records) < done:
            entries = log[len(records) : len(records) + len(candidates)]
            for candidate, entry in zip(candidates, entries, strict=True):
                if candidate.digest != entry["digest"]:
                    raise RunError(f"{run.path}: candidate {candidate.number} of {method} is not the one in the log.")
        else:
            outcomes = race.run(candidates)
            entries = [
                lineage.record(candidate, outcome, objectives(method, candidate, outcome, race))
                for candidate, outcome in zip(candidates, outcomes, strict=True)
            ]
            for entry in entries:
                run.log(entry["number"], entry, name=method)
            run.sync()
        found.tell(candidates, np.stack([lineage.objectives_of(entry) for entry in entries]))
        records += entries
        best = found.best()
        run.say(
            f"{method}: {len(records)} of {total} candidates, best {scale * float(found.told[best.number][0]):.4g} "
            f"(candidate {best.number}), {time.monotonic() - began:.0f} s"
        )
    return records, found


def finalists(config: Config, records: list[dict[str, Any]], found: Searcher) -> list[Candidate]:
    """The best that were trained to the last rung."""
    last = len(config.search.rungs)
    whole = [record for record in records if len(record["losses"]) == last and record["losses"][-1] is not None]
    ranked = sorted(whole, key=lambda record: (record["losses"][-1], record["number"]))
    return [found.candidates[record["number"]] for record in ranked[: config.finalists]]


def main(config: Config, run: Run) -> dict[str, Any]:
    """Search, search at random, compare."""
    trial, provenance = prepared(config.trial, config.seed)
    settings = config.search
    space = Space(**config.space.model_dump())
    validation = jax.tree.map(lambda leaf: leaf[: config.trial.evaluation], trial.validation)
    trainer = Trainer(trial.task, validation, space, max(settings.widths), batch=settings.batch, chunk=settings.chunk)
    budget = Budget(
        config.trial.budget.parameters,
        settings.rungs,
        settings.keep,
        settings.learning_rates,
        settings.widths,
        settings.room,
    )
    race = Race(trainer, budget, jax.random.key(config.seed))
    contenders: dict[str, Genome] = {}
    told, arrays, records = {}, {}, {}
    for method in (settings.method, "random"):
        records[method], found = search(config, run, race, method, trial.scale)
        chosen = finalists(config, records[method], found)
        if not chosen:
            raise RunError(f"no candidate of {method} was trained to the last rung without diverging.")
        contenders |= {f"{method} {place + 1}": c.genome for place, c in enumerate(chosen)}
        arrays[f"best/{method}"] = trial.scale * lineage.best_so_far(records[method])
        told[method] = {
            "candidates": len(records[method]),
            "distinct": len({record["digest"] for record in records[method]}),
            "best": trial.scale * float(lineage.best_so_far(records[method])[-1]),
            "finalists": [
                {
                    "number": c.number,
                    "text": show(c.genome),
                    "latex": latex(c.genome),
                    "line": line(records[method], c, trial.scale),
                }
                for c in chosen
            ],
        }
    contenders |= {name: named(name) for name in config.controls}

    def builder(genome: Genome, units: int) -> comparison.Build:
        task = trial.task
        return lambda key: recurrent_network(
            functools.partial(StraightCell, genome=genome), True, task.inputs, units, task.outputs, key=key
        )

    rows, curves = comparison.compete(
        run,
        {name.replace(" ", "-"): functools.partial(builder, genome) for name, genome in contenders.items()},
        trial,
        config.trial.budget,
        seed=config.seed,
        devices=config.devices,
        trained=TRAINED,
    )
    run.save_arrays(arrays | curves)
    ours = [name.replace(" ", "-") for name in contenders if name not in config.controls]
    pairs = [(name, other) for name in ours for other in (*config.controls, "random-1") if other != name]
    return {"data": provenance, "searches": told, "scores": rows, "differences": comparison.differences(rows, pairs)}


def line(records: list[dict[str, Any]], candidate: Candidate, scale: float) -> list[dict[str, Any]]:
    """A finalist's line of descent: what each mutation did, and to which loss it led."""
    told = []
    for record in lineage.ancestors(records, candidate.number):
        loss = record["losses"][-1]
        told.append(
            {
                "number": record["number"],
                "operator": record["operator"],
                "loss": None if loss is None else scale * loss,
                "steps": len(record["losses"]),
            }
        )
    return told


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    unit = results["scores"][0]["unit"]
    curves = {name.removeprefix("best/"): values for name, values in arrays.items() if name.startswith("best/")}
    sections = [
        Section(
            title="Search and random search",
            text="The least validation loss among the candidates so far. Both searches spend the same on a candidate.",
            figure=figures.svg(figures.best_so_far(curves, unit, "candidates trained")),
        )
    ]
    for method, told in results["searches"].items():
        for place, finalist in enumerate(told["finalists"]):
            genome = parse(finalist["text"])
            sections.append(
                Section(
                    title=f"{method} {place + 1}: candidate {finalist['number']}",
                    text=f"{told['distinct']:,} distinct cells were trained. " + finalist["text"].replace("\n", "; "),
                    columns=["candidate", "how it was made", f"loss ({unit})", "rungs"],
                    rows=[
                        [
                            str(step["number"]),
                            step["operator"],
                            "diverged" if step["loss"] is None else f"{step['loss']:.4g}",
                            str(step["steps"]),
                        ]
                        for step in finalist["line"]
                    ],
                    figure=svg(genome),
                )
            )
    note = "All contenders have as many parameters as each other, and were tried at the same learning rates and seeds."
    verdict = " ".join(comparison_page.sentence(row) for row in results["differences"])
    return [*sections, *comparison_page.sections(verdict, results, arrays, config.trial.budget.seeds, note)]
