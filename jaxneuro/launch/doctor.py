"""What this machine is to jaxneuro: devices, versions, memory, and a speed check of a few seconds."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jaxneuro.launch import devices
from jaxneuro.launch.directory import versions
from jaxneuro.neurons.gated.lstm import LSTM
from jaxneuro.processes import usable_cores
from jaxneuro.run import run

SECONDS = 0.8  # per measurement, after compilation
STEPS, UNITS, SIDE = 1000, 64, 512
INSTALL = {
    "NVIDIA GPU, CUDA 13": "pip install 'jaxneuro[cuda13]'",
    "NVIDIA GPU, CUDA 12": "pip install 'jaxneuro[cuda12]'",
    "Google TPU": "pip install 'jaxneuro[tpu]'",
}


def examine(console: Console, *, measure: bool = True) -> None:
    """Print all there is to know.

    Args:
        console: where to.
        measure: whether to run the speed check.
    """
    folder = devices.keep_compiled()
    devices.require(1)
    console.print(_table("Devices", device_facts()), _table("Versions", versions()), _table("Settings", facts(folder)))
    if measure:
        with console.status("measuring ..."):
            found = speed()
        console.print(_table("Speed", found))
    if jax.default_backend() == "cpu":
        console.print(_table("No accelerator is in use. To install JAX for one", INSTALL))


def _table(title: str, facts: dict[str, str]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    for name, fact in facts.items():
        table.add_row(name, Text(fact))  # brackets in a string would be taken for markup
    return table


def device_facts() -> dict[str, str]:
    """The devices that JAX uses."""
    kinds = [f"{device.platform} {device.id}" for device in jax.devices()]
    facts = dict(zip(kinds, (device.device_kind for device in jax.devices()), strict=True))
    return {**facts, "CPU cores": f"{usable_cores()}"}


def facts(folder: Path | None) -> dict[str, str]:
    """Numbers, memory, and where things are kept.

    Args:
        folder: of the compilation cache, if there is one.
    """
    total, available = memory()
    return {
        "default numbers": f"{jnp.result_type(float)} and {jnp.result_type(int)}",
        "64 bits (jax_enable_x64)": "on" if jnp.result_type(float) == jnp.float64 else "off",
        "matrix products": str(jax.config.values["jax_default_matmul_precision"] or "the platform's default precision"),
        "memory": f"{_gigabytes(total)}, {_gigabytes(available)} available",
        "compilation cache": str(folder) if folder else "off: neither XDG_CACHE_HOME nor ~/.cache can be written",
        **{name: os.environ[name] for name in ("JAX_PLATFORMS", "XLA_FLAGS") if name in os.environ},
    }


def _gigabytes(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 2**30:.1f} GiB"


def memory(table: Path = Path("/proc/meminfo")) -> tuple[int | None, int | None]:
    """Total and available memory of the machine in bytes; None for what it does not tell.

    Args:
        table: as Linux writes it; elsewhere the total is asked for by `os.sysconf`.
    """
    try:
        rows = dict(line.split(":", 1) for line in table.read_text().splitlines() if ":" in line)
        sizes = [rows.get(name, "").split()[:1] for name in ("MemTotal", "MemAvailable")]
        total, available = (int(size[0]) * 1024 if size else None for size in sizes)
    except (OSError, ValueError):
        total, available = None, None
    if total is None:
        try:
            total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (OSError, ValueError, AttributeError):
            total = None
    return total, available


def speed() -> dict[str, str]:
    """A matrix product, a recurrent layer over time, and the cost of starting a program; about five seconds."""
    square = jnp.ones((SIDE, SIDE))
    product = _per_second(jax.jit(jnp.matmul), square, square)
    layer = jax.jit(lambda key: LSTM(UNITS, UNITS, key=key))(jax.random.key(0))
    scan = _per_second(jax.jit(lambda layer, inputs: run(layer, inputs)[1][-1]), layer, jnp.ones((STEPS, UNITS)))
    dispatch = _per_second(jax.jit(_next), jnp.zeros(()))
    return {
        f"matrix product, {SIDE} x {SIDE}": f"{2 * SIDE**3 * product / 1e9:,.1f} GF/s",
        f"LSTM of {UNITS} neurons, {STEPS} steps": f"{STEPS * scan:,.0f} steps/s",
        "starting a program": f"{1e6 / dispatch:,.1f} microseconds",
    }


def _next(number: Float[Array, ""]) -> Float[Array, ""]:
    return number + 1


def _per_second(function: Callable[..., Any], *arguments: Any) -> float:
    """Calls per second, one after the other, of a function that has been compiled."""
    jax.block_until_ready(function(*arguments))
    calls, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < SECONDS:
        jax.block_until_ready(function(*arguments))
        calls += 1
    return calls / elapsed
