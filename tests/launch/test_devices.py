import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.launch import devices
from jaxneuro.launch.lock import RunError


@pytest.fixture(autouse=True)
def no_setting(monkeypatch, tmp_path):
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def test_the_cache_is_below_the_home_directory(tmp_path):
    assert devices.cache_folder() == tmp_path / "home" / ".cache" / "jaxneuro" / "xla"
    assert (tmp_path / "home" / ".cache" / "jaxneuro" / "xla").is_dir()


def test_the_xdg_folder_comes_before_the_home_directory_and_jaxs_own_setting_before_both(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert devices.cache_folder() == tmp_path / "xdg" / "jaxneuro" / "xla"
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "own"))
    assert devices.cache_folder() == tmp_path / "own"


def test_a_relative_xdg_folder_is_ignored(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert devices.cache_folder() == tmp_path / "home" / ".cache" / "jaxneuro" / "xla"


def test_where_nothing_can_be_written_there_is_no_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    assert devices.cache_folder() is None
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(os, "access", lambda *arguments: False)
    assert devices.cache_folder() is None


def test_jax_keeps_small_and_quick_programs_unless_the_environment_says_otherwise(monkeypatch, tmp_path):
    changed = {}
    monkeypatch.setattr(jax.config, "update", changed.__setitem__)
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "3")
    devices.keep_compiled()
    assert changed == {
        "jax_compilation_cache_dir": str(tmp_path / "home" / ".cache" / "jaxneuro" / "xla"),
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }


def test_more_devices_than_there_are_is_an_error_that_says_how_many_there_are():
    with pytest.raises(RunError, match=rf"devices is 4096; this machine has {jax.device_count()} \(cpu\)"):
        devices.require(4096)


def test_asking_for_devices_when_jax_has_started_leaves_them_as_they_are():
    before = jax.device_count()
    devices.prepare(7)
    assert jax.device_count() == before


def test_xla_hears_of_whole_loops_only_before_jax_starts(monkeypatch):
    jax.devices()
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=here")
    devices.prepare(1, whole_loops=True)
    assert os.environ["XLA_FLAGS"] == "--xla_dump_to=here"


@pytest.mark.parametrize("told", ["", "--xla_dump_to=here", "--xla_backend_extra_options=own"])
def test_what_the_environment_says_of_loops_wins(monkeypatch, told):
    monkeypatch.setattr(jax.config, "update", lambda *setting: None)  # as before JAX starts
    monkeypatch.setenv("XLA_FLAGS", told)
    devices.prepare(1)
    assert os.environ["XLA_FLAGS"] == told
    devices.prepare(1, whole_loops=True)
    added = "" if "extra" in told else f" {devices.WHOLE_LOOPS}"
    assert os.environ["XLA_FLAGS"] == (told + added).strip()


WHOLE = """
from jaxneuro.launch import devices
devices.prepare(2, whole_loops={whole})
import jax, jaxneuro as jn
from jaxneuro.networks import cuba
network = cuba(200, degree=10.0, packed=True, key=jax.random.key(0))
assert jax.device_count() == 2
program = jax.jit(lambda machine, x: jn.run(machine, x)).lower(network, jax.numpy.zeros(50)).compile().as_text()
print(program.count("small_call"), jn.run(network, jax.numpy.zeros(500))[1]["excitatory"].sum())
"""


@pytest.mark.slow
def test_a_network_runs_as_one_function_and_fires_the_same_spikes():
    def told(whole):
        command = [sys.executable, "-c", WHOLE.format(whole=whole)]
        environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()

    (plain, spikes), (whole, same) = told(False), told(True)
    assert int(whole) > int(plain)
    assert spikes == same


def test_lanes_on_one_device_are_left_where_they_are():
    tree = {"a": jnp.zeros((3, 2)), "key": jax.random.split(jax.random.key(0), 3)}
    assert devices.place_lanes(tree, 1) is tree


def test_every_lane_is_computed_by_itself_whatever_the_others_are():
    weights = jax.random.normal(jax.random.key(0), (5, 40, 30))
    traced = []

    def settle(weights, steps):
        traced.append(weights.shape)
        return jax.lax.scan(lambda w, _: (jnp.tanh(w @ (w.T @ w)), w.sum()), weights, length=steps)

    def run(lanes, steps):
        return devices.lane_by_lane(settle, lanes, 8)(lanes, steps)

    last, sums = run(weights, 3)
    assert sums.shape == (5, 3)
    for lane in range(5):
        alone, alone_sums = run(weights[lane : lane + 1], 3)
        assert (alone[0] == last[lane]).all()
        assert (alone_sums[0] == sums[lane]).all()
    assert set(traced) == {(40, 30)}


def test_the_program_of_all_lanes_is_made_once_for_each_number_of_steps():
    traced = []

    def grow(lane, steps):
        traced.append(steps)
        return lane * steps

    lanes = jnp.arange(3.0)
    every = devices.lane_by_lane(grow, lanes, 1)
    for steps in (2, 2, 3, 2, 3):
        np.testing.assert_array_equal(every(lanes, steps), np.arange(3) * steps)
    assert traced == [2, 3]


@pytest.mark.parametrize("tree", [{"a": jnp.zeros(3), "b": jnp.zeros(2)}, {"a": jnp.zeros(())}, {}])
def test_lanes_that_do_not_agree_are_refused(tree):
    with pytest.raises(ValueError, match="all leaves need the same"):
        devices.place_lanes(tree, 2)
