"""Peers of the speed benchmark that run in a process of their own: `python speed_peers.py NAME SIZES...`.

A worker prepares its workload, prints `ready`, and then runs it once for every line on its standard input, answering
with the milliseconds it took: so two processes can be timed in turn.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

Call = Callable[[], object]


def torch_lstm(steps: int, batch: int, inputs: int, units: int) -> dict[str, Call]:
    """`torch.nn.LSTM` and `GRU`: forward, the sum of squares of the outputs with all gradients, and products alone."""
    import torch  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(2)
    torch.manual_seed(0)
    lstm, gru = torch.nn.LSTM(inputs, units), torch.nn.GRU(inputs, units)
    sequence = torch.randn(steps, batch, inputs, requires_grad=True)

    def forward() -> object:
        with torch.no_grad():
            return lstm(sequence)[0]

    def train(layer: torch.nn.Module) -> object:
        layer.zero_grad()
        sequence.grad = None
        (layer(sequence)[0] ** 2).sum().backward()
        return sequence.grad

    def products() -> object:
        hidden = torch.zeros(batch, units)
        with torch.no_grad():
            for x in sequence:
                gates = x @ lstm.weight_ih_l0.T + hidden @ lstm.weight_hh_l0.T
                hidden = 1e-3 * gates[:, :units]
        return hidden

    return {
        "lstm forward": forward,
        "lstm train": lambda: train(lstm),
        "gru train": lambda: train(gru),
        "lstm products": products,
    }


def spyx_lif(steps: int, batch: int, inputs: int, units: int, outputs: int, repeat: int) -> dict[str, Call]:
    """Steps of SGD, in one compiled loop, on a feed-forward network of Spyx LIF neurons with a leaky readout."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax
    import spyx  # pyright: ignore[reportMissingImports]
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self, rngs: nnx.Rngs) -> None:
            self.first = nnx.Linear(inputs, units, rngs=rngs)
            self.lif = spyx.nn.LIF((units,), rngs=rngs)
            self.second = nnx.Linear(units, outputs, rngs=rngs)
            self.readout = spyx.nn.LI((outputs,), rngs=rngs)

        def __call__(self, spikes: jax.Array) -> jax.Array:
            def step(state: tuple, x: jax.Array) -> tuple:
                hidden, out = state
                spike, hidden = self.lif(self.first(x), hidden)
                y, out = self.readout(self.second(spike), out)
                return (hidden, out), y

            start = (self.lif.initial_state(batch), self.readout.initial_state(batch))
            return jax.lax.scan(step, start, spikes)[1]

    graph, parameters = nnx.split(Net(nnx.Rngs(0)))
    generator = np.random.default_rng(0)
    spikes = jnp.asarray(generator.random((steps, batch, inputs)) < 0.03, jnp.float32)
    labels = jnp.asarray(generator.integers(0, outputs, batch))

    def loss(parameters: object) -> jax.Array:
        traces = nnx.merge(graph, parameters)(spikes)
        return optax.softmax_cross_entropy_with_integer_labels(traces.mean(0), labels).mean()

    def step(parameters: object, _: None) -> tuple:
        value, gradient = jax.value_and_grad(loss)(parameters)
        return jax.tree.map(lambda p, g: p - 1e-3 * g, parameters, gradient), value

    loop = jax.jit(lambda parameters: jax.lax.scan(step, parameters, None, length=repeat))
    return {"lif train": lambda: jax.block_until_ready(loop(parameters))}


def torch_training(steps: int, batch: int, inputs: int, outputs: int, repeat: int, net: Any, prepare: Call) -> Call:
    """Steps of SGD on a PyTorch network that makes the traces of its readout of spikes, both time first."""
    import torch  # pyright: ignore[reportMissingImports]

    generator = torch.Generator().manual_seed(0)
    spikes = (torch.rand(steps, batch, inputs, generator=generator) < 0.03).float()
    labels = torch.randint(0, outputs, (batch,), generator=generator)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)

    def run() -> None:
        for _ in range(repeat):
            prepare()
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(spikes).mean(0), labels).backward()
            optimizer.step()

    return run


def snntorch_lif(steps: int, batch: int, inputs: int, units: int, outputs: int, repeat: int) -> dict[str, Call]:
    """The network of `spyx_lif` in snnTorch; both linear layers are one product over all of time."""
    import snntorch  # pyright: ignore[reportMissingImports]
    import torch  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(2)

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = torch.nn.Linear(inputs, units), torch.nn.Linear(units, outputs)
            self.lif = snntorch.Leaky(beta=0.9, learn_beta=True)
            self.readout = snntorch.Leaky(beta=0.9, learn_beta=True, reset_mechanism="none")

        def forward(self, spikes: Any) -> Any:
            state, out, hidden, traces = self.lif.init_leaky(), self.readout.init_leaky(), [], []
            for drive in self.first(spikes):
                spike, state = self.lif(drive, state)
                hidden.append(spike)
            for drive in self.second(torch.stack(hidden)):
                _, out = self.readout(drive, out)
                traces.append(out)
            return torch.stack(traces)

    return {"lif train": torch_training(steps, batch, inputs, outputs, repeat, Net(), lambda: None)}


def spikingjelly_lif(steps: int, batch: int, inputs: int, units: int, outputs: int, repeat: int) -> dict[str, Call]:
    """The network of `spyx_lif` in SpikingJelly, by its loops over all of time."""
    import torch  # pyright: ignore[reportMissingImports]
    from spikingjelly.activation_based import functional, neuron  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(2)

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = torch.nn.Linear(inputs, units), torch.nn.Linear(units, outputs)
            self.lif = neuron.ParametricLIFNode(10.0, decay_input=False, detach_reset=True, step_mode="m")
            self.readout = neuron.ParametricLIFNode(
                10.0, decay_input=False, v_threshold=float("inf"), v_reset=None, step_mode="m", store_v_seq=True
            )

        def forward(self, spikes: Any) -> Any:
            self.readout(self.second(self.lif(self.first(spikes))))
            return self.readout.v_seq

    net = Net()
    train = torch_training(steps, batch, inputs, outputs, repeat, net, lambda: functional.reset_net(net))
    return {"lif train": train}


def brian_program(steps: int, dt_ms: float, threads: int, build: Callable[[Any], tuple[list, Call]]) -> dict[str, Call]:
    """Brian2's compiled program of what `build` makes, started anew each time; its own file of results is small.

    The call "value" answers with a number of the last run instead of a time, which `build` says how to read.
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
    brian.Network(*objects).run(steps * dt_ms * brian.ms)
    brian.device.build(directory=directory, compile=True, run=False, debug=False)
    return {"run": lambda: brian.device.run(folder.name, with_output=False), "value": value}


def brian_cuba(neurons: int, steps: int) -> dict[str, Call]:
    """The CUBA network; its value is the mean voltage (mV)."""

    def build(brian: Any) -> tuple[list, Call]:
        group = brian.NeuronGroup(
            neurons,
            """dv/dt = (ge + gi - (v + 49*mV)) / (20*ms) : volt (unless refractory)
            dge/dt = -ge / (5*ms) : volt
            dgi/dt = -gi / (10*ms) : volt""",
            threshold="v > -50*mV",
            reset="v = -60*mV",
            refractory=5 * brian.ms,
            method="exact",
        )
        group.v = "-60*mV + rand() * 10*mV"
        excitatory = brian.Synapses(group, group, on_pre="ge += 1.62*mV")
        inhibitory = brian.Synapses(group, group, on_pre="gi -= 9*mV")
        excitatory.connect(f"i < {4 * neurons // 5}", p=80 / neurons)
        inhibitory.connect(f"i >= {4 * neurons // 5}", p=80 / neurons)
        return [group, excitatory, inhibitory], lambda: float((group.v / brian.mV).mean())

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


def jaxley_cable(compartments: int, steps: int) -> dict[str, Call]:
    """A squid axon in Jaxley: forward, gradient with respect to the sodium conductance, and the first of each.

    The call "peak" answers with the largest voltage of the last compartment instead of a time.
    """
    import jax
    import jaxley  # pyright: ignore[reportMissingImports]
    from jaxley.channels import HH  # pyright: ignore[reportMissingImports]

    branch = jaxley.Branch(jaxley.Compartment(), ncomp=compartments)
    cell = jaxley.Cell(branch, parents=[-1])
    for name, value in {"length": 10.0, "radius": 0.5, "axial_resistivity": 100.0, "capacitance": 1.0}.items():
        cell.set(name, value)
    cell.insert(HH())
    cell.set("v", -65.0)
    cell.init_states()
    current = jaxley.step_current(i_delay=0.0, i_dur=5.0, i_amp=0.1, delta_t=0.025, t_max=0.025 * steps)
    cell.branch(0).comp(0).stimulate(current)
    cell.branch(0).comp(compartments - 1).record()
    cell.make_trainable("HH_gNa")
    parameters = cell.get_parameters()

    def forward(parameters: object) -> jax.Array:
        return jaxley.integrate(cell, params=parameters, delta_t=0.025)

    def mean(parameters: object) -> jax.Array:
        return forward(parameters).mean()

    programs = {"forward": forward, "gradient": jax.value_and_grad(mean)}
    compiled = {name: jax.jit(program) for name, program in programs.items()}

    def first(name: str) -> object:
        jax.clear_caches()
        return jax.block_until_ready(jax.jit(programs[name])(parameters))

    return {
        "forward": lambda: jax.block_until_ready(compiled["forward"](parameters)),
        "gradient": lambda: jax.block_until_ready(compiled["gradient"](parameters)),
        "forward first": lambda: first("forward"),
        "gradient first": lambda: first("gradient"),
        "peak": lambda: float(forward(parameters).max()),
    }


def jaxley_fit(steps: int) -> dict[str, Call]:
    """A squid membrane in Jaxley: the gradient, by three conductances, of its distance to the voltage of another.

    The call "value" answers with the squared distance.
    """
    import math

    import jax
    import jax.numpy as jnp
    import jaxley  # pyright: ignore[reportMissingImports]
    from jaxley.channels import HH  # pyright: ignore[reportMissingImports]

    cell = jaxley.Cell(jaxley.Branch(jaxley.Compartment(), ncomp=1), parents=[-1])
    for name, value in {"length": 10.0, "radius": 5.0, "capacitance": 1.0}.items():
        cell.set(name, value)
    cell.insert(HH())
    cell.set("v", -65.0)
    cell.set("HH_eLeak", -54.387)
    cell.init_states()
    current_na = 1e-5 * 10.0 * 2 * math.pi * 5.0 * 10.0  # 10 uA/cm2 on the membrane of the cylinder
    cell.stimulate(jnp.full(steps, current_na))
    cell.record()
    for name in ("HH_gNa", "HH_gK", "HH_gLeak"):
        cell.make_trainable(name)

    def trace(parameters: object) -> jax.Array:
        return jaxley.integrate(cell, params=parameters, delta_t=0.025)[0]

    start = cell.get_parameters()
    target = jax.jit(trace)(jax.tree.map(lambda conductance: 0.9 * conductance, start))
    gradient = jax.jit(jax.value_and_grad(lambda parameters: ((trace(parameters) - target) ** 2).mean()))
    return {
        "run": lambda: jax.block_until_ready(gradient(start)),
        "value": lambda: float(gradient(start)[0]),
    }


PEERS = {
    "torch": torch_lstm,
    "spyx": spyx_lif,
    "snntorch": snntorch_lif,
    "spikingjelly": spikingjelly_lif,
    "brian": brian_cuba,
    "brian_lif": brian_lif,
    "brian_membranes": brian_membranes,
    "jaxley": jaxley_cable,
    "jaxley_fit": jaxley_fit,
}


def main() -> None:
    """Serve one peer until standard input ends."""
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a peer's library prints is no answer
    calls = PEERS[sys.argv[1]](*map(int, sys.argv[2:]))
    for name, call in calls.items():
        if " first" not in name and name != "value":
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
