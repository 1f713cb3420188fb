"""Networks in NEST, built anew before each run, which is timed without that."""

import time
from collections.abc import Callable

Call = Callable[[], object]


def nest_cuba(neurons: int, steps: int, threads: int) -> dict[str, Call]:
    """The CUBA network, of steps of 0.1 ms; its value is the mean rate (Hz) of the last run.

    With a capacitance of as many pF as tau_m has ms, a current of 1 pA lifts the voltage by 1 mV in the end. The first
    step is not timed: in it NEST orders its synapses.
    """
    import nest  # pyright: ignore[reportMissingImports]

    neuron = {"tau_m": 20.0, "C_m": 20.0, "E_L": -49.0, "V_th": -50.0, "V_reset": -60.0, "t_ref": 5.0, "I_e": 0.0}
    kinetics = {"tau_syn_ex": 5.0, "tau_syn_in": 10.0}
    excitatory = 4 * neurons // 5
    rates = [0.0]

    def build() -> None:
        nest.ResetKernel()
        nest.verbosity = nest.VerbosityLevel.ERROR
        nest.resolution, nest.local_num_threads, nest.rng_seed = 0.1, threads, 1
        group = nest.Create("iaf_psc_exp", neurons, neuron | kinetics)
        group.V_m = nest.random.uniform(-60.0, -50.0)
        joined = {"rule": "pairwise_bernoulli", "p": 80 / neurons}
        for sources, weight in ((group[:excitatory], 1.62), (group[excitatory:], -9.0)):
            nest.Connect(sources, group, joined, {"weight": weight, "delay": 0.1})

    def run() -> float:
        build()
        nest.Prepare()
        nest.Run(0.1)
        began = time.perf_counter()
        nest.Run(0.1 * steps)
        elapsed = 1000 * (time.perf_counter() - began)
        rates[0] = float(nest.local_spike_counter / neurons / (1e-4 * steps))
        nest.Cleanup()
        return elapsed

    return {"run": run, "value": lambda: rates[0]}
