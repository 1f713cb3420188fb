"""Published firing patterns: the parameters and the stimuli that show what one neuron can do. Numbers, no neuron.

`Izhikevich(**pattern.parameters, dt_ms=pattern.dt_ms)` and `AdEx(**pattern.parameters)` are the cells.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Current = Callable[[np.ndarray], np.ndarray]
Number = float | int


@dataclass(frozen=True)
class Pattern:
    """One pattern.

    Attributes:
        name: in words.
        parameters: of the cell, by the names of its fields.
        current: of times (ms), in the cell's unit.
        dt_ms: the published step size (ms).
        duration_ms: how long it is shown (ms).
    """

    name: str
    parameters: dict[str, float]
    current: Current
    dt_ms: float
    duration_ms: Number

    def times(self, dt_ms: float | None = None) -> np.ndarray:
        """The beginnings of the steps, both ends of the duration among them (ms); by another step size if given."""
        dt = self.dt_ms if dt_ms is None else dt_ms
        return dt * np.arange(round(self.duration_ms / dt) + 1)


def stacked_currents(patterns: tuple[Pattern, ...]) -> np.ndarray:
    """The currents of all patterns at their own times, `[patterns, steps]`; 0 after the end of the shorter ones."""
    rows = [pattern.current(pattern.times()) for pattern in patterns]
    longest = max(map(len, rows))
    return np.stack([np.pad(row, (0, longest - len(row))) for row in rows])


def stacked_parameters(patterns: tuple[Pattern, ...]) -> dict[str, np.ndarray]:
    """Every parameter of all patterns, `[patterns]`, `dt_ms` among them; they must name the same ones."""
    rows = [{**pattern.parameters, "dt_ms": pattern.dt_ms} for pattern in patterns]
    return {name: np.asarray([row[name] for row in rows]) for name in rows[0]}


def _pulses(*pulses: tuple[Number, Number, Number], base: Number = 0) -> Current:
    """`base`, but a level within each `(level, start, stop)`, borders left out."""

    def current(times: np.ndarray) -> np.ndarray:
        values = np.full(times.shape, float(base))
        for level, start, stop in pulses:
            values = np.where((times > start) & (times < stop), level, values)
        return values

    return current


def _from(start: Number, level: Number) -> Current:
    return _pulses((level, start, np.inf))


def _ramp(start: Number, slope: Number, base: Number = 0) -> Current:
    return lambda times: base + slope * np.maximum(times - start, 0)


def _two_ramps(times: np.ndarray) -> np.ndarray:
    """Slowly to 8 in 200 ms; after a pause fast to 4 in 12.5 ms."""
    fast = np.where((times >= 300) & (times < 312.5), (times - 300) / 12.5 * 4, 0)
    return np.where(times < 200, times / 25, fast)


def _released(times: np.ndarray) -> np.ndarray:
    """80, but 75 from 50 to 250 ms."""
    return np.where((times < 50) | (times > 250), 80.0, 75.0)


def _cell(
    a: Number, b: Number, c: Number, d: Number, v: Number, u: Number, *,
    linear: Number = 5, constant: Number = 140, recovery_mv: Number = 0, recovery_leak: Number = 1,
) -> dict[str, float]:  # fmt: skip
    numbers = {
        "rate_per_ms": a,
        "sensitivity_per_ms": b,
        "reset_mv": c,
        "increment": d,
        "start_mv": v,
        "start_recovery": u,
        "linear_per_ms": linear,
        "constant": constant,
        "recovery_mv": recovery_mv,
        "recovery_leak": recovery_leak,
    }
    return {name: float(number) for name, number in numbers.items()}


def izhikevich_patterns() -> tuple[Pattern, ...]:
    """The twenty patterns of Izhikevich 2004, figure 1, A to T, with the parameters of its program.

    Class 1 and integrator have another parabola; accommodation has a recovery that does not decay. Ports of the program
    differ in F, K and L, and tables in papers in bistability and inhibition-induced bursting.

    Reference: Izhikevich 2004, IEEE Transactions on Neural Networks 15:1063.
    """
    other = {"linear": 4.1, "constant": 108}
    ever = {"recovery_mv": -65, "recovery_leak": 0}
    resonant = _pulses(*((0.65, start, start + 4) for start in (40, 60, 280, 320)))
    coincident = _pulses(*((9.0, start, start + 2) for start in (100 / 11, 100 / 11 + 5, 70, 80)))
    variable = _pulses((1.0, 10, 15), (-6.0, 70, 75), (1.0, 80, 85))
    bistable = _pulses((1.24, 37.5, 42.5), (1.24, 216, 221), base=0.24)
    hyperpolarised = _pulses((-15.0, 20, 25))
    return (
        Pattern("tonic spiking", _cell(0.02, 0.2, -65, 6, -70, -14), _from(10, 14.0), 0.25, 100),
        Pattern("phasic spiking", _cell(0.02, 0.25, -65, 6, -64, -16), _from(20, 0.5), 0.25, 200),
        Pattern("tonic bursting", _cell(0.02, 0.2, -50, 2, -70, -14), _from(22, 15.0), 0.25, 220),
        Pattern("phasic bursting", _cell(0.02, 0.25, -55, 0.05, -64, -16), _from(20, 0.6), 0.2, 200),
        Pattern("mixed mode", _cell(0.02, 0.2, -55, 4, -70, -14), _from(16, 10.0), 0.25, 160),
        Pattern("spike frequency adaptation", _cell(0.01, 0.2, -65, 8, -70, -14), _from(8.5, 30.0), 0.25, 85),
        Pattern("class 1 excitable", _cell(0.02, -0.1, -55, 6, -60, 6, **other), _ramp(30, 0.075), 0.25, 300),
        Pattern("class 2 excitable", _cell(0.2, 0.26, -65, 0, -64, -16.64), _ramp(30, 0.015, -0.5), 0.25, 300),
        Pattern("spike latency", _cell(0.02, 0.2, -65, 6, -70, -14), _pulses((7.04, 10, 13)), 0.2, 100),
        Pattern("subthreshold oscillations", _cell(0.05, 0.26, -60, 0, -62, -16.12), _pulses((2.0, 20, 25)), 0.25, 200),
        Pattern("resonator", _cell(0.1, 0.26, -60, -1, -62, -16.12), resonant, 0.25, 400),
        Pattern("integrator", _cell(0.02, -0.1, -55, 6, -60, 6, **other), coincident, 0.25, 100),
        Pattern("rebound spike", _cell(0.03, 0.25, -60, 4, -64, -16), hyperpolarised, 0.2, 200),
        Pattern("rebound burst", _cell(0.03, 0.25, -52, 0, -64, -16), hyperpolarised, 0.2, 200),
        Pattern("threshold variability", _cell(0.03, 0.25, -60, 4, -64, -16), variable, 0.25, 100),
        Pattern("bistability", _cell(0.1, 0.26, -60, 0, -61, -15.86), bistable, 0.25, 300),
        Pattern("depolarising afterpotential", _cell(1, 0.2, -60, -21, -70, -14), _pulses((20.0, 9, 11)), 0.1, 50),
        Pattern("accommodation", _cell(0.02, 1, -55, 4, -65, -16, **ever), _two_ramps, 0.5, 400),
        Pattern("inhibition-induced spiking", _cell(-0.02, -1, -60, 8, -63.8, 63.8), _released, 0.5, 350),
        Pattern("inhibition-induced bursting", _cell(-0.026, -1, -45, -2, -63.8, 63.8), _released, 0.5, 350),
    )


def adex_patterns() -> tuple[Pattern, ...]:
    """The eight patterns of Naud et al. 2008, under a constant current of 600 ms.

    With rounder parameters than the paper's: those with which simulators show these patterns. V is cut at 0 mV.

    Reference: Naud, Marcille, Clopath and Gerstner 2008, Biological Cybernetics 99:335.
    """
    # C (pF), g (nS), E (mV), a (nS), tau_w (ms), b (pA), V_r (mV), I (pA); V_T -50 and Delta_T 2 mV in all.
    rows = {
        "tonic": (200, 10, -70, 2, 30, 0, -58, 500),
        "adaptation": (200, 12, -70, 2, 300, 60, -58, 500),
        "initial burst": (130, 18, -58, 4, 150, 120, -50, 400),
        "regular bursting": (200, 10, -58, 2, 120, 100, -46, 210),
        "delayed accelerating": (200, 12, -70, -10, 300, 0, -58, 300),
        "delayed regular bursting": (100, 10, -65, -10, 90, 30, -47, 110),
        "transient": (100, 10, -65, 10, 90, 100, -47, 180),
        "irregular": (100, 12, -60, -11, 130, 30, -48, 160),
    }
    names = (
        "capacitance_pf", "leak_ns", "rest_mv", "coupling_ns", "tau_adaptation_ms", "increment_pa", "reset_mv",
    )  # fmt: skip
    every = {"threshold_mv": -50.0, "slope_mv": 2.0, "peak_mv": 0.0}
    return tuple(
        Pattern(
            name,
            {**dict(zip(names, map(float, numbers), strict=True)), **every},
            _pulses(base=current),
            0.01,
            600,
        )
        for name, (*numbers, current) in rows.items()
    )
