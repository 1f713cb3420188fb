"""Search over genomes, as asking for candidates and telling how good they were.

A searcher never trains anything. What it asks for depends on its seed and on what it was told, so a search that is
told the same scores again proposes the same candidates again: a run resumes by telling it its own log. The candidate
with number n draws from `fold_in(key, n)`, wherever and whenever it is trained.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from jaxneuro.search.canonical import canonical
from jaxneuro.search.draw_genome import random_genome
from jaxneuro.search.genome import Genome, Space, live_wires
from jaxneuro.search.mutation import OPERATORS, mutate
from jaxneuro.search.pareto import crowding, fronts

PATIENCE = 100  # proposals after which a duplicate, or a cell that sees no input, is taken all the same
LONGEST = 2000  # proposals after which an accepted one is not waited for any more


class Candidate(NamedTuple):
    """A cell to be tried.

    Attributes:
        number: counted from 0 in the order of asking.
        parents: numbers of the candidates that it comes from.
        operator: how: a mutation, "random", or "given".
        genome: canonical.
        digest: hash of what it computes.
    """

    number: int
    parents: tuple[int, ...]
    operator: str
    genome: Genome
    digest: str


class Searcher:
    """Proposes candidates that see their input, none twice, and none that is not accepted.

    Args:
        space: the space of the genomes.
        seed: of all random choices.
        start: genomes to begin with; random ones if there are none.
        accept: says of a canonical genome whether it may be a candidate; all may unless given. Equal genomes must have
            equal answers.

    Raises:
        ValueError: if a genome of `start` is not accepted.
    """

    def __init__(
        self, space: Space, seed: int, start: Sequence[Genome] = (), *, accept: Callable[[Genome], bool] | None = None
    ) -> None:
        self.space = space
        self.key = jax.random.key(seed)
        self.start = list(start)
        self.accept = accept
        self.candidates: list[Candidate] = []
        self.told: dict[int, np.ndarray] = {}
        self._known: set[str] = set()
        for place, genome in enumerate(self.start if accept else ()):
            if not self._is_accepted(canonical(jax.tree.map(np.asarray, genome)).genome):
                raise ValueError(f"start[{place}] is not accepted; leave it out, or change what `accept` says.")

    def ask(self, count: int) -> list[Candidate]:
        """New candidates.

        Args:
            count: how many.

        Returns:
            The candidates, the given genomes first.

        Raises:
            RuntimeError: if of many proposals none is accepted.
        """
        return [self._next() for _ in range(count)]

    def tell(self, candidates: Sequence[Candidate], objectives: np.ndarray) -> None:
        """How good candidates were.

        Args:
            candidates: as asked for.
            objectives: `[candidates, objectives]`, smaller is better; infinite for one that diverged.
        """
        for candidate, values in zip(candidates, np.asarray(objectives, float), strict=True):
            self.told[candidate.number] = np.where(np.isnan(values), np.inf, values)
        self.learn(candidates)

    @abstractmethod
    def learn(self, candidates: Sequence[Candidate]) -> None:
        """Take note of candidates whose objectives are in `told` now."""

    @abstractmethod
    def parent(self, choice: np.random.Generator) -> Candidate | None:
        """The candidate to mutate next; None asks for a random genome."""

    def best(self) -> Candidate:
        """The candidate with the least first objective; of equal ones the earliest."""
        return self.candidates[min(self.told, key=lambda number: (self.told[number][0], number))]

    def _next(self) -> Candidate:
        number = len(self.candidates)
        key = jax.random.fold_in(self.key, number)
        choice = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        if number < len(self.start):
            proposal = self._made(number, (), "given", self.start[number])
        else:
            proposal = self._accepted(number, key, choice)
        self._known.add(proposal.digest)
        self.candidates.append(proposal)
        return proposal

    def _accepted(self, number: int, key: PRNGKeyArray, choice: np.random.Generator) -> Candidate:
        """A proposal that is accepted and, unless that takes long, is new and sees its input."""
        last: Candidate | None = None
        useless = 0
        for attempt in range(LONGEST):
            proposal = self._proposed(number, jax.random.fold_in(key, attempt), choice, useless)
            if self._is_accepted(proposal.genome):
                if proposal.digest not in self._known and sees_input(proposal.genome):
                    return proposal
                last = proposal
                useless += 1
            if useless == PATIENCE:
                break
        if last is not None:
            return last
        raise RuntimeError(
            f"Of {LONGEST:,} proposals in {self.space} none was accepted. Give some that are by `start`, or a larger "
            "space."
        )

    def _is_accepted(self, genome: Genome) -> bool:
        return self.accept is None or self.accept(genome)

    def _proposed(self, number: int, key: PRNGKeyArray, choice: np.random.Generator, useless: int) -> Candidate:
        parent = self.parent(choice)
        if parent is None:
            return self._made(number, (), "random", _random(key, self.space))
        genome, names = jax.tree.map(jnp.asarray, parent.genome), []
        # What keeps giving known cells is changed more.
        for step in range(1 + useless // 10):
            genome, which = _mutated(jax.random.fold_in(key, step), genome)
            names.append(list(OPERATORS)[int(which)])
        return self._made(number, (parent.number,), " + ".join(names), genome)

    def _made(self, number: int, parents: tuple[int, ...], operator: str, genome: Genome) -> Candidate:
        form = canonical(jax.tree.map(np.asarray, genome))
        return Candidate(number, parents, operator, form.genome, form.digest)


def sees_input(genome: Genome) -> bool:
    """Whether the output of a cell depends on its input, now or later."""
    live, space = live_wires(genome), genome.space
    return any(genome.input[place] and space.slot(*place) in live for place in np.ndindex(genome.input.shape))


_random = jax.jit(random_genome, static_argnums=1)
_mutated = jax.jit(mutate)


class RandomSearch(Searcher):
    """Random genomes: what every search has to beat at equal cost."""

    def learn(self, candidates: Sequence[Candidate]) -> None:
        """Nothing."""

    def parent(self, choice: np.random.Generator) -> Candidate | None:
        """None."""
        return None


class AgingEvolution(Searcher):
    """A queue of the youngest; the best of a random few has the next child, and the oldest goes.

    Args:
        space, seed, start, accept: as in `Searcher`.
        population: length of the queue; so many random genomes come first.
        tournament: how many compete.

    Reference: Real, Aggarwal, Huang and Le 2019, Regularized evolution for image classifier architecture search, AAAI
    33:4780, algorithm 1.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        start: Sequence[Genome] = (),
        *,
        population: int = 64,
        tournament: int = 8,
        accept: Callable[[Genome], bool] | None = None,
    ) -> None:
        super().__init__(space, seed, start, accept=accept)
        self.population, self.tournament = population, tournament
        self.queue: list[int] = []

    def learn(self, candidates: Sequence[Candidate]) -> None:
        """They join, the oldest leave."""
        self.queue = (self.queue + [candidate.number for candidate in candidates])[-self.population :]

    def parent(self, choice: np.random.Generator) -> Candidate | None:
        """The best of the tournament."""
        if len(self.told) < self.population // 2 or len(self.candidates) < self.population:
            return None
        rivals = choice.choice(self.queue, min(self.tournament, len(self.queue)), replace=False)
        return self.candidates[min(rivals, key=lambda number: (self.told[int(number)][0], number))]


class NSGA2(Searcher):
    """Several objectives: the fronts that nothing dominates survive, and within the last one the loneliest.

    Args:
        space, seed, start, accept: as in `Searcher`.
        population: how many survive; so many random genomes come first.

    Reference: Deb, Pratap, Agarwal and Meyarivan 2002, IEEE Transactions on Evolutionary Computation 6:182.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        start: Sequence[Genome] = (),
        *,
        population: int = 64,
        accept: Callable[[Genome], bool] | None = None,
    ) -> None:
        super().__init__(space, seed, start, accept=accept)
        self.population = population
        self.survivors: list[int] = []
        self.ranks: dict[int, tuple[int, float]] = {}

    def learn(self, candidates: Sequence[Candidate]) -> None:
        """Parents and children compete for the places."""
        numbers = self.survivors + [candidate.number for candidate in candidates]
        objectives = np.stack([self.told[number] for number in numbers])
        self.survivors, self.ranks = [], {}
        for rank, front in enumerate(fronts(objectives)):
            lonely = crowding(objectives[front])
            for place in np.lexsort((front, -lonely)):
                if len(self.survivors) < self.population:
                    number = numbers[front[place]]
                    self.survivors.append(number)
                    self.ranks[number] = (rank, -float(lonely[place]))

    def parent(self, choice: np.random.Generator) -> Candidate | None:
        """The better of two survivors: in an earlier front, or lonelier in the same."""
        if len(self.candidates) < self.population or not self.survivors:
            return None
        rivals = choice.choice(self.survivors, min(2, len(self.survivors)), replace=False)
        return self.candidates[min((int(number) for number in rivals), key=lambda number: (self.ranks[number], number))]


class MapElites(Searcher):
    """The best cell of each kind: an archive over what cells are like, of which any may have the next child.

    The kind of a cell is in its objectives behind the first: each is cut at the given edges.

    Args:
        space, seed, start, accept: as in `Searcher`.
        edges: for each objective but the first where one bin ends and the next begins.
        random: so many random genomes come first.

    Reference: Mouret and Clune 2015, Illuminating search spaces by mapping elites, arXiv:1504.04909.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        start: Sequence[Genome] = (),
        *,
        edges: Sequence[Sequence[float | int]],
        random: int = 64,
        accept: Callable[[Genome], bool] | None = None,
    ) -> None:
        super().__init__(space, seed, start, accept=accept)
        self.edges, self.random = [list(bins) for bins in edges], random
        self.archive: dict[tuple[int, ...], int] = {}

    def learn(self, candidates: Sequence[Candidate]) -> None:
        """Each takes its bin if it is better than the one there."""
        for candidate in candidates:
            loss, *kind = self.told[candidate.number]
            place = tuple(int(np.searchsorted(bins, value)) for bins, value in zip(self.edges, kind, strict=True))
            holder = self.archive.get(place)
            if np.isfinite(loss) and (holder is None or loss < self.told[holder][0]):
                self.archive[place] = candidate.number

    def parent(self, choice: np.random.Generator) -> Candidate | None:
        """Any elite."""
        if len(self.candidates) < self.random or not self.archive:
            return None
        return self.candidates[self.archive[sorted(self.archive)[choice.integers(len(self.archive))]]]
