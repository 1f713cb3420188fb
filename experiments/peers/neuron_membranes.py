"""Hodgkin-Huxley membranes in NEURON."""

import time
from collections.abc import Callable

Call = Callable[[], object]


def neuron_membranes(neurons: int, steps: int, threads: int) -> dict[str, Call]:
    """Sections of one compartment each, 0 to 20 uA/cm2, steps of 0.025 ms; the value is the mean voltage (mV).

    NEURON's own `hh` and its fixed step of first order, rates of the gates from tables, double precision. A constant
    current is in the leak's reversal potential, which is that much higher: this needs no electrodes and no time. The
    membranes start a little off their rest, like Brian2's; that is not timed.
    """
    from neuron import h  # pyright: ignore[reportMissingImports]

    context = h.ParallelContext()
    context.nthread(threads)
    context.set_maxstep(10)
    h.celsius, h.dt, h.secondorder = 6.3, 0.025, 0
    sections = [h.Section() for _ in range(neurons)]
    patches = []
    for index, section in enumerate(sections):
        section.L = section.diam = 10.0
        section.insert("hh")
        section.ena, section.ek = 50.0, -77.0
        patch = section(0.5)
        current = 20.0 * index / max(neurons - 1, 1)
        patch.hh.el = -54.387 + current / (1000 * patch.hh.gl)  # gl in S/cm2
        patches.append(patch)

    def run() -> float:
        h.finitialize(-65.0)
        for patch in patches:
            patch.hh.m, patch.hh.h, patch.hh.n = 0.05, 0.6, 0.32
        began = time.perf_counter()
        context.psolve(0.025 * steps)
        elapsed = 1000 * (time.perf_counter() - began)
        assert abs(h.t - 0.025 * steps) < 1e-6
        return elapsed

    return {"run": run, "value": lambda: sum(patch.v for patch in patches) / neurons}
