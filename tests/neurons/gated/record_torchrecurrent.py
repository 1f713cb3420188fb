"""Records what the cells of torchrecurrent and PyTorch give, for the tests to compare with.

Run it with an interpreter that has both: `python tests/neurons/gated/record_torchrecurrent.py`. It writes
`torchrecurrent.npz` beside it: for every cell, with its own defaults, random double-precision parameters
(`<cell>/<parameter>`), and what it gives over one input sequence (`sequence`) from a state of zeros: `<cell>/states.0`
and so on are the parts of its state, and `<cell>/outputs` its output where that is another than its first part.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from torchrecurrent import base, cells

INPUTS, UNITS, STEPS = 3, 4, 12
DECOUPLED = (base.DecoupledSingleStateCellBase, base.DecoupledDoubleStateCellBase)
# Their output mixes the input with the state.
AS_MANY_UNITS_AS_INPUTS = ("IntersectionRNNCell",)


def record(name, cell, generator, sequence):
    """The parameters of a cell, drawn anew, and all states over the sequence."""
    found = {}
    for parameter, tensor in [*cell.named_parameters(), *cell.named_buffers()]:
        tensor.data = torch.tensor(generator.normal(size=tuple(tensor.shape)) / 2)
        found[f"{name}/{parameter}"] = tensor.data.numpy()
    outputs, states, state = [], [], None
    for x in torch.tensor(sequence):
        with torch.no_grad():
            output, state = cell(x, state) if isinstance(cell, DECOUPLED) else (None, cell(x, state))
        states.append([part.numpy() for part in (state if isinstance(state, tuple) else (state,))])
        outputs.append(output)
    if isinstance(cell, DECOUPLED):
        found[f"{name}/outputs"] = np.stack([output.numpy() for output in outputs])
    return found | {f"{name}/states.{i}": np.stack(parts) for i, parts in enumerate(zip(*states, strict=True))}


if __name__ == "__main__":
    generator = np.random.default_rng(0)
    sequence = generator.normal(size=(STEPS, INPUTS))
    provenance = f"torchrecurrent {version('torchrecurrent')}, torch {torch.__version__}"
    arrays = {"sequence": sequence, "provenance": np.array(provenance)}
    made = {name: getattr(cells, name) for name in cells.__all__ if name.endswith("Cell")}
    made |= {name: getattr(torch.nn, name) for name in ("RNNCell", "LSTMCell", "GRUCell")}
    for name, kind in sorted(made.items()):
        units = INPUTS if name in AS_MANY_UNITS_AS_INPUTS else UNITS
        arrays |= record(name, kind(INPUTS, units, dtype=torch.float64), generator, sequence)
    np.savez_compressed(Path(__file__).with_name("torchrecurrent.npz"), **arrays)
