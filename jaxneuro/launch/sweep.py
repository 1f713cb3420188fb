"""Sweeps over numbers: every combination is a lane of one compiled program.

    sweep:
      learning_rate: [1e-3, 1e-2]
      networks.0.neuron.tau_ms: [5, 10, 20]

means 6 lanes. The last path of the config varies fastest: lane 0 has (1e-3, 5), lane 1 (1e-3, 10), lane 3 (1e-2, 5).

    points = sweep.lanes(config.sweep)                                   # {path: [lanes]}
    losses = jax.vmap(lambda point: loss_of(sweep.at(config, point)))(points)

Only numbers with a fraction can be swept, and the seed: a whole number such as a size changes the program itself.
"""

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

from jaxneuro.launch.advice import dotted, nearest

Part = TypeVar("Part")
SEED = "seed"


def count(sweep: Mapping[str, Sequence[float]]) -> int:
    """The number of lanes; 1 without a sweep."""
    return math.prod(map(len, sweep.values()))


def lanes(sweep: Mapping[str, Sequence[float]]) -> dict[str, np.ndarray]:
    """The values of every lane.

    Args:
        sweep: lists of values by path, as `config.sweep` has them.

    Returns:
        By path, an array with an axis of lanes: float32, or uint32 for the seed.
    """
    rows = np.asarray(list(itertools.product(*sweep.values()))).reshape(count(sweep), len(sweep))
    types = {path: np.uint32 if path == SEED else np.float32 for path in sweep}
    return {path: rows[:, column].astype(types[path]) for column, path in enumerate(sweep)}


def of_lane(sweep: Mapping[str, Sequence[float]], lane: int) -> dict[str, float]:
    """The values of one lane, as the config gives them."""
    if not 0 <= lane < count(sweep):
        raise ValueError(f"lane is {lane}; it must be 0 to {count(sweep) - 1}.")
    places = np.unravel_index(lane, [len(values) for values in sweep.values()])
    return {path: values[int(place)] for (path, values), place in zip(sweep.items(), places, strict=True)}


def at(config: Part, point: Mapping[str, Any]) -> Part:
    """The config of one lane: fields replaced by what `point` holds, which may be tracers.

    Args:
        config: a checked config.
        point: a value by path; the values of a sweep have been checked with the config.

    Returns:
        A config that is not checked again.
    """
    for path, value in point.items():
        config = _changed(config, path.split("."), value)
    return config


def _changed(part: Any, steps: list[str], value: Any) -> Any:
    if not steps:
        return value
    step, change = steps[0], functools.partial(_changed, steps=steps[1:], value=value)
    if isinstance(part, BaseModel):
        return part.model_copy(update={step: change(getattr(part, step))})
    if isinstance(part, dict):
        return {**part, step: change(part[step])}
    if isinstance(part, tuple):
        return tuple(change(each) if index == int(step) else each for index, each in enumerate(part))
    with_argument: Callable[[str, Callable[[Any], Any]], Any] = part.with_argument
    return with_argument(step, change)


def numbers(data: Any, above: tuple[str | int, ...] = ()) -> list[str]:
    """The paths in a resolved config that can be swept."""
    if isinstance(data, float) or above == (SEED,):
        return [dotted(above)]
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path for step, part in parts for path in numbers(part, (*above, step))]


def obstacle(resolved: dict[str, Any], path: str) -> str | None:
    """Why a path of a resolved config cannot be swept, and which can; None if it can."""
    known = numbers(resolved)
    if path in known:
        return None
    close = nearest(path, known)
    exists = any(path == other for other in _paths(resolved))
    why = "is not a number that can vary within one program" if exists else "is not a known field"
    meant = f" Did you mean {close}?" if close else ""
    return f"{why}.{meant} Allowed: {', '.join(known[:20])}{', ...' if len(known) > 20 else ''}."


def _paths(data: Any, above: tuple[str | int, ...] = ()) -> list[str]:
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [dotted(above), *(path for step, part in parts for path in _paths(part, (*above, step)))]


def with_number(resolved: dict[str, Any], path: str, value: float) -> dict[str, Any]:
    """A resolved config with another number at a path that can be swept."""
    here: Any = resolved
    *above, last = path.split(".")
    for step in above:
        here = here[int(step) if isinstance(here, list) else step]
    here[int(last) if isinstance(here, list) else last] = int(value) if path == SEED and value.is_integer() else value
    return resolved
