"""Law 11: the program of a run lowers for CPUs, NVIDIA GPUs and TPUs, each with the executor chosen for it."""

import jax
import pytest
from jax import export

import jaxneuro as jn
from tests.laws.compare import first
from tests.laws.machines import HALF, every_machine, example

PLATFORMS = ("cpu", "cuda", "tpu")


def check_lowering(machine, inputs, platform):
    state = machine.init(jax.random.key(0))

    def program(machine, state, inputs):
        return jn.run(machine, inputs, state=state, platform=platform)

    try:
        exported = export.export(jax.jit(program), platforms=[platform])(machine, state, inputs)
    except NotImplementedError as error:
        raise AssertionError(f"the program does not lower for {platform}: {error}") from error
    assert exported.platforms == (platform,)


@pytest.mark.parametrize("platform", PLATFORMS)
@every_machine
def test_a_run_lowers_for_every_platform(row, platform):
    machine, inputs = example(row)
    check_lowering(machine, first(inputs, HALF), platform)
