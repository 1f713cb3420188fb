"""Peers of the speed benchmarks that run in a process of their own: `python speed_peers.py NAME SIZES...`.

A worker prepares its workload, prints `ready`, and then runs it once for every line on its standard input, answering
with the milliseconds it took: so two processes can be timed in turn. A call that gives a number answers with that.
"""

import os
import sys
import time

from peers.brainpy_populations import brainpy_lif, brainpy_state_lif
from peers.brian_programs import brian_cuba, brian_lif, brian_membranes
from peers.jaxley_cells import jaxley_cable, jaxley_fit
from peers.nest_networks import nest_cuba
from peers.neuron_membranes import neuron_membranes
from peers.spyx_networks import spyx_lif
from peers.torch_networks import snntorch_lif, spikingjelly_lif, torch_lstm

PEERS = {
    "torch": torch_lstm,
    "spyx": spyx_lif,
    "snntorch": snntorch_lif,
    "spikingjelly": spikingjelly_lif,
    "brian": brian_cuba,
    "brian_lif": brian_lif,
    "brian_membranes": brian_membranes,
    "brainpy_lif": brainpy_lif,
    "brainpy_state_lif": brainpy_state_lif,
    "nest": nest_cuba,
    "neuron_membranes": neuron_membranes,
    "jaxley": jaxley_cable,
    "jaxley_fit": jaxley_fit,
}
COLD = ("value", "loop", "built")  # calls that "run" makes ready too


def main() -> None:
    """Serve one peer until standard input ends."""
    # What a peer's library prints is no answer; some print past Python.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    calls = PEERS[sys.argv[1]](*map(int, sys.argv[2:]))
    for name, call in calls.items():
        if " first" not in name and name not in COLD:
            call()
            call()
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        call = calls[line.strip()]
        began = time.perf_counter()
        answer = call()
        elapsed = 1000 * (time.perf_counter() - began)
        answers.write(f"{answer if isinstance(answer, float) else elapsed}\n")
        answers.flush()


if __name__ == "__main__":
    main()
