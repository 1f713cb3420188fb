"""Our neurons and synapses beside recorded runs of NEST (tests/neurons/spiking/record_nest.py).

Every comparison is in double precision, on NEST's inputs. NEST's conventions are met by hand: a time t there is the end
of our step `t / dt - 1`, currents come in pA, resistances are `tau / C`, and the spikes of `iaf_psc_delta` are added at
the end of a step, where ours come at its start: one step earlier and `e^(dt / tau)` as high they are the same.
"""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import jaxneuro as jn
from jaxneuro.launch.beside_nest_synapses import short_term, spike_timing
from jaxneuro.launch.ledger import Check, worst
from jaxneuro.launch.recorded import Protocol, error_of_half_a_step, lasting, sampled, times, train
from jaxneuro.neurons.spiking.hodgkin_huxley import HodgkinHuxleyState
from jaxneuro.stimulus import Conductance, Stimulus, VoltageJump

EXACT_MV = 1e-9  # of propagators that are exact on the grid: what rounding leaves, with room
GRID_MS = 0.1
STEPS_MS = (0.1, 0.05)
ADEX = {
    "C_m": "capacitance_pf", "g_L": "leak_ns", "E_L": "rest_mv", "V_th": "threshold_mv", "Delta_T": "slope_mv",
    "tau_w": "tau_adaptation_ms", "a": "coupling_ns", "b": "increment_pa", "V_peak": "peak_mv", "V_reset": "reset_mv",
}  # fmt: skip
CONDUCTANCES = (
    ("leaky, exponential conductances", jn.synapses.Exponential, "iaf_cond_exp"),
    ("leaky, alpha conductances", jn.synapses.Alpha, "iaf_cond_alpha"),
)
FINE_MS = 0.005


def jumping(protocols: dict[str, Protocol]) -> list[Check]:
    """Jumps of the voltage, and a current in pieces."""
    protocol = protocols["leaky, jumps"]
    step, inputs = protocol["resolution_ms"], protocol["inputs"]
    early = np.exp(step / protocol["parameters"]["tau_m"])
    jumps = sum(early * each["weight"] * train(protocol, each["arrivals_ms"], step, early=1) for each in inputs)
    reaching = Stimulus(current=_currents(protocol, step) / 1e3, jump=VoltageJump(jnp.asarray(jumps)))
    _, spikes, voltage = jn.run(_leaky(protocol, step), reaching, observe="voltage_mv")
    return [_voltages("LIF", "iaf_psc_delta", protocol, voltage, spikes)]


def between_steps(protocols: dict[str, Protocol]) -> list[Check]:
    """Spike times off the grid."""
    protocol = protocols["leaky, exact times"]
    step, plain = protocol["resolution_ms"], _leaky(protocol, protocol["resolution_ms"])
    precise = jn.PreciseLIF(**{field.name: getattr(plain, field.name) for field in dataclasses.fields(jn.PreciseLIF)})
    _, timed, voltage = jn.run(precise, _currents(protocol, step) / 1e3, observe="voltage_mv")
    what = f"iaf_psc_delta_ps: {len(protocol['spikes_ms'])} spike times off the grid"
    check = worst("PreciseLIF", what, protocol["spikes_ms"], times(timed, step), 1e-9, "ms")
    return [check, _voltages("PreciseLIF", "iaf_psc_delta_ps", protocol, voltage)]


def driven(protocols: dict[str, Protocol]) -> list[Check]:
    """Exponential currents of two kinds."""
    protocol = protocols["leaky, exponential currents"]
    step, inputs, cell = protocol["resolution_ms"], protocol["inputs"], protocol["parameters"]
    plain = _leaky(protocol, step)
    synaptic = jn.spiking.SynapticLIF(
        jnp.asarray([cell["tau_syn_ex"], cell["tau_syn_in"]]),
        tau_ms=plain.tau_ms,
        resistance_mohm=plain.resistance_mohm,
        bias_na=jnp.asarray(protocol["pieces"][0][1] / 1e3),
        rest_mv=plain.rest_mv,
        threshold_mv=plain.threshold_mv,
        reset_mv=plain.reset_mv,
        refractory_ms=plain.refractory_ms,
        dt_ms=plain.dt_ms,
    )
    kicks = [each["weight"] / 1e3 * train(protocol, each["arrivals_ms"], step) for each in inputs]
    _, spikes, voltage = jn.run(synaptic, jnp.asarray(np.stack(kicks, axis=1)), observe="voltage_mv")
    return [_voltages("SynapticLIF", "iaf_psc_exp", protocol, voltage, spikes)]


def receiving(protocols: dict[str, Protocol]) -> list[Check]:
    """Synapses that hand the neuron one value for the whole step, the one at its start or in its middle."""
    protocol = protocols["leaky, alpha currents"]
    step, (given,) = protocol["resolution_ms"], protocol["inputs"]
    synapse = jn.synapses.Alpha(given["weight"], protocol["parameters"]["tau_syn_ex"], dt_ms=step)
    _, current = jn.run(synapse, jnp.asarray(train(protocol, given["arrivals_ms"], step)))
    at_ends = sampled(protocol, np.append(np.asarray(current)[1:], np.nan), step)[:-1]
    checks = [worst("Alpha", "iaf_psc_alpha: current", protocol["I_syn_ex"][:-1], at_ends, EXACT_MV, "pA")]
    _, _, voltage = jn.run(_leaky(protocol, step), current / 1e3, observe="voltage_mv")
    checks.append(_first_order("Alpha, LIF", "iaf_psc_alpha", protocol, voltage, step))
    for name, kinetics, what in CONDUCTANCES:
        protocol, model = protocols[name], f"{kinetics.__name__}, LIF"
        late, centred = (
            {step: _conductances(protocol, step, functools.partial(kinetics, value_at=value_at)) for step in STEPS_MS}
            for value_at in ("start", "middle")
        )
        checks.append(_first_order(model, what, protocol, late[0.1], 0.1))
        checks.append(_second_order(model, what, protocol, centred[0.1], 0.1))
        coarse, fine = (sampled(protocol, voltage, step) for step, voltage in centred.items())
        told = f"{what}: voltage, from the middle, extrapolated from steps of 0.1 and 0.05 ms"
        checks.append(worst(model, told, protocol["V_m"], (4 * fine - coarse) / 3, 1e-6, "mV"))
    return checks


def adaptive_exponential(protocols: dict[str, Protocol]) -> list[Check]:
    """Three firing patterns, by spikes inside the step; NEST's are rounded up to its step."""
    runs = [protocol for name, protocol in protocols.items() if name.startswith("AdEx")]
    stacked = {ours: jnp.asarray([run["parameters"][theirs] for run in runs]) for theirs, ours in ADEX.items()}
    currents = jnp.stack([_currents(run, GRID_MS) for run in runs])

    def one(parameters: dict[str, Any], current: Float[Array, "time"]) -> Any:
        return jn.run(jn.Located(jn.spiking.AdEx(**parameters), digits=11.0), current, observe="voltage_mv")

    _, timed, voltages = jax.vmap(one)(stacked, currents)
    found = [times(jax.tree.map(lambda leaf, i=i: leaf[i], timed), GRID_MS) for i in range(len(runs))]
    rounding = runs[0]["resolution_ms"]
    expected = np.concatenate([run["spikes_ms"] for run in runs])
    what = f"aeif_cond_exp: {len(expected)} spikes of {len(runs)} patterns, which NEST rounds up to {rounding:g} ms"
    checks = [worst("AdEx, Located", what, expected - rounding / 2, np.concatenate(found), rounding / 2 + 1e-6, "ms")]
    traces = [sampled(run, voltage, GRID_MS) for run, voltage in zip(runs, voltages, strict=True)]
    what = f"aeif_cond_exp: voltage of {len(runs)} patterns"
    return [*checks, worst("AdEx, Located", what, [run["V_m"] for run in runs], traces, 1e-6, "mV")]


def synapses_of_adex(protocols: dict[str, Protocol]) -> list[Check]:
    """Conductances that make it spike, by their values in the middle of steps."""
    protocol = protocols["synapses on AdEx"]
    cell, step, rounding = protocol["parameters"], 0.025, protocol["resolution_ms"]
    kinetics = functools.partial(jn.synapses.Exponential, value_at="middle")
    reaching = Stimulus(_currents(protocol, step), channels=_open(protocol, step, kinetics, unit_ns=1.0))
    flow = jn.spiking.AdEx(**{ours: cell[theirs] for theirs, ours in ADEX.items()})
    neuron = jn.Located(flow, dt_ms=step, digits=11.0)
    _, timed, voltage = jn.run(neuron, reaching, observe="voltage_mv")
    expected = np.asarray(protocol["spikes_ms"])
    what = f"aeif_cond_exp, synapses: {len(expected)} spikes, which NEST rounds up to {rounding:g} ms, step {step:g} ms"
    allowed = rounding / 2 + 1e-3
    checks = [worst("AdEx, Located", what, expected - rounding / 2, times(timed, step), allowed, "ms")]
    return [*checks, _second_order("AdEx, Located", "aeif_cond_exp, synapses", protocol, voltage, step)]


def other_neurons(protocols: dict[str, Protocol]) -> list[Check]:
    """The simple model, by the same scheme, and the membrane of the squid."""
    protocol = protocols["Izhikevich, simultaneous Euler"]
    cell = protocol["parameters"]
    flow = jn.spiking.Izhikevich(
        rate_per_ms=cell["a"],
        sensitivity_per_ms=cell["b"],
        reset_mv=cell["c"],
        increment=cell["d"],
        start_mv=cell["V_m"],
        start_recovery=cell["U_m"],
        peak_mv=cell["V_th"],
    )
    step = protocol["resolution_ms"]
    _, spikes, voltage = jn.run(jn.Euler(flow, dt_ms=step), _currents(protocol, step), observe="voltage_mv")
    checks = [_voltages("Izhikevich, Euler", "izhikevich", protocol, voltage, spikes)]
    protocol = protocols["Hodgkin-Huxley"]
    area = protocol["parameters"]["C_m"]  # in units of 1e-6 cm2: 1 uF/cm2 is 1 pF there
    membrane = jn.spiking.HodgkinHuxley(leak_mv=protocol["parameters"]["E_L"])
    start = jnp.asarray(protocol["parameters"]["V_m"])
    state = HodgkinHuxleyState(membrane.steady(start), start, jnp.zeros(()))
    fine = jn.RungeKutta4(membrane, dt_ms=FINE_MS)
    _, _, voltage = jn.run(fine, _currents(protocol, FINE_MS) / area, state=state, observe="voltage_mv")
    what = f"hh_psc_alpha: voltage, step {FINE_MS:g} ms"
    found = sampled(protocol, voltage, FINE_MS)
    return [*checks, worst("HodgkinHuxley, RungeKutta4", what, protocol["V_m"], found, 1e-5, "mV")]


def generalised(protocols: dict[str, Protocol]) -> list[Check]:
    """All levels, in one program, and the threshold of the last, which is exact but for terms in dt^2."""
    runs = {f"level {level}": protocols[f"GLIF, level {level}"] for level in range(1, 6)}
    step = runs["level 1"]["resolution_ms"]
    cells = [jn.spiking.glif(int(name[-1]), _generalised(run["parameters"], step)) for name, run in runs.items()]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *cells)
    currents = jnp.stack([_currents(run, step) for run in runs.values()])
    _, spikes, states = jax.vmap(_watched)(stacked, currents)
    checks = [
        _voltages("GLIF", f"glif_psc, {name}", run, states.voltage_mv[i], spikes[i])
        for i, (name, run) in enumerate(runs.items())
    ]
    final = runs["level 5"]
    threshold = states.threshold_spike_mv[-1] + states.threshold_voltage_mv[-1] + final["parameters"]["V_th"]
    found = sampled(final, threshold, step)
    return [*checks, worst("GLIF", "glif_psc, level 5: threshold", final["threshold"], found, 1e-5, "mV")]


def keeping(protocols: dict[str, Protocol]) -> list[Check]:
    """A reset that keeps a share of V: NEST's as it was one step before, lower by at most what the current charges."""
    protocol = protocols["GLIF, level 5 that keeps a fifth of V"]
    cell, step = protocol["parameters"], protocol["resolution_ms"]
    _, spikes, state = _watched(_generalised(cell, step), _currents(protocol, step))
    allowed = cell["voltage_reset_fraction"] * max(current for _, current in protocol["pieces"]) / cell["C_m"] * step
    what = f"glif_psc, level 5, which keeps a fifth of V, step {step:g} ms"
    return [_voltages("GLIF", what, protocol, state.voltage_mv, spikes, allowed)]


PARTS = (
    jumping, between_steps, driven, receiving, adaptive_exponential, synapses_of_adex, other_neurons, generalised,
    keeping, short_term, spike_timing,
)  # fmt: skip


def _watched(cell: jn.spiking.GLIF, current: Float[Array, "time"]) -> Any:
    return jn.run(cell, current, observe=lambda state: state)


def _leaky(protocol: Protocol, step: float) -> jn.LIF:
    cell = protocol["parameters"]
    tau = cell["tau_m"] if "tau_m" in cell else cell["C_m"] / cell["g_L"]
    return jn.LIF(
        tau_ms=tau,
        resistance_mohm=1e3 * tau / cell["C_m"],
        rest_mv=cell["E_L"],
        threshold_mv=cell["V_th"],
        reset_mv=cell["V_reset"],
        refractory_ms=cell["t_ref"],
        dt_ms=step,
    )


def _conductances(protocol: Protocol, step: float, kinetics: Any) -> Float[Array, "time"]:
    reaching = Stimulus(channels=_open(protocol, step, kinetics, unit_ns=1e3))
    return jn.run(_leaky(protocol, step), reaching, observe="voltage_mv")[2]


def _open(protocol: Protocol, step: float, kinetics: Any, unit_ns: float) -> Conductance | None:
    """The channels of both kinds, over time, in a unit of so many nS."""
    cell, kinds = protocol["parameters"], (("tau_syn_ex", "E_ex"), ("tau_syn_in", "E_in"))
    receptors = jn.synapses.Receptors(
        *(
            jn.synapses.ConductanceBased(kinetics(abs(each["weight"]) / unit_ns, cell[tau], dt_ms=step), cell[reversal])
            for each, (tau, reversal) in zip(protocol["inputs"], kinds, strict=True)
        )
    )
    trains = tuple(jnp.asarray(train(protocol, each["arrivals_ms"], step)) for each in protocol["inputs"])
    return jn.run(receptors, trains)[1].channels


def _generalised(cell: dict[str, Any], step: float) -> jn.spiking.GLIF:
    return jn.spiking.GLIF(
        capacitance_pf=cell["C_m"],
        leak_ns=cell["g"],
        rest_mv=cell["E_L"],
        threshold_mv=cell["V_th"],
        refractory_ms=cell["t_ref"],
        reset_fraction=cell["voltage_reset_fraction"],
        reset_shift_mv=cell["voltage_reset_add"],
        threshold_step_mv=cell["th_spike_add"],
        threshold_decay_per_ms=cell["th_spike_decay"],
        slow_decay_per_ms=cell["asc_decay"][0],
        fast_decay_per_ms=cell["asc_decay"][1],
        slow_step_pa=cell["asc_amps"][0],
        fast_step_pa=cell["asc_amps"][1],
        current_fraction=cell["asc_r"][0],
        threshold_coupling_per_ms=cell["th_voltage_index"],
        threshold_voltage_decay_per_ms=cell["th_voltage_decay"],
        dt_ms=step,
    )


def _voltages(
    model: str, what: str, protocol: Protocol, voltage: Any, spikes: Any = None, allowed: float = EXACT_MV
) -> Check:
    """The voltages, if all spikes are in the same steps; else the spike furthest off."""
    step, what = protocol["resolution_ms"], f"{what}: voltage"
    if spikes is not None:
        what = f"{what}, {len(protocol['spikes_ms'])} spikes in the same steps"
        late = worst(model, what, protocol["spikes_ms"], (np.flatnonzero(spikes) + 1) * step, 0.0, "ms")
        if late.error > step / 2:
            return late
    return worst(model, what, protocol["V_m"], sampled(protocol, voltage, step), allowed, "mV")


def _first_order(model: str, what: str, protocol: Protocol, voltage: Any, step: float) -> Check:
    what = f"{what}: voltage, step {step:g} ms"
    allowed = error_of_half_a_step(voltage)
    return worst(model, what, protocol["V_m"], sampled(protocol, voltage, step), allowed, "mV")


def _second_order(model: str, what: str, protocol: Protocol, voltage: Any, step: float) -> Check:
    """Smaller than an error of first order by a step over the shortest time constant of a synapse."""
    cell, what = protocol["parameters"], f"{what}: voltage, from the middle, step {step:g} ms"
    allowed = error_of_half_a_step(voltage) * step / min(cell["tau_syn_ex"], cell["tau_syn_in"])
    return worst(model, what, protocol["V_m"], sampled(protocol, voltage, step), allowed, "mV")


def _currents(protocol: Protocol, step: float) -> Float[Array, "time"]:
    """In pA."""
    return jnp.asarray(lasting(protocol, protocol["pieces"], step))
