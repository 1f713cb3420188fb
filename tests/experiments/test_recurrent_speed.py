import importlib.util

import jax
import numpy as np
import pytest

from jaxneuro.launch.advice import ConfigError
from tests.experiments.small import ROOT, run

TINY = (
    "rounds=2",
    "steps=5",
    "batch=2",
    "inputs=3",
    "units=4",
    "spiking_steps=6",
    "spiking_batch=2",
    "spiking_repeat=2",
)
TINY += ("spiking_sizes=[5, 4, 2]", "memory_steps=36", "memory_units=4", "memory_batch=2")


@pytest.fixture(scope="module")
def experiment():
    spec = importlib.util.spec_from_file_location("recurrent_speed", ROOT / "experiments" / "recurrent_speed.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_every_workload_runs_at_a_tiny_size_and_both_gradients_are_the_same(tmp_path):
    results, sections = run("benchmark/recurrent.yaml", tmp_path / "run", *TINY)
    assert set(results["lstm train"]["peer_over_ours"]) == {"equinox", "flax"}
    assert set(results["lif train"]["peer_over_ours"]) == {"jaxneuro, products"}
    assert results["gradient memory"]["relative_gradient_difference"] < 1e-4
    assert len(sections[0].rows) == 6


@pytest.mark.slow
def test_spikes_by_lists_and_by_products_train_to_the_same_weights(experiment, float64):
    config = experiment.Config(
        experiment="recurrent_speed", spiking_sizes=(30, 8, 3), spiking_steps=20, spiking_batch=4, spiking_repeat=3
    )
    calls, _ = experiment.lif_calls(config)
    by_lists, by_products = (call() for call in calls.values())
    for a, b in zip(jax.tree.leaves(by_lists), jax.tree.leaves(by_products), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("field", ["torch_python", "spyx_python", "snntorch_python", "spikingjelly_python"])
def test_a_peer_that_is_not_there_is_named(experiment, field):
    with pytest.raises(ConfigError, match=f"{field}: /no/python does not run"):
        experiment.peers(experiment.Config(experiment="recurrent_speed", **{field: "/no/python"}))


def test_without_interpreters_there_are_no_peers(experiment):
    assert experiment.peers(experiment.Config(experiment="recurrent_speed")) == {}
