"""Our plastic synapses beside recorded runs of NEST (tests/neurons/spiking/record_nest.py), in double precision."""

from typing import Any

import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from jaxneuro.launch.ledger import Check, worst
from jaxneuro.launch.recorded import Protocol
from jaxneuro.synapses import Firing

EXACT = 1e-12  # what rounding leaves


def short_term(protocols: dict[str, Protocol]) -> list[Check]:
    """The share that each spike of a train releases."""
    checks = []
    for name in ("facilitation", "depression"):
        protocol = protocols[name]
        given, step = protocol["parameters"], protocol["resolution_ms"]
        synapse = jn.synapses.TsodyksMarkram(given["tau_fac"], given["tau_rec"], given["U"], dt_ms=step)
        before, _, places = _both_sides(protocol)
        _, released = jn.run(synapse, jnp.asarray(before))
        what = f"tsodyks2_synapse: {name}, release at {len(places)} spikes"
        checks.append(worst("TsodyksMarkram", what, protocol["weights"], np.asarray(released)[places], EXACT, "share"))
    protocol = protocols["three states"]
    given, step = protocol["parameters"], protocol["resolution_ms"]
    synapse = jn.synapses.DynamicSynapse(
        1.0, given["tau_psc"], given["tau_rec"], given["tau_fac"], given["U"], dt_ms=step
    )
    before, _, places = _both_sides(protocol)
    _, _, active = jn.run(synapse, jnp.asarray(before), observe="active")
    active = np.asarray(active)
    released = active - np.exp(-step / given["tau_psc"]) * np.append(0, active[:-1])
    what = f"tsodyks_synapse: release at {len(places)} spikes"
    return [*checks, worst("DynamicSynapse", what, protocol["weights"], released[places], EXACT, "share")]


def spike_timing(protocols: dict[str, Protocol]) -> list[Check]:
    """The weight at each presynaptic spike; NEST's delay is that of the dendrite, on the way of postsynaptic spikes."""
    checks = []
    for name in ("pairs", "pairs, soft bounds", "triplets"):
        protocol = protocols[name]
        given, step = protocol["parameters"], protocol["resolution_ms"]
        first = jnp.full((1, 1), given["weight"])
        if name == "triplets":
            kinds = ("Aplus", "Aplus_triplet", "Aminus", "Aminus_triplet")
            spans = ("tau_plus", "tau_plus_triplet", "tau_minus", "tau_minus_triplet")
            numbers = [given[key] for key in (*kinds, *spans)]
            rule: Any = jn.synapses.TripletSTDP(first, *numbers, largest=given["Wmax"], dt_ms=step)
        else:
            up = given["lambda"] * given["Wmax"]
            spans = (given["tau_plus"], given["tau_minus"])
            rule = jn.synapses.PairSTDP(
                first, up, given["alpha"] * up, *spans, largest=given["Wmax"], softness=given["mu_plus"], dt_ms=step
            )
        before, after, places = _both_sides(protocol)
        firing = Firing(jnp.asarray(before)[:, None], jnp.asarray(after)[:, None])
        _, _, weights = jn.run(rule, firing, observe="weights")
        what = f"{protocol['model']}: {name}, weight at {len(places)} spikes"
        checks.append(
            worst(type(rule).__name__, what, protocol["weights"], np.asarray(weights)[places, 0, 0], EXACT, "weight")
        )
    return checks


def _both_sides(protocol: Protocol) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Trains before and behind a synapse, as they reach it, and the steps of the spikes before it."""
    step, delay = protocol["resolution_ms"], protocol["delay_ms"]
    before = [round(time / step) for time in protocol["presynaptic_ms"]]
    behind = [round((time + delay) / step) for time in protocol["postsynaptic_ms"]]
    trains = np.zeros((2, max([*before, *behind]) + 1))
    trains[0, before], trains[1, behind] = 1, 1
    return trains[0], trains[1], before
