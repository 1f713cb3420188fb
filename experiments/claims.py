"""Which claims of the essay hold? The ledger: for each, the experiment, the published number, ours, the verdict.

The essay is C. E. Perez 2018, "Surprise! Neurons are now more complex than we thought". The ledger is made from the
stored results alone. Results that are missing are open; results of another config, or of code that has changed since,
are said to be so.
"""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from jaxneuro.launch import experiments, figures
from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.config import ExperimentConfig
from jaxneuro.launch.directory import Run, read_json
from jaxneuro.launch.provenance import doubts
from jaxneuro.launch.report import Section

Verdict = Literal["pass", "fail", "open"]
Judged = tuple[str, bool | None]


class Claim(NamedTuple):
    """A claim, and what speaks for or against it.

    Attributes:
        number: its place in the essay.
        claim: in a sentence.
        published: the number of the literature.
        bar: what our number must be for the claim to pass.
        results: the folder of the results.
        config: of these results.
        judge: from results our number, and whether it passes; None leaves the claim open.
        overrides: of the config; a value of `...` is a path that the user has.
    """

    number: int
    claim: str
    published: str
    bar: str
    results: str
    config: str
    judge: Callable[[dict[str, Any]], Judged]
    overrides: tuple[str, ...] = ()


def spread(values: Any, digits: int = 3) -> str:
    """The mean over seeds and their range."""
    numbers = np.asarray(values, float)
    return f"{numbers.mean():.{digits}f} ({numbers.min():.{digits}f} to {numbers.max():.{digits}f}, n={numbers.size})"


def one_neuron(found: dict[str, Any]) -> Judged:
    """Who learns an exclusive or, of all starts."""
    share = {row["unit"]: row["gates"]["exclusive or"]["solved"] / found["starts"] for row in found["units"]}
    told = ", ".join(f"{name} {100 * value:.0f} %" for name, value in share.items())
    return f"{told} of {found['starts']} starts", share["point neuron"] == 0 and share["dCaAP branch"] >= 0.8


def faithful(found: dict[str, Any]) -> Judged:
    """All comparisons with closed forms and peers are within what is allowed."""
    return f"{found['kept']} of {found['of']} comparisons", found["kept"] == found["of"]


def converted(found: dict[str, Any]) -> Judged:
    """Spike-Norm at its longest time, on every network."""
    last = {row["network"]: row["change"][-1] for row in found["spiking"] if row["scheme"] == "Spike-Norm"}
    told = ", ".join(f"{name} {change:+.2f}" for name, change in last.items())
    return f"{told} points (digits)", min(last.values()) >= -0.5


def frugal(found: dict[str, Any]) -> Judged:
    """Spikes that need less energy, however it is counted."""
    won = sum(row["wins"] for row in found["answers"])
    return f"{won} of {len(found['answers'])} networks and schemes", won > 0


def sequences(found: dict[str, Any]) -> Judged:
    """Accuracy of the memory at the end of learning."""
    (trial,) = found["trials"]
    return spread(trial["final"]), bool(np.mean(trial["final"]) >= 1.0)


def anomalies(found: dict[str, Any]) -> Judged:
    """The score of the benchmark, standard profile."""
    scores = next(row["final"]["standard"] for row in found["detectors"] if row["name"] == "temporal-memory")
    return spread(scores, 1), bool(np.mean(scores) >= 64.6)


def thresholds(found: dict[str, Any]) -> Judged:
    """Models of a neuron found blind, at the noise of the test."""
    level = next(level for level in found["levels"] if level["noise"] == 1.0)
    cells = sum(cell["examined"] for cell in level["cells"])
    return f"{100 * level['recovered']:.2f} % of {cells:,} cells", level["recovered"] >= 0.99


def machines(found: dict[str, Any]) -> Judged:
    """Neurons whose states can be counted by hand, and networks that learnt parity."""
    counted = [row for row in found["neurons"] if row["expected"] is not None]
    right = sum(row["states"] == row["expected"] for row in counted)
    parity = sum(row["is_sum"] for row in found["networks"])
    told = f"{right} of {len(counted)} neurons as by hand; {parity} of {len(found['networks'])} networks are parity"
    return told, right == len(counted) and parity > 0


def higher_dimension(found: dict[str, Any]) -> Judged:
    """Quaternion weights against real ones, at equal real parameters."""
    rows = [row for row in found["differences"] if (row["ours"], row["theirs"]) == ("quaternion", "real")]
    better = [row["trial"] for row in rows if row["differs"] and (row["mean"] > 0) == row["higher_is_better"]]
    worse = [row["trial"] for row in rows if row["differs"] and (row["mean"] > 0) != row["higher_is_better"]]
    told = f"quaternions better in {', '.join(better) or 'none'}; worse in {', '.join(worse) or 'none'}"
    return told, bool(better) and not worse


def memory_needs_arc(found: dict[str, Any]) -> Judged:
    """The bars on memory of the knock-out."""
    bars = [bar for bar in found["bars"] if "memory" in bar["bar"]]
    told = ", ".join(f"{bar['bar']} {bar['found']:.3g} ({bar['sign']} {bar['asked']:g})" for bar in bars)
    return told, all(bar["met"] for bar in bars)


def instructions(found: dict[str, Any]) -> Judged:
    """The bars on behaviour: instructions against data packets and against neurons by themselves."""
    bars = [bar for bar in found["bars"] if "behaviour" in bar["bar"]]
    told = ", ".join(f"{bar['bar'].split(',')[1].strip()} {bar['found']:+.3g}" for bar in bars)
    return told, all(bar["met"] for bar in bars)


def computed(found: dict[str, Any]) -> Judged:
    """Richer neurons against threshold units, all synapses looked at."""
    dense = {row["kind"]: row["ways"][0]["operations_per_second"] for row in found["models"]}
    times = {kind: value / dense["threshold unit"] for kind, value in dense.items() if kind != "threshold unit"}
    return ", ".join(f"{kind} {value:.2g}" for kind, value in times.items()), max(times.values()) <= 10


def searched(found: dict[str, Any]) -> Judged:
    """The cells of the searches against the LSTM, tasks better and worse after correction."""
    rows = [row for row in found["summary"] if row["theirs"] == "LSTM"]
    told = ", ".join(f"{row['ours']} {len(row['better'])} better {len(row['worse'])} worse" for row in rows)
    return f"{told} of {rows[0]['tasks']} tasks", any(len(row["better"]) > len(row["worse"]) for row in rows)


def nested(found: dict[str, Any]) -> Judged:
    """Differences of the nested network to both others, task by task."""
    rows = [(row, row["mean"] > 0 if row["higher_is_better"] else row["mean"] < 0) for row in found["differences"]]
    better, worse = (sum(row["differs"] and up is wanted for row, up in rows) for wanted in (True, False))
    return f"better in {better}, worse in {worse} of {len(rows)} comparisons", better > 0 and not worse


def abilities(found: dict[str, Any]) -> Judged:
    """Slopes of skill against complexity: about 0 in perception, above 0 in the abilities."""
    slopes = {row["ability"]: row["slope"] for row in found["abilities"] if row["slope"]}
    told = ", ".join(
        f"{name} {row['mean']:+.2f} ({row['low']:+.2f} to {row['high']:+.2f})" for name, row in slopes.items()
    )
    control = slopes["perceive"]["low"] <= 0 <= slopes["perceive"]["high"]
    return told, control and all(slopes[name]["low"] > 0 for name in ABILITIES)


def only_recurrent(found: dict[str, Any]) -> Judged:
    """Where complex numbers help, at equal real parameters."""
    helped = [row["trial"] for row in found["differences"] if row["differs"] and row["mean"] > 0]
    recurrent = [name for name in helped if name.startswith(("recurrent", "gated"))]
    return f"helps in {', '.join(helped) or 'none'} of {len(found['differences'])} trials", helped == recurrent != []


ABILITIES = ("forget", "ignore", "abstract", "switch", "robust")
CLAIMS = (
    Claim(
        1,
        "A unit of 1957 has its limits; one with an inner nonlinearity passes them",
        "no point neuron computes an exclusive or (Minsky and Papert 1969); one dCaAP branch does (Gidon et al. 2020)",
        "point neuron 0 %, dCaAP branch at least 80 % of the starts",
        "xor_in_one_neuron",
        "xor_in_one_neuron/full.yaml",
        one_neuron,
    ),
    Claim(
        2,
        "Neurons integrate and spike",
        "closed forms; NEST, Brian2, NEURON",
        "all comparisons kept",
        "fidelity",
        "fidelity.yaml",
        faithful,
    ),
    Claim(
        3,
        "A trained network becomes a spiking one without loss",
        "CIFAR-10, VGG-16: 91.55 % of 91.7 % (arXiv:1802.02627)",
        "at most half a point lost",
        "conversion",
        "conversion/digits.yaml",
        converted,
    ),
    Claim(
        4,
        "Spikes spend less energy",
        "most rate-coded networks do not (Davidson and Furber 2021)",
        "some network wins in every way of counting",
        "conversion",
        "conversion/digits.yaml",
        frugal,
    ),
    Claim(
        5,
        "The HTM neuron learns sequences",
        "final accuracy 1.000 (Cui et al. 2016, by htm.core)",
        "1.000",
        "sequence_memory",
        "sequence_memory/cui.yaml",
        sequences,
    ),
    Claim(
        5,
        "The HTM neuron notices anomalies",
        "NAB 64.6 (Numenta HTM, temporal memory)",
        "at least 64.6",
        "anomaly",
        "anomaly/full.yaml",
        anomalies,
        ("streams.folder=...",),
    ),
    Claim(
        6,
        "A neuron is many independent threshold units",
        "data favour the model of independent thresholds (Sardi et al. 2017)",
        "at least 99 % of random cells are taken blind for the model they follow",
        "independent_thresholds",
        "independent_thresholds/full.yaml",
        thresholds,
    ),
    Claim(
        7,
        "Neurons are machines with states",
        "",
        "numbers of states as by hand; some trained network is exactly the machine of its task",
        "automata",
        "automata/full.yaml",
        machines,
    ),
    Claim(
        7,
        "Weights of higher dimension help",
        "quaternion networks with a quarter of the parameters do as well (Parcollet et al. 2019)",
        "better somewhere, worse nowhere, at equal real parameters",
        "weights_of_higher_dimension",
        "weights_of_higher_dimension/full.yaml",
        higher_dimension,
    ),
    Claim(
        8,
        "Without Arc there is no long-term memory",
        "short-term memory intact, long-term memory lost (Plath et al. 2006, in mice)",
        "as written in the config before the run",
        "arc_knockout",
        "arc_knockout/full.yaml",
        memory_needs_arc,
    ),
    Claim(
        9,
        "Neurons send each other instructions, not data",
        "the essay's reading; the biology shows Arc RNA alone",
        "behaviour better than with data packets and than by cells alone, 95 % interval above 0",
        "arc_knockout",
        "arc_knockout/full.yaml",
        instructions,
    ),
    Claim(
        10,
        "Richer neurons take ten times the operations of simple ones",
        "38 PFLOPS, ten times 38 PFLOPS",
        "no kind above 10 times the threshold unit",
        "brain_compute",
        "brain_compute.yaml",
        computed,
    ),
    Claim(
        11,
        "Brute-force search finds better LSTM cells",
        "PTB characters 1.214 (Zoph and Le 2017)",
        "better than the LSTM on more unseen tasks than worse",
        "held_out",
        "search/held_out.yaml",
        searched,
    ),
    Claim(
        12,
        "Memory inside memory: the Nested LSTM is better",
        "better than stacked and single (Moniz and Krueger 2017)",
        "better somewhere, worse nowhere",
        "nested_lstm",
        "nested_lstm/full.yaml",
        nested,
    ),
    Claim(
        13,
        "Complex values help recurrent networks, and them alone",
        "gains in recurrent networks (as the essay reads the literature)",
        "better in a recurrent trial, in no other",
        "complex_gain",
        "complex_gain/full.yaml",
        only_recurrent,
    ),
    Claim(
        14,
        "Forgetting, ignoring, abstracting, switching, withstanding need complex neurons; perception does not",
        "",
        "slopes as written in the config before the run",
        "abilities",
        "abilities/full.yaml",
        abilities,
    ),
)


class Config(ExperimentConfig):
    """See configs/claims.yaml."""

    claims: Annotated[
        tuple[int, ...] | None, Field(description="numbers of the claims; all unless given", min_length=1)
    ] = None


def ledger(root: Path, claims: tuple[Claim, ...]) -> list[dict[str, Any]]:
    """A row for each claim.

    Args:
        root: the folder that has `experiments` and `configs`.
        claims: which.
    """
    rows = []
    for claim in claims:
        file, config = (
            root / "experiments" / "results" / claim.results / "results.json",
            root / "configs" / claim.config,
        )
        ours, verdict, standing = "", "open", "missing: not run"
        if file.is_file():
            stored = read_json(file)
            ours, passed = claim.judge(stored["results"])
            verdict = "open" if passed is None else "pass" if passed else "fail"
            doubted = doubts(stored, config, claim.overrides)
            standing = f"stale: {'; '.join(doubted)}" if doubted else f"of commit {stored['git']['commit'][:8]}"
        rows.append(
            {
                "number": claim.number,
                "claim": claim.claim,
                "published": claim.published,
                "bar": claim.bar,
                "ours": ours,
                "verdict": verdict,
                "results": standing,
                "command": shlex.join(["jaxneuro", "run", f"configs/{claim.config}", *claim.overrides]),
            }
        )
    return rows


def main(config: Config, run: Run) -> dict[str, Any]:
    """The ledger of the results in the nearest folder of experiments."""
    folder = experiments.folder_above(Path(__file__).parent)
    if folder is None:
        raise ConfigError("claims: there is no folder `experiments` here.")
    known = sorted({claim.number for claim in CLAIMS})
    if unknown := set(config.claims or ()) - set(known):
        raise ConfigError(f"claims: {min(unknown)} is none of the claims, which are {', '.join(map(str, known))}.")
    wanted = tuple(claim for claim in CLAIMS if config.claims is None or claim.number in config.claims)
    rows = ledger(folder.parent, wanted)
    return {"claims": rows, **{verdict: sum(row["verdict"] == verdict for row in rows) for verdict in COLOURS}}


COLOURS = {"pass": figures.COLOURS[2], "fail": figures.COLOURS[1], "open": figures.FAINT}


def page(config: Config, results: dict[str, Any], arrays: dict[str, np.ndarray]) -> list[Section]:
    """The report."""
    rows = results["claims"]
    counts = ", ".join(f"{results[verdict]} {verdict}" for verdict in COLOURS)
    stale = sum(row["results"].startswith("stale") for row in rows)
    text = (
        f"{len(rows)} claims: {counts}. Results of {stale} are stale: made by another config, or by code that has "
        "changed since. The claims are the essay's, the bars ours."
    )
    columns = ["number", "claim", "published", "bar", "ours", "verdict", "results", "command"]
    cells = [[str(row[column]) for column in columns] for row in rows]
    return [Section("Which claims hold?", text, ["", *columns[1:]], cells)]
