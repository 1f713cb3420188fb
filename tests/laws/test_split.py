"""Law 2: running a, then b from the saved state, is running a and b in one go, to the last bit.

Held for the sequential executor. The others multiply all time steps at once, and the order in which such a product adds
up depends on how many there are; law 4 says that they agree with the sequential one but for rounding.
"""

import jax
import pytest

import jaxneuro as jn
from tests.laws.compare import after, assert_same, first, joined
from tests.laws.machines import HALF, diverse_machines, every_machine, example


def check_split(machine, inputs):
    state = machine.init(jax.random.key(0))
    whole_state, whole = jn.run(machine, inputs, state=state, executor="sequential")
    middle, beginning = jn.run(machine, first(inputs, HALF), state=state, executor="sequential")
    final, end = jn.run(machine, after(inputs, HALF), state=middle, executor="sequential")
    assert_same(joined(beginning, end), whole)
    assert_same(final, whole_state)


def check_nothing(machine, inputs, platform):
    state = machine.init(jax.random.key(0))
    final, outputs = jn.run(machine, first(inputs, 0), state=state, platform=platform)
    assert_same(final, state)
    assert {leaf.shape[0] for leaf in jax.tree.leaves(outputs)} == {0}


@every_machine
def test_a_run_goes_on_from_a_saved_state_as_if_it_had_not_stopped(row):
    check_split(*example(row))


@diverse_machines
@pytest.mark.parametrize("platform", ["cpu", "cuda"])
def test_a_run_of_no_steps_changes_nothing(row, platform):
    check_nothing(*example(row), platform)
