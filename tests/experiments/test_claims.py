"""The ledger of claims: what is missing or stale is said, and every judge can say yes and no."""

import json
import shutil

import pytest

from experiments.claims import CLAIMS, ledger
from jaxneuro.launch.config import ConfigError
from tests.experiments.small import ROOT, run


def of(name):
    return next(claim for claim in CLAIMS if claim.judge.__name__ == name)


@pytest.fixture
def root(tmp_path):
    """The project without results."""
    for folder in ("experiments", "configs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("results", "__pycache__"))
    return tmp_path


def test_results_that_are_missing_leave_a_claim_open(root):
    rows = ledger(root, CLAIMS)
    assert [row["number"] for row in rows] == sorted(row["number"] for row in rows)
    assert {(row["verdict"], row["ours"], row["results"]) for row in rows} == {("open", "", "missing: not run")}
    assert rows[0]["command"].startswith("jaxneuro run configs/")


def test_results_of_another_config_or_commit_are_said_to_be(root):
    claim = of("faithful")
    file = root / "experiments" / "results" / "fidelity" / "results.json"
    file.parent.mkdir(parents=True)
    stored = {"config_hash": "0" * 64, "git": {"commit": "1" * 40, "dirty": False}, "results": {"kept": 3, "of": 4}}
    file.write_text(json.dumps(stored))
    (row,) = ledger(root, (claim,))
    assert (row["ours"], row["verdict"]) == ("3 of 4 comparisons", "fail")
    assert row["results"].startswith("stale: another config (00000000, not ")
    assert row["results"].endswith("commit 11111111 is not in this history")


def scored(mean, higher):
    return {"trial": "gated-copy", "differs": True, "mean": mean, "higher_is_better": higher}


def gates(unit, solved):
    return {"unit": unit, "gates": {"exclusive or": {"solved": solved}}}


def slope(ability, low):
    return {"ability": ability, "slope": {"mean": low + 0.1, "low": low, "high": low + 0.2}}


def bars(*met):
    names = ("long-term memory", "behaviour when told, capsids over data, lower end")
    return {
        "bars": [{"bar": name, "found": 1.0, "sign": ">", "asked": 0.5, "met": way} for name in names for way in met]
    }


BOTH_WAYS = {
    "one_neuron": tuple(
        {"starts": 200, "units": [gates("point neuron", point), gates("dCaAP branch", 160)]} for point in (0, 1)
    ),
    "thresholds": tuple(
        {"levels": [{"noise": 1.0, "recovered": share, "cells": [{"examined": 9}]}]} for share in (0.99, 0.98)
    ),
    "machines": tuple(
        {
            "neurons": [{"expected": 5, "states": states}, {"expected": None, "states": 9}],
            "networks": [{"is_sum": True}],
        }
        for states in (5, 6)
    ),
    "higher_dimension": tuple(
        {"differences": [scored(mean, False) | {"ours": "quaternion", "theirs": "real"} for mean in (-1.0, other)]}
        for other in (-0.5, 0.5)
    ),
    "memory_needs_arc": (bars(True), bars(True, False)),
    "instructions": (bars(True), bars(True, False)),
    "abilities": tuple(
        {
            "abilities": [
                slope("perceive", -0.1),
                *(slope(name, 0.05) for name in ("forget", "ignore", "abstract", "switch")),
                slope("robust", low),
            ]
        }
        for low in (0.05, -0.05)
    ),
    "faithful": ({"kept": 4, "of": 4}, {"kept": 3, "of": 4}),
    "converted": tuple(
        {"spiking": [{"network": "vgg", "scheme": "Spike-Norm", "change": [-80.0, last]}]} for last in (-0.4, -0.6)
    ),
    "frugal": ({"answers": [{"wins": False}, {"wins": True}]}, {"answers": [{"wins": False}]}),
    "sequences": ({"trials": [{"final": [1.0, 1.0]}]}, {"trials": [{"final": [1.0, 0.99]}]}),
    "anomalies": tuple(
        {"detectors": [{"name": "temporal-memory", "final": {"standard": [score, 65.0]}}]} for score in (64.2, 64.0)
    ),
    "computed": tuple(
        {
            "models": [
                {"kind": "threshold unit", "ways": [{"operations_per_second": 2.0}]},
                {"kind": "LIF", "ways": [{"operations_per_second": other}]},
            ]
        }
        for other in (20.0, 21.0)
    ),
    "searched": tuple(
        {"summary": [{"ours": "a", "theirs": "LSTM", "tasks": 3, "better": better, "worse": ["c"]}]}
        for better in (["a", "b"], ["a"])
    ),
    "nested": ({"differences": [scored(-1.0, False), scored(1.0, True)]}, {"differences": [scored(1.0, False)]}),
    "only_recurrent": (
        {"differences": [scored(1.0, True)]},
        {"differences": [scored(1.0, True), scored(1.0, True) | {"trial": "perceptron-digits"}]},
    ),
}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.judge.__name__)
def test_every_judge_can_say_yes_and_no(claim):
    yes, no = BOTH_WAYS[claim.judge.__name__]
    assert [claim.judge(found)[1] for found in (yes, no)] == [True, False]


def test_stored_results_are_judged_and_have_a_page(tmp_path):
    results, (section,) = run("claims.yaml", tmp_path / "run")
    assert len(results["claims"]) == len(CLAIMS) == len(section.rows)
    assert results["pass"] + results["fail"] + results["open"] == len(CLAIMS)
    judged = [row for row in results["claims"] if row["verdict"] != "open"]
    assert all(row["ours"] for row in judged)


def test_claims_are_chosen_by_number(tmp_path):
    with pytest.raises(ConfigError, match=r"claims: 15 is none of the claims, which are "):
        run("claims.yaml", tmp_path / "run", "claims=[15]")
    assert {row["number"] for row in run("claims.yaml", tmp_path / "two", "claims=[5]")[0]["claims"]} == {5}
