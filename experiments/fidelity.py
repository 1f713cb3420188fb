"""How true are the spiking neurons? Standard models beside closed forms, converged solutions, NEST and NEURON.

Each row is one comparison in double precision: what theory or an adaptive method of order 8 says, what the machine
does, how far apart they are, and how far they may be. Two simulators that share a scheme agree on its error, so the
recorded runs of the other two are exact or converged ones, and what NEURON's usual step makes of them stands beside.
"""

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.integrate import solve_ivp
from scipy.optimize import brentq, minimize_scalar

import jaxneuro as jn
from jaxneuro.launch import beside_nest, beside_neuron
from jaxneuro.launch.config import ExperimentConfig, Positive
from jaxneuro.launch.directory import Run
from jaxneuro.launch.ledger import Check, compared, ledger_page, worst
from jaxneuro.launch.report import Section
from jaxneuro.neurons.spiking.patterns import (
    adex_patterns,
    izhikevich_patterns,
    stacked_currents,
    stacked_parameters,
)
from jaxneuro.synapses import Firing

REFERENCE = Path(__file__).parents[1] / "tests" / "neurons" / "spiking" / "reference"
# Pieces of (from ms, to ms, current in uA/cm2) after 5 ms of silence, and the temperature.
PROTOCOLS: dict[str, tuple[tuple[tuple[float, float, float], ...], float]] = {
    "step of 10 uA/cm2": (((5, 50, 10.0),), 6.3),
    "pulse of 0.5 ms": (((5, 5.5, 25.0), (5.5, 30, 0.0)), 6.3),
    "rebound": (((5, 35, -10.0), (35, 70, 0.0)), 6.3),
    "near rheobase": (((5, 200, 6.5),), 6.3),
    "at 18.5 degrees": (((5, 60, 10.0),), 18.5),
}
LIMITS_MS = {"near rheobase": 0.1, "at 18.5 degrees": 0.25}
# Spikes of the published programs, A to T, and of the eight patterns of AdEx at a step of 0.01 ms.
IZHIKEVICH_COUNTS = (5, 1, 28, 6, 6, 6, 10, 14, 1, 1, 1, 1, 1, 7, 1, 5, 1, 1, 3, 12)
ADEX_COUNTS = (62, 12, 12, 11, 46, 32, 1)


class Config(ExperimentConfig):
    """See configs/fidelity.yaml."""

    membrane_dt_ms: Positive = 0.025


def integrate_and_fire() -> list[Check]:
    """Rates and subthreshold voltages in closed form."""
    currents = np.asarray([16.0, 20.0, 30.0, 60.0])
    inputs = jnp.broadcast_to(jnp.asarray(currents)[:, None], (4, 20_000))
    _, timed = jax.vmap(functools.partial(jn.run, jn.PreciseLIF()))(inputs)
    rates = []
    for spikes, offsets in zip(np.asarray(timed.spike), np.asarray(timed.offset_ms), strict=True):
        steps = np.flatnonzero(spikes)
        rates.append(1000 / np.diff(steps * 0.1 + offsets[steps]).mean())
    closed = 1000 / (2 + 20 * np.log(currents / (currents - 15)))
    checks = [worst("PreciseLIF", "rate under constant current", closed, rates, 1e-9, "Hz", relative=True)]
    errors = []
    for dt in 0.01 * 2.0 ** np.arange(10):
        steps = round(500 / dt)
        _, _, voltage = jn.run(jn.LIF(dt_ms=dt), jnp.full(steps, 14.0), observe="voltage_mv")
        errors.append(np.abs(voltage - 14 * -np.expm1(-dt * np.arange(1, steps + 1) / 20)).max())
    checks.append(worst("LIF", "voltage below threshold, 10 step sizes, 500 ms", 0, max(errors), 1e-9, "mV"))
    decay = jn.spiking.SynapticLIF(tau_synapses_ms=jnp.asarray([2.0, 10.0]), dt_ms=0.1)
    kicks = jnp.zeros((600, 2)).at[0].set(0.05)
    _, _, voltage = jn.run(decay, kicks, observe="voltage_mv")
    t = 0.1 * np.arange(1, 601)
    two = 2 / 8 * (np.exp(-t / 10) - np.exp(-t / 2)) + t / 10 * np.exp(-t / 10)
    checks.append(
        worst("SynapticLIF", "potential of two synapses, one with tau_m", -70 + 2 * two, voltage, 1e-10, "mV")
    )
    drives = np.asarray([18.0, 30.0, 60.0])
    neuron = jn.spiking.QIF()
    _, spikes = jax.vmap(functools.partial(jn.run, jn.RungeKutta4(neuron, dt_ms=0.005)))(
        jnp.broadcast_to(jnp.asarray(drives)[:, None], (3, 80_000))
    )
    intervals = [0.005 * np.diff(np.flatnonzero(row)).mean() for row in np.asarray(spikes)]
    above = np.sqrt(0.1 * (drives - 0.1 * 15**2 / 4))
    expected = 10 / above * (np.arctan(0.1 * 57.5 / above) - np.arctan(-0.1 * 7.5 / above))
    checks.append(worst("QIF", "interval under constant current, step 0.005 ms", expected, intervals, 0.005, "ms"))
    return checks


def adaptive_exponential() -> list[Check]:
    """Where AdEx loses its rest, and how often its patterns fire."""
    cell = jn.spiking.AdEx()
    start = cell.init(jax.random.key(0))

    def current(voltage: float) -> float:
        held = cell.coupling_ns * (voltage - cell.rest_mv)
        state = dataclasses.replace(start, voltage_mv=jnp.asarray(voltage), adaptation_pa=held)
        return -float(cell.derivative(state, jnp.asarray(0.0)).voltage_mv * cell.capacitance_pf)

    highest: Any = minimize_scalar(lambda v: -current(v), bounds=(-60, -45), method="bounded", options={"xatol": 1e-9})
    closed = 34 * (-50.4 + 70.6 - 2 + 2 * np.log1p(4 / 30))
    checks = [worst("AdEx", "saddle-node current", closed, -highest.fun, 1e-6, "pA")]
    patterns = adex_patterns()[:7]
    cells = jax.vmap(lambda parameters: jn.spiking.AdEx(**parameters))(stacked_parameters(patterns))
    _, spikes = jax.vmap(jn.run)(cells, jnp.asarray(stacked_currents(patterns)))
    counts = np.asarray(spikes.sum(axis=1))
    checks.append(worst("AdEx", "spikes of 7 regular patterns, Euler, 0.01 ms", ADEX_COUNTS, counts, 0.0, "spikes"))
    return checks


def izhikevich() -> list[Check]:
    """The twenty published patterns, in one call."""
    patterns = izhikevich_patterns()
    cells = jax.vmap(lambda parameters: jn.spiking.Izhikevich(**parameters))(stacked_parameters(patterns))
    _, spikes = jax.vmap(jn.run)(cells, jnp.asarray(stacked_currents(patterns)))
    shown = np.arange(spikes.shape[1])[None] < np.asarray([len(pattern.times()) for pattern in patterns])[:, None]
    counts = (np.asarray(spikes) * shown).sum(axis=1)
    return [worst("Izhikevich", "spikes of 20 patterns, published scheme", IZHIKEVICH_COUNTS, counts, 0.0, "spikes")]


def membrane_spikes(flow: jn.spiking.HodgkinHuxley, pieces: tuple[tuple[float, float, float], ...]) -> np.ndarray:
    """Converged spike times: upward crossings of 0 mV, by DOP853 with a relative tolerance of 1e-10 (ms)."""
    start, restore = ravel_pytree(flow.init(jax.random.key(0)))

    @jax.jit
    def slope(values: jax.Array | np.ndarray, current: jax.Array) -> jax.Array:
        return ravel_pytree(flow.derivative(restore(jnp.asarray(values)), current))[0]

    def crossing(t: float, y: np.ndarray, current: jax.Array) -> float:
        return float(restore(jnp.asarray(y)).voltage_mv)

    crossing.direction = 1  # pyright: ignore[reportFunctionMemberAccess]
    y, found = np.asarray(start), []
    for begin, end, current in ((0.0, 5.0, 0.0), *pieces):
        solved = solve_ivp(
            lambda t, y, current: np.asarray(slope(y, current)), (begin, end), y, method="DOP853", rtol=1e-10,
            atol=1e-11, max_step=0.5, events=crossing, args=(jnp.asarray(current),),
        )  # fmt: skip
        y, found = solved.y[:, -1], [*found, *solved.t_events[0]]
    return np.asarray(found)


def hodgkin_huxley(dt_ms: float) -> list[Check]:
    """Spike times of the squid membrane, and where its rest gains and loses stability."""
    checks = []
    for name, (pieces, celsius) in PROTOCOLS.items():
        flow = jn.spiking.HodgkinHuxley(temperature_celsius=celsius)
        steps = round(pieces[-1][1] / dt_ms)
        middles = (np.arange(steps) + 0.5) * dt_ms
        currents = sum(np.where((middles > begin) & (middles < end), level, 0.0) for begin, end, level in pieces)
        machine = jn.SplitExponentialEuler(flow, dt_ms=dt_ms)
        _, _, voltage = jn.run(machine, jnp.asarray(currents), observe="voltage_mv")
        found = jn.measure.crossing_times(voltage, 0.0, dt_ms)
        expected = membrane_spikes(flow, pieces)
        what = f"{name}: {len(expected)} spike{'s'[: len(expected) != 1]}, step {dt_ms:g} ms"
        checks.append(worst("HodgkinHuxley", what, expected, found, LIMITS_MS.get(name, 0.02), "ms"))
    flow = jn.spiking.HodgkinHuxley()

    def growth(voltage: Any) -> tuple[float, float]:
        """The largest real part of an eigenvalue with V at rest there, and the current that holds it."""
        gates = flow.steady(jnp.asarray(voltage))
        state = dataclasses.replace(flow.rest(), gates=gates, voltage_mv=jnp.asarray(voltage))
        held = -float(flow.derivative(state, jnp.asarray(0.0)).voltage_mv * flow.capacitance_uf_per_cm2)
        values, restore = ravel_pytree(state)
        jacobian = jax.jacfwd(lambda y: ravel_pytree(flow.derivative(restore(y), jnp.asarray(held)))[0])(values)
        return float(np.linalg.eigvals(np.asarray(jacobian)[:4, :4]).real.max()), held

    for what, low, high, expected in (("lower", -61.0, -58.0, 9.77544), ("upper", -45.0, -41.0, 154.522)):
        voltage = brentq(lambda v: growth(v)[0], low, high, xtol=1e-10)
        checks.append(
            worst("HodgkinHuxley", f"{what} Hopf point", expected, growth(voltage)[1], 1e-4 * expected, "uA/cm2")
        )
    return checks


def synapses_and_rates() -> list[Check]:
    """Short-term and spike-timing-dependent plasticity, magnesium block, rates in noise."""
    machine = jn.synapses.TsodyksMarkram(530.0, 130.0, 0.03, dt_ms=1.25)
    _, released = jn.run(machine, jnp.tile(jnp.zeros(40).at[0].set(1.0), 400))
    use = 0.03 / (1 - 0.97 * np.exp(-50 / 530))
    rest = np.exp(-50 / 130)
    steady = use * (1 - rest) / (1 - (1 - use) * rest)
    checks = [worst("TsodyksMarkram", "steady release at 20 Hz", steady, released[-40], 1e-9, "share")]
    voltages = jnp.asarray([-80.0, -65.0, -40.0, 0.0])
    blocked = 1 / (1 + np.exp(-0.062 * np.asarray(voltages)) / 3.57)
    found = jn.synapses.NMDA().unblocked(voltages)
    checks.append(worst("NMDA", "share unblocked at -80, -65, -40 and 0 mV", blocked, found, 1e-12, "share"))
    lags = np.asarray([-40, -10, -1, 1, 10, 40])
    changes = []
    for lag in lags:
        rule = jn.synapses.PairSTDP(weights=jnp.full((1, 1), 0.5), dt_ms=1.0)
        pre = jnp.zeros((100, 1)).at[50].set(1.0)
        post = jnp.zeros((100, 1)).at[50 + int(lag)].set(1.0)
        changes.append(float(jn.run(rule, Firing(pre, post))[0].weights[0, 0]) - 0.5)
    window = np.where(lags > 0, 0.01 * np.exp(-lags / 20), -0.0105 * np.exp(lags / 20))
    checks.append(worst("PairSTDP", "window at 6 lags", window, changes, 1e-12, "weight"))
    noise = {(10, 5): 0.88192, (13, 5): 4.55771, (15, 5): 9.46080, (18, 3): 12.51153, (25, 5): 47.21744}
    rates = [float(jn.networks.siegert_rate(float(mean), float(deviation))) for mean, deviation in noise]
    checks.append(
        worst("siegert_rate", "rate at 5 means and deviations", list(noise.values()), rates, 1e-5, "Hz", True)
    )
    states = {(6.0, 4.0): 55.84, (5.0, 2.0): 37.95, (4.5, 0.9): 6.52}
    rates = [float(jn.networks.brunel_rate(g, drive)) for g, drive in states]
    checks.append(worst("brunel_rate", "states B, C and D of Brunel 2000", list(states.values()), rates, 0.005, "Hz"))
    return checks


def recorded(program: str) -> dict[str, Any]:
    """The stored runs of another simulator."""
    return json.loads((REFERENCE / f"{program}.json").read_text(encoding="utf-8"))


def main(config: Config, run: Run) -> dict[str, Any]:
    """All comparisons."""
    with jax.enable_x64(True):
        parts = (
            integrate_and_fire,
            adaptive_exponential,
            izhikevich,
            functools.partial(hodgkin_huxley, config.membrane_dt_ms),
            synapses_and_rates,
            lambda: compared(recorded("nest"), beside_nest.PARTS),
            lambda: compared(recorded("neuron"), beside_neuron.PARTS),
        )
        checks = []
        for part in parts:
            found = part()
            run.say("; ".join(f"{check.model}, {check.what}: {check.error:.2g}" for check in found))
            checks += found
    rows = [check.row() for check in checks]
    return {"checks": rows, "kept": sum(row["kept"] for row in rows), "of": len(rows)}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The ledger."""
    return ledger_page(results)
