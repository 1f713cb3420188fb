"""Law 5: new parameter values, a new state and new inputs reuse the compiled program, whose size knows no time.

Counted in JAX's own events: a second run of the same shapes must trace, lower and compile nothing.
"""

import contextlib
import dataclasses

import equinox as eqx
import jax
import jax.monitoring
import numpy as np

import jaxneuro as jn
from tests.laws.compare import perturbed
from tests.laws.machines import every_machine, example

NUMBERS = float | complex | jax.Array | np.ndarray | np.generic


@contextlib.contextmanager
def counted_compilations():
    """Collects the names of all events of tracing and compiling inside."""
    events = []

    def listen(event, duration, **_):
        if event.startswith("/jax/core/compile"):
            events.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield events
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def static_numbers(module, path=""):
    """Paths of numbers that are static, so that another value is another program."""
    for field in dataclasses.fields(module):
        value, here = getattr(module, field.name, None), f"{path}.{field.name}"
        if field.metadata.get("static"):
            if any(isinstance(leaf, NUMBERS) for leaf in jax.tree.leaves(value)):
                yield here
        else:
            for part in jax.tree.leaves(value, is_leaf=lambda part: isinstance(part, eqx.Module)):
                if isinstance(part, eqx.Module):
                    yield from static_numbers(part, here)


def check_one_trace(machine, other, inputs):
    assert not list(static_numbers(machine)), f"static numbers: {list(static_numbers(machine))}"
    other_inputs = perturbed(inputs, -0.5)
    state, _ = jn.run(machine, inputs, state=machine.init(jax.random.key(0)))
    with counted_compilations() as events:
        jn.run(other, other_inputs, state=state)
    assert not events, f"new values of the same shapes compiled again: {events}"


def equations(jaxpr):
    """The number of equations of a program, those of inner programs included."""
    inner = [part for equation in jaxpr.eqns for value in equation.params.values() for part in programs(value)]
    return len(jaxpr.eqns) + sum(equations(part) for part in inner)


def programs(value):
    parts = value if isinstance(value, tuple | list) else (value,)
    return [part for part in parts if hasattr(part, "eqns")]


def check_size(machine, inputs):
    state = machine.init(jax.random.key(0))
    longer = jax.tree.map(lambda leaf: leaf.repeat(4, axis=0), inputs)

    def size(inputs):
        traced = jax.make_jaxpr(lambda machine, state, inputs: jn.run(machine, inputs, state=state))
        return equations(traced(machine, state, inputs).jaxpr)

    assert size(longer) == size(inputs), "the program grows with time"


@every_machine
def test_new_values_reuse_the_compiled_program(row):
    machine, inputs = example(row)
    check_one_trace(machine, perturbed(machine), inputs)


@every_machine
def test_the_program_of_a_longer_run_is_not_longer(row):
    check_size(*example(row))
