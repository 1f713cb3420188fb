"""Makes reference/neuron.json: what NEURON 9.0 does with membranes, cables and synapses whose equations are ours too.

    python tests/neurons/spiking/record_neuron.py

It runs in an environment with NEURON (`pip install neuron==9.0.2`) and without this project. Every protocol is solved
by CVode with a tolerance of 1e-10, which is the reference, and with NEURON's usual fixed step of 0.025 ms,
as it comes (`secondorder = 0`, and the rates of `hh` from tables) and at its best (`secondorder = 2`, no tables). Their
distances from the reference are written down beside it; their spikes are crossings of 0 mV on the straight line between
steps, as ours are.

Areas: a patch is a cylinder of pi d L = 100 um2, so that 1 uA/cm2 is 1e-3 nA. `el_hh` is -54.387 mV here (-54.3 as it
comes), every run starts at -65 mV with the gates in their steady state there, and synapses get their events at exact
times, without delay. A section of nseg compartments is that of a chain of as many equal cylinders; a current clamp at x
is in the compartment around x.
"""

import json
import math
from pathlib import Path

import numpy as np
from neuron import h

h.load_file("stdrun.hoc")
USUAL_MS = 0.025
TOLERANCE = 1e-10
# Pieces of (from ms, to ms, uA/cm2), and the temperature.
PATCHES = {
    "step of 10 uA/cm2": ([[5.0, 50.0, 10.0]], 50.0, 6.3),
    "pulse of 0.5 ms": ([[5.0, 5.5, 25.0]], 30.0, 6.3),
    "rebound": ([[5.0, 35.0, -10.0]], 70.0, 6.3),
    "near rheobase": ([[5.0, 200.0, 6.5]], 200.0, 6.3),
    "at 18.5 degrees": ([[5.0, 62.0, 10.0]], 62.0, 18.5),
}


def crossings(voltage, level, dt):
    before = np.flatnonzero((voltage[:-1] < level) & (voltage[1:] >= level))
    share = (level - voltage[before]) / (voltage[before + 1] - voltage[before])
    return [float(time) for time in (before + share) * dt]


def converged(watched, spiking, end, every, start):
    """Values at multiples of a time, and crossings of 0 mV, by CVode."""
    times = h.Vector(np.arange(1, round(end / every) + 1) * every)
    values = {name: h.Vector().record(reference, times) for name, reference in watched.items()}
    counters, spikes = [], {}
    for name, segment in spiking.items():
        counter = h.NetCon(segment._ref_v, None, sec=segment.sec)
        counter.threshold, spikes[name] = 0.0, h.Vector()
        counter.record(spikes[name])
        counters.append(counter)
    solver = h.CVode()
    solver.active(True)
    solver.atol(TOLERANCE)
    solver.rtol(TOLERANCE)
    solver.condition_order(2)
    h.finitialize(start)
    solver.solve(end + 1e-6)
    solver.active(False)
    found = {name: [float(x) for x in vector] for name, vector in values.items()}
    return found, {name: [float(x) for x in vector] for name, vector in spikes.items()}


def stepped(watched, spiking, end, every, start, order):
    """The same by the fixed step."""
    h.dt = USUAL_MS
    h.secondorder = order
    values = {name: h.Vector().record(reference) for name, reference in watched.items()}
    voltages = {name: h.Vector().record(segment._ref_v) for name, segment in spiking.items()}
    h.finitialize(start)
    for _ in range(round(end / USUAL_MS) + 1):
        h.fadvance()
    stride = round(every / USUAL_MS)
    found = {name: np.asarray(vector)[stride::stride][: round(end / every)] for name, vector in values.items()}
    return found, {name: crossings(np.asarray(vector), 0.0, USUAL_MS) for name, vector in voltages.items()}


def solved(watched, spiking, end, every, start=-65.0, traced=()):
    """The reference, how far the fixed steps are from it, and their spikes; their voltages too where `traced`."""
    h.usetable_hh = 0
    values, spikes = converged(watched, spiking, end, every, start)
    record = {"end_ms": end, "every_ms": every, "values": values, "spikes_ms": spikes}
    for name, order, tables in (("usual", 0, 1), ("second_order", 2, 0)):
        h.usetable_hh = tables
        coarse, coarse_spikes = stepped(watched, spiking, end, every, start, order)
        errors = {place: float(np.abs(coarse[place] - np.asarray(values[place])).max()) for place in watched}
        record[name] = {"errors": errors, "spikes_ms": coarse_spikes}
        if name in traced:
            record[name]["values"] = {place: [float(x) for x in vector] for place, vector in coarse.items()}
    return record


def clamps(segment, pieces, scale):
    made = []
    for start, stop, current in pieces:
        clamp = h.IClamp(segment)
        clamp.delay, clamp.dur, clamp.amp = start, stop - start, current * scale
        made.append(clamp)
    return made


def squid(section, celsius):
    section.insert("hh")
    for segment in section:
        segment.hh.el = -54.387
    section.ena, section.ek, section.cm = 50.0, -77.0, 1.0
    h.celsius = celsius


def patch(name="patch"):
    section = h.Section(name=name)
    section.L = section.diam = math.sqrt(100 / math.pi)
    section.nseg = 1
    return section


def membranes():
    found = {}
    for name, (pieces, end, celsius) in PATCHES.items():
        section = patch()
        squid(section, celsius)
        held = clamps(section(0.5), pieces, 1e-3)
        segment = section(0.5)
        record = solved({"v": segment._ref_v}, {"v": segment}, end, 0.5 if end < 40 else 1.0 if end < 100 else 4.0)
        found[f"patch, {name}"] = {"pieces_ua_per_cm2": pieces, "celsius": celsius} | record
        del held
    return found


def cables():
    """A passive cable of one length constant and a half, and an axon on which a spike runs."""
    section = h.Section(name="cable")
    section.L, section.diam, section.nseg, section.Ra, section.cm = 1000.0, 2.0, 51, 100.0, 1.0
    section.insert("pas")
    for segment in section:
        segment.pas.g, segment.pas.e = 1e-4, -65.0
    held = clamps(section(0.5 / 51), [[1.0, 21.0, 0.1]], 1.0)
    places = {"near": section(0.5 / 51), "middle": section(25.5 / 51), "far": section(50.5 / 51)}
    watched = {name: place._ref_v for name, place in places.items()}
    passive = solved(watched, {}, 40, 0.8, traced=("usual", "second_order"))
    passive |= {"length_um": 1000.0, "diameter_um": 2.0, "compartments": 51, "resistivity_ohm_cm": 100.0}
    passive |= {"leak_s_per_cm2": 1e-4, "leak_mv": -65.0, "place": 0, "pieces_na": [[1.0, 21.0, 0.1]]}
    passive |= {"places": {"near": 0, "middle": 25, "far": 50}}
    del held, section
    axon = h.Section(name="axon")
    axon.L, axon.diam, axon.nseg, axon.Ra = 5000.0, 10.0, 101, 35.4
    squid(axon, 18.5)
    held = clamps(axon(0.5 / 101), [[1.0, 2.0, 10.0]], 1.0)
    places = {"first": axon(25.5 / 101), "second": axon(75.5 / 101)}
    watched = {name: place._ref_v for name, place in places.items()}
    active = solved(watched, places, 8, 0.25, traced=("second_order",))
    active |= {"length_um": 5000.0, "diameter_um": 10.0, "compartments": 101, "resistivity_ohm_cm": 35.4}
    active |= {"celsius": 18.5, "place": 0, "pieces_na": [[1.0, 2.0, 10.0]], "places": {"first": 25, "second": 75}}
    del held
    return {"passive cable": passive, "axon": active}


def synapses():
    """Conductances on a passive patch of 1,000 MOhm; the alpha synapse of NEURON has one event, at its onset."""
    arrivals = [2.1, 5.1, 7.6, 8.1, 15.1]
    found = {}
    made = {
        "ExpSyn": (h.ExpSyn, {"tau": 2.0, "e": 0.0}),
        "Exp2Syn": (h.Exp2Syn, {"tau1": 0.5, "tau2": 3.0, "e": 0.0}),
        "AlphaSynapse": (h.AlphaSynapse, {"onset": 2.1, "tau": 1.5, "gmax": 5e-4, "e": 0.0}),
    }
    for name, (kind, parameters) in made.items():
        section = patch()
        section.insert("pas")
        section(0.5).pas.g, section(0.5).pas.e, section.cm = 1e-3, -65.0, 1.0
        synapse = kind(section(0.5))
        for key, value in parameters.items():
            setattr(synapse, key, value)
        times, kept = arrivals if name != "AlphaSynapse" else [2.1], []
        if name != "AlphaSynapse":
            connection = h.NetCon(None, synapse)
            connection.weight[0], connection.delay = 5e-4, 0.0
            kept.append(h.FInitializeHandler(lambda connection=connection: [connection.event(t) for t in arrivals]))
        watched = {"v": section(0.5)._ref_v} | ({"g": synapse._ref_g} if kept else {})
        record = solved(watched, {}, 30, 0.5)
        given = {"kind": name, "parameters": parameters, "arrivals_ms": times, "weight_us": 5e-4}
        found[f"synapse, {name}"] = given | {"leak_s_per_cm2": 1e-3, "area_um2": 100.0} | record
        del kept, synapse
    return found


if __name__ == "__main__":
    record = {
        "provenance": f"NEURON {h.nrnversion(5)}; tests/neurons/spiking/record_neuron.py; CVode, atol = rtol = "
        f"{TOLERANCE:g}, condition_order 2, usetable_hh = 0; the usual step: dt = {USUAL_MS} ms, secondorder = 0, "
        "usetable_hh = 1; the second order: secondorder = 2, usetable_hh = 0",
        "program": "NEURON",
        "version": h.nrnversion(5),
        "units": "ms, mV, nA, uS",
        "protocols": membranes() | cables() | synapses(),
    }
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in record.pop("protocols").items())
    head = json.dumps(record, indent=1)[:-2]
    file = Path(__file__).parent / "reference" / "neuron.json"
    file.write_text(f'{head},\n "protocols": {{\n{lines}\n }}\n}}\n', encoding="utf-8")
