"""Records what the linear layers of lrnnx give, for the tests to compare with.

Run it with an interpreter that has PyTorch and einops, and lrnnx or its sources in the path:
`PYTHONPATH=lrnnx-1.0.0.post1 python tests/neurons/linear/record_lrnnx.py`. Only lrnnx's programs in PyTorch are run;
its compiled kernels, for a GPU, are not needed and replaced by nothing. It writes `lrnnx.npz` beside it: the input
sequence (`sequence`, single precision), and for every layer random parameters (`<layer>/<parameter>`) and its outputs
over the sequence from a state of zeros (`<layer>/outputs`).
"""

import sys
import types
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch

STEPS, WIDTH, STATES = 20, 3, 4


class Absent(types.ModuleType):
    """A compiled module that is not there, and is never called."""

    def __getattr__(self, name):
        return None


for name in ("selective_scan_cuda", "simplified_scan_cuda", "lrnnx.ops.triton.layer_norm"):
    sys.modules[name] = Absent(name)

from lrnnx.models.lti.lru import LRU  # noqa: E402
from lrnnx.models.lti.s5 import S5  # noqa: E402
from lrnnx.ops.rglru_scan import rglru_scan_ref  # noqa: E402
from lrnnx.ops.selective_scan import selective_scan_ref  # noqa: E402


def layer(made, generator, sequence):
    """A layer in double precision with moderate random parameters, one step after the other."""
    made = made.double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.data = torch.tensor(generator.normal(size=tuple(parameter.shape)) / 2)
        cache = made.allocate_inference_cache(1)
        cache["lrnn_state"] = cache["lrnn_state"].to(torch.complex128)
        outputs = [made.step(x[None], cache)[0][0].numpy() for x in torch.tensor(sequence, dtype=torch.float64)]
    return {name: tensor.numpy() for name, tensor in made.state_dict().items()} | {"outputs": np.stack(outputs)}


def rg_lru(generator, sequence):
    """The gates by NumPy, the recurrence by lrnnx, which works in single precision."""
    found = {
        name: generator.normal(size=shape) / 2
        for name, shape in (("recurrent", (WIDTH, WIDTH)), ("input", (WIDTH, WIDTH)), ("biases", (2, WIDTH)))
    }
    base = generator.uniform(0.5, 0.99, size=(WIDTH, 1))
    gates = [
        torch.sigmoid(torch.tensor(sequence @ found[name].T + bias))
        for name, bias in zip(("recurrent", "input"), found["biases"], strict=True)
    ]
    outputs = rglru_scan_ref((gates[1] * torch.tensor(sequence)).T[None], 8 * gates[0].T[None], torch.tensor(base))
    return found | {"base": base[:, 0], "outputs": outputs[0].T.numpy()}


def selective(generator, sequence):
    """The products by NumPy, the recurrence by lrnnx, which works in single precision."""
    shapes = {"step": (WIDTH, WIDTH), "bias": (WIDTH,), "b": (STATES, WIDTH), "c": (STATES, WIDTH), "d": (WIDTH,)}
    found = {name: generator.normal(size=shape) / 2 for name, shape in shapes.items()}
    found["a"] = -generator.uniform(0.3, 4, size=(WIDTH, STATES))
    over_time = {name: torch.tensor(sequence @ found[name].T).T[None] for name in ("step", "b", "c")}
    bias, a, d = (torch.tensor(found[name]).float() for name in ("bias", "a", "d"))
    outputs = selective_scan_ref(
        torch.tensor(sequence).T[None],
        over_time["step"],
        a,
        over_time["b"],
        over_time["c"],
        d,
        delta_bias=bias,
        delta_softplus=True,
    )
    return found | {"outputs": outputs[0].T.numpy()}


if __name__ == "__main__":
    generator = np.random.default_rng(0)
    sequence = generator.normal(size=(STEPS, WIDTH)).astype(np.float32)
    try:
        release = version("lrnnx")
    except PackageNotFoundError:
        release = next((Path(place).name for place in sys.path if "lrnnx" in place), "of unknown version")
    made = {
        "LRU": layer(LRU(WIDTH, STATES), generator, sequence),
        "S5": layer(S5(WIDTH, STATES, "zoh"), generator, sequence),
        "RGLRU": rg_lru(generator, sequence),
        "Selective": selective(generator, sequence),
    }
    arrays = {f"{name}/{part}": array for name, parts in made.items() for part, array in parts.items()}
    provenance = np.array(f"lrnnx {release}, torch {torch.__version__}")
    np.savez_compressed(Path(__file__).with_name("lrnnx.npz"), sequence=sequence, provenance=provenance, **arrays)
