import jax
import jax.numpy as jnp
import pytest

import jaxneuro as jn


def vector(size, dtype=jnp.float32):
    return jax.ShapeDtypeStruct((size,), dtype)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (64, 64)])
def test_the_operations_of_an_lstm_are_those_counted_by_hand(inputs, units):
    lstm = jax.eval_shape(lambda key: jn.LSTM(inputs, units, key=key), jax.random.key(0))
    products = 2 * 4 * units * (inputs + units)
    # Per neuron: two additions to each of 4 gates; 3 logistic functions, 2 tanh; 3 products and 1 sum.
    assert jn.measure.operations(lstm, vector(inputs)) == products + units * (8 + 3 + 2 + 4)
    assert jn.measure.state_numbers(lstm) == 2 * units


def test_a_threshold_unit_costs_its_product_a_sum_and_a_comparison():
    perceptron = jn.Perceptron(5, key=jax.random.key(0))
    assert jn.measure.state_numbers(perceptron) == 0
    assert 2 * 5 + 2 <= jn.measure.operations(perceptron, vector(5)) <= 2 * 5 + 3


def test_shared_neurons_cost_as_often_as_there_are_neurons():
    one = jn.measure.operations(jn.LIF(), jnp.float32(0))
    many = jn.measure.operations(jn.Population(jn.LIF(), 7, shared=True), vector(7))
    assert 4 * one < many <= 7 * one


class Loop(jn.StateMachine):
    """A step that has a loop, a branch and complex numbers inside."""

    def init(self, key):
        return jnp.zeros(4, jnp.complex64)

    def step(self, state, input):
        state = state * input + state  # 6 and 2 for each of 4
        state, _ = jax.lax.scan(lambda s, _: (s * s, None), state, length=10)  # 10 times 6 for each of 4
        shown = jax.lax.cond(input[0].real > 0, lambda x: x + x, lambda x: x + x * x + x, state.real)  # 3 of 4, and 1
        return jnp.fft.fft(state), shown  # 5 * 4 * 2


def test_loops_count_as_often_as_they_run_and_branches_as_the_costliest():
    counted = jn.measure.operations(Loop(), vector(4, jnp.complex64))
    assert counted == 8 * 4 + 10 * 6 * 4 + 3 * 4 + 1 + 40
    assert jn.measure.state_numbers(Loop()) == 8
