import jax
import jax.numpy as jnp
import pytest

import jaxneuro as jn
from jaxneuro.measure import cost as ledger
from jaxneuro.search import cost
from jaxneuro.search.named import named
from jaxneuro.search.text import parse

TWO = """
states h
stage reads h
a = sigmoid(W x + U h + b)
p = a * h
stage reads p
n = tanh(U p + b)
q = (1 - a) * n
r = p + q
h <- r
output r
"""


def test_depth_is_the_longest_chain():
    assert cost.depth(parse(TWO)) == 5  # a, p, n, q, r
    assert cost.depth(named("RNN")) == 1
    assert cost.depth(named("LSTM")) == 5  # a gate, a product, the sum, its tanh, the product with o


def test_operations_are_two_per_weight_and_one_per_node():
    # a: 3 (5 + 3) weights and 3 biases, n: 9 weights and 3 biases, three nodes of 3 units.
    assert cost.operations(parse(TWO), inputs=5, units=3) == 2 * (24 + 9) + 6 + 9


@pytest.mark.parametrize("name", ["LSTM", "GRU", "MGU"])
def test_operations_are_near_those_of_the_compiled_machine(name):
    machine = getattr(jn.gated, name)(64, 64, key=jax.random.key(0))
    counted = ledger.operations(machine, jnp.zeros(64))
    assert cost.operations(named(name), 64, 64) == pytest.approx(counted, rel=0.05)


def test_share_of_products_and_number_of_states():
    assert cost.multiplicative(parse(TWO)) == pytest.approx(2 / 3)
    assert cost.multiplicative(named("RNN")) == 0
    assert [cost.memory(named(name)) for name in ("RNN", "LSTM", "NestedLSTM")] == [1, 2, 3]
