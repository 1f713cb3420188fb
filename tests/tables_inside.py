"""Tables of the findings on what is inside a neuron, made from results."""

import numpy as np

from experiments.claims import CLAIMS
from tests.tables import RESULTS, results, table


def brain_compute():
    rows = []
    for model in results("brain_compute")["models"]:
        ways = {way["way"]: way for way in model["ways"]}
        told = {way: f"{found['operations_per_second']:.1e}" for way, found in ways.items()}
        rows.append(
            [
                model["kind"],
                f"{model['step_ms']:g} ms",
                f"{model['own_operations_per_step']:,.0f}",
                f"{model['operations_per_synapse']:.0f}",
                told["all synapses"],
                told.get("arriving spikes", ""),
                f"{min(way['watts']['7 nm, arithmetic'] for way in model['ways']):.1e}",
            ]
        )
    heads = ["neurons", "step", "operations of a neuron", "of a synapse", "per second, all synapses", "arriving spikes"]
    return table([*heads, "least power (W)"], rows)


def exclusive_or():
    found = results("xor_in_one_neuron")
    rows = []
    for row in found["units"]:
        solved = [f"{100 * gate['solved'] / found['starts']:.1f}" for gate in row["gates"].values()]
        rows.append([row["unit"], str(row["parameters"]), *solved])
    return table(["unit", "parameters", *found["units"][0]["gates"]], rows)


def blind_models():
    rows = []
    for level in results("independent_thresholds")["levels"]:
        cells = [
            f"{100 * cell['taken for'][place] / cell['examined']:.1f}" for place, cell in enumerate(level["cells"])
        ]
        rows.append([f"{level['noise']:g}", f"{100 * level['recovered']:.2f}", *cells])
    return table(["noise", "right (%)", "I", "II", "III"], rows)


def other_cells():
    rows = [
        [row["cell"], *(f"{100 * count / row['examined']:.0f}" for count in row["taken for"])]
        for row in results("independent_thresholds")["others"]
    ]
    return table(["cell", "taken for I (%)", "II", "III"], rows)


def automata():
    found = results("automata")
    rows = []
    for name in dict.fromkeys(row["network"] for row in found["networks"]):
        own = [row for row in found["networks"] if row["network"] == name]
        right = [100 * row["right"] for row in own]
        counts = sorted({row["states"] for row in own if row["states"]})
        states = [str(count) for count in counts] + ["too many"] * any(row["states"] is None for row in own)
        exact = sum(row["is_sum"] for row in own)
        rows.append([name, f"{min(right):.1f} to {max(right):.1f}", ", ".join(states), f"{exact} of {len(own)}"])
    return table(["network", "right on 200 steps (%)", "states", "are the automaton of parity"], rows)


def spiking_automata():
    rows = [
        [row["neuron"], f"{row['tolerance']:g}", str(row["states"] or "too many"), str(row["expected"] or "")]
        for row in results("automata")["neurons"]
    ]
    return table(["neuron", "tolerance (mV)", "states", "by hand"], rows)


def higher_dimension():
    found = results("weights_of_higher_dimension")
    rows = []
    for row in found["differences"]:
        if row["theirs"] == "real":
            better = (row["mean"] > 0) == row["higher_is_better"]
            spread = f"{row['mean']:+.3g} ({row['low']:+.3g} to {row['high']:+.3g}) {row['unit']}"
            rows.append([row["trial"], row["ours"], spread, ("worse", "better")[better] if row["differs"] else ""])
    return table(["trial", "weights", "against real ones (95 %)", ""], rows)


def arc_bars():
    rows = [
        [row["bar"], f"{row['sign']} {row['asked']:g}", f"{row['found']:.3f}", "met" if row["met"] else "not met"]
        for row in results("arc_knockout")["bars"]
    ]
    return table(["bar", "asked", "found", ""], rows)


def arc_networks():
    rows = [
        [row["network"], *(f"{np.mean(row[what]):.3f}" for what in ("short", "long", "behaviour"))]
        for row in results("arc_knockout")["networks"]
    ]
    return table(["network", "after an hour", "after a day", "behaviour when told"], rows)


def cables():
    found = results("cables")
    rows = []
    for what in ("forward", "gradient", "fit"):
        if what not in found:
            continue
        least = found[what]["least_milliseconds"]
        ours = least["jaxneuro"]
        jaxley = [f"{least['jaxley']:.1f}", f"{least['jaxley'] / ours:.1f}"] if "jaxley" in least else ["", ""]
        tree = [f"{least['tree'] / ours:.2f}"] if "tree" in least else [""]
        rows.append([what, f"{ours:.1f}", *jaxley, *tree])
    return table(["", "ms", "Jaxley (ms)", "Jaxley / ours", "tree / cable"], rows)


def delayed_xor():
    rows = []
    for name, told in (
        ("delayed_xor", "1,500 steps"),
        ("delayed_xor_longer", "3,000 steps, larger batches"),
        ("delayed_xor_wide", "4,000 steps, wider layers"),
    ):
        rows += [[told, *accuracies(row)] for row in results(name)["networks"]]
    rows += [["several timescales", *accuracies(row)] for row in results("delayed_xor_timescales")["networks"]]
    return table(["task", "neurons", "parameters", "right (%)", "range of seeds"], rows)


def accuracies(row):
    right = 100 * np.asarray(row["accuracy"])
    return [row["network"], f"{row['parameters']:,}", f"{right.mean():.1f}", f"{right.min():.1f} to {right.max():.1f}"]


def depth():
    rows = []
    for name in ("dendritic_depth", "dendritic_depth_memories"):
        for row in results(name)["networks"]:
            spread = f"{min(row['auc']):.3f} to {max(row['auc']):.3f}"
            rows.append(
                [row["condition"], row["network"], f"{row['parameters']:,}", f"{np.mean(row['auc']):.4f}", spread]
            )
    return table(["cell", "imitated by", "parameters", "AUC", "range of seeds"], rows)


def claims():
    rows = []
    for claim in CLAIMS:
        stored = (RESULTS / claim.results / "results.json").is_file()
        ours, passed = claim.judge(results(claim.results)) if stored else ("not run", None)
        verdict = {True: "pass", False: "fail", None: "open"}[passed]
        rows.append([str(claim.number), claim.claim, claim.published, claim.bar, ours, verdict])
    return table(["", "claim", "published", "bar", "ours", "verdict"], rows)


INSIDE_TABLES = {
    "arc bars": arc_bars,
    "arc networks": arc_networks,
    "automata": automata,
    "automata of neurons": spiking_automata,
    "blind models": blind_models,
    "brain compute": brain_compute,
    "cables": cables,
    "claims": claims,
    "delayed exclusive or": delayed_xor,
    "depth": depth,
    "exclusive or": exclusive_or,
    "other cells": other_cells,
    "weights of higher dimension": higher_dimension,
}
