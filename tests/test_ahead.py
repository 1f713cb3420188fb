import json
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from jaxneuro.launch import ahead
from jaxneuro.launch.schedule import launches
from tests.laws.machines import one_of_each_nature

EXPERIMENT = Path(__file__).parents[1] / "experiments" / "kernels.py"
PYTHONS = {"cuda": "JAXNEURO_CUDA_PYTHON", "tpu": "JAXNEURO_TPU_PYTHON"}
UNOPTIMISED = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true --xla_gpu_autotune_level=0"
PROGRAMS = ("LIF", "LeakyReadout", "LSTM", "LSTM train", "LIF network")

needs_cuda = pytest.mark.skipif(
    PYTHONS["cuda"] not in os.environ, reason=f"{PYTHONS['cuda']} names no interpreter with NVIDIA's compiler"
)
needs_tpu = pytest.mark.skipif(
    PYTHONS["tpu"] not in os.environ, reason=f"{PYTHONS['tpu']} names no interpreter with the TPU compiler"
)


def reports(platform):
    config = json.dumps({"experiment": "kernels", "programs": PROGRAMS})
    lines = ahead.compile_in(os.environ[PYTHONS[platform]], platform, EXPERIMENT, config)
    return {line["name"]: line for line in lines}


@pytest.fixture(scope="module")
def cuda():
    return reports("cuda")


@pytest.fixture(scope="module")
def tpu():
    return reports("tpu")


@pytest.mark.slow
@needs_cuda
@pytest.mark.parametrize(
    ("name", "most"), [("LIF", 0.4), ("LeakyReadout", 0.2), ("LSTM", 2.5), ("LSTM train", 9), ("LIF network", 2.5)]
)
def test_a_time_step_launches_few_kernels_on_an_h100(cuda, name, most):
    assert 0 < cuda[name]["kernels_per_step"] <= most


@pytest.mark.slow
@needs_tpu
@pytest.mark.parametrize("name", PROGRAMS)
def test_it_compiles_for_four_tpu_chips_that_share_the_population(tpu, name):
    time, batch, units, chips = 100, 128, 256, 4
    inputs = 4 * time * batch * units // chips
    assert inputs <= tpu[name]["argument_bytes"] < chips * inputs
    assert tpu[name]["seconds_estimate"] > 0


@pytest.mark.parametrize("platform", [pytest.param("cuda", marks=needs_cuda), pytest.param("tpu", marks=needs_tpu)])
def test_random_keys_and_machines_are_arguments_like_any_other(platform, tmp_path):
    file = tmp_path / "program.py"
    file.write_text(
        """
import jax
from jax.sharding import PartitionSpec
from pydantic import BaseModel

import jaxneuro as jn
from jaxneuro.launch.ahead import Program


class Config(BaseModel):
    lanes: int


def programs(config, platform):
    machines = jax.vmap(lambda tau: jn.LIF(tau_ms=tau))(jax.numpy.linspace(5, 20, config.lanes))
    keys = jax.random.split(jax.random.key(0), config.lanes)
    lane = PartitionSpec("population")
    yield Program("init", jax.vmap(lambda machine, key: machine.init(key)), (machines, keys), 1, (lane, lane))
"""
    )
    (report,) = ahead.compile_in(os.environ[PYTHONS[platform]], platform, file, '{"lanes": 8}')
    assert report["name"] == "init"


EVERY = """
import functools
import sys
from pathlib import Path

import jax
from jax.sharding import PartitionSpec
from pydantic import BaseModel

import jaxneuro as jn
from jaxneuro.launch import experiments
from jaxneuro.launch.ahead import Program
from jaxneuro.launch.config import load
from jaxneuro.launch.overrides import override
from jaxneuro.launch.reading import read
from jaxneuro.learning import train
from jaxneuro.learning.optimizer import cosine_adam
from tests.laws.machines import STEPS, make, one_of_each_nature

LANE = PartitionSpec("population")


class Config(BaseModel):
    root: str


def programs(config, platform):
    for row in one_of_each_nature():
        pair = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((8, *leaf.shape), leaf.dtype), make(row, STEPS))
        yield Program(row.name, jax.vmap(lambda machine, inputs: jn.run(machine, inputs)), pair, STEPS, (LANE, LANE))
    file = Path(config.root) / "configs" / "quickstart.yaml"
    document = override(read(file), "seeds=8")
    quickstart = load(experiments.load("digits", file).config, document)
    digits = sys.modules["experiments.digits"]
    data = jax.ShapeDtypeStruct((1168, 8, 8), "float32"), jax.ShapeDtypeStruct((1168,), "int32")
    for index, network in enumerate(quickstart.networks):
        options = {
            "loss": digits.loss,
            "sample": functools.partial(digits.sample, quickstart.batch),
            "optimizer": cosine_adam(network.learning_rate, quickstart.steps),
            "trained": quickstart.trained,
        }
        step = functools.partial(train.advance, steps=1, clip=1.0, lanes=True, **options)
        state = jax.eval_shape(lambda index=index: digits.begin(quickstart, index))
        yield Program(f"train {network.name}", step, (state, data), 8, (LANE, None))
"""


@pytest.mark.slow
@pytest.mark.parametrize("platform", [pytest.param("cuda", marks=needs_cuda), pytest.param("tpu", marks=needs_tpu)])
def test_machines_of_every_nature_and_the_training_of_the_quickstart_compile_with_their_population_divided(
    platform, tmp_path, monkeypatch
):
    if platform == "cuda":
        # Whether they compile, not how well: half of the time is LLVM's.
        monkeypatch.setenv("XLA_FLAGS", f"{os.environ.get('XLA_FLAGS', '')} {UNOPTIMISED}".strip())
    file = tmp_path / "programs.py"
    file.write_text(EVERY)
    config = json.dumps({"root": str(EXPERIMENT.parents[1])})
    found = {line["name"]: line for line in ahead.compile_in(os.environ[PYTHONS[platform]], platform, file, config)}
    assert set(found) == {row.name for row in one_of_each_nature()} | {"train similarity", "train lif", "train lstm"}
    assert all(line["output_bytes"] > 0 for line in found.values())


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
def test_a_missing_compiler_is_named_with_the_command_that_installs_it(platform, monkeypatch):
    monkeypatch.setitem(ahead.COMPILERS, platform, ("no_such_plugins.compiler", "no_such_compiler"))
    assert not ahead.available(platform)
    with pytest.raises(RuntimeError, match=r"no compiler for .* pip install"):
        ahead.compile_ahead(jnp.sin, platform, jnp.zeros(3))


def test_impossible_arguments_are_refused_before_any_compiler_is_asked():
    with pytest.raises(ValueError, match="1 specs for 2 arguments"):
        ahead.compile_ahead(jnp.add, "cuda", jnp.zeros(3), jnp.zeros(3), specs=(jax.P(),))
    with pytest.raises(ValueError, match="steps=0"):
        ahead.compile_ahead(jnp.sin, "cuda", jnp.zeros(3), steps=0)


PROGRAM = """HloModule jit_step, is_scheduled=true

%fused (p: f32[4]) -> f32[4] {
  %p = f32[4]{0} parameter(0)
  %n = f32[4]{0} negate(%p)
  ROOT %e = f32[4]{0} exponential(%n)
}

%commands (p.1: f32[4]) -> f32[4] {
  %p.1 = f32[4]{0} parameter(0)
  %one = f32[4]{0} fusion(%p.1), kind=kLoop, calls=%fused
  ROOT %two = f32[4]{0} fusion(%one), kind=kLoop, calls=%fused
}

%inner (t: (s32[], f32[4])) -> (s32[], f32[4]) {
  %t = (s32[], f32[4]{0}) parameter(0)
  %i = s32[] get-tuple-element(%t), index=0
  %v = f32[4]{0} get-tuple-element(%t), index=1
  %f = f32[4]{0} fusion(%v), kind=kLoop, calls=%fused, backend_config={"window_config":{"estimated_cycles":"70"}}
  %copy-start = (f32[4]{0}, f32[4]{0}, u32[]) copy-start(%f)
  %copy-done = f32[4]{0} copy-done(%copy-start)
  ROOT %out = (s32[], f32[4]{0}) tuple(%i, %copy-done)
}

%outer (t.1: (s32[], f32[4])) -> (s32[], f32[4]) {
  %t.1 = (s32[], f32[4]{0}) parameter(0)
  %w = (s32[], f32[4]{0}, /*index=2*/(f32[2]{0}, s8[0]{0})) custom-call(%t.1), custom_call_target="__cublas$gemm"
  ROOT %while.1 = (s32[], f32[4]{0}) while(%t.1), condition=%test, body=%inner, backend_config=INNER
}

%test (t.2: (s32[], f32[4])) -> pred[] {
  %t.2 = (s32[], f32[4]{0}) parameter(0)
  %limit = s32[] constant(6)
  %j = s32[] get-tuple-element(%t.2), index=0
  ROOT %less = pred[] compare(%j, %limit), direction=LT
}

ENTRY %main (x: f32[4]) -> f32[4] {
  %x = f32[4]{0} parameter(0)
  %zero = s32[] constant(0)
  %buffer = f32[4]{0} custom-call(), custom_call_target="AllocateBuffer"
  %c = f32[4]{0} call(%x), to_apply=%commands
  %pair = (s32[], f32[4]{0}) tuple(%zero, %c)
  %while = (s32[], f32[4]{0}) while(%pair), condition=%test, body=%outer, backend_config=OUTER
  %y = f32[4]{0} get-tuple-element(%while), index=1
  ROOT %last = f32[4]{0} negate(%y)
}
"""


def with_trips(outer, inner):
    return PROGRAM.replace("OUTER", outer).replace("INNER", inner)


def test_launches_in_nested_loops_count_as_often_as_they_run():
    known = '{"known_trip_count":{"n":"%d"}}'
    counts = launches(with_trips(known % 10, known % 3))
    assert counts.outside == 2 + 1
    assert counts.in_loops == 10 * (1 + 3 * 2)
    assert counts.cycles == 10 * 3 * 70


def test_the_condition_tells_how_often_a_loop_runs_where_the_compiler_does_not():
    assert launches(with_trips("{}", "{}")).in_loops == 6 * (1 + 6 * 2)


def test_a_loop_of_unknown_length_has_no_number_of_launches():
    text = with_trips("{}", "{}").replace("direction=LT", "direction=NE")
    assert jnp.isnan(launches(text).in_loops)


def test_text_that_is_no_program_is_refused():
    with pytest.raises(ValueError, match="ENTRY"):
        launches("not a program")
