"""Makes reference/izhikevich.json: spikes of the equations themselves, located by an adaptive method of order 8.

    python -m tests.neurons.spiking.record_izhikevich

The equations are written here a second time, and so are their stimuli as pieces between the times at which they jump.
Inhibition-induced bursting runs away (its intervals shrink for ever) and is left out.
"""

import json
from importlib.metadata import version
from pathlib import Path

from scipy.integrate import solve_ivp

END = {"B": 200, "D": 200, "J": 200, "M": 200, "N": 200, "C": 220, "E": 160, "F": 85, "K": 400, "Q": 50, "R": 400}
END |= dict.fromkeys("GHP", 300) | dict.fromkeys("AILO", 100) | {"S": 350}
CELLS = {
    "A": (0.02, 0.2, -65, 6, -70, -14), "B": (0.02, 0.25, -65, 6, -64, -16), "C": (0.02, 0.2, -50, 2, -70, -14),
    "D": (0.02, 0.25, -55, 0.05, -64, -16), "E": (0.02, 0.2, -55, 4, -70, -14), "F": (0.01, 0.2, -65, 8, -70, -14),
    "G": (0.02, -0.1, -55, 6, -60, 6), "H": (0.2, 0.26, -65, 0, -64, -16.64), "I": (0.02, 0.2, -65, 6, -70, -14),
    "J": (0.05, 0.26, -60, 0, -62, -16.12), "K": (0.1, 0.26, -60, -1, -62, -16.12), "L": (0.02, -0.1, -55, 6, -60, 6),
    "M": (0.03, 0.25, -60, 4, -64, -16), "N": (0.03, 0.25, -52, 0, -64, -16), "O": (0.03, 0.25, -60, 4, -64, -16),
    "P": (0.1, 0.26, -60, 0, -61, -15.86), "Q": (1, 0.2, -60, -21, -70, -14), "R": (0.02, 1, -55, 4, -65, -16),
    "S": (-0.02, -1, -60, 8, -63.8, 63.8),
}  # fmt: skip
# (start, level, slope) of each piece; a piece lasts until the next.
PIECES = {
    "A": [(0, 0, 0), (10, 14, 0)], "B": [(0, 0, 0), (20, 0.5, 0)], "C": [(0, 0, 0), (22, 15, 0)],
    "D": [(0, 0, 0), (20, 0.6, 0)], "E": [(0, 0, 0), (16, 10, 0)], "F": [(0, 0, 0), (8.5, 30, 0)],
    "G": [(0, 0, 0), (30, 0, 0.075)], "H": [(0, -0.5, 0), (30, -0.5, 0.015)],
    "I": [(0, 0, 0), (10, 7.04, 0), (13, 0, 0)], "J": [(0, 0, 0), (20, 2, 0), (25, 0, 0)],
    "K": [(0, 0, 0)] + [piece for t in (40, 60, 280, 320) for piece in ((t, 0.65, 0), (t + 4, 0, 0))],
    "L": [(0, 0, 0)] + [piece for t in (100 / 11, 100 / 11 + 5, 70, 80) for piece in ((t, 9, 0), (t + 2, 0, 0))],
    "M": [(0, 0, 0), (20, -15, 0), (25, 0, 0)], "N": [(0, 0, 0), (20, -15, 0), (25, 0, 0)],
    "O": [(0, 0, 0), (10, 1, 0), (15, 0, 0), (70, -6, 0), (75, 0, 0), (80, 1, 0), (85, 0, 0)],
    "P": [(0, 0.24, 0), (37.5, 1.24, 0), (42.5, 0.24, 0), (216, 1.24, 0), (221, 0.24, 0)],
    "Q": [(0, 0, 0), (9, 20, 0), (11, 0, 0)],
    "R": [(0, 0, 1 / 25), (200, 0, 0), (300, 0, 4 / 12.5), (312.5, 0, 0)],
    "S": [(0, 80, 0), (50, 75, 0), (250, 80, 0)],
}  # fmt: skip


def spike_times(letter):
    a, b, c, d, *state = CELLS[letter]
    linear, constant = (4.1, 108) if letter in "GL" else (5, 140)
    found, pieces = [], PIECES[letter]

    def peak(time, state):
        return state[0] - 30

    peak.terminal, peak.direction = True, 1
    for (start, level, slope), stop in zip(pieces, [*(piece[0] for piece in pieces[1:]), END[letter]], strict=True):

        def slopes(time, state, start=start, level=level, slope=slope):
            v, u = state
            current = level + slope * (time - start)
            recover = a * b * (v + 65) if letter == "R" else a * (b * v - u)
            return [0.04 * v * v + linear * v + constant - u + current, recover]

        time = float(start)
        while time < stop:
            solution = solve_ivp(slopes, (time, stop), state, method="DOP853", rtol=1e-12, atol=1e-12, events=peak)
            time, state = solution.t[-1], list(solution.y[:, -1])
            if solution.t_events[0].size:
                found.append(float(time))
                state = [c, state[1] + d]
    return found


if __name__ == "__main__":
    record = {
        "provenance": f"scipy {version('scipy')}, solve_ivp, DOP853, rtol = atol = 1e-12, events at v = 30 mV; "
        "tests/neurons/spiking/record_izhikevich.py; input pieces as of the program of Izhikevich 2004, figure 1",
        "unit": "ms",
        "spike_times": {letter: [round(time, 9) for time in spike_times(letter)] for letter in CELLS},
    }
    file = Path(__file__).parent / "reference" / "izhikevich.json"
    file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
