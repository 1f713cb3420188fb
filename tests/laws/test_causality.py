"""Law 3: what comes out before time t does not depend on what goes in from t on."""

import jax

import jaxneuro as jn
from tests.laws.compare import after, assert_same, first, joined, perturbed
from tests.laws.machines import HALF, STEPS, every_machine, example


def check_causality(machine, inputs):
    state = machine.init(jax.random.key(0))
    _, outputs = jn.run(machine, inputs, state=state)
    for time in (1, HALF, STEPS - 1):
        other = joined(first(inputs, time), perturbed(after(inputs, time), -4))
        _, changed = jn.run(machine, other, state=state)
        assert_same(first(changed, time), first(outputs, time))


@every_machine
def test_outputs_do_not_know_the_future(row):
    check_causality(*example(row))
