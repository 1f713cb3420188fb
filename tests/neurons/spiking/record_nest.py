"""Makes reference/nest.json: what NEST 3.10 does with neurons and synapses whose equations are ours too.

    python tests/neurons/spiking/record_nest.py

It runs in an environment with NEST (`pip install nest-simulator==3.10.0`) and without this project. Everything that
goes in is drawn here and written beside what comes out. Times are what NEST calls them: a voltage at t is that of the
end of the step that ends at t, and a spike in that step has the time t. An input spike arrives at its own time plus the
delay; only arrivals are written. Currents are `I_e`, changed between two calls of `Simulate`, so that they change
exactly then; `glif_psc` has none and takes `step_current_generator`, whose current acts one delay later. Models with an
adaptive method inside have an error tolerance of 1e-12 where NEST lets one set it, and a step of 0.01 ms where not:
within such a step the method of order 5 is exact to some twelve digits.
"""

import json
import random
from pathlib import Path

import nest

DELAY = 1.0
RECEPTOR_OF_PLASTICITY = 1  # of a parrot: what arrives there is not repeated


def fresh(resolution):
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = resolution


def drawn(seed, count, low, high, decimals=1):
    """Times in ms on a grid, each once, in order."""
    grid = 10**decimals
    return sorted(place / grid for place in random.Random(seed).sample(range(int(low * grid), int(high * grid)), count))


def source(arrivals):
    return nest.Create("spike_generator", params={"spike_times": [round(time - DELAY, 4) for time in arrivals]})


def neuron(model, parameters, pieces, end, every, inputs=(), resolution=0.1, observe=("V_m",)):
    """One neuron under currents that hold from a time on, and trains of spikes of one weight each."""
    fresh(resolution)
    cell = nest.Create(model, params=parameters)
    for weight, arrivals in inputs:
        nest.Connect(source(arrivals), cell, syn_spec={"weight": weight, "delay": DELAY})
    meter = nest.Create("multimeter", params={"record_from": list(observe), "interval": every})
    detector = nest.Create("spike_recorder")
    nest.Connect(meter, cell)
    nest.Connect(cell, detector)
    for (start, current), stop in zip(pieces, [*(piece[0] for piece in pieces[1:]), end], strict=True):
        if current is not None:
            cell.I_e = current
        nest.Simulate(stop - start)
    nest.Simulate(1.0)  # what is on its way to the recorders
    return {
        "model": model,
        "parameters": parameters,
        "resolution_ms": resolution,
        "pieces": [[start, current] for start, current in pieces if current is not None],
        "inputs": [{"weight": weight, "arrivals_ms": arrivals} for weight, arrivals in inputs],
        "end_ms": end,
        "every_ms": every,
        **{name: [float(x) for x in meter.events[name]][: round(end / every)] for name in observe},
        "spikes_ms": [round(float(time), 12) for time in detector.events["times"] if time <= end],
    }


def leaky():
    same = {"C_m": 250.0, "tau_m": 10.0, "E_L": -70.0, "V_th": -55.0, "V_reset": -68.0, "t_ref": 2.0, "V_m": -70.0}
    pieces = [(0.0, 380.0), (60.0, 420.0), (120.0, -100.0), (150.0, 400.0)]
    both = [(2.5, drawn(1, 60, 2, 198)), (-3.0, drawn(2, 30, 2, 198))]
    delta = neuron("iaf_psc_delta", same, pieces, 200.0, 4.0, both)
    timed = neuron("iaf_psc_delta_ps", same, [(0.0, 500.0), (60.0, 420.0), (120.0, 700.0)], 200.0, 4.0)
    synaptic = {**same, "tau_syn_ex": 2.0, "tau_syn_in": 10.0}
    currents = [(300.0, drawn(3, 80, 2, 198)), (-150.0, drawn(4, 30, 2, 198))]
    exponential = neuron("iaf_psc_exp", synaptic, [(0.0, 250.0)], 200.0, 4.0, currents)
    alone = {**synaptic, "V_th": 1000.0}
    alpha = neuron(
        "iaf_psc_alpha", alone, [(0.0, 0.0)], 100.0, 2.0, [(300.0, drawn(5, 30, 2, 90))], observe=("V_m", "I_syn_ex")
    )
    channels = {
        "C_m": 200.0, "g_L": 10.0, "E_L": -60.0, "V_th": 1000.0, "V_reset": -60.0, "t_ref": 5.0, "V_m": -60.0,
        "E_ex": 0.0, "E_in": -80.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0,
    }  # fmt: skip
    conductances = [(6.0, drawn(6, 20, 2, 90)), (-67.0, drawn(7, 5, 2, 90))]
    conductance = neuron("iaf_cond_exp", channels, [(0.0, 0.0)], 100.0, 2.0, conductances, resolution=0.01)
    smooth = {**channels, "tau_syn_ex": 1.5, "tau_syn_in": 4.0}
    slower = neuron("iaf_cond_alpha", smooth, [(0.0, 0.0)], 100.0, 2.0, conductances, resolution=0.01)
    return {
        "leaky, jumps": delta,
        "leaky, exact times": timed,
        "leaky, exponential currents": exponential,
        "leaky, alpha currents": alpha,
        "leaky, exponential conductances": conductance,
        "leaky, alpha conductances": slower,
    }


def exponential():
    # C (pF), g (nS), E (mV), a (nS), tau_w (ms), b (pA), V_r (mV), I (pA), after Naud et al. 2008.
    rows = {
        "adaptation": (200.0, 12.0, -70.0, 2.0, 300.0, 60.0, -58.0, 500.0),
        "regular bursting": (200.0, 10.0, -58.0, 2.0, 120.0, 100.0, -46.0, 210.0),
        "delayed accelerating": (200.0, 12.0, -70.0, -10.0, 300.0, 0.0, -58.0, 300.0),
    }
    names = ("C_m", "g_L", "E_L", "a", "tau_w", "b", "V_reset")
    found = {}
    for name, (*numbers, current) in rows.items():
        parameters = dict(zip(names, numbers, strict=True)) | {"V_m": numbers[2], "V_th": -50.0, "Delta_T": 2.0}
        parameters |= {"V_peak": 0.0, "t_ref": 0.0, "gsl_error_tol": 1e-12}
        found[f"AdEx, {name}"] = neuron("aeif_cond_exp", parameters, [(0.0, current)], 400.0, 5.0, resolution=0.01)
    synaptic = parameters | {"E_ex": 0.0, "E_in": -80.0, "tau_syn_ex": 5.0, "tau_syn_in": 10.0}
    received = [(6.0, drawn(8, 90, 2, 290)), (-30.0, drawn(9, 20, 2, 290))]
    found["synapses on AdEx"] = neuron("aeif_cond_exp", synaptic, [(0.0, 150.0)], 300.0, 5.0, received, resolution=0.01)
    return found


def other_neurons():
    simple = {"a": 0.02, "b": 0.2, "c": -50.0, "d": 2.0, "V_m": -70.0, "U_m": -14.0, "V_th": 30.0}
    simple |= {"consistent_integration": True}
    bursts = neuron("izhikevich", simple, [(0.0, 0.0), (20.0, 15.0)], 220.0, 4.0, resolution=0.1)
    # A patch of 1e-4 cm2: 1 uF/cm2 is 100 pF, and 10 uA/cm2 is 1,000 pA.
    squid = {
        "C_m": 100.0, "g_Na": 12000.0, "g_K": 3600.0, "g_L": 30.0, "E_Na": 50.0, "E_K": -77.0, "E_L": -54.387,
        "V_m": -65.0,
    }  # fmt: skip
    membrane = neuron("hh_psc_alpha", squid, [(0.0, 0.0), (5.0, 1000.0)], 50.0, 0.5, resolution=0.01)
    return {"Izhikevich, simultaneous Euler": bursts, "Hodgkin-Huxley": membrane}


def generalised():
    """The five levels, as switches of one model; its other parameters are NEST's own defaults.

    NEST takes the share of V that a reset keeps from V one step before the spike. Here nothing is kept, but in one more
    run at a finer step.
    """
    switches = {
        "level 1": (False, False, False, 0.0, 0.05),
        "level 2": (True, False, False, 0.0, 0.05),
        "level 3": (False, True, False, 0.0, 0.05),
        "level 4": (True, True, False, 0.0, 0.05),
        "level 5": (True, True, True, 0.0, 0.05),
        "level 5 that keeps a fifth of V": (True, True, True, 0.2, 0.01),
    }
    found = {}
    for name, (rules, after, adapting, kept, resolution) in switches.items():
        fresh(resolution)
        parameters = {
            "spike_dependent_threshold": rules,
            "after_spike_currents": after,
            "adapting_threshold": adapting,
            "voltage_reset_fraction": kept,
        }
        cell = nest.Create("glif_psc", params=parameters)
        pieces = [(5.0, 400.0), (150.0, 320.0)]
        starts, currents = zip(*pieces, strict=True)
        generator = nest.Create("step_current_generator")
        generator.set(amplitude_times=starts, amplitude_values=currents)
        nest.Connect(generator, cell, syn_spec={"delay": DELAY})
        meter = nest.Create("multimeter", params={"record_from": ["V_m", "threshold"], "interval": 4.0})
        detector = nest.Create("spike_recorder")
        nest.Connect(meter, cell)
        nest.Connect(cell, detector)
        nest.Simulate(301.0)
        names = ("C_m", "g", "E_L", "V_th", "t_ref", "voltage_reset_add")
        names += ("th_spike_add", "th_spike_decay", "th_voltage_decay", "th_voltage_index")
        found[f"GLIF, {name}"] = {
            "model": "glif_psc",
            "parameters": parameters
            | {name: float(cell.get(name)) for name in names}
            | {name: [float(x) for x in cell.get(name)] for name in ("asc_decay", "asc_amps", "asc_r")},
            "resolution_ms": resolution,
            "pieces": [[start + DELAY, current] for start, current in pieces],
            "end_ms": 300.0,
            "every_ms": 4.0,
            **{name: [float(x) for x in meter.events[name]][:75] for name in ("V_m", "threshold")[: 1 + adapting]},
            "spikes_ms": [round(float(time), 9) for time in detector.events["times"] if time <= 300],
        }
    return found


def weights_sent(model, parameters, before, after=(), post=None):
    """The weight with which each presynaptic spike is sent on; `after` are spikes of the neuron behind."""
    fresh(0.1)
    recorder = nest.Create("weight_recorder")
    nest.CopyModel(model, "recorded", {"weight_recorder": recorder})
    first, second = nest.Create("parrot_neuron"), nest.Create("parrot_neuron", params=post or {})
    nest.Connect(source(before), first, syn_spec={"delay": DELAY})
    if after:
        nest.Connect(source(after), second, syn_spec={"delay": DELAY})
    how = {"synapse_model": "recorded", "delay": DELAY, **parameters}
    nest.Connect(first, second, syn_spec={**how, "receptor_type": RECEPTOR_OF_PLASTICITY} if after else how)
    nest.Simulate(max([*before, *after]) + 5)
    events = recorder.events
    return {
        "model": model,
        "parameters": {**parameters, **(post or {})},
        "resolution_ms": 0.1,
        "delay_ms": DELAY,
        "presynaptic_ms": before,
        "postsynaptic_ms": list(after),
        "sent_ms": [round(float(time), 4) for time in events["times"]],
        "weights": [float(weight) for weight in events["weights"]],
    }


def synapses():
    """All rested at first: a first spike uses U of all resources."""
    train = drawn(11, 40, 2, 800)
    facilitating = {"U": 0.03, "u": 0.03, "x": 1.0, "tau_rec": 130.0, "tau_fac": 530.0, "weight": 1.0}
    depressing = {"U": 0.5, "u": 0.5, "x": 1.0, "tau_rec": 800.0, "tau_fac": 0.0, "weight": 1.0}
    used = {"U": 0.03, "u": 0.0, "x": 1.0, "y": 0.0, "tau_rec": 130.0, "tau_fac": 530.0, "tau_psc": 1.5, "weight": 1.0}
    before, after = drawn(12, 40, 2, 800), drawn(13, 40, 2, 800)
    pairs = {"weight": 0.5, "lambda": 0.01, "alpha": 1.05, "mu_plus": 0.0, "mu_minus": 0.0, "tau_plus": 20.0}
    soft = {**pairs, "mu_plus": 1.0, "mu_minus": 1.0, "Wmax": 1.0}
    triplets = {
        "weight": 1.0, "Aplus": 5e-3, "Aplus_triplet": 6.2e-3, "Aminus": 7e-3, "Aminus_triplet": 2.3e-3, "Wmax": 2.0,
        "tau_plus": 16.8, "tau_plus_triplet": 101.0,
    }  # fmt: skip
    slow = {"tau_minus": 33.7, "tau_minus_triplet": 125.0}
    return {
        "facilitation": weights_sent("tsodyks2_synapse", facilitating, train),
        "depression": weights_sent("tsodyks2_synapse", depressing, train),
        "three states": weights_sent("tsodyks_synapse", used, train),
        "pairs": weights_sent("stdp_synapse", {**pairs, "Wmax": 1.0}, before, after, {"tau_minus": 34.0}),
        "pairs, soft bounds": weights_sent("stdp_synapse", soft, before, after, {"tau_minus": 34.0}),
        "triplets": weights_sent("stdp_triplet_synapse", triplets, before, after, slow),
    }


if __name__ == "__main__":
    record = {
        "provenance": f"NEST {nest.__version__}; tests/neurons/spiking/record_nest.py; one process, one thread; "
        "models, parameters and steps as written at each protocol",
        "program": "NEST",
        "version": nest.__version__,
        "units": "ms, mV, pA, pF, nS",
        "protocols": leaky() | exponential() | other_neurons() | generalised() | synapses(),
    }
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in record.pop("protocols").items())
    head = json.dumps(record, indent=1)[:-2]
    file = Path(__file__).parent / "reference" / "nest.json"
    file.write_text(f'{head},\n "protocols": {{\n{lines}\n }}\n}}\n', encoding="utf-8")
