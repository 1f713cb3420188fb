"""Compile for an accelerator that is not there: NVIDIA's H100 and Google's TPU v5e, on any machine with a CPU.

XLA's compilers for both run on a CPU and need only a description of the device:

    pip install jax-cuda13-plugin==X jax-cuda13-pjrt==X    (X = the version of jax; no other nvidia package)
    pip install libtpu

each in an environment of its own, beside jaxneuro. The result proves that a program compiles there and tells its memory
and, for CUDA, how many kernels it launches per time step. That number decides how fast a scan runs on a GPU, where a
launch takes longer than the work of a small step, and does not depend on the machine that counts it.

    python -m jaxneuro.launch.ahead PLATFORM FILE CONFIG

prints one line of JSON for each program of a Python file, `programs(config, platform)`, such as
experiments/kernels.py. CONFIG is JSON for the file's `Config`.
"""

import argparse
import importlib.util
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import jax
import numpy as np
from jax.experimental import topologies
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import PyTree

from jaxneuro.launch.schedule import launches
from jaxneuro.run import compiling_for

Platform = Literal["cuda", "tpu"]

# What the process that compiles needs in its environment, best before it starts: JAX is not to look for a device, and
# libtpu is not to ask the network which TPU it runs on.
ENVIRONMENT = {
    "JAX_PLATFORMS": "cpu",
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_ACCELERATOR_TYPE": "v5litepod-4",
    "TPU_WORKER_HOSTNAMES": "localhost",
    # Without it libtpu holds a lock for the device that is not there, and a second process that compiles fails.
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
}
COMPILERS = {"cuda": ("jax_plugins.xla_cuda13", "jax_plugins.xla_cuda12"), "tpu": ("libtpu",)}
INSTALL = {
    "cuda": "pip install jax-cuda13-plugin=={0} jax-cuda13-pjrt=={0}",
    "tpu": "pip install libtpu",
}

TPU_TOPOLOGY = "v5e:2x2"
TPU_CLOCK_HZ = 1.5e9  # 197 Tflop/s in bfloat16 from 4 units of 128 x 128 multipliers, 2 flop each

# NVIDIA H100 SXM5, 80 GB: data sheet, and the limits of compute capability 9.0 in the CUDA programming guide.
H100 = {
    "core_count": 132,
    "fpus_per_core": 128,
    "clock_rate_ghz": 1.98,
    "memory_bandwidth": 3_352_320_000_000,
    "device_memory_size": 84_942_979_072,
    "l2_cache_size": 52_428_800,
    "shared_memory_per_core": 233_472,
    "shared_memory_per_block": 49_152,
    "shared_memory_per_block_optin": 232_448,
    "registers_per_core_limit": 65_536,
    "registers_per_block_limit": 65_536,
    "threads_per_warp": 32,
    "threads_per_block_limit": 1024,
    "threads_per_core_limit": 2048,
    "block_dim_limit_x": 2_147_483_647,
    "block_dim_limit_y": 65_535,
    "block_dim_limit_z": 65_535,
}


class Ahead(NamedTuple):
    """What a compiler says of a program that ran nowhere; None is what it does not say."""

    platform: str
    kernels_per_step: float | None  # all launches of one execution over the number of time steps; CUDA only
    kernels_outside: float | None  # how many of these launches, in all, are outside of loops; CUDA only
    temp_bytes: int  # per device, beside arguments and results
    argument_bytes: int  # per device
    output_bytes: int  # per device
    flops: float | None  # as XLA counts them: the body of a loop once, however often it runs; TPU only
    seconds_estimate: float | None  # the compiler's cycles per operation, over all iterations of loops; TPU only


class Program(NamedTuple):
    """A program to compile ahead: `function(*arguments)`, which simulates `steps` time steps.

    `specs` has one `PartitionSpec` for each argument, as `compile_ahead` takes them, or is None.
    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[PyTree, ...]
    steps: int
    specs: tuple[PartitionSpec | None, ...] | None = None


def available(platform: Platform) -> bool:
    """Whether the compiler of a platform is installed."""
    return _finds(platform) is not None


def _finds(platform: Platform) -> str | None:
    for name in COMPILERS[platform]:
        try:
            found = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            continue
        if found is not None:
            return name
    return None


def topology(platform: Platform) -> Any:
    """The described devices: one H100, or a v5e slice of 2 x 2.

    Args:
        platform: "cuda" or "tpu".

    Returns:
        A description with `devices`, as `jax.experimental.topologies` makes it.

    Raises:
        RuntimeError: if the compiler is not installed.
    """
    if not available(platform):
        install = INSTALL[platform].format(jax.__version__)
        raise RuntimeError(f"no compiler for {platform!r} is installed in this environment. To get it: {install}")
    if platform == "tpu":
        missing = [name for name in ENVIRONMENT if name not in os.environ]
        if missing:
            raise RuntimeError(
                f"libtpu would look for a TPU: {', '.join(missing)} not set. Start the process with the variables of "
                "jaxneuro.launch.ahead.ENVIRONMENT."
            )
        return topologies.get_topology_desc(platform="tpu", topology_name=TPU_TOPOLOGY)
    numbers = " ".join(f"{name}: {value}" for name, value in H100.items())
    device = f'{numbers} cuda_compute_capability {{ major: 9 }} device_vendor: "NVIDIA Corporation"'
    target = f'gpu_device_info {{ {device} }} platform_name: "CUDA" device_description_str: "NVIDIA H100 80GB HBM3"'
    return topologies.get_topology_desc(platform="cuda", topology_name="", target_config=target, topology="1x1x1")


def compile_ahead(
    function: Callable[..., Any],
    platform: Platform,
    *arguments: PyTree,
    steps: int = 1,
    specs: Sequence[PartitionSpec | None] | None = None,
) -> Ahead:
    """Compile a function for an accelerator.

    Args:
        function: what `jax.jit` takes.
        platform: "cuda" (one H100) or "tpu" (four v5e chips).
        arguments: pytrees of arrays or of anything with a shape and a dtype, machines, states and random keys among
            them. Only shapes and dtypes count.
        steps: the number of time steps that one call simulates; `kernels_per_step` is per one of these.
        specs: for each argument how its leaves are divided among the devices, which are one mesh axis, "population":
            `PartitionSpec("population")` divides their first axis. None puts a copy on each device.

    Returns:
        The compiler's report.

    Raises:
        RuntimeError: if the compiler is not installed.
        ValueError: if there are not as many specs as arguments, or `steps` is below 1.
    """
    if specs is not None and len(specs) != len(arguments):
        raise ValueError(f"compile_ahead got {len(specs)} specs for {len(arguments)} arguments; it needs one each.")
    if steps < 1:
        raise ValueError(f"compile_ahead got steps={steps}; it must be at least 1.")
    mesh = Mesh(np.array(topology(platform).devices).reshape(-1), ("population",))
    shapes = [
        jax.tree.map(_described(NamedSharding(mesh, spec or PartitionSpec())), argument)
        for argument, spec in zip(arguments, specs or [None] * len(arguments), strict=True)
    ]
    with compiling_for(platform):
        compiled = jax.jit(function).lower(*shapes).compile()
    memory: Any = compiled.memory_analysis()
    cost: Any = compiled.cost_analysis() or {}
    counts = launches(compiled.as_text() or "")
    on_gpu = platform == "cuda"
    return Ahead(
        platform=platform,
        kernels_per_step=_told(counts.total / steps) if on_gpu else None,
        kernels_outside=_told(counts.outside) if on_gpu else None,
        temp_bytes=memory.temp_size_in_bytes,
        argument_bytes=memory.argument_size_in_bytes,
        output_bytes=memory.output_size_in_bytes,
        flops=cost.get("flops"),
        seconds_estimate=None if on_gpu else _told(counts.cycles / TPU_CLOCK_HZ),
    )


def _described(sharding: NamedSharding) -> Callable[[Any], jax.ShapeDtypeStruct]:
    def describe(leaf: Any) -> jax.ShapeDtypeStruct:
        leaf = leaf if hasattr(leaf, "dtype") else np.asarray(leaf)
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)

    return describe


def _told(number: float) -> float | None:
    return None if math.isnan(number) else number


def compile_in(python: str, platform: Platform, file: Path, config: str) -> Iterator[dict[str, Any]]:
    """Compile the programs of a file in a process of its own, with an interpreter that has the compiler.

    Args:
        python: the interpreter.
        platform: "cuda" or "tpu".
        file: a Python file that defines `Config` and `programs(config, platform)`, an iterable of `Program`.
        config: JSON for that `Config`.

    Yields:
        The fields of `Ahead`, and "name", for one program after the other.

    Raises:
        RuntimeError: if the process fails; its own message is on standard error.
    """
    command = [python, "-m", "jaxneuro.launch.ahead", platform, str(file), config]
    # The other interpreter need not have jaxneuro: it gets this one.
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command[:-1])} failed with exit code {process.returncode}.")


def _compile_file(platform: Platform, file: str, config: str) -> Iterator[dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("programs", file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{file} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    for name, function, arguments, steps, specs in module.programs(module.Config.model_validate_json(config), platform):
        report = compile_ahead(function, platform, *arguments, steps=steps, specs=specs)
        yield {"name": name, **report._asdict()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Compile the programs of a file and print their reports, one JSON object per line."""
    parser = argparse.ArgumentParser(prog="python -m jaxneuro.launch.ahead", description=main.__doc__)
    parser.add_argument("platform", choices=get_args(Platform))
    parser.add_argument("file", help="Python file that defines Config and programs(config, platform)")
    parser.add_argument("config", help="JSON for the Config of that file")
    given = parser.parse_args(arguments)
    # JAX is imported by now, as a part of jaxneuro, but looks for devices only when it is first asked for one.
    os.environ.update(ENVIRONMENT)
    jax.config.update("jax_platforms", "cpu")
    for report in _compile_file(given.platform, given.file, given.config):
        sys.stdout.write(json.dumps(report, allow_nan=False) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
