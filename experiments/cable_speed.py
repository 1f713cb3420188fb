"""How fast is a cable beside Jaxley, and a branched tree beside a cable? Ratios from interleaved rounds of one run.

A squid axon of equal compartments, implicit Euler, a current into its first compartment: all steps forward, and the
gradient of the mean voltage of the last compartment with respect to the sodium conductance. And a fit of a single
membrane: the gradient, by three conductances, of its distance to the voltage of another one. Jaxley runs the same
neurons in processes of its own, with the interpreter that the config names, and is left out where none is given. Of
each round the fastest of some calls counts, so that what else the machine does disturbs less.
"""

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from pydantic import Field

import jaxneuro as jn
from jaxneuro.launch.config import Count, ExperimentConfig
from jaxneuro.launch.directory import Run
from jaxneuro.launch.peers import started
from jaxneuro.launch.report import Section
from jaxneuro.measure.timing import Worker, clock, compare
from jaxneuro.neurons.dendritic.tree_order import levels

Call = Callable[[], object]
DT_MS, CURRENT_NA, PULSE_MS, LENGTH_UM = 0.025, 0.1, 5.0, 10.0


class Config(ExperimentConfig):
    """See configs/benchmark/cables.yaml."""

    rounds: Count = Field(default=15, le=1000)
    calls: Count = Field(default=8, le=1000, description="of each in a round, of which the fastest counts")
    compartments: Count = Field(default=100, ge=8)
    steps: Count = 1000
    fit_steps: Count = Field(default=1000, description="of the membrane that is fitted")
    jaxley_python: str | None = Field(default=None, description="an interpreter that has Jaxley")


def cable(compartments: int) -> jn.dendritic.Morphology:
    """An axon, 1 um wide, of compartments of 10 um."""
    return jn.dendritic.cylinder(LENGTH_UM * compartments, 1.0, compartments)


def branched(compartments: int) -> jn.dendritic.Morphology:
    """As many compartments as a tree that forks twice, branch points included, all as wide as the axon."""
    each = (compartments - 3) // 7
    counts = [compartments - 3 - 6 * each, *[each] * 6]
    parents = (-1, 0, 0, 1, 1, 2, 2)
    branches = [
        jn.dendritic.Branch(parent, LENGTH_UM * count, 1.0, count)
        for parent, count in zip(parents, counts, strict=True)
    ]
    return jn.dendritic.tree(branches)


def calls(shape: jn.dendritic.Morphology, steps: int) -> dict[str, Call]:
    """Forward and gradient of a squid axon of a shape, and the first of each, with all that is compiled for it."""
    channels = (jn.spiking.SquidSodium(), jn.spiking.SquidPotassium(), jn.spiking.Leak(reversal_mv=-54.3))
    neuron = jn.dendritic.Cable(shape, channels, scheme="implicit_euler")
    pulse = jnp.arange(steps) < round(PULSE_MS / DT_MS)
    inputs = jnp.zeros((steps, shape.compartments)).at[:, 0].set(jnp.where(pulse, CURRENT_NA, 0.0))

    def sodium(neuron: jn.dendritic.Cable) -> Float[Array, ""]:
        return neuron.channels[0].channel.conductance_ms_per_cm2

    def last(state: jn.dendritic.CableState) -> Float[Array, ""]:
        return state.voltage_mv[-1]

    def forward(conductance: Float[Array, ""], inputs: Array, state: jn.dendritic.CableState) -> Float[Array, "time"]:
        return jn.run(eqx.tree_at(sodium, neuron, conductance), inputs, state=state, observe=last)[2]

    def mean(*arguments: Any) -> Float[Array, ""]:
        return forward(*arguments).mean()

    arguments = (sodium(neuron), inputs, neuron.init(jax.random.key(0)))
    programs = {"forward": forward, "gradient": jax.value_and_grad(mean)}
    found: dict[str, Call] = {
        name: functools.partial(jax.jit(program), *arguments) for name, program in programs.items()
    }

    def first(name: str) -> object:
        jax.clear_caches()
        # A number of its own makes it a program that no cache on a disk has; it changes nothing.
        own = -1 - float(np.random.default_rng().random())
        conductance, inputs, state = arguments
        return jax.jit(lambda *given: programs[name](given[0], jnp.maximum(given[1], own), given[2]))(
            conductance, inputs, state
        )

    return found | {f"{name} first": functools.partial(first, name) for name in programs}


def fit_call(steps: int) -> Callable[[], tuple[Array, list[Array]]]:
    """Squared distance of a squid membrane to one with nine tenths of its conductances, and its gradient by these."""
    names = ("sodium_ms_per_cm2", "potassium_ms_per_cm2", "leak_ms_per_cm2")
    membrane = jn.SplitExponentialEuler(jn.spiking.HodgkinHuxley(), dt_ms=DT_MS)
    state, inputs = membrane.init(jax.random.key(0)), jnp.full(steps, 10.0)

    def conductances(membrane: jn.SplitExponentialEuler) -> list[Array]:
        return [getattr(membrane.flow, name) for name in names]

    def trace(values: list[Array]) -> Float[Array, "time"]:
        other = eqx.tree_at(conductances, membrane, values)
        return jn.run(other, inputs, state=state, observe="voltage_mv")[2]

    start = conductances(membrane)
    target = jax.jit(trace)([0.9 * value for value in start])
    gradient = jax.jit(jax.value_and_grad(lambda values: ((trace(values) - target) ** 2).mean()))
    return functools.partial(gradient, start)


class Fastest:
    """A timer that gives the least of some calls, and keeps the least of all."""

    def __init__(self, timer: Callable[[], float], calls: int) -> None:
        self.timer, self.calls, self.least = timer, calls, float("inf")

    def __call__(self) -> float:
        """Milliseconds of the fastest of some calls."""
        now = min(self.timer() for _ in range(self.calls))
        self.least = min(self.least, now)
        return now


def peer(config: Config, program: str, *sizes: int) -> Worker | None:
    """Jaxley, if there is an interpreter for it."""
    return started(config, "jaxley_python", Path(__file__).with_name("speed_peers.py"), program, *sizes)


def beside(config: Config, timers: dict[str, Callable[[], float]]) -> dict[str, Any]:
    """Rounds of the fastest of some calls, and the least times of all."""
    kept = {name: Fastest(timer, config.calls) for name, timer in timers.items()}
    found = compare(dict(kept), config.rounds)
    return found | {"least_milliseconds": {name: round(timer.least, 3) for name, timer in kept.items()}}


def fit(config: Config) -> dict[str, Any]:
    """The gradient of a fit, and the squared distances that both find."""
    ours, jaxley = fit_call(config.fit_steps), peer(config, "jaxley_fit", config.fit_steps)
    timers: dict[str, Callable[[], float]] = {"jaxneuro": functools.partial(clock, ours)}
    distances = {"jaxneuro": float(ours()[0])}
    if jaxley is not None:
        timers["jaxley"] = functools.partial(jaxley.time, "run")
        distances["jaxley"] = jaxley.time("value")
    found = beside(config, timers) | {"squared_distance_mv2": distances}
    if jaxley is not None:
        jaxley.close()
    return found


def main(config: Config, run: Run) -> dict[str, Any]:
    """Time everything."""
    shapes = {"cable": cable(config.compartments), "tree": branched(config.compartments)}
    ours = {name: calls(shape, config.steps) for name, shape in shapes.items()}
    jaxley = peer(config, "jaxley", config.compartments, config.steps)
    results: dict[str, Any] = {"levels": {n: levels(s.parents).members.shape[0] for n, s in shapes.items()}}
    for workload in ("forward", "gradient"):
        timers = {"jaxneuro": functools.partial(clock, ours["cable"][workload])}
        timers["tree"] = functools.partial(clock, ours["tree"][workload])
        if jaxley is not None:
            timers["jaxley"] = functools.partial(jaxley.time, workload)
        results[workload] = beside(config, timers)
        run.console.print(workload, results[workload])
    for workload in ("forward first", "gradient first"):
        seconds, processor = {}, time.process_time()
        seconds["jaxneuro"] = clock(ours["cable"][workload]) / 1000
        processor = time.process_time() - processor
        if jaxley is not None:
            seconds["jaxley"] = jaxley.time(workload) / 1000
        results[workload] = {"seconds": seconds, "processor_seconds": processor}
        run.console.print(workload, results[workload])
    if jaxley is not None:
        # Both must have computed the same thing.
        results["value"] = {
            "jaxneuro": float(np.max(np.asarray(ours["cable"]["forward"]()))),
            "jaxley": jaxley.time("peak"),
        }
        jaxley.close()
    results["fit"] = fit(config)
    run.console.print("fit", results["fit"])
    return results


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report: one table."""
    rows = []
    for workload in ("forward", "gradient", "fit"):
        times = results[workload]["least_milliseconds"]
        for other, ratio in results[workload]["peer_over_ours"].items():
            numbers = (times["jaxneuro"], times[other], times[other] / times["jaxneuro"], ratio["median"])
            spread = f"{ratio['min']:.2f}-{ratio['max']:.2f}"
            rows.append([workload, other, *(f"{number:.2f}" for number in numbers), spread])
    first = ", ".join(f"{results[f'{name} first']['seconds']['jaxneuro']:.1f} s" for name in ("forward", "gradient"))
    return [
        Section(
            title="Time of others over time of ours",
            text=f"A cable of {config.compartments} compartments, {config.steps:,} steps; the tree has as many. "
            f"The fit is the gradient of one membrane by three conductances, {config.fit_steps:,} steps. "
            f"Above 1 the other is slower. The least times of all calls, their ratio, and the median and the range of "
            f"the ratios of {config.rounds} interleaved rounds, of each the fastest of {config.calls} calls. "
            f"The first call of the cable, with compilation: {first} (forward, gradient).",
            columns=["workload", "other", "ours (ms)", "other (ms)", "ratio", "median ratio", "range"],
            rows=rows,
        )
    ]
