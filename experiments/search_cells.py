"""Do cells found by evolution beat the LSTM? A search for cell graphs, and a fair comparison of what it finds.

Candidates are trained by gradient on every task, thousands of different graphs in a few compiled programs, each with as
many units as the parameter budget allows; short trainings weed out most, longer ones those that are left. Any number of
searches share the budget, and beside them runs a random search of equal cost. The best of each are then trained as
straight-line code, at equal size, equal tuning and with several seeds, beside known cells, and compared seed by seed on
test data. Every candidate is in the run's log; a run that was stopped goes on from it. The winners are written to the
run's folder `cells`.
"""

import dataclasses
import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import jax
import numpy as np
from pydantic import Field, field_validator

import jaxneuro as jn
from jaxneuro.launch import comparison, comparison_page, figures, search_page
from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.config import ConfigPart, Count, ExperimentConfig, Fraction, LearningRate, Name
from jaxneuro.launch.directory import Run
from jaxneuro.launch.lock import RunError
from jaxneuro.launch.report import Section
from jaxneuro.launch.saving import make_folder
from jaxneuro.launch.trial import TrialConfig, prepared
from jaxneuro.networks.recurrent import recurrent_network
from jaxneuro.processes import by_first, several
from jaxneuro.search import cost, lineage
from jaxneuro.search.canonical import Canonical, canonical
from jaxneuro.search.draw import svg
from jaxneuro.search.equations import latex
from jaxneuro.search.evolution import NSGA2, AgingEvolution, Candidate, MapElites, RandomSearch, Searcher
from jaxneuro.search.genome import Genome, Space
from jaxneuro.search.named import TEXTS, named
from jaxneuro.search.race import Budget, Course, Outcome, Race
from jaxneuro.search.storage import save
from jaxneuro.search.straight import StraightCell
from jaxneuro.search.text import TextError, parse, show
from jaxneuro.search.training import Trainer
from jaxneuro.search.watch import watch

TRAINED = ("weights", "bias", "input_weights", "recurrent_weights")
DEPTHS, SHARES = (2, 4, 6, 8, 10), (0.2, 0.4, 0.6)  # bins of MAP-Elites: depth of a step, share of products
UNIT = "loss / loss without memory"
REPEATS, FIRST_CONTROL = 5, 2**31  # how often a control runs the race, and the number of the first


class SpaceConfig(ConfigPart):
    """The space of genomes."""

    stages: Count = 2
    slots: Count = 4
    nodes: Count = 12
    states: Count = 4


class SearchConfig(ConfigPart):
    """How the space is searched."""

    name: Name
    method: Literal["aging", "nsga2", "map_elites", "random"]
    population: Count = 64
    start: tuple[str, ...] = Field(default=(), description="known cells to begin with")
    only: Literal["all", "parallel"] = Field(default="all", description="cells that may be candidates")
    objectives: tuple[Literal["operations", "depth", "memory", "sequential"], ...] = Field(
        default=("operations", "depth", "memory"), description="of NSGA-II, beside the loss"
    )


class RaceConfig(ConfigPart):
    """What each search, and each of its candidates, may spend."""

    candidates: Count
    generation: Count = Field(default=32, description="candidates that are trained side by side")
    rungs: tuple[Count, ...] = (20, 60, 300)
    keep: Fraction = 0.25
    learning_rates: tuple[LearningRate, ...] = (1e-2,)
    widths: tuple[Count, ...] = (16, 32, 64)
    room: Count = 128
    batch: Count = 16
    chunk: Count = 8


class Config(ExperimentConfig):
    """See configs/search/quickstart.yaml."""

    trials: Annotated[tuple[TrialConfig, ...], Field(min_length=1)]
    space: SpaceConfig = SpaceConfig()
    searches: Annotated[tuple[SearchConfig, ...], Field(min_length=1)]
    race: RaceConfig
    controls: tuple[str, ...] = ("LSTM", "GRU")
    finalists: Count = Field(default=1, description="of each search, trained anew and compared")

    @field_validator("searches")
    @classmethod
    def _one_is_random(cls, searches: tuple[SearchConfig, ...]) -> tuple[SearchConfig, ...]:
        names = [search.name for search in searches]
        if len(set(names)) < len(names) or [s.method for s in searches].count("random") != 1:
            raise ValueError("must have names that differ, and one search of method random, that all have to beat")
        return searches


def searcher(config: Config, settings: SearchConfig) -> Searcher:
    """The one that proposes candidates."""
    space, place = Space(**config.space.model_dump()), config.searches.index(settings)
    for field, names in ((f"searches.{place}.start", settings.start), ("controls", config.controls)):
        if unknown := [name for name in names if name not in TEXTS]:
            raise ConfigError(f"{field}: there is no cell {unknown[0]!r}. Allowed: {', '.join(TEXTS)}.")
    try:
        start = [named(name, space) for name in settings.start]
    except TextError as error:
        raise ConfigError(f"searches.{place}.start does not fit the space: {error}") from error
    seed, population = config.seed + place, settings.population
    accept = None if settings.only == "all" else is_parallel
    try:
        if settings.method == "random":
            return RandomSearch(space, seed, start, accept=accept)
        if settings.method == "nsga2":
            return NSGA2(space, seed, start, population=population, accept=accept)
        if settings.method == "map_elites":
            return MapElites(space, seed, start, edges=(DEPTHS, SHARES), random=population, accept=accept)
        return AgingEvolution(space, seed, start, population=population, accept=accept)
    except ValueError as error:
        raise ConfigError(f"searches.{place}.start has a cell that is not {settings.only}: {error}") from error


def is_parallel(genome: Genome) -> bool:
    """Whether all of time can be computed at once."""
    return not cost.sequential(genome)


def objectives(settings: SearchConfig, candidate: Candidate, outcome: Outcome, race: Race) -> list[float]:
    """What the searcher is told."""
    genome, loss = candidate.genome, outcome.losses[-1]
    if settings.method == "nsga2":
        sizes = list(zip(race.courses, outcome.units, strict=True))
        costs: dict[str, Callable[[], float]] = {
            "operations": lambda: sum(cost.operations(genome, c.trainer.task.inputs, units) for c, units in sizes),
            "depth": lambda: cost.depth(genome),
            "memory": lambda: cost.memory(genome),
            "sequential": lambda: cost.sequential(genome),
        }
        return [loss, *(costs[name]() for name in settings.objectives)]
    if settings.method == "map_elites":
        return [loss, cost.depth(genome), cost.multiplicative(genome)]
    return [loss]


def search(config: Config, run: Run, race: Race, settings: SearchConfig, found: Searcher) -> list[dict[str, Any]]:
    """Search, going on from the log: told the same scores again, the searcher asks for the same candidates again."""
    name, log = settings.name, run.records(settings.name)
    total, size = config.race.candidates, config.race.generation
    done = len(log) if len(log) == total else len(log) // size * size
    run.rewind(name, done - 1)
    records: list[dict[str, Any]] = []
    began = time.monotonic()
    while len(records) < total:
        candidates = found.ask(min(size, total - len(records)))
        if len(records) < done:
            entries = log[len(records) : len(records) + len(candidates)]
            for candidate, entry in zip(candidates, entries, strict=True):
                if candidate.digest != entry["digest"]:
                    raise RunError(f"{run.path}: candidate {candidate.number} of {name} is not the one in the log.")
        else:
            outcomes = race.run(candidates)
            entries = [
                lineage.record(candidate, outcome, objectives(settings, candidate, outcome, race))
                for candidate, outcome in zip(candidates, outcomes, strict=True)
            ]
            for entry in entries:
                run.log(entry["number"], entry, name=name)
            run.sync()
        found.tell(candidates, np.stack([lineage.objectives_of(entry) for entry in entries]))
        records += entries
        best = found.best()
        run.say(
            f"{name}: {len(records)} of {total} candidates, best {float(found.told[best.number][0]):.4g} "
            f"(candidate {best.number}), {time.monotonic() - began:.0f} s"
        )
    return records


def finalists(config: Config, records: list[dict[str, Any]], found: Searcher) -> list[Candidate]:
    """The best that were trained to the last rung."""
    last = len(config.race.rungs)
    whole = [record for record in records if len(record["losses"]) == last and record["losses"][-1] is not None]
    ranked = sorted(whole, key=lambda record: (record["losses"][-1], record["number"]))
    return [found.candidates[record["number"]] for record in ranked[: config.finalists]]


def course(config: Config, trial: comparison.Trial, settings: TrialConfig) -> Course:
    """What candidates are trained on for a trial."""
    race = config.race
    validation = jax.tree.map(lambda leaf: leaf[: settings.evaluation], trial.validation)
    trainer = Trainer(
        trial.task,
        validation,
        Space(**config.space.model_dump()),
        max(race.widths),
        batch=race.batch,
        chunk=race.chunk,
        devices=config.devices,
    )
    scale = 1.0 if trial.baseline is None else trial.baseline / trial.scale
    return Course(trainer, settings.budget.parameters, scale)


def controls(config: Config, courses: list[Course], budget: Budget) -> dict[str, list[float]]:
    """Losses of known cells that run the whole race, from several starts, with the tuning of all candidates."""
    space = Space(**config.space.model_dump())
    whole = dataclasses.replace(budget, keep=1.0)
    racing = Race(courses, whole, jax.random.key(config.seed), processes=several())
    fits = {name: form for name in config.controls if (form := fitted(name, space)) is not None}
    entered = [(name, form) for name, form in fits.items() for _ in range(REPEATS)]
    candidates = [
        Candidate(FIRST_CONTROL + place, (), "control", form.genome, form.digest)
        for place, (_, form) in enumerate(entered)
    ]
    found: dict[str, list[float]] = {name: [] for name in fits}
    for (name, _), outcome in zip(entered, racing.run(candidates), strict=True):
        found[name].append(outcome.losses[-1])
    return found


def fitted(name: str, space: Space) -> Canonical | None:
    """A known cell in a space, None if it is too large for it."""
    try:
        return canonical(named(name, space))
    except TextError:
        return None


def matched(records: list[dict[str, Any]], level: float, rungs: int) -> int | None:
    """How many candidates it took until one that ran the whole race was at least as good."""
    for record in records:
        if len(record["losses"]) == rungs and record["losses"][-1] is not None and record["losses"][-1] <= level:
            return record["number"] + 1
    return None


def main(config: Config, run: Run) -> dict[str, Any]:
    """Search, search at random, compare."""
    searchers = {settings.name: searcher(config, settings) for settings in config.searches}
    trials, provenance = {}, {}
    for settings in config.trials:
        trials[settings.name], provenance[settings.name] = prepared(settings, config.seed)
    race = config.race
    budget = Budget(race.rungs, race.keep, race.learning_rates, race.widths, race.room)
    courses = [course(config, trials[settings.name], settings) for settings in config.trials]
    racing = Race(courses, budget, jax.random.key(config.seed), processes=several())
    levels = controls(config, courses, budget)
    for name, losses in levels.items():
        run.say(f"{name}: {np.mean(losses):.4g} ({min(losses):.4g} to {max(losses):.4g}) in the race")
    contenders: dict[str, Genome] = {}
    told, journals = {}, {}
    for settings in config.searches:
        found = searchers[settings.name]
        records = journals[settings.name] = search(config, run, racing, settings, found)
        chosen = finalists(config, records, found)
        if not chosen:
            raise RunError(f"no candidate of {settings.name} was trained to the last rung without diverging.")
        names = [f"{settings.name}-{place + 1}" for place in range(len(chosen))]
        contenders |= {name: candidate.genome for name, candidate in zip(names, chosen, strict=True)}
        told[settings.name] = {
            "candidates": len(records),
            "distinct": len({record["digest"] for record in records}),
            "best": float(lineage.best_so_far(records)[-1]),
            "matched": {
                name: matched(records, float(np.mean(losses)), len(race.rungs)) for name, losses in levels.items()
            },
            "finalists": [described(name, c) for name, c in zip(names, chosen, strict=True)],
        }
    contenders |= {name: named(name) for name in config.controls}
    arrays = {f"best/{name}": lineage.best_so_far(records) for name, records in journals.items()}
    rows, trained = [], {}
    for settings in config.trials:
        trial = trials[settings.name]
        some, curves, trained[settings.name] = comparison.compete(
            run,
            {name: functools.partial(builder, genome, trial) for name, genome in contenders.items()},
            trial,
            settings.budget,
            seed=config.seed,
            devices=config.devices,
            trained=TRAINED,
        )
        rows += some
        arrays |= curves
    overall = {name: relative(rows, name) for name in contenders}
    first = config.trials[0].name
    for method, found in told.items():
        best = min(found["finalists"], key=lambda finalist: overall[finalist["name"]])
        winner = found["winner"] = best["name"]
        by_first(functools.partial(keep, contenders[winner], run.path / "cells", method))
        measured = search_page.measures(journals[method], trials[first].task.inputs)
        found["records"] = search_page.kept(journals[method], measured, best["number"])
        arrays |= {f"measures/{method}/{name}": values for name, values in measured.items()}
        arrays |= at_work(method, trained[first][winner], trials[first])
    run.save_arrays(arrays)
    random = next(settings.name for settings in config.searches if settings.method == "random")
    winners = [found["winner"] for found in told.values()]
    others = [*config.controls, told[random]["winner"]]
    pairs = [(ours, other) for ours in winners for other in others if ours != other]
    return {
        "data": provenance,
        "levels": levels,
        "searches": told,
        "scores": rows,
        "overall": {name: value if np.isfinite(value) else None for name, value in overall.items()},
        "differences": comparison.differences(rows, pairs),
    }


def keep(winner: Genome, folder: Path, method: str) -> None:
    """Write the winner of a search to a file."""
    make_folder(folder)
    save(winner, folder / f"{method}.json", note=f"winner of {method}")


def at_work(method: str, network: jn.StateMachine, trial: comparison.Trial) -> dict[str, np.ndarray]:
    """Every wire of a trained cell over the first sequence of the validation set, and that sequence."""
    assert isinstance(network, jn.Chain)
    cell, sequence = network.machines[0], trial.validation.inputs[0]
    assert isinstance(cell, StraightCell)
    wires = watch(cell, sequence)
    return {"sequence": np.asarray(sequence)} | {
        f"wires/{method}/{name}": np.asarray(values) for name, values in wires.items()
    }


def builder(genome: Genome, trial: comparison.Trial, units: int) -> comparison.Build:
    """What draws a network of this cell."""
    make = functools.partial(StraightCell, genome=genome)
    return lambda key: recurrent_network(make, True, trial.task.inputs, units, trial.task.outputs, key=key)


def relative(rows: list[dict[str, Any]], name: str) -> float:
    """Mean over trials of validation loss / loss without memory; infinite if a network diverged."""
    of = [row for row in rows if row["network"] == name]
    mean = np.mean([np.mean(row["validation"][row["rate_index"]]) / (row["baseline"] or 1.0) for row in of])
    return float(mean) if np.isfinite(mean) else float("inf")


def described(name: str, candidate: Candidate) -> dict[str, Any]:
    """A finalist."""
    return {
        "name": name,
        "number": candidate.number,
        "digest": candidate.digest,
        "text": show(candidate.genome),
        "latex": latex(candidate.genome),
    }


def within(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    curves = within(arrays, "best/")
    levels = {name: float(np.mean(losses)) for name, losses in results["levels"].items()}
    sections = [
        Section(
            title="Search and random search",
            text="The least validation loss among the candidates so far. All searches spend the same on a candidate. "
            f"Known cells (dashed) ran the same race, {REPEATS} times. The table says how many candidates it took "
            "until one was at least as good as their mean.",
            columns=["search", "distinct cells", f"best ({UNIT})", *(f"as good as {name}" for name in levels)],
            rows=[
                [
                    method,
                    f"{told['distinct']:,}",
                    f"{told['best']:.4g}",
                    *("never" if told["matched"][name] is None else f"{told['matched'][name]:,}" for name in levels),
                ]
                for method, told in results["searches"].items()
            ],
            figure=figures.svg(figures.best_so_far(curves, UNIT, "candidates trained", levels)),
        )
    ]
    for method, told in results["searches"].items():
        winner = next(finalist for finalist in told["finalists"] if finalist["name"] == told["winner"])
        record = next(record for record in told["records"] if record["number"] == winner["number"])
        measured, wires = within(arrays, f"measures/{method}/"), within(arrays, f"wires/{method}/")
        sections += [
            Section(
                f"{method}: the winner, candidate {winner['number']}",
                winner["text"].replace("\n", "; "),
                figure=svg(parse(winner["text"])),
            ),
            *search_page.sections(method, told["records"], measured, winner["number"], UNIT),
            search_page.gates_section(method, record, wires, arrays["sequence"]),
        ]
    note = "All contenders have as many parameters as each other, and were tried at the same learning rates and seeds."
    verdict = " ".join(comparison_page.sentence(row) for row in results["differences"])
    seeds = config.trials[0].budget.seeds
    return [*sections, *comparison_page.sections(verdict, results, arrays, seeds, note)]
