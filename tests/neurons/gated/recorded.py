"""Comparison of a machine with what torchrecurrent's or PyTorch's cell of the same weights gave."""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

INPUTS, UNITS = 3, 4
FILE = Path(__file__).with_name("torchrecurrent.npz")


@functools.cache
def arrays():
    """All that `record_torchrecurrent.py` recorded, by name."""
    with np.load(FILE, allow_pickle=False) as found:
        return dict(found)


def parameters(cell):
    """The parameters of a recorded cell, by name."""
    return {name.split("/")[1]: array for name, array in arrays().items() if name.startswith(f"{cell}/")}


def whole(state):
    return state


def check_against(cell, build, *fields):
    """A machine with the recorded weights goes through the recorded states.

    Args:
        cell: name of the recorded cell.
        build: from its parameters (by name, NumPy arrays in float64) to the machine.
        fields: the names of our state's fields for the recorded `states.0`, `states.1`; None for one that we do not
            have.
    """
    found = parameters(cell)
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-12)):
        with jax.enable_x64(dtype == "float64"):
            machine = jn.cast(build(found), dtype)
            _, outputs, states = jn.run(machine, jnp.asarray(arrays()["sequence"], dtype), observe=whole)
            for number, field in enumerate(fields):
                if field is None:
                    continue
                expected, actual = found[f"states.{number}"], getattr(states, field)
                assert actual.dtype == dtype
                bound = tolerance * max(1, np.abs(expected).max())
                np.testing.assert_allclose(actual, expected, rtol=0, atol=bound, err_msg=f"{cell} {field} {dtype}")
            expected = found.get("outputs", found["states.0"])
            np.testing.assert_allclose(outputs, expected, rtol=0, atol=tolerance * max(1, np.abs(expected).max()))
