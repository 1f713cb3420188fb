"""Machines made of machines, each against the loop or the nested calls that it stands for."""

import re

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.compose import ChainState


def assert_same(found, expected):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def assert_close(found, expected, tolerance=1e-5):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance), found, expected)


# Population.


def test_a_population_of_different_neurons_is_a_loop_over_them(key):
    taus, thresholds = jnp.asarray([5.0, 10.0, 40.0]), jnp.asarray([10.0, 15.0, 12.0])
    inputs = jax.random.uniform(key, (300, 3), minval=60.0, maxval=120.0)
    population = jn.Population(jax.vmap(lambda tau, theta: jn.LIF(tau_ms=tau, threshold_mv=theta))(taus, thresholds), 3)
    state, spikes = jn.run(population, inputs)
    for i in range(3):
        own_state, own_spikes = jn.run(jn.LIF(tau_ms=taus[i], threshold_mv=thresholds[i]), inputs[:, i])
        np.testing.assert_array_equal(spikes[:, i], own_spikes)
        assert_close(jax.tree.map(lambda leaf, i=i: leaf[i], state), own_state)
        assert own_spikes.sum() > 3


def test_shared_parameters_do_what_equal_copies_do_and_count_once(key):
    lstm = jax.jit(lambda key: jn.LSTM(3, 4, key=key))(key)
    shared, copies = jn.Population(lstm, 5, shared=True), jn.Population(jn.stack(lstm, 5), 5)
    inputs = jax.random.normal(key, (7, 5, 3))
    assert_close(jn.run(shared, inputs), jn.run(copies, inputs), 1e-6)
    assert jn.count_parameters(shared) == jn.count_parameters(lstm)
    assert jn.count_parameters(copies) == 5 * jn.count_parameters(lstm)

    def loss(population):
        return jnp.sum(jn.run(population, inputs)[1] ** 2)

    gradient = jax.jit(jax.grad(loss))
    summed = jax.tree.map(lambda leaf: leaf.sum(axis=0), gradient(copies).machine)
    assert_close(gradient(shared).machine, summed)


class Noise(jn.StateMachine):
    """A machine whose state is drawn."""

    def init(self, key):
        return jax.random.normal(key)

    def step(self, state, input):
        return state, state + input


def test_every_neuron_of_a_population_starts_from_its_own_key(key):
    states = jn.Population(Noise(), 4, shared=True).init(key)
    np.testing.assert_array_equal(states, [Noise().init(k) for k in jax.random.split(key, 4)])
    assert len(np.unique(states)) == 4


def test_a_population_of_the_wrong_shape_is_refused_with_the_line_to_write(key):
    message = (
        "Population of 4 got a machine whose leaf .weights has shape (3, 2); it must start with 4. For equal neurons "
        "write Population(stack(machine, 4), 4), for shared parameters Population(machine, 4, shared=True)."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        jn.Population(jn.Dense(2, 3, key=key), 4)
    with pytest.raises(ValueError, match=re.escape("leaf .tau_ms has shape (); it must start with 2")):
        jn.Population(jn.LIF(), 2)
    with pytest.raises(ValueError, match="Population got size=0; it must be at least 1"):
        jn.Population(jn.LIF(), 0, shared=True)


def test_stack_makes_equal_copies(key):
    stacked = jn.stack(jn.Dense(2, 3, key=key), 4)
    assert stacked.weights.shape == (4, 3, 2)
    assert (stacked.weights == stacked.weights[:1]).all()


# Chain.


def test_a_chain_is_nested_calls(key):
    build = jax.jit(lambda key: jn.Chain(jn.Dense(3, 4, key=key), jn.LSTM(4, 5, key=key), jn.Dense(5, 2, key=key)))
    chain, inputs = build(key), jax.random.normal(key, (6, 3))
    first, second, third = chain.machines
    _, hidden = jn.run(second, jax.vmap(first.respond)(inputs))
    assert_close(jn.run(chain, inputs)[1], jax.vmap(third.respond)(hidden), 1e-6)
    state, output = chain.step(chain.init(key), inputs[0])
    after, h = second.step(second.init(key), first.respond(inputs[0]))
    assert_same(output, third.respond(h))
    assert_same(state.states[1], after)


def test_a_chain_starts_each_machine_from_its_own_key(key):
    states = jn.Chain(Noise(), Noise()).init(key).states
    assert_same(states, tuple(Noise().init(k) for k in jax.random.split(key, 2)))


def test_a_chain_without_machines_or_with_too_few_states_is_refused(key):
    with pytest.raises(ValueError, match="Chain got no machines; it must have at least one"):
        jn.Chain()
    short = ChainState(jn.Chain(jn.Rate()).init(key).states)
    with pytest.raises(ValueError, match=r"Chain of 2 machines got 1 states. Make them by chain.init\(key\)"):
        jn.Chain(jn.Rate(), jn.Rate()).step(short, jnp.asarray(1.0))


# Feedback.


def test_feedback_is_the_explicit_loop(key, float64):
    keys = jax.random.split(key, 3)
    back = jn.Dense(4, 4, key=keys[0])
    start, inputs = jax.random.normal(keys[1], (4,)), jax.random.normal(keys[2], (30, 4))
    feedback = jn.Feedback(jn.Population(jn.Rate(gain=1.5), 4, shared=True), back, start)
    weights, output, expected = np.asarray(back.weights), np.asarray(start), []
    for x in np.asarray(inputs):
        output = np.tanh(1.5 * (x + weights @ output))
        expected.append(output)
    state, outputs = jn.run(feedback, inputs)
    np.testing.assert_allclose(outputs, expected, rtol=1e-11, atol=1e-13)
    np.testing.assert_array_equal(state.output, outputs[-1])


def test_feedback_through_a_delay_comes_back_later(float64):
    # y_t = x_t + y_{t-1-2}: the loop takes one step, the delay two more.
    identity = jn.Population(jn.Dense(1, 1, key=jax.random.key(0)), 1, shared=True)
    identity = eqx.tree_at(lambda p: p.machine.weights, identity, jnp.ones((1, 1)))
    echo = jn.Feedback(identity, jn.Delay(jnp.zeros((1, 1)), 2), jnp.zeros((1, 1)))
    _, outputs = jn.run(echo, jnp.zeros((8, 1, 1)).at[0].set(1.0))
    np.testing.assert_array_equal(outputs[:, 0, 0], [1, 0, 0, 1, 0, 0, 1, 0])


# Delay.


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
@pytest.mark.parametrize("fill", [0.0, 7.0])
def test_what_comes_out_is_what_went_in_so_many_steps_before(steps, fill):
    inputs = jnp.arange(1.0, 25.0).reshape(12, 2)
    _, outputs = jn.run(jn.Delay(jnp.full(2, fill), steps), inputs)
    expected = np.concatenate([np.full((steps, 2), fill), inputs])[:12]
    np.testing.assert_array_equal(outputs, expected)


def test_a_delay_of_one_step_is_the_default_and_zero_passes_the_input_on(key):
    assert jn.Delay(jnp.zeros(())).steps == 1
    delay = jn.Delay(jnp.zeros(()), 0)
    assert delay.step(delay.init(key), jnp.asarray(3.0))[1] == 3


TREES = {
    "module": lambda x: jn.Rewrite(x, 2 * x[:1]),
    "dictionary": lambda x: {"a": x, "b": 2 * x[:1]},
    "tuple": lambda x: (x, 2 * x),
    "tuple of different shapes": lambda x: (x, 2 * x[:1]),
}


@pytest.mark.parametrize("name", TREES)
def test_a_delay_takes_a_tree_of_any_kind(name):
    tree, inputs = TREES[name], jnp.arange(1.0, 19.0).reshape(6, 3)
    sequence = jax.vmap(tree)(inputs)
    _, outputs = jn.run(jn.Delay(tree(jnp.zeros(3)), 2), sequence)
    expected = jax.tree.map(lambda leaf: np.concatenate([np.zeros((2, *leaf.shape[1:])), leaf[:4]]), sequence)
    assert_same(outputs, expected)


def test_gradients_go_through_a_delay_to_inputs_and_to_what_was_in_it():
    weights = jnp.arange(1.0, 7.0)

    def loss(initial, inputs):
        return jnp.sum(weights * jn.run(jn.Delay(initial, 2), inputs)[1])

    by_initial, by_inputs = jax.grad(loss, argnums=(0, 1))(jnp.asarray(0.5), jnp.ones(6))
    np.testing.assert_array_equal(by_inputs, [3, 4, 5, 6, 0, 0])
    assert by_initial == 1 + 2


@pytest.mark.parametrize("steps", [1, 3])
def test_a_delay_takes_the_type_of_what_it_starts_with(steps):
    state, outputs = jn.run(jn.Delay(jnp.zeros(2, jnp.bfloat16), steps), jnp.ones((5, 2), jnp.bfloat16))
    assert outputs.dtype == state.ring.dtype == jnp.bfloat16


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("input", [jnp.ones(2, jnp.int32), jnp.ones(2, jnp.bfloat16), jnp.ones(3)])
def test_a_delay_refuses_an_input_of_another_type_or_shape(steps, input, key):
    delay = jn.Delay(jnp.zeros(2), steps)
    with pytest.raises(TypeError):
        delay.step(delay.init(key), input)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_number_without_a_type_of_its_own_gets_that_of_the_delay(steps, key):
    delay = jn.Delay(jnp.zeros(()), steps)
    state, _ = delay.step(delay.init(key), 1.0)
    assert not state.ring.weak_type
    assert state.ring.dtype == jnp.float32


def test_a_delay_of_less_than_nothing_is_refused():
    with pytest.raises(ValueError, match="Delay got steps=-1; it must be at least 0"):
        jn.Delay(jnp.zeros(3), -1)


# Rewritable.

INPUTS = np.random.default_rng(0).uniform(10, 60, 200).astype(np.float32)
FIELDS = "tau_ms", "threshold_mv"


def edits(tau=0.0, threshold=0.0, at=0):
    def once(change):
        return jnp.zeros(len(INPUTS)).at[at].set(change)

    return jn.Rewrite(jnp.asarray(INPUTS), (once(tau), once(threshold)))


def test_edits_of_zero_leave_the_machine_as_it_is_bit_for_bit():
    plain = jn.run(jn.LIF(), jnp.asarray(INPUTS))
    state, spikes = jn.run(jn.Rewritable(jn.LIF(), FIELDS), edits())
    assert_same((state.machine, spikes), plain)
    assert_same(state.parameters, (jn.LIF().tau_ms, jn.LIF().threshold_mv))


def test_an_edit_acts_from_its_step_on():
    rewritable = jn.Rewritable(jn.LIF(), FIELDS)
    state, spikes = jn.run(rewritable, edits(tau=-15.0, threshold=-5.0, at=100))
    before, first = jn.run(jn.LIF(), jnp.asarray(INPUTS[:100]))
    after, second = jn.run(jn.LIF(tau_ms=5.0, threshold_mv=10.0), jnp.asarray(INPUTS[100:]), state=before)
    np.testing.assert_array_equal(spikes, np.concatenate([first, second]))
    assert_close(state.machine, after)
    assert_same(state.parameters, (jnp.asarray(5.0), jnp.asarray(10.0)))
    assert second.sum() > jn.run(jn.LIF(), jnp.asarray(INPUTS[100:]), state=before)[1].sum()


def test_an_edit_applies_the_rule_it_is_given():
    def scale(parameters, edit):
        return jax.tree.map(lambda value, change: value * jnp.exp(change), parameters, edit)

    state, _ = jn.run(jn.Rewritable(jn.LIF(), FIELDS, scale), edits(tau=np.log(2.0), threshold=np.log(0.5), at=3))
    assert_close(state.parameters, (40.0, 7.5), 1e-5)


def test_gradients_reach_the_original_parameters_and_the_edits_through_all_edits(float64):
    inputs = edits(tau=3.0, at=50)
    inputs = jn.Rewrite(jnp.full(100, 10.0), jax.tree.map(lambda leaf: leaf[:100].astype(float), inputs.edit))

    def voltage(machine, inputs):
        return jn.run(jn.Rewritable(machine, ("tau_ms", "threshold_mv")), inputs)[0].machine.voltage_mv

    def closed_form(tau, change):
        first = 10 * -jnp.expm1(-5.0 / tau)
        return 10 + (first - 10) * jnp.exp(-5.0 / (tau + change))

    machine, by_edit = jax.grad(voltage, argnums=(0, 1))(jn.LIF(), inputs)
    expected = jax.grad(closed_form, argnums=(0, 1))(20.0, 3.0)
    assert voltage(jn.LIF(), inputs) == pytest.approx(float(closed_form(20.0, 3.0)), rel=1e-12)
    assert machine.tau_ms == pytest.approx(float(expected[0]), rel=1e-10)
    assert by_edit.edit[0][50] == pytest.approx(float(expected[1]), rel=1e-10)
    assert machine.rest_mv == pytest.approx(1.0, rel=1e-10)  # what is not rewritten has its gradient as before


def test_names_that_the_machine_does_not_have_are_refused_with_those_it_has():
    with pytest.raises(
        ValueError, match="Rewritable got the name 'tau', which LIF does not have; it has tau_ms, resis"
    ):
        jn.Rewritable(jn.LIF(), ("tau",))
