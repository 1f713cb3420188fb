"""Tables of the findings on the battery of abilities, made from results."""

import functools

import numpy as np

from jaxneuro.launch.abilities_page import answer, interval, verdict
from jaxneuro.measure.interval import mean_interval
from tests.tables import results, table

PERCEPTION, ATTACKED = "perceive", "worst"
# On these terms the networks are equal: in trained parameters, or in operations of a step.
PARAMETERS, OPERATIONS = "abilities", "abilities_operations"
ARC = "abilities_arc"  # neurons that send each other code, beside the same without
FIVE = ("forget", "ignore", "abstract", "switch", "robust")  # abilities of the hypotheses


def in_all(found):
    """The rows of every kind of neuron that took part in all abilities, and the kinds by their mean skill."""
    abilities = found["abilities"]
    neurons = {name: {} for name in dict.fromkeys(row["neuron"] for row in found["rows"])}
    for ability in abilities:
        for row in ability["neurons"]:
            neurons[row["neuron"]][ability["ability"]] = row
    whole = {name: own for name, own in neurons.items() if len(own) == len(abilities)}
    means = {name: np.mean([row["mean"] for row in own.values()]) for name, own in whole.items()}
    return whole, dict(sorted(means.items(), key=lambda pair: pair[1], reverse=True))


def lowered(sentence):
    """For after a colon."""
    return sentence[0].lower() + sentence[1:]


def lines():
    """The answer in five lines."""
    found, other = results(PARAMETERS), results(OPERATIONS)
    abilities = found["abilities"]
    whole, means = in_all(found)
    _, instead = in_all(other)
    ranked = list(means)

    def told(name):
        return f"{name} {means[name]:.2f} ({np.mean([row['complexity'] for row in whole[name].values()]):.0f})"

    told_apart = [row for row in found["against"] if row["p"] < 0.05]
    better, worse = (sum((row["mean"] > 0) == sign for row in told_apart) for sign in (True, False))
    clean, left = (
        max(
            (np.mean(row["besides"][kind]), row["neuron"])
            for row in found["rows"]
            if row["besides"] and kind in row["besides"]
        )
        for kind in ("clean", ATTACKED)
    )
    kinds, tasks = (len({row[column] for row in found["rows"]}) for column in ("neuron", "task"))
    near = sum(mean >= means[ranked[0]] - 0.05 for mean in means.values())
    return "\n".join(
        [
            f"- {answer(abilities, PERCEPTION)}",
            f"- Highest mean skill over all abilities, and operations of a neuron in a step: "
            f"{', '.join(map(told, ranked[:5]))}; lowest: {', '.join(map(told, ranked[-3:]))}. "
            f"{near} of {len(whole)} kinds lie within 0.05 of the highest.",
            f"- The plain recurrent neuron reaches {means['RNN']:.2f}; of {len(found['against'])} comparisons with it, "
            f"task by task, {better} are better and {worse} worse after correction for their number.",
            f"- Of digits read right, at best {clean[0]:.0f} % ({clean[1]}), attacks of 0.1 of the range leave at most "
            f"{left[0]:.0f} % ({left[1]}).",
            f"- {kinds} kinds of neuron, {tasks} tasks and attacks, {len(found['rows'][0]['skills'])} seeds, about "
            f"{found['size']:,} {found['equal']} each, the same budget of tuning. At {other['size']:,} "
            f"{other['equal']} of a step each instead: {lowered(answer(other['abilities'], PERCEPTION))} Highest then: "
            f"{', '.join(f'{name} {mean:.2f}' for name, mean in list(instead.items())[:3])}.",
        ]
    )


def slopes(name):
    rows = [
        [
            row["ability"],
            ", ".join(row["tasks"]),
            interval(row["slope"]),
            verdict(row["slope"], row["ability"] == PERCEPTION),
        ]
        for row in results(name)["abilities"]
    ]
    return table(["ability", "tasks", "slope of skill per tenfold complexity (95 %)", "verdict"], rows)


def skills(name):
    found = results(name)
    names = list(dict.fromkeys(row["neuron"] for row in found["rows"]))
    abilities = [row["ability"] for row in found["abilities"]]
    of = {(row["ability"], one["neuron"]): one for row in found["abilities"] for one in row["neurons"]}
    rows = []
    for name in names:
        own, units, trained = (
            [row[column] for row in found["rows"] if row["neuron"] == name and row["ability"] != "robust"]
            for column in ("complexity", "units", "parameters")
        )
        cells = [
            f"{of[ability, name]['mean']:.2f} ± {of[ability, name]['high'] - of[ability, name]['mean']:.2f}"
            if (ability, name) in of
            else ""
            for ability in abilities
        ]
        rows.append([name, f"{np.mean(own):.0f}", f"{np.mean(units):.0f}", f"{np.mean(trained):,.0f}", *cells])
    return table(["neuron", "operations", "neurons", "trained", *abilities], rows)


def attacked():
    kinds = ("clean", "noise", "fgsm", "pgd", ATTACKED)
    rows = [
        [row["neuron"], *(f"{np.mean(row['besides'][kind]):.1f}" for kind in kinds)]
        for row in results("abilities")["rows"]
        if row["besides"] and ATTACKED in row["besides"] and row["ability"] == PERCEPTION
    ]
    return table(["neuron", "clean (%)", "noise", "FGSM", "PGD", "all attacks"], rows)


def contrasts():
    rows = [
        [
            f"{found['size']:,} {found['equal']}",
            sequences,
            row["task"],
            row["better"],
            row["worse"],
            "{:.2f}, {:.2f}".format(*row["skills"]),
            interval(row),
            f"{row['p']:.2g}",
        ]
        for found, sequences in (
            (results(PARAMETERS), "of the battery"),
            (results(OPERATIONS), "of the battery"),
            (results("abilities_contrasts"), "longer"),
        )
        for row in found["contrasts"]
    ]
    return table(["equal", "sequences", "task", "said to be better", "than", "skills", "difference (95 %)", "p"], rows)


def arc_differences():
    """How much more skill neurons have that send each other instructions, by ability."""
    found = results(ARC)
    of = {(row["ability"], row["task"], row["neuron"]): np.asarray(row["skills"]) for row in found["rows"]}
    tasks = {row["ability"]: [] for row in found["abilities"]}
    for ability, task, neuron in of:
        if neuron == "Arc":
            tasks[ability].append((ability, task))
    five = [task for ability in FIVE for task in tasks[ability]]

    def more(own, other):
        per_seed = np.mean([of[(*task, "Arc")] - of[(*task, other)] for task in own], axis=0)
        return interval(mean_interval(per_seed)._asdict())

    rows = [
        [name, ", ".join(task for _, task in own), more(own, "leaky"), more(own, "Arc-numbers")]
        for name, own in tasks.items()
    ]
    rows.append([", ".join(FIVE), "all of these", more(five, "leaky"), more(five, "Arc-numbers")])
    return table(
        ["ability", "tasks", "more than without packets (95 %)", "more than with packets of data (95 %)"], rows
    )


def arc_apart():
    rows = [
        [row["task"], row["neuron"], interval(row), f"{row['p']:.2g}"]
        for row in results(ARC)["against"]
        if row["p"] < 0.05
    ]
    return table(["task", "neuron", "more skill than without packets (95 %)", "p"], rows)


BATTERY_TABLES = {
    "abilities answer": lines,
    "abilities slopes": functools.partial(slopes, PARAMETERS),
    "abilities skills": functools.partial(skills, PARAMETERS),
    "abilities operations slopes": functools.partial(slopes, OPERATIONS),
    "abilities operations skills": functools.partial(skills, OPERATIONS),
    "abilities attacked": attacked,
    "abilities contrasts": contrasts,
    "abilities arc skills": functools.partial(skills, ARC),
    "abilities arc differences": arc_differences,
    "abilities arc apart": arc_apart,
}
