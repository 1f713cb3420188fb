"""The squid membrane in plain NumPy, written from the equations of Hodgkin and Huxley 1952, and its converged spikes.

`python -m tests.neurons.spiking.squid` solves the six protocols anew and writes `reference/squid.json`.
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

FILE = Path(__file__).parent / "reference" / "squid.json"
# Peers start at -65 mV with a leak reversal of -54.3 mV: so do these protocols, to be compared with their figures.
START_MV, LEAK_MV = -65.0, -54.3


def two_tones(t):
    """A current of two frequencies, 25 and 66.7 Hz."""
    return 10 + 10 * np.sin(2 * np.pi * t / 40) + 5 * np.sin(2 * np.pi * t / 15)


# Pieces of (from ms, to ms, current in uA/cm2), and the temperature. All begin with 5 ms of silence.
PROTOCOLS = {
    "step10": ([(0, 5, 0.0), (5, 50, 10.0)], 6.3),
    "pulse": ([(0, 5, 0.0), (5, 5.5, 25.0), (5.5, 30, 0.0)], 6.3),
    "rebound": ([(0, 5, 0.0), (5, 35, -10.0), (35, 70, 0.0)], 6.3),
    "near_rheobase": ([(0, 5, 0.0), (5, 200, 6.5)], 6.3),
    "two_tone": ([(0, 5, 0.0), (5, 100, two_tones)], 6.3),
    "warm": ([(0, 5, 0.0), (5, 60, 10.0)], 18.5),
}


def current(name, t):
    """The current of a protocol at the times `t`, which are off its corners; 0 after its end."""
    total = np.zeros_like(t)
    for start, end, value in PROTOCOLS[name][0]:
        total = np.where((t > start) & (t < end), value(t) if callable(value) else value, total)
    return total


def quotient(z):
    """`(e^z - 1) / z`."""
    return np.where(np.abs(z) < 1e-9, 1 + z / 2, np.expm1(z) / np.where(z == 0, 1, z))


def rates(v):
    """alpha and beta of m, h and n (1/ms)."""
    return (
        (1 / quotient(-(v + 40) / 10), 4 * np.exp(-(v + 65) / 18)),
        (0.07 * np.exp(-(v + 65) / 20), 1 / (1 + np.exp(-(v + 35) / 10))),
        (0.1 / quotient(-(v + 55) / 10), 0.125 * np.exp(-(v + 65) / 80)),
    )


def steady(v):
    """m, h and n after a long time."""
    return np.array([a / (a + b) for a, b in rates(v)])


def ionic(v, m, h, n, leak_mv=LEAK_MV):
    """The outward current (uA/cm2)."""
    return 120 * m**3 * h * (v - 50) + 36 * n**4 * (v + 77) + 0.3 * (v - leak_mv)


def rest(leak_mv=LEAK_MV):
    """The voltage without input (mV)."""
    return brentq(lambda v: ionic(v, *steady(v), leak_mv), -70, -60, xtol=1e-13)


def solve(pieces, celsius=6.3, leak_mv=LEAK_MV, start_mv=START_MV):
    """The spike times (ms; upward crossings of 0 mV) and the last state, by an adaptive method of order 8."""
    speed, y, found = 3 ** ((celsius - 6.3) / 10), np.append(start_mv, steady(start_mv)), []

    def spike(t, y, value):
        return y[0]

    def slope(t, y, value):
        gates = [speed * (a * (1 - x) - b * x) for (a, b), x in zip(rates(y[0]), y[1:], strict=True)]
        return [(value(t) if callable(value) else value) - ionic(*y, leak_mv), *gates]

    spike.direction = 1
    for start, end, value in pieces:
        solution = solve_ivp(
            slope, (start, end), y, method="DOP853", rtol=1e-12, atol=1e-13, max_step=0.05, events=spike, args=(value,)
        )
        y, found = solution.y[:, -1], found + solution.t_events[0].tolist()
    return found, y


def main():
    """Write the file."""
    words = (
        f"scipy {scipy.__version__} solve_ivp DOP853, rtol 1e-12, atol 1e-13, steps of at most 0.05 ms; upward "
        f"crossings of 0 mV; start at {START_MV} mV, leak reversal {LEAK_MV} mV; protocols in "
        "tests/neurons/spiking/squid.py"
    )
    spikes = {name: solve(*protocol)[0] for name, protocol in PROTOCOLS.items()}
    FILE.write_text(json.dumps({"provenance": words, "spikes_ms": spikes}, indent=1) + "\n")


if __name__ == "__main__":
    main()
