"""Law 9: the machine that a key builds and the state that a key starts are functions of the key alone."""

import jax

from tests.laws.compare import assert_same
from tests.laws.machines import every_machine


def check_init(build):
    machine, again = build(jax.random.key(1)), build(jax.random.key(1))
    assert_same(machine, again)
    state = machine.init(jax.random.key(2))
    machine.init(jax.random.key(3))
    assert_same(again.init(jax.random.key(2)), state)
    assert_same(jax.jit(lambda machine, key: machine.init(key))(machine, jax.random.key(2)), state)


@every_machine
def test_the_key_alone_decides_the_start(row):
    check_init(row.build)
