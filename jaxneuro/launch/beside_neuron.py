"""Our membranes, cables and synapses beside recorded runs of NEURON (tests/neurons/spiking/record_neuron.py).

What is expected is NEURON's adaptive solution, with a tolerance of 1e-10. Beside our error at a step of 0.025 ms stand
NEURON's own at that step: as it comes, and at its highest order. All runs start at -65 mV with the gates in their
steady state there, whatever the rest is.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from jaxneuro.launch.ledger import Check, largest, worst
from jaxneuro.launch.recorded import Protocol, error_of_half_a_step, sampled, train
from jaxneuro.neurons.dendritic.cable import CableState
from jaxneuro.neurons.spiking.hodgkin_huxley import HodgkinHuxleyState

USUAL_MS = 0.025
FINE_MS = 0.005
START_MV = -65.0
TAUS = {"tau", "tau1", "tau2"}
# Of the exponential step with gates first: a phase that is off by so much at the last spike.
LIMITS_MS = {"near rheobase": 0.1, "at 18.5 degrees": 0.15}


def patches(protocols: dict[str, Protocol]) -> list[Check]:
    """Spikes of the squid membrane at the usual step, and at a fine one by a method of order 4."""
    runs = {name.split(", ")[1]: protocol for name, protocol in protocols.items() if name.startswith("patch")}
    coarse = _membranes(list(runs.values()), USUAL_MS, jn.SplitExponentialEuler)
    checks = []
    for (name, run), voltage in zip(runs.items(), coarse, strict=True):
        expected = run["spikes_ms"]["v"]
        what = f"{name}: {_counted(expected)}, step {USUAL_MS:g} ms"
        found = jn.measure.crossing_times(voltage, 0.0, USUAL_MS)
        check = worst("HodgkinHuxley", what, expected, found, LIMITS_MS.get(name, 0.02), "ms")
        checks.append(_with_peers(check, run, expected, "v"))
    fine = _membranes(list(runs.values()), FINE_MS, jn.RungeKutta4)
    spikes = [jn.measure.crossing_times(voltage, 0.0, FINE_MS) for voltage in fine]
    expected = np.concatenate([run["spikes_ms"]["v"] for run in runs.values()])
    what = f"{len(expected)} spikes of {len(runs)} protocols, step {FINE_MS:g} ms"
    model = "HodgkinHuxley, RungeKutta4"
    checks.append(worst(model, what, expected, np.concatenate(spikes), 1e-4, "ms"))
    found = [sampled(run, voltage, FINE_MS) for run, voltage in zip(runs.values(), fine, strict=True)]
    expected = np.concatenate([run["values"]["v"] for run in runs.values()])
    what = f"voltage of {len(runs)} protocols, step {FINE_MS:g} ms"
    return [*checks, worst(model, what, expected, np.concatenate(found), 2e-3, "mV")]


def passive_cable(protocols: dict[str, Protocol]) -> list[Check]:
    """A current into one end of a passive cable, by both schemes."""
    protocol = protocols["passive cable"]
    channels = (jn.spiking.Leak(1e3 * protocol["leak_s_per_cm2"], protocol["leak_mv"]),)
    found = {scheme: _cable(protocol, channels, scheme) for scheme in ("trapezoidal", "implicit_euler")}
    places = list(protocol["places"])
    expected = _columns(protocol["values"], places)
    checks = []
    for scheme, allowed, own in (("trapezoidal", 1e-3, "second_order"), ("implicit_euler", 0.05, "usual")):
        what = f"passive, {scheme.replace('_', ' ')}: voltage at {len(places)} places, step {USUAL_MS:g} ms"
        check = worst("Cable", what, expected, found[scheme], allowed, "mV")
        usual, best = (max(protocol[order]["errors"].values()) for order in ("usual", "second_order"))
        checks.append(check._replace(usual=usual, best=best))
        what = f"passive, {scheme.replace('_', ' ')}: voltage, beside NEURON's own steps"
        checks.append(worst("Cable", what, _columns(protocol[own]["values"], places), found[scheme], 1e-9, "mV"))
    return checks


def axon(protocols: dict[str, Protocol]) -> list[Check]:
    """A spike on its way along the squid axon."""
    protocol = protocols["axon"]
    speed = 3.0 ** ((protocol["celsius"] - 6.3) / 10)
    channels = (jn.spiking.Leak(), jn.spiking.SquidSodium(speed=speed), jn.spiking.SquidPotassium(speed=speed))
    voltages = _cable(protocol, channels, "trapezoidal", every_step=True)
    places = list(protocol["places"])
    spikes = {
        place: jn.measure.crossing_times(voltages[:, i], 0.0, USUAL_MS).tolist() for i, place in enumerate(places)
    }
    checks = []
    for place in places:
        expected = protocol["spikes_ms"][place]
        check = worst(
            "Cable", f"axon: spike at the {place} place, step {USUAL_MS:g} ms", expected, spikes[place], 0.02, "ms"
        )
        checks.append(_with_peers(check, protocol, expected, place))
    apart = protocol["places"]["second"] - protocol["places"]["first"]
    length_mm = apart * protocol["length_um"] / protocol["compartments"] / 1e3

    def velocity(spikes: dict[str, list[float]]) -> float:
        return length_mm / (spikes["second"][0] - spikes["first"][0])

    expected = velocity(protocol["spikes_ms"])
    usual, best = (abs(velocity(protocol[order]["spikes_ms"]) - expected) for order in ("usual", "second_order"))
    check = worst("Cable", f"axon: speed of the spike, step {USUAL_MS:g} ms", expected, velocity(spikes), 0.03, "m/s")
    checks.append(check._replace(usual=usual, best=best))
    own = _columns(protocol["second_order"]["values"], places)
    what = "axon, trapezoidal: voltage, beside NEURON's own steps"
    return [*checks, worst("Cable", what, own, sampled(protocol, voltages, USUAL_MS), 1e-7, "mV")]


def receiving(protocols: dict[str, Protocol]) -> list[Check]:
    """Conductances, and a passive patch that takes each for a whole step as it is at its start, or in its middle.

    From the middle the error is of the next order: smaller by a step over the shortest time constant.
    """
    checks = []
    for name, protocol in protocols.items():
        if not name.startswith("synapse"):
            continue
        synapse = _synapse(protocol)
        model, arriving = type(synapse).__name__, jnp.asarray(train(protocol, protocol["arrivals_ms"], USUAL_MS))
        leak = 1e-8 * protocol["area_um2"] * protocol["leak_s_per_cm2"]
        membrane = jn.LIF(
            tau_ms=1e-3 / protocol["leak_s_per_cm2"],
            resistance_mohm=1e-6 / leak,
            rest_mv=START_MV,
            threshold_mv=1e3,
            dt_ms=USUAL_MS,
        )
        for value_at in ("start", "middle"):
            kinetics = dataclasses.replace(synapse, value_at=value_at)
            _, channels = jn.run(jn.synapses.ConductanceBased(kinetics, protocol["parameters"]["e"]), arriving)
            if "g" in protocol["values"] and value_at == "start":
                at_ends = sampled(protocol, np.append(np.asarray(channels.conductance)[1:], np.nan), USUAL_MS)[:-1]
                expected = 1e3 * np.asarray(protocol["values"]["g"][:-1])
                checks.append(worst(model, f"{protocol['kind']}: conductance", expected, 1e3 * at_ends, 1e-6, "nS"))
            _, _, voltage = jn.run(membrane, channels, observe="voltage_mv")
            what, allowed = f"step {USUAL_MS:g} ms", error_of_half_a_step(voltage)
            if value_at == "middle":
                what = f"from the middle, {what}"
                allowed *= USUAL_MS / min(protocol["parameters"][name] for name in TAUS & protocol["parameters"].keys())
            expected, found = protocol["values"]["v"], sampled(protocol, voltage, USUAL_MS)
            if protocol["kind"] == "AlphaSynapse":  # NEURON's ends after ten time constants
                last = int((protocol["arrivals_ms"][0] + 10 * protocol["parameters"]["tau"]) / protocol["every_ms"])
                expected, found = expected[:last], found[:last]
            check = worst(f"{model}, LIF", f"{protocol['kind']}: voltage, {what}", expected, found, allowed, "mV")
            usual, best = (protocol[order]["errors"]["v"] for order in ("usual", "second_order"))
            checks.append(check._replace(usual=usual, best=best))
    return checks


PARTS = (patches, passive_cable, axon, receiving)


def _membranes(runs: list[Protocol], step: float, integrator: Any) -> list[np.ndarray]:
    """The voltage of every protocol, all in one program, each cut at its end."""
    steps = [round(run["end_ms"] / step) for run in runs]
    currents = np.zeros((len(runs), max(steps)))
    for own, run in zip(currents, runs, strict=True):
        own[:] = _pulses(run["pieces_ua_per_cm2"], max(steps), step)

    def one(celsius: Any, current: Any) -> Any:
        flow = jn.spiking.HodgkinHuxley(temperature_celsius=celsius)
        start = jnp.asarray(START_MV)
        state = HodgkinHuxleyState(flow.steady(start), start, jnp.zeros(()))
        return jn.run(integrator(flow, dt_ms=step), current, state=state, observe="voltage_mv")[2]

    voltages = jax.vmap(one)(jnp.asarray([run["celsius"] for run in runs]), jnp.asarray(currents))
    return [np.asarray(voltage)[:count] for voltage, count in zip(voltages, steps, strict=True)]


def _cable(protocol: Protocol, channels: Any, scheme: Any, every_step: bool = False) -> np.ndarray:
    """The voltages at the recorded places, `[samples, places]`."""
    shape = jn.dendritic.cylinder(protocol["length_um"], protocol["diameter_um"], protocol["compartments"])
    cable = jn.dendritic.Cable(
        shape, channels, resistivity_ohm_cm=protocol["resistivity_ohm_cm"], dt_ms=USUAL_MS, scheme=scheme
    )
    voltage = jnp.full(shape.compartments, START_MV)
    gates = tuple(jax.vmap(inserted.channel.kinetics)(voltage)[1] for inserted in cable.channels)
    state = CableState(gates, voltage, jnp.zeros(()))
    places = np.asarray(list(protocol["places"].values()))
    steps = round(protocol["end_ms"] / USUAL_MS)
    currents = np.zeros((steps, shape.compartments))
    currents[:, protocol["place"]] = _pulses(protocol["pieces_na"], steps, USUAL_MS)
    _, _, found = jn.run(cable, jnp.asarray(currents), state=state, observe=lambda state: state.voltage_mv[places])
    return np.asarray(found) if every_step else sampled(protocol, found, USUAL_MS)


def _synapse(protocol: Protocol) -> Any:
    given, weight = protocol["parameters"], protocol["weight_us"]
    if protocol["kind"] == "ExpSyn":
        return jn.synapses.Exponential(weight, given["tau"], dt_ms=USUAL_MS)
    if protocol["kind"] == "Exp2Syn":
        return jn.synapses.DualExponential(weight, given["tau1"], given["tau2"], dt_ms=USUAL_MS)
    return jn.synapses.Alpha(weight, given["tau"], dt_ms=USUAL_MS)


def _pulses(pieces: list[list[float]], steps: int, step: float) -> np.ndarray:
    """Pieces of (start, stop, level) in steps."""
    middles = (np.arange(steps) + 0.5) * step
    return np.sum([np.where((middles > start) & (middles < stop), level, 0.0) for start, stop, level in pieces], axis=0)


def _columns(values: dict[str, list[float]], places: list[str]) -> np.ndarray:
    return np.stack([values[place] for place in places], axis=1)


def _with_peers(check: Check, protocol: Protocol, expected: list[float], place: str) -> Check:
    """The row with the errors of NEURON's own steps."""
    usual, best = (largest(expected, protocol[order]["spikes_ms"][place]) for order in ("usual", "second_order"))
    return check._replace(usual=usual, best=best)


def _counted(spikes: list[float]) -> str:
    return f"{len(spikes)} spike{'s'[: len(spikes) != 1]}"
