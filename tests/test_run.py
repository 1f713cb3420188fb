"""`run` against a Python loop over `step`, its options against each other, its memory and its size against promises."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.run import choose, compiling_for

UNITS = 4


def close(found, expected, tolerance=1e-5):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def recurrent(key, inputs=3, units=UNITS, outputs=2):
    """A network in which every kind of machine, and so every executor, has its place."""
    keys = jax.random.split(key, 3)
    lif = jn.LIF(tau_ms=10.0, threshold_mv=1.0, refractory_ms=0.0, dt_ms=1.0)
    return jn.Chain(
        jn.Dense(inputs, units, gain=4.0, key=keys[0]),
        jn.Feedback(jn.Population(lif, units, shared=True), jn.Dense(units, units, key=keys[1]), jnp.zeros(units)),
        jn.Dense(units, outputs, key=keys[2]),
        jn.Population(jn.LeakyReadout(), outputs, shared=True),
    )


@pytest.fixture
def network(key):
    return jax.jit(recurrent)(key)


@pytest.fixture
def inputs(key):
    return jax.random.normal(key, (23, 3))


@jax.jit
def step(machine, state, x):
    return machine.step(state, x)


def loop(machine, inputs, state):
    """The loop of the documentation; also all states."""
    states, outputs = [], []
    for x in inputs:
        state, output = step(machine, state, x)
        states.append(state)
        outputs.append(output)
    stacked = (jax.tree.map(lambda *leaves: jnp.stack(leaves), *each) for each in (outputs, states))
    return state, *stacked


BUILDERS = {
    "chain": (recurrent, 3),
    "driven": (lambda key: jn.LSTM(3, UNITS, key=key), 3),
    "affine": (lambda key: jn.LeakyReadout(), None),
    "stateless": (lambda key: jn.Dense(3, 2, key=key), 3),
    "any": (lambda key: jn.PreciseLIF(), None),
    "population": (lambda key: jn.Population(jn.stack(jn.LIF(), 3), 3), 3),
    "shared population": (lambda key: jn.Population(jn.LeakyReadout(), 3, shared=True), 3),
}


def machine_and_inputs(kind, key, steps=23):
    build, width = BUILDERS[kind]
    inputs = 20 * jax.random.normal(key, (steps,) if width is None else (steps, width))
    return jax.jit(build)(key), inputs


OTHERS = [("chain", "layered"), ("driven", "hoisted"), ("affine", "parallel"), ("stateless", "batched"),
          ("population", "neurons"), ("shared population", "neurons")]  # fmt: skip
EXECUTORS = OTHERS + [(kind, "sequential") for kind in BUILDERS]


@pytest.mark.parametrize(("kind", "executor"), EXECUTORS)
def test_every_executor_gives_what_the_loop_gives(kind, executor, key):
    machine, inputs = machine_and_inputs(kind, key)
    expected = loop(machine, inputs, machine.init(key))[:2]
    close(jn.run(machine, inputs, key=key, executor=executor), expected)


@pytest.mark.parametrize("kind", ["chain", "driven", "affine"])
def test_what_is_compiled_for_an_accelerator_gives_what_the_loop_gives(kind, key):
    machine, inputs = machine_and_inputs(kind, key)
    start = machine.init(key)
    close(jn.run(machine, inputs, state=start, platform="cuda"), loop(machine, inputs, start)[:2])


@pytest.mark.parametrize("platform", ["cpu", "cuda", "tpu"])
def test_the_choice_of_executor_fits_the_machine(platform, key):
    accelerator = platform != "cpu"
    chosen = {kind: choose(machine_and_inputs(kind, key)[0], platform) for kind in BUILDERS}
    assert chosen == {
        "chain": "layered",
        "driven": "hoisted" if accelerator else "sequential",
        "affine": "parallel" if accelerator else "sequential",
        "stateless": "batched",
        "any": "sequential",
        "population": "neurons",
        "shared population": "neurons",
    }


def test_a_program_may_be_for_a_platform_that_is_not_here(key):
    lstm, inputs = machine_and_inputs("driven", key)

    def products(platform=None):
        jaxpr = jax.make_jaxpr(lambda inputs: jn.run(lstm, inputs, platform=platform))(inputs)
        return [eqn.primitive.name for eqn in jaxpr.eqns[-1].params["jaxpr"].jaxpr.eqns].count("dot_general")

    assert products() == products("cpu") == 0  # all of them are inside of the loop
    with compiling_for("cuda"):
        assert products() == products("cuda") == 1
        assert products("cpu") == 0
    assert products() == 0


def test_no_time_at_all_leaves_the_state_as_it_is(network, key):
    start = network.init(key)
    state, outputs = jn.run(network, jnp.zeros((0, 3)), state=start)
    assert outputs.shape == (0, 2)
    close(state, start)


@pytest.mark.parametrize(("kind", "checkpoint_every"), [("chain", None), ("driven", 2)])
def test_gradients_are_those_of_the_loop(kind, checkpoint_every, key, float64):
    machine, inputs = machine_and_inputs(kind, key, steps=3)
    start = machine.init(key)

    def by_run(machine, inputs, state):
        results = jn.run(machine, inputs, state=state, checkpoint_every=checkpoint_every)
        return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(results))

    def by_loop(machine, inputs, state):
        outputs = []
        for x in inputs:
            state, output = machine.step(state, x)
            outputs.append(output)
        return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves((state, outputs)))

    found, expected = (jax.jit(jax.grad(f, argnums=(0, 1, 2)))(machine, inputs, start) for f in (by_run, by_loop))
    close(found, expected, 1e-11)


def test_goes_on_from_a_saved_state(network, inputs, key):
    whole = jn.run(network, inputs, key=key)
    state, first = jn.run(network, inputs[:10], key=key)
    state, second = jn.run(network, inputs[10:], state=state)
    close((state, jnp.concatenate([first, second])), whole)


def test_the_key_makes_the_initial_state(inputs):
    class Noisy(jn.StateMachine):
        def init(self, key):
            return jax.random.normal(key, (3,))

        def step(self, state, input):
            return state, state + input

    keys = None, jax.random.key(0), jax.random.key(1)
    default, zero, other = (jn.run(Noisy(), inputs, key=key)[0] for key in keys)
    np.testing.assert_array_equal(default, zero)
    assert not np.array_equal(zero, other)


VOLTAGE = "states.1.machine.voltage_mv"


def watched(state):
    return {"twice": 2 * state.states[1].machine.voltage_mv, "readout": state.states[3].value}


def test_records_by_dotted_path_and_by_function(network, inputs, key):
    state, outputs, states = loop(network, inputs, network.init(key))
    voltages, readouts = states.states[1].machine.voltage_mv[4::5], states.states[3].value[4::5]
    close(jn.run(network, inputs, key=key, observe=VOLTAGE, every=5), (state, outputs, voltages))
    record = {"twice": 2 * voltages, "readout": readouts}
    close(jn.run(network, inputs, key=key, observe=watched, every=5), (state, outputs, record))


STRIDES = [(every, None) for every in (1, 2, 7, 23, 24)] + [(1, 1), (1, 5), (2, 1), (2, 5), (7, 4), (7, 14), (24, 5)]


@pytest.mark.parametrize(("every", "checkpoint_every"), STRIDES)
def test_records_the_states_of_every_so_many_steps(every, checkpoint_every, key):
    lif, inputs = jn.LIF(dt_ms=1.0), 300 * jax.random.uniform(key, (23,))
    state, outputs, states = loop(lif, inputs, lif.init(key))
    found = jn.run(lif, inputs, observe="voltage_mv", every=every, checkpoint_every=checkpoint_every)
    close(found, (state, outputs, states.voltage_mv[every - 1 :: every]))
    assert outputs.sum() > 1


SEEN = [("driven", "hoisted", "cell"), ("affine", "parallel", "value"), ("any", "sequential", "voltage_mv")]


@pytest.mark.parametrize(("kind", "executor", "name"), SEEN)
@pytest.mark.parametrize("every", [1, 5])
def test_every_executor_that_sees_states_records_them(kind, executor, name, every, key):
    machine, inputs = machine_and_inputs(kind, key)
    state, outputs, states = loop(machine, inputs, machine.init(key))
    found = jn.run(machine, inputs, key=key, observe=name, every=every, executor=executor)
    close(found, (state, outputs, getattr(states, name)[every - 1 :: every]))


def test_a_machine_without_state_has_an_empty_record(key):
    dense = jn.Dense(3, 2, key=key)
    _, outputs, record = jn.run(dense, jnp.ones((10, 3)), observe=lambda state: (state, jnp.asarray(1.5)), every=3)
    assert outputs.shape == (10, 2)
    np.testing.assert_array_equal(record[1], [1.5, 1.5, 1.5])


@functools.partial(jax.jit, static_argnums=(2, 3))
def gradients(machine, inputs, checkpoint_every, executor):
    def loss(machine, inputs):
        state, outputs = jn.run(machine, inputs, checkpoint_every=checkpoint_every, executor=executor)
        return jnp.sum(outputs**2) + jnp.sum(state.cell)

    return jax.value_and_grad(loss, argnums=(0, 1))(machine, inputs)


BLOCKS = [("sequential", 1), ("sequential", 5), ("sequential", 23), ("hoisted", 4), ("hoisted", 50)]


@pytest.mark.parametrize(("executor", "checkpoint_every"), BLOCKS)
def test_checkpoints_change_neither_values_nor_gradients(executor, checkpoint_every, key, float64):
    lstm, inputs = machine_and_inputs("driven", key)
    expected = gradients(lstm, inputs, None, executor)
    close(gradients(lstm, inputs, checkpoint_every, executor), expected, 1e-12)


@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("platform", ["cpu", "cuda"])
@pytest.mark.parametrize(
    "options", [{"checkpoint_every": 5}, {"observe": lambda state: state}], ids=["checkpoint", "observe"]
)
def test_options_are_for_every_machine_on_every_platform(kind, platform, options, key):
    machine, inputs = machine_and_inputs(kind, key)

    def shapes(**options):
        return jax.eval_shape(lambda inputs: jn.run(machine, inputs, platform=platform, **options), inputs)

    assert shapes(**options)[:2] == shapes()


def temporary_bytes(steps, units, batch, program):
    def loss(network, inputs):
        outputs = jax.vmap(lambda inputs: program(network, inputs)[1])(inputs)
        return jnp.sum(outputs[:, -1] ** 2)

    network = jax.eval_shape(lambda key: recurrent(key, inputs=2, units=units), jax.random.key(0))
    inputs = jax.ShapeDtypeStruct((batch, steps, 2), jnp.float32)
    return jax.jit(jax.grad(loss)).lower(network, inputs).compile().memory_analysis().temp_size_in_bytes


def test_checkpoints_at_the_square_root_of_time_take_a_fortieth_of_the_memory():
    def plain(network, inputs):
        return jax.lax.scan(network.step, network.init(jax.random.key(0)), inputs)

    def in_blocks(network, inputs):
        return jn.run(network, inputs, executor="sequential", checkpoint_every=100)

    assert temporary_bytes(10_000, 64, 4, plain) > 40 * temporary_bytes(10_000, 64, 4, in_blocks)
    sequential = functools.partial(jn.run, executor="sequential")
    assert temporary_bytes(1_000, 64, 4, plain) > 1.4 * temporary_bytes(1_000, 64, 4, sequential)


def equations(jaxpr):
    inner = [value for eqn in jaxpr.eqns for value in eqn.params.values() if hasattr(value, "jaxpr")]
    return len(jaxpr.eqns) + sum(equations(value.jaxpr) for value in inner)


PROGRAMS = [{}, {"executor": "sequential"}, {"observe": VOLTAGE, "every": 5}, {"checkpoint_every": 10}]


@pytest.mark.parametrize("options", PROGRAMS, ids=str)
def test_the_program_does_not_grow_with_time(options, network):
    trace = jax.make_jaxpr(lambda network, inputs: jn.run(network, inputs, **options))
    # What is left over by blocks of time is a loop of its own, whatever its length.
    for lengths in [(80, 400, 4000), (83, 403, 4003)]:
        assert len({equations(trace(network, jnp.zeros((steps, 3))).jaxpr) for steps in lengths}) == 1


def test_new_parameters_and_a_new_state_do_not_trace_again(inputs, key):
    traces = []

    class Counted(jn.StateMachine):
        gain: jax.Array = jn.parameter(1.0)

        def init(self, key):
            return jnp.zeros(3)

        def step(self, state, input):
            traces.append(self)
            return state + self.gain * input, state

    state, _ = jn.run(Counted(), inputs)
    before = len(traces)
    for gain in (2.0, 3):
        state, _ = jn.run(Counted(gain), inputs, state=state)
        jn.run(Counted(gain), inputs, key=jax.random.key(7))
    assert len(traces) == before
    jn.run(Counted(), inputs[:5])
    assert len(traces) > before


def test_a_batch_is_the_users_vmap(network, key):
    batch = jax.random.normal(key, (5, 23, 3))
    found = jax.vmap(lambda inputs: jn.run(network, inputs)[1])(batch)
    close(found, jnp.stack([jn.run(network, inputs)[1] for inputs in batch]))


BAD = [
    (jnp.asarray(1.0), {}, "run got inputs of shapes [()]; all must be [time, ...]"),
    ((jnp.ones((3, 2)), jnp.ones(4)), {}, "run got inputs of shapes [(3, 2), (4,)]; all must be [time, ...]"),
    ((), {}, "run got inputs of shapes []"),
    (jnp.ones((5, 3)), {"every": 0}, "run got every=0; it must be a whole number of steps, at least 1."),
    (jnp.ones((5, 3)), {"checkpoint_every": -2}, "run got checkpoint_every=-2; it must be"),
    (jnp.ones((5, 3)), {"executor": "hoisted"}, "executor='hoisted' for a Chain, which is not Driven; executor=\"seq"),
    (jnp.ones((5, 3)), {"executor": "parallel"}, "run got executor='parallel' for a Chain, which is not Parallel"),
    (jnp.ones((5, 3)), {"executor": "batched"}, "run got executor='batched' for a Chain, which is not Stateless"),
    (jnp.ones((5, 3)), {"executor": "neurons"}, "run got executor='neurons' for a Chain, which is not Population"),
    (
        jnp.ones((5, 3)),
        {"executor": "layered", "observe": VOLTAGE},
        "run got observe with executor='layered'; it needs",
    ),
    (jnp.ones((5, 3)), {"executor": "layered", "checkpoint_every": 2}, "run got checkpoint_every with executor='lay"),
    (jnp.ones((5, 3)), {"observe": "voltage"}, "observe='voltage': ChainState has no 'voltage'; it has states."),
    (jnp.ones((5, 3)), {"observe": "states.7"}, "observe='states.7': tuple has no '7'; it has 0, 1, 2, 3."),
    (jnp.ones((5, 3)), {"observe": "states.1.machine.volts"}, "no 'volts'; it has voltage_mv, refractory_ms."),
]


@pytest.mark.parametrize(("inputs", "options", "message"), BAD, ids=[row[-1] for row in BAD])
def test_what_cannot_be_run_is_refused_with_advice(inputs, options, message, network):
    with pytest.raises(ValueError, match=re.escape(message)):
        jn.run(network, inputs, **options)


def test_an_unknown_executor_is_refused_with_the_known_ones():
    # The type checker of the test suite would refuse the word before `run` sees it.
    unchecked = getattr(jn.run, "__wrapped__", jn.run)
    with pytest.raises(ValueError, match="run got executor='quick'; it must be one of sequential, batched, hoisted"):
        unchecked(jn.LIF(), jnp.ones(3), executor="quick")
