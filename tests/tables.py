"""Tables of the README and of the findings, made from results."""

import functools
import json
from pathlib import Path

import numpy as np

from jaxneuro.launch import brunel_page, ledger, populations_page
from jaxneuro.launch.comparison_page import sentence
from jaxneuro.launch.conversion_page import RATIOS
from jaxneuro.measure.interval import mean_interval

RESULTS = Path(__file__).parents[1] / "experiments" / "results"


def results(name):
    return json.loads((RESULTS / name / "results.json").read_text())["results"]


def table(columns, rows):
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def quickstart():
    rows = [
        [
            row["network"],
            f"{100 * row['accuracy_mean']:.1f} ± {100 * row['accuracy_sd']:.1f} %",
            f"{row['parameters']:,}",
            f"{row['seconds']:.0f}",
        ]
        for row in results("quickstart")["networks"]
    ]
    return table(["network", "test accuracy (3 seeds)", "trained parameters", "seconds"], rows)


def text():
    found = results("text")
    rows = [
        [row["network"], f"{row['bits_per_character']:.2f}", f"{row['parameters']:,}", f"{row['seconds']:.0f}"]
        for row in found["networks"]
    ]
    rows += [[f"{name} counts", f"{value:.2f}", "", ""] for name, value in found["floors"].items()]
    return table(["network", "bits per character", "trained parameters", "seconds"], rows)


def recurrent():
    found = results("recurrent")
    rows = [
        [workload, peer, f"{ratio['median']:.2f}", f"{ratio['min']:.2f} to {ratio['max']:.2f}"]
        for workload in ("lstm forward", "lstm train", "lstm products", "lif train")
        for peer, ratio in found[workload]["peer_over_ours"].items()
    ]
    memory = found["gradient memory"]
    ratio = memory["peer_over_ours"]["naive"]
    saved = f"plain scan ({memory['memory_ratio']:.0f} times the memory)"
    rows.append(
        ["gradient over 10,000 steps", saved, f"{ratio['median']:.2f}", f"{ratio['min']:.2f} to {ratio['max']:.2f}"]
    )
    return table(["workload", "peer", "peer's time / jaxneuro's", "range"], rows)


def kernels():
    reports = results("kernels")["reports"]
    tpu = {report["name"]: report for report in reports["tpu"]}
    rows = [
        [
            report["name"],
            f"{report['kernels_per_step']:.2f}",
            f"{report['temp_bytes'] / 1e6:.0f}",
            f"{tpu[report['name']]['temp_bytes'] / 1e6:.0f}",
            f"{tpu[report['name']]['flops'] / 1e6:,.0f}",
        ]
        for report in reports["cuda"]
    ]
    columns = ["program", "kernels per step, H100", "temporary MB, H100", "temporary MB, TPU v5e", "MFLOP, TPU v5e"]
    return table(columns, rows)


def scores(name):
    rows = [
        [
            row["trial"],
            row["network"],
            f"{row['mean']:.3g} ({row['low']:.3g} to {row['high']:.3g})",
            row["unit"],
            f"{row['parameters']:,}",
            f"{row['operations_per_step']:,}",
            f"{row['learning_rate']:g}",
            f"{row['seconds']:.0f}",
        ]
        for row in results(name)["scores"]
    ]
    columns = ["task", "network", "test score (95 % interval)", "unit", "parameters", "operations per step"]
    return table([*columns, "learning rate", "seconds"], rows)


def finding(name):
    found = results(name)
    return "\n".join([f"**{found['answer']}**", "", *(f"- {sentence(row)}" for row in found["differences"])])


def ratio(row, peer):
    return f"{row['peer_over_ours'][peer]['median']:.2f}" if peer in row["peer_over_ours"] else ""


PEERS = ("plain scan", "flax", "equinox", "torch")
CHOSEN = ("RNN", "GRU", "LSTM", "NestedLSTM", "MGU", "SLSTM", "RHN", "ComplexGRU", "LRU", "MinGRU")


def cells(chosen=None):
    rows = [
        [
            row["neuron"],
            f"{row['states']:,}",
            f"{row['parameters']:,}",
            f"{row['operations_per_step']:,}",
            *(ratio(row, peer) for peer in PEERS),
            f"{row['first_call_seconds']:.1f}",
        ]
        for row in results("cells")["cells"]
        if chosen is None or row["neuron"] in chosen
    ]
    columns = ["neuron", "states", "parameters", "operations per step", *PEERS, "first call (s)"]
    return table(columns, rows)


def executors():
    linear = results("linear_cells")["cells"]
    ways = [f"{executor} {what}" for what in ("forward", "train") for executor in ("parallel", "recurrent")]
    heads = [f"{way}, {entry['steps']:,} steps" for entry in linear[0]["executors"] for way in ways]
    rows = [
        [row["neuron"], *(f"{entry[way]['median']:.2f}" for entry in row["executors"] for way in ways)]
        for row in linear
    ]
    return table(["neuron", *heads], rows)


def search_speed():
    rows = [
        [
            row["size"],
            f"{row['first_call_seconds']:.1f}",
            f"{row['one_core']['median']:.2f} ({row['one_core']['min']:.2f} to {row['one_core']['max']:.2f})",
            *(f"{row['times_faster'][steps]:.1f}" for steps in ("20", "100", "300")),
            f"{row['halving_times_faster']:.1f}",
            f"{row['whole_run']['times_faster']:.1f}",
        ]
        for row in results("search_speed")["sizes"]
    ]
    columns = [
        "size",
        "first call (s)",
        "one core: time / straight-line code's",
        "faster at 20 steps",
        "at 100",
        "at 300",
    ]
    return table([*columns, "halving 20, 60, 300", "whole run of 1,000"], rows)


def searches(name):
    """What each search found, and after how many candidates it was as good as known cells in the same race."""
    found = results(name)
    rows = [
        [
            search,
            f"{told['candidates']:,}",
            f"{told['best']:.3g}",
            *(
                "never" if told["matched"][known] is None else f"{told['matched'][known]:,}"
                for known in found["levels"]
            ),
            f"{found['overall'][told['winner']]:.3g}",
        ]
        for search, told in found["searches"].items()
    ]
    for known, losses in found["levels"].items():
        blank = [""] * len(found["levels"])
        rows.append([known, "", f"{np.mean(losses):.3g}", *blank, f"{found['overall'][known]:.3g}"])
    matched = [f"candidates until as good as {known}" for known in found["levels"]]
    return table(["search", "candidates", "best in the race", *matched, "trained anew, tuned"], rows)


def summary(name):
    """How cells fared over all tasks."""
    rows = [
        [
            row["ours"],
            row["theirs"],
            ", ".join(row["better"]) or "none",
            ", ".join(row["worse"]) or "none",
            *(f"{v:+.1f} %" if v < 1000 else "over +1,000 %" for v in (row["mean_percent"], row["median_percent"])),
        ]
        for row in results(name)["summary"]
    ]
    return table(["cell", "against", "better", "worse", "loss, mean", "loss, median"], rows)


def losses(name):
    """Mean test losses, a row per task."""
    scores = results(name)["scores"]
    networks = list(dict.fromkeys(row["network"] for row in scores))
    of = {(row["trial"], row["network"]): row for row in scores}
    rows = [
        [trial, *(f"{of[trial, network]['mean']:.3g}" for network in networks), of[trial, networks[0]]["unit"]]
        for trial in dict.fromkeys(row["trial"] for row in scores)
    ]
    return table(["task", *networks, "unit"], rows)


def parallel_speed():
    found = results("parallel_speed")["lengths"]
    first, *others = found[0]["milliseconds"]
    rows = [
        [
            f"{row['length']:,}",
            f"{row['milliseconds'][first]:.0f}",
            *(f"{1 / row['peer_over_ours'][label]['median']:.1f}" for label in others),
        ]
        for row in found
    ]
    return table(["steps", f"{first} (ms)", *(f"{label}: times faster" for label in others)], rows)


def spikes():
    """For every network and scheme when it is as right as the graded network, and what that takes relative to it."""
    found = results("conversion")
    rows = []
    for row, told in zip(found["spiking"], found["answers"], strict=True):
        (graded,) = [g for g in found["graded"] if (g["network"], g["neurons"]) == (row["network"], row["neurons"])]
        right = f"{np.mean(graded['accuracy']):.1f}"
        if told["steps"] is None:
            rows.append([row["network"], row["scheme"], right, "never", *[""] * 5])
            continue
        place = row["times"].index(told["steps"])
        accuracy = f"{np.mean([seed[place] for seed in row['accuracy']]):.1f}"
        ratios = [told[name] for name in RATIOS]
        rows.append(
            [row["network"], row["scheme"], right, f"{told['steps']}", accuracy, *(f"{value:.2f}" for value in ratios)]
        )
    columns = ["network", "scheme", "graded (%)", "steps", "spiking (%)", "arithmetic", "zeros skipped", "with memory"]
    return table([*columns, "zeros skipped"], rows)


def glif_medians():
    found = results("glif_ladder")
    rows = [
        [name, *(f"{value:.1f} %" for value in found[key])]
        for name, key in (
            (f"mean of {found['cells_counted']} cells", "mean_percent"),
            ("median", "median_percent"),
            ("median, by gradient and threshold alone", "by_gradient_median_percent"),
            ("published median, 253 to 645 cells", "published_median_percent"),
        )
    ]
    return table(["explained variance", *(f"level {level}" for level in range(1, 6))], rows)


def glif_steps():
    found = results("glif_ladder")
    rows = [
        [
            f"{step['from']} to {step['to']}",
            f"{step['mean_gain']:+.1f} ± {step['standard_error']:.1f}",
            f"{step['median_gain']:+.1f}",
            f"{step['cells_better']} of {found['cells_counted']}",
            f"{step['published_gain_of_medians']:+.1f}",
        ]
        for step in found["steps"]
    ]
    return table(["levels", "mean gain (points)", "median gain", "cells better", "published"], rows)


def glif_cells():
    rows = [
        [
            row["cell"] if row["counted"] else f"{row['cell']} (not counted)",
            f"{row['reliability_percent']:.0f} %",
            *(f"{value:.1f}" for value in row["explained_percent"]),
        ]
        for row in results("glif_ladder")["cells"]
    ]
    return table(["cell", "reliability", *(f"level {level}" for level in range(1, 6))], rows)


def patterns():
    found = results("firing_patterns")
    solved = {row["pattern"]: row for row in found["equations"]}
    rows = []
    for row in found["published"]:
        own = solved.get(row["pattern"])
        spikes, first = (f"{own['spikes']}", f"{own['first_ms']:.2f}") if own else ("runs away", "")
        rows.append([f"{row['pattern']} {row['name']}", f"{row['spikes']}", f"{row['first_ms']:.2f}", spikes, first])
    columns = ["pattern", "spikes", "first (ms)", "spikes of the equations", "first of the equations (ms)"]
    return table(columns, rows)


def fidelity():
    rows = [ledger.cells(row) for row in results("fidelity")["checks"] if not row["peer"]]
    return table(["model", "what", "error", "allowed", "unit"], rows)


def fidelity_beside_peers():
    rows = [ledger.beside(row) for row in results("fidelity")["checks"] if row["peer"]]
    return table(["beside", "model", "what", "error", "allowed", "unit", "NEURON, usual", "NEURON, best"], rows)


def fidelity_in_short():
    chosen = (
        ("PreciseLIF", "rate"),
        ("LIF", "voltage"),
        ("AdEx", "saddle-node"),
        ("Izhikevich", "spikes"),
        ("HodgkinHuxley", "lower"),
        ("PairSTDP", "window"),
        ("brunel_rate", "states"),
        ("SynapticLIF", "iaf_psc_exp"),
        ("AdEx, Located", "aeif_cond_exp: voltage"),
        ("GLIF", "glif_psc, level 5: voltage"),
        ("HodgkinHuxley", "step of"),
        ("Cable", "axon: spike at the second"),
        ("Exponential, LIF", "ExpSyn"),
    )
    rows = []
    for model, what in chosen:
        for row in results("fidelity")["checks"]:
            if row["model"] == model and row["what"].startswith(what):
                peer, _, said, error, _, unit, usual, _ = ledger.beside(row)
                rows.append([peer or "theory", model, said, error, unit, usual])
    rows.sort(key=lambda row: row[0] != "theory")
    return table(["beside", "model", "what", "error", "in", "NEURON's own at this step"], rows)


def membrane():
    rows = [
        [
            *(f"{value:.3g}" for value in row["start"]),
            *(f"{value:.4g}" for value in row["found"]),
            f"{100 * max(map(abs, row['error'])):.2f} %",
        ]
        for row in results("membrane")["guesses"]
    ]
    names = ("g_Na", "g_K", "g_L")
    return table([*(f"{name}, guess" for name in names), *(f"{name}, found" for name in names), "largest error"], rows)


def evidence():
    rows = []
    for row in results("evidence")["networks"]:
        accuracy, loss = mean_interval(row["accuracy"]), np.mean(row["loss"])
        rows.append(
            [
                row["network"],
                row["rule"],
                f"{100 * row['adaptive']:.0f} %",
                f"{100 * accuracy.mean:.1f} ({100 * accuracy.low:.1f} to {100 * accuracy.high:.1f})",
                f"{loss:.3f}",
                f"{np.mean(row['rate_hz']):.0f}",
            ]
        )
    return table(["network", "gradient", "adaptive", "right (%; 95 %)", "loss (nats)", "rate (Hz)"], rows)


def exponential_patterns():
    names = {row["name"]: [] for row in results("firing_patterns")["adex"]}
    for row in results("firing_patterns")["adex"]:
        varied = "" if row["variation"] is None else f"{row['variation']:.2f}"
        names[row["name"]].append((f"{row['spikes']}", varied))
    rows = [[name, *(spikes for spikes, _ in both), both[-1][1]] for name, both in names.items()]
    return table(["pattern", "spikes at 0.1 ms", "spikes at 0.01 ms", "variation of intervals"], rows)


def populations(stored="populations", works=("network", "population", "membranes", "thresholds")):
    found = results(stored)
    rows = [[work, *cells] for work in works for cells in populations_page.rows(found[work])]
    return table(["work", "way", "ms", "times the first", "range"], rows)


def populations_answers():
    return table(["work", "number", "program", "value"], populations_page.answers(results("populations")))


def brunel_states():
    """The table of the page, and at its end what the state is called here and there."""
    rows = [
        [*brunel_page.cells(row), brunel_page.verdict(row), brunel_page.published(row).state]
        for row in results("brunel")["states"]
    ]
    return table([*brunel_page.heads(), "found", "in the paper"], rows)


def brunel_synchrony():
    found = results("brunel")["states"]
    sizes = [f"index, {each['size']:,} neurons" for each in found[0]["sizes"]]
    rows = [[row["state"], *map(brunel_page.index, row["sizes"]), brunel_page.exponent(row)] for row in found]
    return table(["state", *sizes, "exponent"], rows)


TABLES = {
    "brunel": brunel_states,
    "brunel synchrony": brunel_synchrony,
    "populations": populations,
    "populations plain": functools.partial(populations, "populations_plain"),
    "populations answers": populations_answers,
    "populations on one core": functools.partial(populations, "populations_one_core", ("network", "membranes")),
    "glif medians": glif_medians,
    "glif steps": glif_steps,
    "glif cells": glif_cells,
    "conversion": spikes,
    "evidence": evidence,
    "membrane": membrane,
    "fidelity": fidelity,
    "fidelity beside peers": fidelity_beside_peers,
    "fidelity in short": fidelity_in_short,
    "firing patterns": patterns,
    "firing patterns of AdEx": exponential_patterns,
    "quickstart": quickstart,
    "text": text,
    "recurrent": recurrent,
    "kernels": kernels,
    "chosen cells": lambda: cells(CHOSEN),
    "cells": cells,
    "executors": executors,
    "search speed": search_speed,
    "search memory": lambda: searches("search_memory"),
    "search rediscovery": lambda: searches("search_rediscovery"),
    "search longer": lambda: searches("search_longer"),
    "search parallel": lambda: searches("search_parallel"),
    "search parallel longer": lambda: searches("search_parallel_longer"),
    "held out": lambda: summary("held_out"),
    "held out losses": lambda: losses("held_out"),
    "held out longer": lambda: summary("held_out_longer"),
    "held out longer losses": lambda: losses("held_out_longer"),
    "long": lambda: losses("long"),
    "parallel speed": parallel_speed,
    "nested_lstm answer": lambda: finding("nested_lstm"),
    "nested_lstm": lambda: scores("nested_lstm"),
    "complex_gain answer": lambda: finding("complex_gain"),
    "complex_gain": lambda: scores("complex_gain"),
}
