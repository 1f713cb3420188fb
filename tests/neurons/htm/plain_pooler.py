"""The spatial pooler as a slow loop in NumPy, column by column, from the description of its algorithm alone."""

import itertools
import math

import numpy as np


class PlainPooler:
    """Permanences as a list of rows; every quantity is found anew where it is needed."""

    def __init__(self, machine, state):
        p = {name: getattr(machine, name) for name in machine.__dataclass_fields__}
        self.numbers = {name: float(value) for name, value in p.items() if getattr(value, "ndim", None) == 0}
        self.inputs, self.columns = machine.inputs, machine.columns
        self.count, self.local, self.wrap = machine.winners, machine.local, machine.wrap
        self.permanences = np.array(state.permanences)
        self.potential = np.array(state.potential)
        self.size = math.prod(self.columns)
        self.overlap_duty, self.active_duty, self.least = np.zeros((3, self.size))
        self.boost = np.ones(self.size)
        self.steps = self.lost = 0
        self.coordinates = list(itertools.product(*map(range, self.columns)))
        self.input_coordinates = list(itertools.product(*map(range, self.inputs)))
        self.radius = self.find_radius()

    def neighbourhood(self, column):
        sides = []
        for place, size in zip(self.coordinates[column], self.columns, strict=True):
            side = range(place - self.radius, place + self.radius + 1)
            sides.append({i % size for i in side} if self.wrap else {i for i in side if 0 <= i < size})
        return sorted(self.coordinates.index(place) for place in itertools.product(*sides))

    def connected(self, column):
        return np.flatnonzero(self.permanences[column] >= self.numbers["connected_permanence"] - 1e-6)

    def find_radius(self):
        if not self.local:
            return max(self.columns)
        spans = []
        for column in range(self.size):
            on = [self.input_coordinates[i] for i in self.connected(column)]
            spans.append(np.mean([max(side) - min(side) + 1 for side in zip(*on, strict=True)]) if on else 0)
        per_input = np.mean([c / i for c, i in zip(self.columns, self.inputs, strict=True)])
        return int(max(1.0, (np.mean(spans) * per_input - 1) / 2) + 0.5)

    def update(self, column, row, enough):
        n, pool = self.numbers, self.potential[column]
        if enough and n["stimulus_threshold"] > 0:
            row = np.clip(row, 0, 1)
            while np.sum(row[pool] > n["connected_permanence"] - 1e-6) < min(n["stimulus_threshold"], pool.sum()):
                row = np.where(pool, row + n["connected_permanence"] / 10, row)
        row = np.where(row < n["increment"] / 2, 0, row)
        self.permanences[column] = np.clip(row, 0, 1)

    def compete(self, scores):
        threshold = self.numbers["stimulus_threshold"]
        if not self.local:
            ranked = np.argsort(scores, kind="stable")[-self.count :]
            return sorted(int(column) for column in ranked if scores[column] >= threshold)
        area = min(self.size, (2 * self.radius + 1) ** len(self.columns))
        density = self.numbers["density"] or min(self.numbers["area_winners"] / area, 0.5)
        won = []
        for column in range(self.size):
            around = self.neighbourhood(column)
            ahead = sum(scores[j] > scores[column] or (scores[j] == scores[column] and j in won) for j in around)
            if scores[column] >= threshold and ahead < int(0.5 + density * len(around)):
                won.append(column)
        self.lost += max(0, len(won) - self.count)
        return won[: self.count]

    def step(self, bits, learn):
        n, bits = self.numbers, np.asarray(bits)
        self.steps += 1
        overlaps = np.array([bits[self.connected(column)].sum() for column in range(self.size)])
        winners = self.compete(overlaps * (self.boost if learn else 1.0))
        if not learn:
            return winners
        for column in winners:
            change = np.where(bits, n["increment"], -n["decrement"])
            self.update(column, np.where(self.potential[column], self.permanences[column] + change, 0), enough=True)
        period = min(n["duty_period"], self.steps)
        active = np.isin(np.arange(self.size), winners)
        self.overlap_duty = (self.overlap_duty * (period - 1) + (overlaps > 0)) / period
        self.active_duty = (self.active_duty * (period - 1) + active) / period
        for column in np.flatnonzero(self.overlap_duty < self.least):
            grown = self.permanences[column] + n["connected_permanence"] / 10
            self.update(column, np.where(self.potential[column], grown, 0), enough=False)
        around = [self.neighbourhood(column) if self.local else range(self.size) for column in range(self.size)]
        mean = np.array([np.mean(self.active_duty[near]) for near in around])
        target = mean if self.local else self.count / self.size
        self.boost = np.exp(n["boost_strength"] * (target - self.active_duty))
        if self.steps % round(n["update_period"]) == 0:
            self.radius = self.find_radius()
            around = [self.neighbourhood(column) if self.local else range(self.size) for column in range(self.size)]
            self.least = n["least_duty_share"] * np.array([self.overlap_duty[near].max() for near in around])
        return winners
