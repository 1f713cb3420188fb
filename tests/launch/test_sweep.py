import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.launch import sweep
from jaxneuro.launch.config import ConfigPart, ExperimentConfig, Positive, load
from jaxneuro.launch.kinds import MachineSpec, build
from jaxneuro.launch.reading import read_text


class Part(ConfigPart):
    neuron: MachineSpec
    gain: Positive = 1.0


class Config(ExperimentConfig):
    sweepable = True

    parts: tuple[Part, ...]
    named: dict[str, Positive]


CONFIG = """experiment: x
parts: [{neuron: {kind: LIF}}, {neuron: {kind: LIF, spike: {kind: FastSigmoid, slope: 5}}}]
named: {a: 1}
sweep:
  seed: [0, 4294967295]
  parts.1.neuron.tau_ms: [5, 10, 20]
  parts.1.neuron.spike.slope: [1, 2]
"""


@pytest.fixture
def config():
    return load(Config, read_text(CONFIG, "x.yaml"))


def test_lanes_are_the_product_of_the_lists_with_the_last_varying_fastest(config):
    found = sweep.lanes(config.sweep)
    rows = list(zip(*(found[path].tolist() for path in config.sweep), strict=True))
    assert rows == list(itertools.product([0, 2**32 - 1], [5.0, 10.0, 20.0], [1.0, 2.0]))
    assert [array.dtype for array in found.values()] == [np.uint32, np.float32, np.float32]
    assert sweep.count(config.sweep) == len(rows) == 12


def test_the_values_of_one_lane_are_those_of_its_row(config):
    found = sweep.lanes(config.sweep)
    for lane in range(12):
        assert sweep.of_lane(config.sweep, lane) == {path: array[lane] for path, array in found.items()}
    with pytest.raises(ValueError, match="0 to 11"):
        sweep.of_lane(config.sweep, 12)


def test_without_a_sweep_there_is_one_lane_and_no_value():
    assert (sweep.count({}), sweep.lanes({}), sweep.of_lane({}, 0)) == (1, {}, {})


def test_a_swept_machine_under_vmap_is_the_machine_of_each_lane(config):
    points = sweep.lanes(config.sweep)

    def machine(point):
        return build(sweep.at(config, point).parts[1].neuron)

    machines = jax.vmap(machine)(points)
    assert jnp.array_equal(machines.tau_ms, points["parts.1.neuron.tau_ms"])
    assert jnp.array_equal(machines.spike.slope, points["parts.1.neuron.spike.slope"])
    assert jnp.array_equal(machines.dt_ms, jnp.full(12, 0.1))


def test_a_swept_seed_gives_the_keys_of_its_values(config):
    keys = jax.vmap(lambda point: jax.random.key(sweep.at(config, point).seed))(sweep.lanes(config.sweep))
    assert jnp.array_equal(jax.random.key_data(keys[11]), jax.random.key_data(jax.random.key(2**32 - 1)))


def test_every_kind_of_place_can_be_replaced_and_the_config_stays_as_it_was(config):
    changed = sweep.at(config, {"named.a": 3.0, "parts.0.gain": 4.0, "parts.0.neuron.dt_ms": 0.5})
    assert changed.named == {"a": 3.0}
    assert [part.gain for part in changed.parts] == [4.0, 1.0]
    assert dict(changed.parts[0].neuron.arguments)["dt_ms"] == 0.5
    assert config == load(Config, read_text(CONFIG, "x.yaml"))
