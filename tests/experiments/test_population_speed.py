import pytest

from jaxneuro.launch.advice import ConfigError
from tests.experiments.small import run

TINY = (
    "rounds=2",
    "devices=1",
    "neurons=100",
    "steps=100",
    "population=70",
    "population_steps=5",
    "block=32",
    "membranes=20",
    "membrane_steps=5",
    "cells=20",
    "cell_steps=5",
)


@pytest.mark.slow
def test_every_way_is_timed_beside_the_fast_one(tmp_path):
    results, sections = run("benchmark/populations.yaml", tmp_path / "run", *TINY)
    assert set(results["network"]["peer_over_ours"]) == {"neurons only", "by hand", "by lists", "all synapses"}
    assert set(results["population"]["peer_over_ours"]) == {"blocks, 1 thread", "whole", "eight multiplications"}
    assert set(results["membranes"]["peer_over_ours"]) == {"all at once", "gates first, whole", "8 exponentials"}
    assert set(results["thresholds"]["peer_over_ours"]) == {"several thresholds"}
    assert [len(section.rows) for section in sections] == [5, 4, 4, 2, 5]
    assert results["network"]["first_call_milliseconds"] > results["network"]["milliseconds"]["spike by spike"]
    assert {name: set(results[name]["answers"]) for name in ("network", "population", "membranes")} == {
        "network": {"spike by spike"},
        "population": {"blocks", "whole"},
        "membranes": {"gates first", "all at once"},
    }


@pytest.mark.slow
@pytest.mark.parametrize("field", ["brian_python", "brainpy_python", "nest_python", "neuron_python"])
def test_a_peer_that_is_not_there_is_named(tmp_path, field):
    with pytest.raises(ConfigError, match=f"{field}: /no/python does not run"):
        run("benchmark/populations.yaml", tmp_path / "run", *TINY, f"{field}=/no/python")
