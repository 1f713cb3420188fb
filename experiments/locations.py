"""Can an object be recognised by touch? Grid cells that keep track of where the sensor may be, and two yardsticks.

Objects are features at places of a grid, drawn from a small pool, so that no feature says which object it is on. A
column learns every object from one touch of each of its features, and then touches it again in random order. An ideal
observer, who knows all objects and the vectors between touches, and one who only counts features, are told the same.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PRNGKeyArray
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import figures
from jaxneuro.launch.config import Count, ExperimentConfig, Positive
from jaxneuro.launch.directory import Run
from jaxneuro.launch.report import Section
from jaxneuro.networks.sensorimotor import SensorimotorColumn, Touch
from jaxneuro.tasks.touch import TouchedObjects, column_for, learn_objects, recognised

OBSERVERS = ("ideal observer", "bag of features")


class Config(ExperimentConfig):
    """See configs/locations/.

    Fields:
        objects: how many objects are learnt.
        touched: features of an object.
        pool: how many features there are in all.
        width: places along an edge of an object.
        spacing: of the places, in the units of `scale`.
        scale: length of an edge of a module of grid cells.
        cells: along an axis of a module; one column for each number.
        sensory_columns: minicolumns of the sensory layer, of which a feature activates `feature_columns`.
        sensory_cells: per minicolumn.
    """

    seeds: Count = Field(default=1, le=1000)
    objects: Count = Field(default=100, le=10_000)
    touched: Count = Field(default=10, le=100)
    pool: Count = Field(default=10, le=1000)
    width: Count = Field(default=4, le=100)
    spacing: Positive = 10.0
    scale: Positive = 40.0
    modules: Count = Field(default=10, le=100)
    cells: tuple[Count, ...] = Field(default=(40,), min_length=1)
    sensory_columns: Count = Field(default=150, le=10_000)
    feature_columns: Count = Field(default=10, le=64)
    sensory_cells: Count = Field(default=16, le=256)


def world(config: Config, seed: int) -> TouchedObjects:
    """The objects of a seed."""
    return TouchedObjects(
        config.objects,
        config.touched,
        config.pool,
        width=config.width,
        columns=config.sensory_columns,
        feature_columns=config.feature_columns,
        seed=[config.seed, seed],
    )


@jax.jit
def told(
    machine: SensorimotorColumn, lessons: Touch, tests: Touch, order: Int[Array, "objects touched"], key: PRNGKeyArray
) -> tuple[Bool[Array, "objects touched"], Int[Array, ""]]:
    """Which touches tell an object once all have been learnt, and how much had no room."""
    state, known, lost = learn_objects(machine, machine.init(key), lessons)
    return recognised(machine, state, tests, order, known), lost


def first_recognised(
    world: TouchedObjects, machine: SensorimotorColumn, key: PRNGKeyArray, spacing: float
) -> tuple[np.ndarray, int]:
    """The touch after which each object is recognised, 0 for never; and how much had no room."""
    order = jnp.asarray(world.order, jnp.int32)
    right, lost = told(machine, world.lessons(spacing), world.tests(spacing), order, key)
    return firsts(np.asarray(right)), int(lost)


def firsts(right: np.ndarray) -> np.ndarray:
    """In which touch an object was first right, counted from 1; 0 for never."""
    return np.where(right.any(axis=1), right.argmax(axis=1) + 1, 0)


def ideal_observer(world: TouchedObjects) -> np.ndarray:
    """The touch after which only one place on one object fits all features and the vectors between them."""
    objects, touched = world.places.shape
    width = world.width
    grid = np.full((objects, 3 * width, 3 * width), -1)
    rows, columns = world.places // width, world.places % width
    grid[np.arange(objects)[:, None], rows + width, columns + width] = world.features
    right = np.zeros((objects, touched), bool)
    for each in range(objects):
        order = world.order[each]
        fits = np.ones((objects, width, width), bool)
        for touch, feature in enumerate(order):
            down = width + rows[each, feature] - rows[each, order[0]]
            across = width + columns[each, feature] - columns[each, order[0]]
            fits &= grid[:, down : down + width, across : across + width] == world.features[each, feature]
            right[each, touch] = fits.sum() == 1
    return firsts(right)


def bag_of_features(world: TouchedObjects) -> np.ndarray:
    """The touch after which only one object has all the features that were sensed, as often as they were."""
    objects, touched = world.places.shape
    counts = np.zeros((objects, world.features.max() + 1), int)
    np.add.at(counts, (np.arange(objects)[:, None], world.features), 1)
    right = np.zeros((objects, touched), bool)
    for each in range(objects):
        found = np.zeros(counts.shape[1], int)
        for touch, feature in enumerate(world.order[each]):
            found[world.features[each, feature]] += 1
            right[each, touch] = (counts >= found).all(axis=1).sum() == 1
    return firsts(right)


def shares(first: np.ndarray, touched: int) -> list[float]:
    """The share of objects recognised after 1, 2, ... touches."""
    return [float(((first > 0) & (first <= touch)).mean()) for touch in range(1, touched + 1)]


def main(config: Config, run: Run) -> dict[str, Any]:
    """All columns and both observers on the same objects."""
    worlds = [world(config, seed) for seed in range(config.seeds)]
    rows = [
        {
            "who": who,
            "cells": None,
            "recognised": [shares(judge(objects), config.touched) for objects in worlds],
            "lost": 0,
        }
        for who, judge in zip(OBSERVERS, (ideal_observer, bag_of_features), strict=True)
    ]
    machines = [
        column_for(worlds, config.modules, cells, sensory_cells=config.sensory_cells, scale=config.scale)
        for cells in config.cells
    ]
    for cells, machine in zip(config.cells, machines, strict=True):
        found = []
        for seed, objects in enumerate(worlds):
            key = jax.random.fold_in(jax.random.key(config.seed), seed)
            found.append(first_recognised(objects, machine, key, config.spacing))
            run.say(f"{cells} x {cells} cells, seed {seed}: {shares(found[-1][0], config.touched)}")
        rows.append(
            {
                "who": f"{cells} x {cells} cells",
                "cells": cells,
                "recognised": [shares(first, config.touched) for first, _ in found],
                "lost": sum(lost for _, lost in found),
            }
        )
    return {"objects": config.objects, "parameters": jn.count_parameters(machines[0]), "rows": rows}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report: the table, and the shares over touches."""
    shown = range(1, min(config.touched, 6))
    table = [
        [row["who"], *(f"{np.mean(row['recognised'], axis=0)[touch]:.3f}" for touch in shown), f"{row['lost']:,}"]
        for row in results["rows"]
    ]
    curves = {row["who"]: 100 * np.asarray(row["recognised"]) for row in results["rows"]}
    drawn = figures.learning_curves(curves, np.arange(1, config.touched + 1), "recognised (%)", step="touches")
    return [
        Section(
            title="Objects recognised",
            text=f"Share of {config.objects} objects of {config.touched} features from a pool of {config.pool} that "
            f"were recognised after so many touches; mean of {config.seeds} seeds. Lost: segments without room.",
            columns=["who", *(f"{touch + 1} touches" for touch in shown), "lost"],
            rows=table,
        ),
        Section(
            title="Recognition over touches",
            text="The line is the mean of all seeds, the band their range.",
            figure=figures.svg(drawn),
        ),
    ]
