"""Populations of LIF neurons in BrainPy: of its classes with variables, and of the newer ones with states and units.

Both as in its manuals: the loop over all steps is compiled as a whole, in single precision. The runs of both start
from the same voltages, drawn at random, and the call "value" answers with the spikes per neuron of the last run.
BrainPy computes by XLA, as we do: with `told` it gets the options that we run with, without it has XLA's own.
"""

import os
import time
from collections.abc import Callable

Call = Callable[[], object]


def brainpy_lif(neurons: int, steps: int, told: int) -> dict[str, Call]:
    """`brainpy.dyn.LifRef` under one current, by `brainpy.math.for_loop`."""
    if not told:
        os.environ.pop("XLA_FLAGS", None)
    import brainpy  # pyright: ignore[reportMissingImports]
    import brainpy.math as bm  # pyright: ignore[reportMissingImports]
    import jax
    import numpy as np

    bm.set_dt(0.1)
    group = brainpy.dyn.LifRef(neurons, V_rest=0.0, V_reset=0.0, V_th=15.0, R=1.0, tau=20.0, tau_ref=2.0)
    fired = bm.Variable(bm.zeros(neurons))
    start = bm.asarray(15 * np.random.default_rng(0).random(neurons), bm.float32)
    indices = bm.arange(steps)

    def step(index: object) -> None:
        fired.value = fired.value + group.step_run(index, 20.0)

    @bm.jit
    def loop() -> None:
        bm.for_loop(step, indices, progress_bar=False)

    def run() -> float:
        group.reset_state()
        group.V.value, fired.value = start, bm.zeros(neurons)
        jax.block_until_ready((group.V.value, fired.value))
        began = time.perf_counter()
        loop()
        jax.block_until_ready((group.V.value, fired.value))
        return 1000 * (time.perf_counter() - began)

    return {"run": run, "value": lambda: float(fired.mean())}


def brainpy_state_lif(neurons: int, steps: int, told: int) -> dict[str, Call]:
    """`brainpy.state.LIFRef` under one current, by `brainstate.transform.for_loop`."""
    if not told:
        os.environ.pop("XLA_FLAGS", None)
    import brainpy.state  # pyright: ignore[reportMissingImports]
    import brainstate  # pyright: ignore[reportMissingImports]
    import brainunit as unit  # pyright: ignore[reportMissingImports]
    import jax
    import jax.numpy as jnp
    import numpy as np

    brainstate.environ.set(dt=0.1 * unit.ms)
    group = brainpy.state.LIFRef(
        neurons,
        R=1.0 * unit.ohm,
        tau=20.0 * unit.ms,
        tau_ref=2.0 * unit.ms,
        V_th=15.0 * unit.mV,
        V_reset=0.0 * unit.mV,
        V_rest=0.0 * unit.mV,
        spk_reset="hard",
    )
    brainstate.nn.init_all_states(group)
    fired = brainstate.ShortTermState(jnp.zeros(neurons))
    start = jnp.asarray(15 * np.random.default_rng(0).random(neurons), jnp.float32) * unit.mV
    never = group.last_spike_time.value

    def step(index: jax.Array) -> None:
        with brainstate.environ.context(i=index, t=index * 0.1 * unit.ms):
            fired.value = fired.value + group(20.0 * unit.mA)

    @brainstate.transform.jit
    def loop() -> None:
        brainstate.transform.for_loop(step, jnp.arange(steps))

    def run() -> float:
        group.V.value, group.last_spike_time.value, fired.value = start, never, jnp.zeros(neurons)
        jax.block_until_ready((group.V.value, fired.value))
        began = time.perf_counter()
        loop()
        jax.block_until_ready((group.V.value, fired.value))
        return 1000 * (time.perf_counter() - began)

    return {"run": run, "value": lambda: float(fired.value.mean())}
