"""Law 10: ten thousand steps of bounded random input, with a silence in it, leave every number finite."""

import jax
import numpy as np

import jaxneuro as jn
from tests.laws.compare import numbers, silenced
from tests.laws.machines import every_machine, example

LONG = 10_000


def check_finite(machine, inputs):
    state, outputs = jn.run(machine, silenced(inputs, 100, 200))
    for path, leaf in jax.tree_util.tree_leaves_with_path((state, outputs)):
        leaf = numbers(leaf)
        if leaf.dtype.kind in "fc":
            bad = np.argwhere(~np.isfinite(leaf))
            assert not bad.size, f"{jax.tree_util.keystr(path)} is not finite, first at {bad[0]}"


@every_machine
def test_long_runs_stay_finite(row):
    machine, _ = example(row)
    check_finite(machine, row.inputs(np.random.default_rng(3), LONG))
