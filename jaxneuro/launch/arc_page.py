"""The page of the Arc knock-out: what was asked beforehand, and what came of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxneuro.launch import figures
from jaxneuro.launch.report import Section
from jaxneuro.measure.interval import mean_interval

READING = (
    "That neurons send each other instructions and not data is the reading of an essay (Perez 2018). What is known of "
    "the biology is less: Arc forms capsids that carry its own RNA, which receivers take up and translate by their "
    "activity. Nothing shows that they carry arbitrary programs."
)
LARGEST_Z = 1e6  # of seeds that all agree


def judged(
    bars: Mapping[str, float],
    chance: float,
    networks: Sequence[Mapping[str, Any]],
    tests: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Every bar, and whether it is met.

    Args:
        bars: of the config.
        chance: share of right answers by chance.
        networks: rows of the results.
        tests: shares after an hour and a day, `[seeds, 2]`, by condition.

    Returns:
        For every bar what was asked, what was found, and whether that is enough.
    """
    wild, without = np.asarray(tests["wild type"]), np.asarray(tests["knock-out"])
    behaviour = {row["network"]: np.asarray(row["behaviour"]) for row in networks}
    kept = float(without[:, 0].mean() / wild[:, 0].mean())
    long_wild, long_without = float(wild[:, 1].mean()), float(without[:, 1].mean())
    z = dissociation(wild, without)
    rows = [
        ("short-term memory of the knock-out, of the wild type's", kept, ">=", bars["short_share"]),
        ("long-term memory of the knock-out", long_without, "<=", chance + bars["long_above_chance"]),
        ("long-term memory of the wild type", long_wild, ">=", bars["long_wild"]),
        ("z of the loss of long-term beyond short-term memory", z, ">", bars["dissociation_z"]),
    ]
    for control in behaviour:
        if control != "capsids":
            low = mean_interval(behaviour["capsids"] - behaviour[control]).low
            rows.append((f"behaviour when told, capsids over {control}, lower end of 95 %", low, ">", 0.0))
    return [
        {"bar": name, "found": value, "sign": sign, "asked": asked, "met": bool(met(value, sign, asked))}
        for name, value, sign, asked in rows
    ]


def met(value: float, sign: str, asked: float) -> bool:
    """Whether a bar is met."""
    return value <= asked if sign == "<=" else value > asked or (sign == ">=" and value == asked)


def dissociation(wild: np.ndarray, without: np.ndarray) -> float:
    """`mean / standard error` over seeds of what the knock-out loses after a day beyond what it loses after an hour."""
    lost = wild - without
    beyond = lost[:, 1] - lost[:, 0]
    error = beyond.std(ddof=1) / len(beyond) ** 0.5
    return float(np.clip(beyond.mean() / max(error, 1e-12), -LARGEST_Z, LARGEST_Z))


def sections(
    results: Mapping[str, Any], fractions: Sequence[float], losses: Mapping[str, np.ndarray], steps: np.ndarray
) -> list[Section]:
    """The page.

    Args:
        results: of the experiment `arc_knockout`.
        fractions: of wild neurons in the curve.
        losses: of every network in training, `[seeds, steps]`.
        steps: of training, at which losses were noted.
    """
    tests, bars = results["tests"], results["bars"]
    count = sum(bar["met"] for bar in bars)
    memory = ("wild type", "knock-out", "mosaic 50", "mosaic 75", "one instruction", "larger")
    rescue = ("both have Arc", "only senders", "only receivers", "none has Arc")
    windows = [name for name in tests if name.startswith("from ")]
    plastic = ("plasticity, wild type", "plasticity, knock-out")
    behaving = ("one instruction, behaviour", "larger, behaviour", "knock-out, behaviour")
    return [
        Section(
            "What was asked beforehand",
            f"{count} of {len(bars)} bars are met; they stood in the config before the first full run. {READING}",
            columns=["bar", "asked", "found", "met"],
            rows=[
                [bar["bar"], f"{bar['sign']} {bar['asked']:.3g}", f"{bar['found']:.3f}", "yes" if bar["met"] else "no"]
                for bar in bars
            ],
        ),
        Section(
            "Three networks of equal genomes",
            "Mean and 95 % interval over seeds (%). Behaviour: neurons that answer as commanders were told, an hour "
            "and a day later. Autonomy: share of fading weights that neurons keep by themselves, which training sets; "
            "so does it the time constant of activity. The day always has the same order, so that neurons can learn by "
            "themselves when to keep what they know; that behaviour must change they cannot know, and numbers that are "
            "added to a drive cannot reverse an answer: to that extent the last two bars are built in.",
            columns=["network", "parameters", "after an hour", "after a day", "behaviour", "autonomy", "activity (h)"],
            rows=[
                [
                    row["network"],
                    str(row["parameters"]),
                    *(told(row[part]) for part in ("short", "long", "behaviour")),
                    f"{100 * np.mean(row['autonomy']):.1f} %",
                    f"{np.mean(row['persistence_h']):.3f}",
                ]
                for row in results["networks"]
            ],
        ),
        Section(
            "Knock-out and mosaics",
            "Associations recalled by the network with capsids (%). A mosaic has so many neurons without Arc; one "
            "instruction: the largest share alone is executed; larger: more neurons with the same genome.",
            columns=["network", "after an hour", "after a day"],
            rows=[[name, *both(tests[name])] for name in memory],
            figure=figures.svg(curve(tests, fractions, results["chance"])),
        ),
        Section(
            "When, and in whom",
            "Arc is knocked out so many hours after the lesson; then: half of the neurons, the commanders among them, "
            "exchange packets with the other half, whose memory is tested.",
            columns=["knock-out", "after an hour", "after a day"],
            rows=[[name, *both(tests[name])] for name in (*windows, *rescue)],
        ),
        Section(
            "Potentiation and depression",
            "Change of all weights along those of the lesson after an hour and after a day, and share of older late "
            "weights that is lost.",
            columns=["network", "early potentiation", "late potentiation", "depression"],
            rows=[
                [name.split(", ")[1], *(f"{value:.3f}" for value in np.mean(tests[name], axis=0))] for name in plastic
            ],
        ),
        Section(
            "Behaviour",
            "Neurons that answer as commanders were told (%).",
            columns=["network", "after an hour", "after a day"],
            rows=[[name.split(",")[0], *both(tests[name])] for name in behaving],
        ),
        Section(
            "Training",
            "Surprise at right answers, and what it costs; the line is the mean of the seeds, the band their range.",
            figure=figures.svg(figures.learning_curves(dict(losses), steps, "loss")),
        ),
    ]


def told(values: Sequence[float]) -> str:
    """Mean and interval (%)."""
    mean, low, high = (100 * value for value in mean_interval(values))
    return f"{mean:.1f} ({low:.1f} to {high:.1f})"


def both(values: Sequence[Sequence[float]]) -> list[str]:
    """Those after an hour and after a day."""
    return [told(each) for each in np.transpose(values).tolist()]


def curve(tests: Mapping[str, Any], fractions: Sequence[float], chance: float) -> figures.Panel:
    """Memory against the share of neurons that have Arc."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        shares = np.asarray([tests[f"wild {fraction:g}"] for fraction in fractions])
        for part, (name, colour) in enumerate(zip(("after an hour", "after a day"), figures.COLOURS, strict=False)):
            values = 100 * shares[:, :, part]
            axes.plot(100 * np.asarray(fractions), values.mean(1), color=colour, marker="o", markersize=3, label=name)
            axes.fill_between(100 * np.asarray(fractions), values.min(1), values.max(1), color=colour, alpha=0.15)
        axes.axhline(100 * chance, color=figures.FAINT, linestyle=":")
        axes.set(xlabel="neurons with Arc (%)", ylabel="associations recalled (%)", ylim=(0, 102))
        axes.legend(loc="center right")

    return draw
