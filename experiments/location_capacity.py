"""How many objects can a column keep apart by touch? Capacity against modules, cells and features.

A column of grid cells learns object after object, each from one touch of each of its features. After every so many
objects a sample of those learnt so far is touched again, and nothing is learnt from that. Capacity is the number of
objects up to which at least so large a share of the sample is recognised by the last touch.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

import jaxneuro as jn
from jaxneuro.launch import figures
from jaxneuro.launch.config import Count, ExperimentConfig, Positive
from jaxneuro.launch.directory import Run
from jaxneuro.launch.report import Section
from jaxneuro.measure.interval import mean_interval
from jaxneuro.networks.sensorimotor import SensorimotorColumn
from jaxneuro.tasks.touch import TouchedObjects, column_for, learn_objects, recognised


class Column(BaseModel):
    """One column, and the features of its objects.

    Fields:
        modules: of grid cells.
        cells: along an axis of a module.
        pool: how many features there are in all.
        largest: no more objects than these are learnt.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    modules: Count = Field(le=100)
    cells: Count = Field(le=100)
    pool: Count = Field(le=10_000)
    largest: Count = Field(default=250, le=100_000)

    @property
    def body(self) -> str:
        """The column without its objects."""
        return f"{self.modules} x {self.cells} x {self.cells} cells"

    @property
    def world(self) -> str:
        """The objects without the column."""
        return f"{self.pool} features"


class Config(ExperimentConfig):
    """See configs/locations/capacity.yaml.

    Fields:
        columns: one after the other.
        every: objects between two tests.
        sample: objects in a test, drawn with replacement from those learnt.
        enough: the share that must be recognised.
        touched: features of an object.
        width: places along an edge of an object.
        spacing: of the places, in the units of `scale`.
        scale: length of an edge of a module of grid cells.
        sensory_columns: minicolumns of the sensory layer, of which a feature activates `feature_columns`.
        sensory_cells: per minicolumn.
    """

    seeds: Count = Field(default=5, ge=2, le=1000)
    columns: tuple[Column, ...] = Field(min_length=1)
    every: Count = 25
    sample: Count = 50
    enough: float = Field(default=0.9, gt=0, le=1)
    touched: Count = Field(default=10, le=100)
    width: Count = Field(default=4, le=100)
    spacing: Positive = 10.0
    scale: Positive = 40.0
    sensory_columns: Count = Field(default=150, le=10_000)
    feature_columns: Count = Field(default=10, le=64)
    sensory_cells: Count = Field(default=16, le=256)


def drawn(config: Config, column: Column, seed: int) -> TouchedObjects:
    """The objects of a seed."""
    return TouchedObjects(
        column.largest,
        config.touched,
        column.pool,
        width=config.width,
        columns=config.sensory_columns,
        feature_columns=config.feature_columns,
        seed=[config.seed, seed],
    )


learn = jax.jit(learn_objects, donate_argnums=1)
told = jax.jit(recognised)


def shares(config: Config, machine: SensorimotorColumn, objects: TouchedObjects, seed: int) -> tuple[list[float], int]:
    """The share recognised after every so many objects, until it falls well below enough; and what had no room."""
    generator = np.random.default_rng([config.seed, seed, 1])
    state = jax.jit(machine.init)(jax.random.fold_in(jax.random.key(config.seed), seed))
    lessons, tests = objects.lessons(config.spacing), objects.tests(config.spacing)
    order = jnp.asarray(objects.order, jnp.int32)
    known, found, lost = [], [], 0
    for learnt in range(config.every, len(objects.order) + 1, config.every):
        block = jax.tree.map(lambda leaf, learnt=learnt: leaf[learnt - config.every : learnt], lessons)
        state, cells, without_room = learn(machine, state, block)
        known.append(cells)
        lost += int(without_room)
        chosen = generator.integers(learnt, size=config.sample)
        sample = jax.tree.map(lambda leaf, chosen=chosen: leaf[chosen], tests)
        right = told(machine, state, sample, order[chosen], jnp.concatenate(known)[chosen])
        found.append(float(np.asarray(right).any(axis=1).mean()))
        if found[-1] < config.enough / 2:
            break
    return found, lost


def capacity(shares: list[float], every: int, enough: float) -> float:
    """The number of objects at which the share first falls below enough, on straight lines between tests.

    Args:
        shares: recognised after `every`, `2 every`, ... objects.
        every: objects between two tests.
        enough: the share that must be recognised.

    Returns:
        The number of objects; that of the last test if the share never falls so low.
    """
    counts, before = every * np.arange(len(shares) + 1), [1.0, *shares]
    for test, share in enumerate(shares):
        if share < enough:
            return float(counts[test] + every * (before[test] - enough) / (before[test] - share))
    return float(counts[-1])


def main(config: Config, run: Run) -> dict[str, Any]:
    """All columns, one after the other."""
    rows = []
    for column in config.columns:
        worlds = [drawn(config, column, seed) for seed in range(config.seeds)]
        machine = column_for(
            worlds, column.modules, column.cells, sensory_cells=config.sensory_cells, scale=config.scale
        )
        curves, lost = [], 0
        for seed, objects in enumerate(worlds):
            found, without_room = shares(config, machine, objects, seed)
            curves.append(found)
            lost += without_room
            kept = capacity(found, config.every, config.enough)
            run.say(f"{column.body}, {column.world}, seed {seed}: {kept:.0f} objects")
        rows.append(
            {
                **column.model_dump(),
                "capacities": [capacity(found, config.every, config.enough) for found in curves],
                "shares": curves,
                "lost": lost,
                "parameters": jn.count_parameters(machine),
            }
        )
    return {"rows": rows}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report: capacities, and the shares over the number of objects."""
    table = []
    for column, row in zip(config.columns, results["rows"], strict=True):
        mean, low, high = mean_interval(row["capacities"])
        numbers = [str(column.modules), str(column.cells**2), str(column.pool)]
        table.append([*numbers, f"{mean:.0f}", f"{low:.0f} to {high:.0f}", f"{row['lost']:,}"])
    return [
        Section(
            title="Capacity",
            text=f"Objects of {config.touched} features up to which {config.enough:.0%} of those learnt are "
            f"recognised: mean and 95 % interval of {config.seeds} seeds. Lost: segments without room.",
            columns=["modules", "cells of a module", "features", "objects", "95 %", "lost"],
            rows=table,
        ),
        Section(
            title="Recognition against objects learnt",
            text="Columns by modules and their cells. The line is the mean of all seeds, the band their range; a "
            "column is tested until it recognises less than half of what is enough.",
            figure=figures.svg(*panels(config, results)),
        ),
    ]


def panels(config: Config, results: dict[str, Any]) -> list[figures.Panel]:
    """One for columns with as many features, and one for features of the same column."""
    longest = max(len(found) for row in results["rows"] for found in row["shares"])
    rows = [
        np.array([found + [np.nan] * (longest - len(found)) for found in row["shares"]]) * 100
        for row in results["rows"]
    ]
    groups: dict[str, dict[str, np.ndarray]] = {}
    for column, row in zip(config.columns, rows, strict=True):
        groups.setdefault(column.world, {})[column.body] = row
        groups.setdefault(column.body, {})[column.world] = row
    counts = config.every * np.arange(1, longest + 1)
    several = {title: curves for title, curves in groups.items() if len(curves) > 1} or groups
    return [
        figures.learning_curves(curves, counts, "recognised (%)", title=title, step="objects learnt")
        for title, curves in several.items()
    ]
