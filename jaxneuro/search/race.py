"""Successive halving: all candidates train a little, the better part trains on, and so forth.

A race may have several courses, one for each task. A candidate runs all of them, each with weights of its own, and is
judged by the mean of its losses, each relative to that of a rule without memory.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, PRNGKeyArray

from jaxneuro.processes import own_share, put_together
from jaxneuro.search.evolution import Candidate
from jaxneuro.search.genome import Genome, live_wires
from jaxneuro.search.training import Lanes, Trainer, may_spike, units_within


@dataclasses.dataclass(frozen=True)
class Budget:
    """What each candidate may have: the same for all.

    Args:
        rungs: steps of training after which the worse part stops, in increasing order.
        keep: the part that goes on at each rung but the last.
        rates: learning rates; each candidate is tried at all of them, and its loss is the best.
        widths: units that arrays are made for; a candidate uses the least that holds it.
        room: lanes of a program.
    """

    rungs: tuple[int, ...] = (20, 60, 300)
    keep: float = 0.25
    rates: tuple[float, ...] = (3e-3, 1e-2)
    widths: tuple[int, ...] = (16, 32, 64)
    room: int = 128

    def __post_init__(self) -> None:
        for name in ("rungs", "widths"):
            values = getattr(self, name)
            if not values or list(values) != sorted(set(values)) or values[0] < 1:
                raise ValueError(f"Budget got {name}={values}; it must be increasing whole numbers from 1.")
        if not 0 < self.keep <= 1:
            raise ValueError(f"Budget got keep={self.keep}; it must be above 0 and at most 1.")
        if not self.rates or min(self.rates) <= 0:
            raise ValueError(f"Budget got rates={self.rates}; there must be one, and all must be above 0.")


class Course(NamedTuple):
    """A task that candidates are trained on.

    Attributes:
        trainer: how; its width is replaced by those of the budget.
        parameters: of a cell with its readout; each candidate has as many units as that allows.
        scale: loss of a rule without memory; 1 leaves losses as they are.
    """

    trainer: Trainer
    parameters: int
    scale: float = 1.0

    def units(self, genome: Genome, widest: int) -> int:
        """Units that a cell may have, at most the widest."""
        task = self.trainer.task
        return min(units_within(genome, task.inputs, task.outputs, self.parameters), widest)


class Outcome(NamedTuple):
    """What became of a candidate.

    Attributes:
        losses: at each rung that it reached the mean over the courses of validation loss / scale.
        parts: the same of each course at the last of these rungs.
        units: how many units it had in each course.
        rates: the learning rate that was best at its last rung, in each course.
    """

    losses: tuple[float, ...]
    parts: tuple[float, ...]
    units: tuple[int, ...]
    rates: tuple[float, ...]


class Race:
    """Trains candidates, rung by rung.

    Args:
        courses: what they are trained on.
        budget: how much.
        key: random key, split in one for weights and one for batches, of which course c has `fold_in(key, c)`. From
            these come the weights of candidate n at rate r, `fold_in(fold_in(weight_key, n), r)`, and the batch of step
            n, `fold_in(batch_key, n)`.
        processes: whether all processes of `jax.distributed` run this race together; see `jaxneuro.processes`.
    """

    def __init__(
        self, courses: Sequence[Course], budget: Budget, key: PRNGKeyArray, *, processes: bool = False
    ) -> None:
        for course in courses:
            if budget.room % (turn := course.trainer.chunk * course.trainer.devices):
                raise ValueError(f"Budget got room={budget.room}; it must be a multiple of chunk x devices, {turn}.")
        self.courses, self.budget, self.processes = list(courses), budget, processes
        weight_key, batch_key = jax.random.split(key)
        self.weight_keys = [jax.random.fold_in(weight_key, c) for c in range(len(courses))]
        self.batch_keys = [jax.random.fold_in(batch_key, c) for c in range(len(courses))]

    def units(self, genome: Genome) -> tuple[int, ...]:
        """Units that a cell may have in each course."""
        return tuple(course.units(genome, self.budget.widths[-1]) for course in self.courses)

    def run(self, candidates: Sequence[Candidate]) -> list[Outcome]:
        """Train candidates.

        Args:
            candidates: any number of them.

        Returns:
            What became of each, in order; one that is too large for a course has an infinite loss.
        """
        units = {c.number: self.units(c.genome) for c in candidates}
        alive = [c for c in candidates if min(units[c.number]) > 0]
        courses = len(self.courses)
        losses: dict[int, list[float]] = {c.number: [] for c in candidates}
        parts = {c.number: [float("inf")] * courses for c in candidates}
        rates = {c.number: [self.budget.rates[0]] * courses for c in candidates}
        share = {c.number for c in (own_share(candidates) if self.processes else candidates)}
        own = [c for c in alive if c.number in share]
        groups = [(place, group) for place in range(courses) for group in self._groups(place, own, units)]
        row = {c.number: place for place, c in enumerate(candidates)}
        step = 0
        for rung, stop in enumerate(self.budget.rungs):
            scores = np.full((len(candidates), courses, len(self.budget.rates)), np.inf, jnp.result_type(float))
            for place, group in groups:
                rows = [row[c.number] for c in group.candidates]
                scores[rows, place] = group.train(self.batch_keys[place], step, stop) / self.courses[place].scale
            scores = put_together(scores) if self.processes else scores
            for candidate in alive:
                for place, of_rates in enumerate(scores[row[candidate.number]]):
                    parts[candidate.number][place] = float(of_rates.min())
                    rates[candidate.number][place] = self.budget.rates[int(of_rates.argmin())]
                losses[candidate.number].append(sum(parts[candidate.number]) / courses)
            step = stop
            if rung + 1 < len(self.budget.rungs):
                ranked = sorted(alive, key=lambda c: (losses[c.number][-1], c.number))
                better = ranked[: max(1, round(len(ranked) * self.budget.keep))]
                alive = [c for c in better if np.isfinite(losses[c.number][-1])]
                numbers = {c.number for c in alive}
                groups = [(place, kept) for place, group in groups if (kept := group.keep(numbers)) is not None]
        return [
            Outcome(tuple(losses[n]) or (float("inf"),), tuple(parts[n]), units[n], tuple(rates[n]))
            for n in (c.number for c in candidates)
        ]

    def _groups(self, place: int, candidates: Sequence[Candidate], units: dict[int, tuple[int, ...]]) -> list["_Group"]:
        """Candidates of one width, as many as there is room for, those with as many nodes side by side."""
        groups: list[_Group] = []
        per_group = self.budget.room // len(self.budget.rates)
        for width in self.budget.widths:
            narrower = [w for w in self.budget.widths if w < width]
            fits = [c for c in candidates if max(narrower, default=0) < units[c.number][place] <= width]
            fits.sort(key=lambda c: (len(live_wires(c.genome)), c.number))
            trainer = dataclasses.replace(self.courses[place].trainer, width=width)
            for start in range(0, len(fits), per_group):
                some = fits[start : start + per_group]
                sizes = [units[c.number][place] for c in some]
                groups.append(_Group.start(trainer, some, sizes, self.budget, self.weight_keys[place]))
        return groups


@dataclasses.dataclass
class _Group:
    trainer: Trainer
    candidates: list[Candidate]
    lanes: Lanes
    rates: int
    spiking: bool

    @classmethod
    def start(
        cls, trainer: Trainer, candidates: list[Candidate], units: list[int], budget: Budget, key: PRNGKeyArray
    ) -> "_Group":
        rates = len(budget.rates)
        numbers = jnp.asarray([c.number for c in candidates for _ in budget.rates], jnp.uint32)
        places = jnp.asarray(list(range(rates)) * len(candidates), jnp.uint32)
        genomes = [c.genome for c in candidates for _ in budget.rates]
        lanes = trainer.lanes(
            genomes,
            [u for u in units for _ in budget.rates],
            list(budget.rates) * len(candidates),
            _keys(key, _padded(numbers, budget.room), _padded(places, budget.room)),
            room=budget.room,
        )
        spiking = any(may_spike(genome) for genome in genomes)
        return cls(trainer, candidates, lanes, rates, spiking)

    def train(self, key: PRNGKeyArray, start: int, stop: int) -> np.ndarray:
        count = len(self.candidates) * self.rates
        self.lanes = self.trainer.train(self.lanes, key, start, stop, count=count, spiking=self.spiking)
        scores = self.trainer.scores(self.lanes, count=count, spiking=self.spiking)
        return scores.reshape(len(self.candidates), self.rates)

    def keep(self, numbers: set[int]) -> "_Group | None":
        kept = [i for i, c in enumerate(self.candidates) if c.number in numbers]
        if not kept:
            return None
        room = len(self.lanes.units)
        before = self.trainer.places(len(self.candidates) * self.rates, room)
        index = np.concatenate([before[np.arange(self.rates) + place * self.rates] for place in kept])
        lanes = _selected(self.lanes, jnp.asarray(self.trainer.filled(index, room)))
        return _Group(self.trainer, [self.candidates[i] for i in kept], lanes, self.rates, self.spiking)


@jax.jit
def _keys(key: PRNGKeyArray, numbers: Array, places: Array) -> Key[Array, "lanes"]:
    return jax.vmap(lambda n, r: jax.random.fold_in(jax.random.fold_in(key, n), r))(numbers, places)


def _padded(values: Array, length: int) -> Array:
    return values[np.minimum(np.arange(length), len(values) - 1)]


@jax.jit
def _selected(lanes: Lanes, index: Array) -> Lanes:
    return jax.tree.map(lambda leaf: leaf[index], lanes)
