"""Networks and populations in Brian2, compiled to C++ and run alone."""

import time
from collections.abc import Callable
from typing import Any

Call = Callable[[], object]


def brian_program(steps: int, dt_ms: float, threads: int, build: Callable[[Any], tuple[list, Call]]) -> dict[str, Call]:
    """Brian2's compiled program of what `build` makes, started anew each time; its own file of results is small.

    Times of a run: "run" of the whole program, which makes its synapses too; "loop" of its steps alone, by its own
    clock; "built" of the whole program with once its translation and its compilation. The call "value" answers with a
    number of the last run instead of a time, which `build` says how to read.
    """
    import tempfile

    import brian2 as brian  # pyright: ignore[reportMissingImports]

    folder = tempfile.TemporaryDirectory()
    directory = folder.name
    brian.set_device("cpp_standalone", directory=directory, build_on_run=False)
    brian.prefs.core.default_float_dtype = brian.float32
    brian.prefs.devices.cpp_standalone.openmp_threads = threads if threads > 1 else 0
    brian.seed(0)
    brian.defaultclock.dt = dt_ms * brian.ms
    objects, value = build(brian)
    began = time.perf_counter()
    brian.Network(*objects).run(steps * dt_ms * brian.ms)
    brian.device.build(directory=directory, compile=True, run=False, debug=False)
    build_seconds = time.perf_counter() - began

    def run() -> None:
        brian.device.run(folder.name, with_output=False)

    def loop() -> float:
        run()
        return 1000 * float(brian.device._last_run_time)

    def built() -> float:
        began = time.perf_counter()
        run()
        return 1000 * (build_seconds + time.perf_counter() - began)

    return {"run": run, "loop": loop, "built": built, "value": value}


def brian_cuba(neurons: int, steps: int) -> dict[str, Call]:
    """The CUBA network; its value is the mean rate (Hz)."""

    def build(brian: Any) -> tuple[list, Call]:
        group = brian.NeuronGroup(
            neurons,
            """dv/dt = (ge + gi - (v + 49*mV)) / (20*ms) : volt (unless refractory)
            dge/dt = -ge / (5*ms) : volt
            dgi/dt = -gi / (10*ms) : volt
            fired : 1""",
            threshold="v > -50*mV",
            reset="v = -60*mV; fired += 1",
            refractory=5 * brian.ms,
            method="exact",
        )
        group.v = "-60*mV + rand() * 10*mV"
        excitatory = brian.Synapses(group, group, on_pre="ge += 1.62*mV")
        inhibitory = brian.Synapses(group, group, on_pre="gi -= 9*mV")
        excitatory.connect(f"i < {4 * neurons // 5}", p=80 / neurons)
        inhibitory.connect(f"i >= {4 * neurons // 5}", p=80 / neurons)
        return [group, excitatory, inhibitory], lambda: float(group.fired[:].mean() / (1e-4 * steps))

    return brian_program(steps, 0.1, 1, build)


def brian_lif(neurons: int, steps: int, threads: int) -> dict[str, Call]:
    """LIF neurons without synapses under one current, from voltages drawn at random; the value is spikes per neuron."""

    def build(brian: Any) -> tuple[list, Call]:
        group = brian.NeuronGroup(
            neurons,
            """dv/dt = (20*mV - v) / (20*ms) : volt (unless refractory)
            fired : 1""",
            threshold="v >= 15*mV",
            reset="v = 0*mV; fired += 1",
            refractory=2 * brian.ms,
            method="exact",
        )
        group.v = "rand() * 15*mV"
        return [group], lambda: float(group.fired[:].mean())

    return brian_program(steps, 0.1, threads, build)


def brian_membranes(neurons: int, steps: int, threads: int) -> dict[str, Call]:
    """Hodgkin-Huxley membranes, 0 to 20 uA/cm2, exponential Euler, without threshold; the value is the mean voltage."""

    def build(brian: Any) -> tuple[list, Call]:
        group = brian.NeuronGroup(
            neurons,
            """dv/dt = (current - 120*m**3*h*(v - 50) - 36*n**4*(v + 77) - 0.3*(v + 54.387)) / ms : 1
            dm/dt = (am*(1 - m) - bm*m) / ms : 1
            dh/dt = (ah*(1 - h) - bh*h) / ms : 1
            dn/dt = (an*(1 - n) - bn*n) / ms : 1
            am = 0.1 * (v + 40) / (1 - exp(-(v + 40) / 10)) : 1
            bm = 4 * exp(-(v + 65) / 18) : 1
            ah = 0.07 * exp(-(v + 65) / 20) : 1
            bh = 1 / (1 + exp(-(v + 35) / 10)) : 1
            an = 0.01 * (v + 55) / (1 - exp(-(v + 55) / 10)) : 1
            bn = 0.125 * exp(-(v + 65) / 80) : 1
            current : 1 (constant)""",
            method="exponential_euler",
        )
        group.v, group.m, group.h, group.n = -65, 0.05, 0.6, 0.32
        group.current = f"20.0 * i / {max(neurons - 1, 1)}"
        return [group], lambda: float(group.v[:].mean())

    return brian_program(steps, 0.025, threads, build)
