"""What can one neuron do? Twenty firing patterns of Izhikevich's model and eight of the adaptive exponential one.

All cells of a model are one program: a cell is a row of numbers. The twenty patterns are shown as published, by the
scheme of the published program, and counted a second time from the equations themselves, with located spikes: a
pattern that changes its number of spikes is one of the scheme. The eight are counted at several step sizes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch import figures
from jaxneuro.launch.config import ExperimentConfig, Positive
from jaxneuro.launch.directory import Run
from jaxneuro.launch.report import Section
from jaxneuro.neurons.spiking.patterns import Pattern, adex_patterns, izhikevich_patterns, stacked_currents

LETTERS = "ABCDEFGHIJKLMNOPQRST"
# Its intervals shrink for ever: the equations have no number of spikes.
RUNAWAY = "T"
POINTS = 2000


class Config(ExperimentConfig):
    """See configs/firing_patterns/paper.yaml.

    Fields:
        equations_dt_ms: step size for the equations of Izhikevich's model (ms).
        adex_dt_ms: step sizes for the adaptive exponential neuron (ms); the first is shown.
    """

    equations_dt_ms: Positive = 0.05
    adex_dt_ms: tuple[Positive, ...] = Field(default=(0.1,), min_length=1)


def cells(kind: Callable[..., jn.StateMachine], patterns: Sequence[Pattern], dt_ms: Sequence[float]) -> Any:
    """One cell for each pattern, stacked."""
    rows = [kind(**pattern.parameters, dt_ms=dt) for pattern, dt in zip(patterns, dt_ms, strict=True)]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *rows)


def fired(cell: Any, currents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spikes and voltages (mV), `[patterns, steps]`, of all cells."""

    def one(cell: jn.StateMachine, current: jax.Array) -> tuple[jax.Array, jax.Array]:
        _, spikes, voltages = jn.run(cell, current, observe="voltage_mv")
        return spikes, voltages

    spikes, voltages = jax.vmap(one)(cell, jnp.asarray(currents))
    return np.asarray(spikes), np.asarray(voltages)


def row(letter: str, pattern: Pattern, times: np.ndarray, scheme: str) -> dict[str, Any]:
    """What there is to tell of some spikes."""
    intervals = np.diff(times)
    return {
        "pattern": letter,
        "name": pattern.name,
        "scheme": scheme,
        "spikes": len(times),
        "first_ms": float(times[0]) if len(times) else None,
        "intervals_ms": [round(float(interval), 4) for interval in intervals[:5]],
        "variation": float(intervals.std() / intervals.mean()) if len(intervals) > 1 else None,
    }


def shown(times: np.ndarray, spikes: np.ndarray, voltages: np.ndarray, currents: np.ndarray, peak: float) -> np.ndarray:
    """Time, voltage and current as `[3, points]`, with every spike drawn up to the peak, which no step ends at."""
    stride = -(-len(times) // POINTS)
    drawn = voltages.copy()
    for step in np.flatnonzero(spikes):
        drawn[step - step % stride] = peak
    return np.stack([times, drawn, currents])[:, ::stride].astype(np.float32)


def main(config: Config, run: Run) -> dict[str, Any]:
    """Run all cells, in double precision: counts of irregular patterns depend on it."""
    with jax.enable_x64(True):
        published, traces = published_patterns()
        run.say("twenty patterns by the published scheme")
        equations = solved_patterns(config.equations_dt_ms)
        run.say("nineteen of them by their equations")
        adex = []
        for place, dt in enumerate(config.adex_dt_ms):
            rows, own = exponential_patterns(dt)
            adex += rows
            traces |= {} if place else own
            run.say(f"eight patterns of AdEx by steps of {dt:g} ms")
    run.save_arrays(traces)
    solved = {row["pattern"]: row["spikes"] for row in equations}
    changed = [row["pattern"] for row in published if solved.get(row["pattern"]) != row["spikes"]]
    return {"published": published, "equations": equations, "adex": adex, "changed": changed}


def published_patterns() -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """The twenty by the published scheme, and their traces."""
    patterns = izhikevich_patterns()
    currents = stacked_currents(patterns)
    kinds = cells(jn.spiking.Izhikevich, patterns, [pattern.dt_ms for pattern in patterns])
    spikes, voltages = fired(kinds, currents)
    rows, traces = [], {}
    for place, (letter, pattern) in enumerate(zip(LETTERS, patterns, strict=True)):
        times = pattern.times()
        own = slice(0, len(times))
        rows.append(row(letter, pattern, times[spikes[place, own] > 0], "published"))
        traces[letter] = shown(times, spikes[place, own], voltages[place, own], currents[place, own], 30.0)
    return rows, traces


def solved_patterns(dt_ms: float) -> list[dict[str, Any]]:
    """All that have a number of spikes by their equations; the input of a step is that of its middle."""
    letters = LETTERS.replace(RUNAWAY, "")
    patterns = izhikevich_patterns()[: len(letters)]
    starts = dt_ms * np.arange(round(max(pattern.duration_ms for pattern in patterns) / dt_ms))
    currents = np.stack([pattern.current(starts + dt_ms / 2) for pattern in patterns])
    kinds = cells(jn.spiking.PreciseIzhikevich, patterns, [dt_ms] * len(patterns))
    _, output = jax.vmap(jn.run)(kinds, jnp.asarray(currents))
    spikes, offsets = np.asarray(output.spike), np.asarray(output.offset_ms)
    rows = []
    for place, (letter, pattern) in enumerate(zip(letters, patterns, strict=True)):
        held = (spikes[place] > 0) & (starts < pattern.duration_ms)
        rows.append(row(letter, pattern, (starts + offsets[place])[held], "equations"))
    return rows


def exponential_patterns(dt_ms: float) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """The eight by forward Euler at one step size, and their traces."""
    patterns = adex_patterns()
    times = patterns[0].times(dt_ms)[:-1]
    currents = np.stack([pattern.current(times) for pattern in patterns])
    spikes, voltages = fired(cells(jn.spiking.AdEx, patterns, [dt_ms] * len(patterns)), currents)
    rows, traces = [], {}
    for place, pattern in enumerate(patterns):
        letter = str(place + 1)
        rows.append(row(letter, pattern, times[spikes[place] > 0], f"{dt_ms:g} ms"))
        traces[letter] = shown(times, spikes[place], voltages[place], currents[place], 0.0)
    return rows, traces


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report: both tables, then every pattern."""
    solved = {row["pattern"]: row for row in results["equations"]}
    twenty = [
        [f"{row['pattern']} {row['name']}", *told(row), *told(solved[row["pattern"]])[:2]]
        if row["pattern"] in solved
        else [f"{row['pattern']} {row['name']}", *told(row), "runs away", ""]
        for row in results["published"]
    ]
    sections = [
        Section(
            title="Twenty patterns of Izhikevich's model",
            text=f"By the published scheme, and by the equations solved with located spikes (steps of "
            f"{config.equations_dt_ms:g} ms). The number of spikes of {len(results['changed'])} patterns is one of the "
            f"scheme: {', '.join(results['changed'])}.",
            columns=["pattern", "spikes", "first (ms)", "intervals (ms)", "spikes, equations", "first (ms), equations"],
            rows=twenty,
        ),
        Section(
            title="Eight patterns of AdEx",
            text="Forward Euler, 600 ms of constant current, for each step size.",
            columns=["pattern", "step", "spikes", "first (ms)", "intervals (ms)", "variation"],
            rows=[
                [row["name"], row["scheme"], *told(row), "" if row["variation"] is None else f"{row['variation']:.2f}"]
                for row in results["adex"]
            ],
        ),
    ]
    first = f"{config.adex_dt_ms[0]:g} ms"
    for row in [*results["published"], *(row for row in results["adex"] if row["scheme"] == first)]:
        model, unit = ("Izhikevich", "mV/ms") if row["pattern"] in LETTERS else ("AdEx", "pA")
        plural = "spike" if row["spikes"] == 1 else "spikes"
        sections.append(
            Section(
                title=f"{model} {row['pattern']}: {row['name']}",
                text=f"{row['spikes']} {plural}.",
                figure=figures.svg(trace(arrays[row["pattern"]], unit), height=2.2),
            )
        )
    return sections


def told(row: dict[str, Any]) -> list[str]:
    """Count, first spike and first intervals as text."""
    first = "" if row["first_ms"] is None else f"{row['first_ms']:.2f}"
    return [str(row["spikes"]), first, ", ".join(f"{interval:.4g}" for interval in row["intervals_ms"])]


def trace(values: np.ndarray, unit: str) -> figures.Panel:
    """The voltage above the current.

    Args:
        values: time (ms), voltage (mV) and current, `[3, points]`.
        unit: of the current.
    """
    times, voltages, currents = values

    def draw(figure: Any) -> None:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        above.plot(times, voltages, color=figures.COLOURS[0], linewidth=1)
        above.set(ylabel="voltage (mV)")
        below.plot(times, currents, color=figures.COLOURS[1], linewidth=1.2)
        below.set(xlabel="time (ms)", ylabel=f"input\n({unit})", xlim=(0, times[-1]))
        below.margins(y=0.2)

    return draw
