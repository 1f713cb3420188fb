"""Tables of the README and of the findings on hierarchical temporal memory, made from results."""

import numpy as np

from jaxneuro.launch import anomaly_page, continual_page, sequence_page, soft_memory_page, symbolic_page
from jaxneuro.launch.comparison_page import sentence
from jaxneuro.measure.interval import mean_interval
from tests.tables import results, table


def permuted_digits():
    rows = [continual_page.cells(row) for row in results("permuted_digits")["learners"]]
    return table(continual_page.heads(), rows)


def permuted_digits_answer():
    return "\n".join(f"- {sentence(row)}" for row in results("permuted_digits")["differences"])


def soft_memory():
    found = results("soft_memory")
    place = found["noise"].index(found["trained_noise"])
    rows = [soft_memory_page.cells(row, place) for row in found["contenders"]]
    return table(["memory", "right (%; 95 %)", "last elements (%; 95 %)", "surprise (nats)"], rows)


def symbolic_memory():
    found = results("symbolic_memory")
    names = symbolic_page.tasks(found)
    rows = [[mode, *symbolic_page.cells(found, task, mode)] for mode in symbolic_page.HEARD for task in names]
    return table(["heard", *symbolic_page.heads(found["rows"])], rows)


PUBLISHED_LOCATIONS = {
    "ideal observer": (".119", ".912", ".994", ".998"),
    "40 x 40 cells": (".093", ".899", ".994", ".999"),
    "30 x 30 cells": ("0", ".236", ".734", ".944"),
    "bag of features": ("0", "0", "0", "0"),
}


def locations():
    means = {row["who"]: np.mean(row["recognised"], axis=0) for row in results("locations")["rows"]}
    rows = []
    for who, published in PUBLISHED_LOCATIONS.items():
        shares = [f"{share:.3f}" for share in means[who]]
        compared = [f"{share} ({other})" for share, other in zip(shares[1:], published, strict=False)]
        rows.append([who, *compared, shares[5], shares[9]])
    return table(["who", "2 touches", "3", "4", "5", "6", "10"], rows)


# Lewis et al. 2019, by modules, cells along an axis of a module, and features.
PUBLISHED_CAPACITY = {(5, 10, 100): 175, (10, 10, 100): 149, (20, 10, 100): 262, (40, 10, 100): 303, (10, 20, 100): 467}


def capacity():
    rows = []
    for row in results("location_capacity")["rows"]:
        mean, low, high = mean_interval(row["capacities"])
        published = PUBLISHED_CAPACITY.get((row["modules"], row["cells"], row["pool"]), "")
        cells = f"{row['cells']} x {row['cells']}"
        kept = f"{mean:.0f} ({low:.0f} to {high:.0f})"
        rows.append([str(row["modules"]), cells, str(row["pool"]), kept, str(published)])
    return table(["modules", "cells of each", "features", "objects kept apart (95 %)", "published"], rows)


def memories():
    found = results("htm_speed")
    rows = [
        [
            name,
            f"{work['rates'][-1]:,}",
            f"{work['segments'][-1]:,}",
            f"{work['anomalies'][-1]:.2f}",
            f"{work['without_room']:,}",
        ]
        for name, work in found["workloads"].items()
    ]
    return table(["input", "steps per second", "stored segments", "anomaly", "without room"], rows)


def sequence_memory():
    def share(values):
        return f"{np.mean(values):.3f} ± {np.std(values):.3f}"

    def whole(values):
        done = [value for value in values if value is not None]
        return f"{np.mean(done):,.0f} ± {np.std(done):,.0f} ({len(done)} of {len(values)} seeds)"

    rows = []
    for name, stored in (
        ("temporal memory", "sequence_memory"),
        ("temporal memory, sets drawn for every seed", "sequence_memory_drawn"),
    ):
        (row,) = results(stored)["trials"]
        columns = (
            share(row["final"]),
            whole(row["learnt_at"]),
            share(row["final_after"]),
            whole(row["relearnt_after"]),
        )
        rows.append([name, *columns])
    rows += [
        [f"{name}, published", f"{first:.3f}", f"{learnt:,}", f"{second:.3f}", f"{again:,}"]
        for name, (first, learnt, second, again) in sequence_page.PUBLISHED.items()
    ]
    return table(["", "right", "elements until learnt", "right after the change", "elements until learnt again"], rows)


def dead_cells():
    (row,) = results("sequence_memory")["trials"]
    values = [row["deaths"][f"{int(share) / 100}"] for share in sequence_page.DEATHS]
    rows = [
        ["mean", *(f"{np.mean(seeds):.3f}" for seeds in values)],
        ["median", *(f"{np.median(seeds):.3f}" for seeds in values)],
    ]
    rows += [
        [f"{name}, published", *(f"{value:.3f}" for value in published)]
        for name, published in sequence_page.PUBLISHED_DEATHS.items()
    ]
    return table(["right without", *(f"{share} %" for share in sequence_page.DEATHS)], rows)


def endings():
    rows = []
    for name, stored in (
        ("temporal memory", "sequence_endings"),
        ("temporal memory, sets drawn for every seed", "sequence_endings_drawn"),
    ):
        measured = {row["trial"]: np.mean(row["final"]) for row in results(stored)["trials"]}
        rows.append([name, *(f"{measured[f'{count}-endings']:.3f}" for count in ("two", "four"))])
    rows += [
        [f"{name}, published", *(f"{value:.3f}" for value in values)]
        for name, values in sequence_page.PUBLISHED_ENDINGS.items()
    ]
    return table(["right with", "2 endings", "4 endings"], rows)


def hawkins_ahmad():
    many, one = results("sequence_hawkins_ahmad")["trials"]
    rows = [
        [
            f"{place:,}",
            f"{np.mean(many['hits'][str(place)]):.3f}",
            f"{min(many['hits'][str(place)]):.3f} to {max(many['hits'][str(place)]):.3f}",
            f"{value:.3f}",
            f"{np.mean(one['hits'][str(place)]):.3f}",
        ]
        for place, value in sequence_page.REFERENCE_HITS.items()
    ]
    return table(["element", "32 cells", "range", "C++ reference", "1 cell"], rows)


def anomalies():
    found = results("anomaly")
    rows = [anomaly_page.score_row(row)[:-1] for row in found["detectors"]]
    for name in ("Numenta HTM, temporal memory", "Numenta HTM, backtracking memory", "ARTime"):
        rows.append([f"published: {name}", *(f"{value:.2f}" for value in anomaly_page.PUBLISHED[name]), ""])
    return table(["detector", *anomaly_page.NAMES, "standard, left out"], rows)


def taxi():
    rows = []
    for row in results("taxi")["forecasts"]:
        errors = 100 * np.asarray(row["relative_error"])
        spread = f"{errors.min():.1f} to {errors.max():.1f}" if errors.size > 1 else ""
        rows.append([row["name"], f"{errors.mean():.1f}", spread, f"{np.mean(row['normalised_error']):.3f}"])
    return table(["forecast", "error (%)", "range of seeds", "normalised error"], rows)


HTM_TABLES = {
    "taxi": taxi,
    "anomaly": anomalies,
    "sequence memory": sequence_memory,
    "dead cells": dead_cells,
    "endings": endings,
    "hawkins ahmad": hawkins_ahmad,
    "temporal memory": memories,
    "permuted digits": permuted_digits,
    "permuted digits answer": permuted_digits_answer,
    "soft memory": soft_memory,
    "locations": locations,
    "capacity": capacity,
    "symbolic memory": symbolic_memory,
}
