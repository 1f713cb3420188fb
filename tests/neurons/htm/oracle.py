"""A temporal memory in plain Python, one list at a time: slow, and nothing in it but the rules.

Permanences are numpy's single-precision numbers, so that another program can be held to it bit for bit. Where the rules
leave something to chance, the caller's `choose` is asked; a run in which it was never asked has one outcome only.
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import numpy as np

EPSILON = np.float32(1e-5)


@dataclass(eq=False)
class Synapse:
    """From a presynaptic cell."""

    presynaptic: int
    permanence: np.float32


@dataclass(eq=False)
class Segment:
    """On a cell: its synapses in the order in which they were made, and when it was last active."""

    cell: int
    last_used: int
    synapses: list[Synapse] = field(default_factory=list)
    potential: int = 0  # synapses of any permanence onto the cells that are active


def never(candidates: list[int], count: int) -> list[int]:
    raise AssertionError(f"{count} of the candidates {candidates} were to be chosen at random")


class Oracle:
    """The temporal memory of columns of cells with segments of synapses.

    `events` counts what happened; "chance" is how often `choose` was asked.

    Args:
        choose: `(candidates, count)` to that many of them; asked only where there are more candidates than count.
    """

    def __init__(
        self,
        columns: int = 2048,
        cells: int = 32,
        *,
        segments_per_cell: int = 255,
        synapses: int = 255,
        activation_threshold: int = 13,
        min_threshold: int = 10,
        initial_permanence: float = 0.21,
        connected_permanence: float = 0.5,
        new_synapses: int = 20,
        permanence_increment: float = 0.1,
        permanence_decrement: float = 0.1,
        predicted_decrement: float = 0.0,
        choose: Callable[[list[int], int], list[int]] = never,
    ):
        self.columns, self.cells = columns, cells
        self.segments_per_cell, self.synapses_per_segment = segments_per_cell, synapses
        self.activation_threshold, self.min_threshold = activation_threshold, min_threshold
        self.initial = np.float32(initial_permanence)
        self.connected_above = np.float32(connected_permanence) - EPSILON
        self.new_synapses = new_synapses
        self.increment, self.decrement = np.float32(permanence_increment), np.float32(permanence_decrement)
        self.predicted_decrement = np.float32(predicted_decrement)
        self.choose = choose
        self.events = Counter()
        self.iteration = 0
        self.segments: list[list[Segment]] = [[] for _ in range(columns * cells)]
        self.forget_activity()

    def forget_activity(self):
        self.active: list[int] = []
        self.winners: list[int] = []
        self.active_segments: list[Segment] = []
        self.matching_segments: list[Segment] = []
        self.anomaly = np.float32(0)

    @property
    def predicted(self) -> list[int]:
        """The cells that are predicted for the next step."""
        return sorted({segment.cell for segment in self.active_segments})

    def step(self, active_columns: Collection[int], learn: bool = True, reset: bool = False):
        if reset:
            self.forget_activity()
        before, winners_before = set(self.active), list(self.winners)
        active, winners, unpredicted = [], [], 0
        for column in range(self.columns):
            predicting = [segment for segment in self.active_segments if segment.cell // self.cells == column]
            matching = [segment for segment in self.matching_segments if segment.cell // self.cells == column]
            if column in active_columns and predicting:
                cells = sorted({segment.cell for segment in predicting})
                active += cells
                winners += cells
                self.events["predicted"] += 1
                for segment in predicting if learn else []:
                    self.reinforce(segment, before, winners_before)
            elif column in active_columns:
                unpredicted += 1
                active += range(column * self.cells, (column + 1) * self.cells)
                winners.append(self.burst(column, matching, before, winners_before, learn))
            elif learn and self.predicted_decrement > 0:
                for segment in matching:
                    self.events["punished"] += 1
                    self.adapt(segment, before, -self.predicted_decrement, np.float32(0))
        self.active, self.winners = active, sorted(winners)
        self.anomaly = np.float32(unpredicted) / np.float32(len(active_columns)) if active_columns else np.float32(0)
        self.depolarise(learn)

    def burst(
        self, column: int, matching: list[Segment], before: set[int], winners_before: list[int], learn: bool
    ) -> int:
        """The winner of an active column that was not predicted, and what it learns."""
        if matching:
            self.events["matched"] += 1
            best = max(matching, key=lambda segment: segment.potential)  # the first of equals
            if learn:
                self.reinforce(best, before, winners_before)
            return best.cell
        counts = {cell: len(self.segments[cell]) for cell in range(column * self.cells, (column + 1) * self.cells)}
        winner = self.chosen([cell for cell in counts if counts[cell] == min(counts.values())], 1)[0]
        if learn and winners_before:
            self.grow(self.created(winner), min(self.new_synapses, len(winners_before)), winners_before)
        return winner

    def reinforce(self, segment: Segment, before: set[int], winners_before: list[int]):
        self.adapt(segment, before, self.increment, self.decrement)
        self.grow(segment, self.new_synapses - segment.potential, winners_before)

    def adapt(self, segment: Segment, before: set[int], increment: np.float32, decrement: np.float32):
        for synapse in segment.synapses:
            change = increment if synapse.presynaptic in before else -decrement
            synapse.permanence = min(max(synapse.permanence + change, np.float32(0)), np.float32(1))
        kept = [synapse for synapse in segment.synapses if synapse.permanence >= EPSILON]
        self.events["synapse destroyed"] += len(segment.synapses) - len(kept)
        segment.synapses = kept
        if not kept:
            self.events["segment destroyed"] += 1
            self.segments[segment.cell].remove(segment)

    def grow(self, segment: Segment, count: int, winners_before: list[int]):
        present = {synapse.presynaptic for synapse in segment.synapses}
        candidates = [cell for cell in winners_before if cell not in present]
        count = min(count, len(candidates))
        if count <= 0:
            return
        for _ in range(len(segment.synapses) + count - self.synapses_per_segment):
            self.destroy_weakest(segment, set(winners_before))
        count = min(count, self.synapses_per_segment - len(segment.synapses))
        for cell in sorted(self.chosen(candidates, count)):
            segment.synapses.append(Synapse(cell, self.initial))

    def destroy_weakest(self, segment: Segment, winners_before: set[int]):
        """Not one of those onto the winners. A later synapse is weaker only if it is so by more than epsilon."""
        weakest = None
        for synapse in segment.synapses:
            weaker = weakest is None or synapse.permanence < weakest.permanence - EPSILON
            if synapse.presynaptic not in winners_before and weaker:
                weakest = synapse
        if weakest is not None:
            self.events["synapse evicted"] += 1
            segment.synapses.remove(weakest)

    def created(self, cell: int) -> Segment:
        """A new segment of a cell; if that has no room, in place of the one that was not used for longest."""
        while len(self.segments[cell]) >= self.segments_per_cell:
            self.events["segment evicted"] += 1
            self.segments[cell].remove(min(self.segments[cell], key=lambda segment: segment.last_used))
        self.events["segment created"] += 1
        segment = Segment(cell, self.iteration)
        self.segments[cell].append(segment)
        return segment

    def chosen(self, candidates: list[int], count: int) -> list[int]:
        if count <= 0 or count >= len(candidates):
            return candidates[: max(count, 0)]
        self.events["chance"] += 1
        return self.choose(candidates, count)

    def depolarise(self, learn: bool):
        """Counts the synapses onto active cells: these decide the segments of the next step."""
        active = set(self.active)
        self.active_segments, self.matching_segments = [], []
        for segment in (segment for segments in self.segments for segment in segments):
            onto_active = [synapse for synapse in segment.synapses if synapse.presynaptic in active]
            segment.potential = len(onto_active)
            connected = [synapse for synapse in onto_active if synapse.permanence > self.connected_above]
            if len(connected) >= self.activation_threshold:
                self.active_segments.append(segment)
                segment.last_used = self.iteration if learn else segment.last_used
            if segment.potential >= self.min_threshold:
                self.matching_segments.append(segment)
        self.iteration += learn
