"""A memory with basal and apical segments in plain Python: lists of segments, each a cell and its synapses."""

import math

CLOSE = 1e-5


class Segment:
    """Of a cell; synapses are permanences by source."""

    def __init__(self, cell, synapses, born):
        self.cell, self.synapses, self.born = cell, dict(synapses), born

    def potential(self, active):
        return sum(source in active for source in self.synapses)

    def connected(self, active, level):
        return sum(source in active and p >= level - CLOSE for source, p in self.synapses.items())

    def adapt(self, active, up, down):
        for source, p in list(self.synapses.items()):
            p = min(1.0, max(0.0, p + (up if source in active else -down)))
            if p < CLOSE:
                del self.synapses[source]
            else:
                self.synapses[source] = p

    def grow(self, candidates, level):
        for source in candidates:
            self.synapses.setdefault(source, level)


class ByHand:
    """The memory; every candidate for growth is wanted, so that nothing is left to chance but where segments go."""

    def __init__(self, columns, cells, sequence, *, active, least, reduced, initial, up, down, wrong):
        self.columns, self.cells, self.sequence = columns, cells, sequence
        self.active, self.least, self.reduced, self.initial = active, least, reduced, initial
        self.up, self.down, self.wrong = up, down, wrong
        self.basal, self.apical, self.time = [], [], 0
        self.last = set(), set(), set(), set()

    def column(self, cell):
        return cell // self.cells

    def expected(self, basal, apical, learn):
        above = {s.cell for s in self.apical if s.connected(apical, 0.5) >= self.active}
        cells = {s.cell for s in self.basal if s.connected(basal, 0.5) >= self.active}
        if not learn:
            cells |= {s.cell for s in self.basal if s.connected(basal, 0.5) >= self.reduced and s.cell in above}
        both = cells & above
        preferred = {self.column(cell) for cell in both}
        return {cell for cell in cells if cell in both or self.column(cell) not in preferred}

    def step(self, columns, basal, basal_new, apical, apical_new, learn, reset, winners_seen):
        """Active, winner and predicted cells; `winners_seen` are the machine's, for cells that get a new segment."""
        now = apical, apical_new
        if self.sequence:
            basal, basal_new, apical, apical_new = [set()] * 4 if reset else self.last
        expected = self.expected(basal, apical, learn)
        active, winners, lessons, newborn = set(), set(), [], []
        for column in sorted(columns):
            own = {column * self.cells + cell for cell in range(self.cells)}
            segments = [s for s in self.basal if s.cell in own]
            if expected & own:
                active |= expected & own
                winners |= expected & own
                lessons += [s for s in segments if s.cell in expected and s.connected(basal, 0.5) >= self.active]
                continue
            active |= own
            matching = [s for s in segments if s.potential(basal) >= self.least]
            if matching:
                best = min(matching, key=lambda s: (-s.potential(basal), s.cell, s.born))
                winners.add(best.cell)
                lessons.append(best)
            else:
                (cell,) = winners_seen & own
                count = {cell: sum(s.cell == cell for s in segments) for cell in own}
                assert count[cell] == min(count.values())
                winners.add(cell)
                newborn.append(cell)
        if learn:
            silent = [c for c in range(self.columns) if c not in columns]
            for pool, inputs, wrong in ((self.basal, basal, self.wrong[0]), (self.apical, apical, self.wrong[1])):
                for s in pool:
                    if self.column(s.cell) in silent and s.potential(inputs) >= self.least:
                        s.adapt(inputs, -wrong, 0.0)
            for s in lessons:
                s.adapt(basal, self.up, self.down)
                s.grow(basal_new, self.initial)
            if basal_new:
                self.basal += [Segment(cell, dict.fromkeys(basal_new, self.initial), self.time) for cell in newborn]
            self.learn_apical(winners, apical, apical_new)
            self.basal = [s for s in self.basal if s.synapses]
            self.apical = [s for s in self.apical if s.synapses]
            self.time += 1
        if self.sequence:
            self.last = active, winners, *now
            expected = self.expected(active, now[0], learn)
        return active, winners, expected

    def learn_apical(self, winners, apical, apical_new):
        for cell in sorted(winners):
            own = [s for s in self.apical if s.cell == cell]
            taught = [s for s in own if s.connected(apical, 0.5) >= self.active]
            matching = [s for s in own if s.potential(apical) >= self.least]
            if not taught and matching:
                taught = [min(matching, key=lambda s: (-s.potential(apical), s.born))]
            for s in taught:
                s.adapt(apical, self.up, self.down)
                s.grow(apical_new, self.initial)
            if not taught and apical_new:
                self.apical.append(Segment(cell, dict.fromkeys(apical_new, self.initial), self.time))


def listed(segments):
    """All segments as sorted lists of numbers."""
    return sorted([s.cell, sorted((source, round(p, 4)) for source, p in s.synapses.items())] for s in segments)


def close(one, other):
    """Whether two such lists are of the same segments, with permanences equal but for rounding."""
    if [[cell, [source for source, _ in rest]] for cell, rest in one] != [
        [cell, [source for source, _ in rest]] for cell, rest in other
    ]:
        return False
    pairs = zip(one, other, strict=True)
    return all(math.isclose(p, q, abs_tol=3e-4) for a, b in pairs for (_, p), (_, q) in zip(a[1], b[1], strict=True))
