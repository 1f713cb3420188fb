"""Recurrent and spiking networks in PyTorch, snnTorch and SpikingJelly."""

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
