"""Devices: how many there are is settled before JAX starts, and lanes are spread over them.

Where several processes run together (`jaxneuro.processes`), each has devices of its own, and a share of the lanes.
"""

import contextlib
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxneuro import processes
from jaxneuro.launch.lock import RunError

Tree = TypeVar("Tree")
LANES = PartitionSpec("lanes")

# Measured on networks and populations: in loops of up to a megabyte no kernel is worth more than handing over to it,
# and where a processor has vectors of 512 bits they take two thirds of the time.
WHOLE_LOOPS = (
    "--xla_cpu_prefer_vector_width=512 "
    "--xla_backend_extra_options=xla_cpu_use_multi_output_fusion,xla_cpu_small_while_loop_byte_threshold=1000000"
)

# Programs are kept from the first millisecond and byte on: many small ones make up a start.
CACHE_OPTIONS = {"jax_persistent_cache_min_compile_time_secs": 0.0, "jax_persistent_cache_min_entry_size_bytes": -1}


def prepare(devices: int, whole_loops: bool = False) -> None:
    """Settle what JAX must know before anything is computed. Once it has started it changes neither.

    Args:
        devices: how many the run wants: on a CPU they are virtual and share its cores; an accelerator has as many as
            it has.
        whole_loops: whether XLA shall compile small loops as single functions, in one pass over what a step reads and
            with the widest vectors; on CPUs only. Options of this kind in the environment win.
    """
    told = os.environ.get("XLA_FLAGS", "")
    if whole_loops and "xla_backend_extra_options" not in told and not _started():
        os.environ["XLA_FLAGS"] = f"{told} {WHOLE_LOOPS}".strip()
    if devices > 1 and "xla_force_host_platform_device_count" not in told:
        # Whether there are enough is for `require` to say.
        with contextlib.suppress(RuntimeError):
            jax.config.update("jax_num_cpu_devices", devices)


def _started() -> bool:
    """Whether JAX has chosen its devices: then it refuses another number of them."""
    number: int = getattr(jax.config, "jax_num_cpu_devices")  # noqa: B009 (no type checker knows it)
    try:
        jax.config.update("jax_num_cpu_devices", number + 2)
    except RuntimeError:
        return True
    jax.config.update("jax_num_cpu_devices", number)
    return False


def require(devices: int) -> None:
    """Start JAX.

    Args:
        devices: how many the run wants.

    Raises:
        RunError: there are fewer devices, or JAX finds none of the platform that the environment demands.
    """
    try:
        count, kind = jax.local_device_count(), jax.default_backend()
    except RuntimeError as error:
        wish = os.environ.get("JAX_PLATFORMS")
        why = f" with JAX_PLATFORMS={wish}; `jaxneuro doctor` says what to install, or unset it" if wish else ""
        raise RunError(f"JAX cannot start{why}: {error}") from error
    if count < devices:
        raise RunError(f"devices is {devices}; this machine has {count} ({kind}). Set devices to at most {count}.")


def place_lanes(tree: Tree, devices: int) -> Tree:
    """Spread the leading axis of every leaf over devices; what is then computed lane by lane stays where it is.

    Args:
        tree: a pytree of arrays, all with the same leading axis of lanes.
        devices: over how many devices at most; the number used divides the number of lanes.

    Returns:
        The same numbers; where one device is enough, the same arrays. So too among several processes, of which each
        has all lanes between the times when they share the work.
    """
    return tree if processes.several() else _spread(tree, devices)


def _spread(tree: Tree, devices: int) -> Tree:
    mesh = _mesh(_lanes(tree), devices)
    return tree if mesh.size == 1 else jax.device_put(tree, NamedSharding(mesh, LANES))


def lane_by_lane(function: Callable[..., Any], tree: Any, devices: int, *, donate: bool = False) -> Callable[..., Any]:
    """The same function of every lane, in one program in which devices share the lanes.

    On a CPU a device takes its lanes one after the other: rounding depends on the size of a matrix product, and so the
    numbers of a lane would depend on how many lanes a device has. An accelerator takes all of its lanes at once.

    Of several processes each takes its share of the lanes on its own devices, and hears what came of the others: all
    must call the function, with the same lanes, and all have all results.

    Args:
        function: `(lane, *static) -> result`, with a lane without leading axis; what else it takes is a part of what is
            compiled.
        tree: all lanes, as the function's first argument will be; only shapes count.
        devices: over how many devices at most, as for `place_lanes`.
        donate: whether the lanes give up their buffers.

    Returns:
        The function from all lanes to all results, with leading axes.
    """
    joined = processes.several()
    mesh = _mesh(processes.share_of(_lanes(tree)) if joined else _lanes(tree), devices)

    @functools.cache
    def compiled(*static: Any) -> Any:
        def one(lane: Any) -> Any:
            return function(lane, *static)

        own = functools.partial(jax.lax.map, one) if jax.default_backend() == "cpu" else jax.vmap(one)
        shared = jax.shard_map(own, mesh=mesh, in_specs=LANES, out_specs=LANES, check_vma=False)
        return jax.jit(shared, donate_argnums=0 if donate else ())

    def together(tree: Any, *static: Any) -> Any:
        own = _spread(processes.own_lanes(tree), devices)
        return processes.all_lanes(compiled(*static)(own), _lanes(tree))

    return together if joined else lambda tree, *static: compiled(*static)(tree)


def _lanes(tree: Any) -> int:
    counts = {leaf.shape[0] if leaf.ndim else 0 for leaf in jax.tree.leaves(tree)}
    if len(counts) != 1 or 0 in counts:
        raise ValueError(f"lanes have leading axes {sorted(counts)}; all leaves need the same, of at least 1.")
    return counts.pop()


def _mesh(lanes: int, devices: int) -> Mesh:
    """The devices that share so many lanes: as many as divide their number."""
    most = min(devices, jax.local_device_count())
    used = max(count for count in range(1, most + 1) if lanes % count == 0)
    return Mesh(np.asarray(jax.local_devices()[:used]), ("lanes",))


def cache_folder() -> Path | None:
    """Where compiled programs are kept between processes; None if no such place can be written."""
    if given := os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return Path(given)
    above = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # The XDG specification has relative paths ignored.
        folder = (Path(above) if os.path.isabs(above) else Path.home() / ".cache") / "jaxneuro" / "xla"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None


def keep_compiled() -> Path | None:
    """Have JAX keep what it compiles, where it can; settings of the environment win.

    Returns:
        The folder, or None.
    """
    folder = cache_folder()
    settings: dict[str, Any] = {"jax_compilation_cache_dir": folder and str(folder), **CACHE_OPTIONS}
    for name, value in settings.items():
        if name.upper() not in os.environ:
            jax.config.update(name, value)
    return folder
