"""Law 8: what is written to a file and read back into a fresh machine continues the same trajectory, bit for bit."""

import jax

import jaxneuro as jn
from jaxneuro.launch import checkpoint
from tests.laws.compare import after, assert_same, first, perturbed
from tests.laws.machines import HALF, every_machine, example


def check_save_load(build, inputs, folder):
    # Changed after it was built: whatever part of a machine the file does not hold comes back unchanged.
    machine = perturbed(build(jax.random.key(1)))
    middle, _ = jn.run(machine, first(inputs, HALF), executor="sequential")
    expected = jn.run(machine, after(inputs, HALF), state=middle, executor="sequential")
    checkpoint.save(folder, HALF, (machine, middle))
    fresh = build(jax.random.key(7))
    step, (machine, middle) = checkpoint.restore(folder, (fresh, fresh.init(jax.random.key(8))))
    assert step == HALF
    assert_same(jn.run(machine, after(inputs, HALF), state=middle, executor="sequential"), expected)


@every_machine
def test_a_loaded_machine_goes_on_as_the_saved_one(row, tmp_path):
    _, inputs = example(row)
    check_save_load(row.build, inputs, tmp_path)
