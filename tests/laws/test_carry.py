"""Law 1: a step gives back a state of the structure, shapes, dtypes and weak types it got."""

import equinox as eqx
import jax

from tests.laws.compare import at
from tests.laws.machines import every_machine, example


def describe(tree):
    return {
        jax.tree_util.keystr(path): (leaf.shape, str(leaf.dtype), "weak" if leaf.weak_type else "strong")
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }


def check_carry(machine, inputs):
    state = jax.eval_shape(machine.init, jax.random.key(0))
    new, output = jax.eval_shape(machine.step, state, at(inputs, 0))
    assert isinstance(state, eqx.Module), f"a state is a module with named fields, not a {type(state).__name__}"
    assert jax.tree.structure(new) == jax.tree.structure(state), "a step changes the structure of the state"
    assert describe(new) == describe(state), "a step changes the shapes or types of the state"
    for name, tree in (("parameter", machine), ("state", state), ("output", output)):
        weak = [path for path, leaf in describe(jax.eval_shape(lambda tree: tree, tree)).items() if "weak" in leaf]
        assert not weak, f"weakly typed {name}: {weak}"


@every_machine
def test_a_step_keeps_the_form_of_the_state(row):
    check_carry(*example(row))
