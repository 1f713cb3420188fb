import jax
import jax.numpy as jnp
import pytest

import jaxneuro as jn
from jaxneuro.launch import experiments
from jaxneuro.launch.advice import ConfigError
from jaxneuro.launch.kinds import public
from tests.experiments.small import ROOT, run

TINY = ("rounds=2", "steps=5", "batch=2", "inputs=4", "units=4", "long_steps=9", "long_batch=2")


KEY = jax.random.key(0)


def own(name):
    """What the experiment defines."""
    return experiments.load("cell_speed", ROOT / "configs" / "x.yaml").main.__globals__[name]


@pytest.mark.slow
def test_a_row_says_what_a_neuron_costs_and_how_long_its_peers_take(tmp_path):
    results, sections = run("benchmark/cells.yaml", tmp_path / "run", *TINY, "cells=[GRU, MinGRU, NestedLSTM]")
    gru, linear, nested = results["cells"]
    assert set(gru["peer_over_ours"]) == {"plain scan", "flax", "equinox"}
    assert gru["parameters"] == 3 * 4 * (4 + 4 + 1) + 4
    assert gru["states"] == 4
    # The outer gates, and an LSTM of 4 neurons inside.
    assert nested["parameters"] == 4 * 4 * (4 + 4 + 1) + 4 * 4 * (2 * 4 + 1)
    assert [entry["steps"] for entry in linear["executors"]] == [5, 9]
    ways = {f"{executor} {what}" for executor in ("parallel", "recurrent") for what in ("forward", "train")}
    assert all(ways <= set(entry) for entry in linear["executors"])
    assert [len(section.rows) for section in sections] == [3, 2]


def test_a_neuron_that_is_not_a_layer_is_named_with_those_that_are(tmp_path):
    with pytest.raises(ConfigError, match=r"cells: LIF is not a recurrent layer\. Allowed: .*GRU, .*LSTM"):
        run("benchmark/cells.yaml", tmp_path / "run", *TINY, "cells=[LIF]")


def test_every_layer_that_is_measured_can_be_made_and_reads_a_vector():
    made = own("made")
    for name in own("layers")():
        state, output = jax.eval_shape(lambda name=name: made(name, 8, 8).step(made(name, 8, 8).init(KEY), jnp.ones(8)))
        assert jax.tree.leaves(state), name
        assert output.ndim == 1, name


def test_every_layer_of_the_wings_is_measured():
    measured = own("layers")()
    wings = {
        name
        for name, kind in public(jn.StateMachine).items()
        if kind.__module__.split(".")[-2] in ("gated", "linear", "complex") and not issubclass(kind, jn.Stateless)
    }
    assert wings - set(measured) <= {"FastSlow", "GenotypeCell"}
