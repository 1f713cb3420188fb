"""Law 4: however a machine is run, the answer is the same.

Compiled or not, mapped over a batch or one by one, scanned or looped, by any executor, for any platform's program, with
or without checkpoints: values and gradients. Rounding may differ, because a product of many vectors adds up in another
order than a product of one.
"""

import functools
import importlib
from typing import get_args

import jax
import pytest

import jaxneuro as jn
from jaxneuro.machine import Parallel
from jaxneuro.run import Executor
from tests.laws import gradient
from tests.laws.compare import assert_same, at, edited, perturbed, stacked
from tests.laws.machines import STEPS, diverse_machines, every_machine, example

ULPS = 64
EXECUTORS = {
    "sequential": jn.StateMachine,
    "batched": jn.Stateless,
    "hoisted": jn.Driven,
    "parallel": Parallel,
    "recurrent": Parallel,
    "layered": jn.Chain,
    "neurons": jn.Population,
}
# Machines that hold others, or have executors of their own, may be run in another order for another platform.
ORDERED = (jn.Driven, Parallel, jn.Chain, jn.Population, jn.Feedback, jn.Rewritable)


@jax.jit
def stepped(machine, state, input):
    return machine.step(state, input)


def looped(machine, state, inputs):
    """The final state, all outputs and all states, by a Python loop."""
    states, outputs = [], []
    for time in range(STEPS):
        state, output = stepped(machine, state, at(inputs, time))
        states.append(state)
        outputs.append(output)
    return state, stacked(*outputs), stacked(*states)


def everything(state):
    return state


@functools.partial(jax.jit, compiler_options=gradient.QUICK)
def for_accelerator(machine, state, inputs):
    return jn.run(machine, inputs, state=state, platform="cuda")


def recorded(machine, state, inputs):
    # Neither 3 nor 5 divides the number of steps, or the other.
    return jn.run(machine, inputs, state=state, observe=everything, every=3, checkpoint_every=5)


def hoisted(machine, state, inputs):
    return jn.run(machine, inputs, state=state, executor="hoisted")


def parallel(machine, state, inputs):
    return jn.run(machine, inputs, state=state, executor="parallel")


def recurrent(machine, state, inputs):
    return jn.run(machine, inputs, state=state, executor="recurrent")


def check_compiled_equals_eager(machine, inputs):
    # After a step, so that no state is at its start, where many of its numbers are 0.
    state, _ = stepped(machine, machine.init(jax.random.key(0)), at(inputs, 0))
    assert_same(machine.step(state, at(inputs, 1)), stepped(machine, state, at(inputs, 1)), ULPS)


def check_map_equals_loop(machine, inputs):
    machines, sequences = [machine, perturbed(machine)], [inputs, perturbed(inputs, -0.5)]
    lanes = [(m, m.init(jax.random.key(0)), x) for m, x in zip(machines, sequences, strict=True)]
    mapped = jax.vmap(gradient.run)(*stacked(*lanes))
    for lane, (machine, state, inputs) in enumerate(lanes):
        assert_same(at(mapped, lane), jn.run(machine, inputs, state=state), ULPS)


def check_executors_agree(machine, inputs):
    state = machine.init(jax.random.key(0))
    expected = looped(machine, state, inputs)[:2]
    assert_same(jn.run(machine, inputs, state=state), expected, ULPS)
    for executor, kind in EXECUTORS.items():
        if isinstance(machine, kind):
            assert_same(jn.run(machine, inputs, state=state, executor=executor), expected, ULPS)
    if isinstance(machine, ORDERED):
        assert_same(for_accelerator(machine, state, inputs), expected, ULPS)


def check_records_agree(machine, inputs):
    state = machine.init(jax.random.key(0))
    final, outputs, states = looped(machine, state, inputs)
    outcome, _ = gradient.outcome_and_gradient(recorded, machine, state, inputs)
    assert_same(outcome, (final, outputs, edited(lambda leaf: leaf[2::3], states)), ULPS)
    assert_same(for_accelerator(machine, state, inputs), (final, outputs), ULPS)


def check_gradients_agree(machine, inputs, *others):
    state = machine.init(jax.random.key(0))
    outcome, expected = gradient.outcome_and_gradient(gradient.scanned, machine, state, inputs)
    assert_same(outcome, looped(machine, state, inputs)[:2], ULPS)
    for program in (gradient.run, *others):
        _, actual = gradient.outcome_and_gradient(program, machine, state, inputs)
        assert_same(actual, expected, ULPS)


@pytest.fixture
def short_unrolling(monkeypatch):
    """Programs for accelerators do 3 steps of time per round, so that `STEPS` are several rounds and a broken one."""
    monkeypatch.setattr(importlib.import_module("jaxneuro.run"), "UNROLL_ACCELERATOR", 3)


def test_every_executor_of_run_is_under_the_law():
    assert set(EXECUTORS) == set(get_args(Executor))


@every_machine
def test_a_compiled_step_equals_an_eager_one(row):
    check_compiled_equals_eager(*example(row))


@every_machine
def test_a_batch_equals_its_elements_one_by_one(row):
    check_map_equals_loop(*example(row))


@every_machine
@pytest.mark.usefixtures("short_unrolling")
def test_all_executors_give_what_a_loop_of_steps_gives(row):
    check_executors_agree(*example(row))


@every_machine
def test_the_gradients_of_a_run_are_those_of_a_plain_scan(row):
    check_gradients_agree(*example(row))


@diverse_machines
@pytest.mark.usefixtures("short_unrolling")
def test_records_checkpoints_and_unrolled_programs_give_what_a_loop_of_steps_gives(row):
    check_records_agree(*example(row))


@diverse_machines
def test_executors_and_checkpoints_keep_the_gradients(row):
    machine, inputs = example(row)
    others = [hoisted] * isinstance(machine, jn.Driven) + [parallel, recurrent] * isinstance(machine, Parallel)
    check_gradients_agree(machine, inputs, recorded, *others)
