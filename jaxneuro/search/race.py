"""Successive halving: all candidates train a little, the better part trains on, and so forth."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, PRNGKeyArray

from jaxneuro.search.evolution import Candidate
from jaxneuro.search.genome import live_wires
from jaxneuro.search.training import Lanes, Trainer, may_spike, units_within


@dataclasses.dataclass(frozen=True)
class Budget:
    """What each candidate may have: the same for all.

    Args:
        parameters: of a cell with its readout; each candidate has as many units as that allows.
        rungs: steps of training after which the worse part stops, in increasing order.
        keep: the part that goes on at each rung but the last.
        rates: learning rates; each candidate is tried at all of them, and its score is the best.
        widths: units that arrays are made for; a candidate uses the least that holds it.
        room: lanes of a program.
    """

    parameters: int
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


class Outcome(NamedTuple):
    """What became of a candidate.

    Attributes:
        units: how many units it had.
        losses: validation loss at each rung that it reached, the best of its learning rates.
        rate: the learning rate that was best at its last rung.
    """

    units: int
    losses: tuple[float, ...]
    rate: float

    @property
    def rank(self) -> tuple[int, float]:
        """Better outcomes are smaller: a later rung first, then a lower loss."""
        return -len(self.losses), self.losses[-1]


class Race:
    """Trains candidates, rung by rung.

    Args:
        trainer: how; its width is replaced by those of the budget.
        budget: how much.
        key: random key, split in one for weights and one for batches: the weights of candidate n at rate r come from
            `fold_in(fold_in(weight_key, n), r)`, the batch of step n from `fold_in(batch_key, n)`.
    """

    def __init__(self, trainer: Trainer, budget: Budget, key: PRNGKeyArray) -> None:
        if budget.room % (turn := trainer.chunk * trainer.devices):
            raise ValueError(f"Budget got room={budget.room}; it must be a multiple of chunk x devices, {turn}.")
        self.trainer, self.budget = trainer, budget
        self.weight_key, self.batch_key = jax.random.split(key)

    def units(self, candidate: Candidate) -> int:
        """Units that the budget allows, at most the greatest width."""
        task = self.trainer.task
        allowed = units_within(candidate.genome, task.inputs, task.outputs, self.budget.parameters)
        return min(allowed, self.budget.widths[-1])

    def run(self, candidates: Sequence[Candidate]) -> list[Outcome]:
        """Train candidates.

        Args:
            candidates: any number of them.

        Returns:
            What became of each, in order.
        """
        units = {c.number: self.units(c) for c in candidates}
        alive = [c for c in candidates if units[c.number] > 0]
        losses: dict[int, list[float]] = {c.number: [] for c in candidates}
        rates = {c.number: self.budget.rates[0] for c in candidates}
        groups = self._groups(alive, units)
        step = 0
        for rung, stop in enumerate(self.budget.rungs):
            for group in groups:
                scores = group.train(self.batch_key, step, stop)
                for candidate, row in zip(group.candidates, scores, strict=True):
                    losses[candidate.number].append(float(row.min()))
                    rates[candidate.number] = self.budget.rates[int(row.argmin())]
            step = stop
            if rung + 1 < len(self.budget.rungs):
                ranked = sorted(alive, key=lambda c: (losses[c.number][-1], c.number))
                better = ranked[: max(1, round(len(ranked) * self.budget.keep))]
                alive = [c for c in better if np.isfinite(losses[c.number][-1])]
                groups = [kept for group in groups if (kept := group.keep({c.number for c in alive})) is not None]
        numbers = [c.number for c in candidates]
        return [Outcome(units[n], tuple(losses[n]) or (float("inf"),), rates[n]) for n in numbers]

    def _groups(self, candidates: Sequence[Candidate], units: dict[int, int]) -> list["_Group"]:
        """Candidates of one width, as many as there is room for, those with as many nodes side by side."""
        groups: list[_Group] = []
        per_group = self.budget.room // len(self.budget.rates)
        for width in self.budget.widths:
            narrower = [w for w in self.budget.widths if w < width]
            fits = [c for c in candidates if max(narrower, default=0) < units[c.number] <= width]
            fits.sort(key=lambda c: (len(live_wires(c.genome)), c.number))
            trainer = dataclasses.replace(self.trainer, width=width)
            for start in range(0, len(fits), per_group):
                some = fits[start : start + per_group]
                groups.append(
                    _Group.start(trainer, some, [units[c.number] for c in some], self.budget, self.weight_key)
                )
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
