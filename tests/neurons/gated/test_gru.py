"""The gated recurrent unit against PyTorch's, flax's and Equinox's cells, and against the equations of its paper."""

import equinox as eqx
import flax.linen
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_equations, rows, sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against

GRU = jn.gated.GRU


def random_gru(key, dtype="float32"):
    """A layer with the reset gate behind the product, and random weights."""
    gru = GRU(5, 7, reset_after=True, key=key)
    leaves, structure = jax.tree.flatten(gru)
    keys = jax.random.split(key, len(leaves))
    drawn = [jax.random.normal(k, leaf.shape, dtype) / 2 for k, leaf in zip(keys, leaves, strict=True)]
    return jax.tree.unflatten(structure, drawn)


def flax_linen(gru):
    parameters = {}
    groups = (jnp.split(leaf, 3) for leaf in (gru.input_weights, gru.recurrent_weights, gru.bias))
    for gate, w, u, b in zip("rzn", *groups, strict=True):
        parameters |= {f"i{gate}": {"kernel": w.T, "bias": b}, f"h{gate}": {"kernel": u.T}}
    parameters["hn"]["bias"] = gru.recurrent_bias
    cell = flax.linen.GRUCell(7, param_dtype=gru.bias.dtype)
    return lambda hidden, x: cell.apply({"params": parameters}, hidden, x)


def equinox(gru):
    weights = gru.input_weights, gru.recurrent_weights, gru.bias, gru.recurrent_bias
    cell = eqx.nn.GRUCell(5, 7, key=jax.random.key(0))
    cell = eqx.tree_at(lambda m: (m.weight_ih, m.weight_hh, m.bias, m.bias_n), cell, weights)
    return lambda hidden, x: (cell(x, hidden),) * 2


@pytest.mark.parametrize("peer", [flax_linen, equinox])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
def test_with_the_reset_gate_behind_the_product_equals_its_peers(peer, dtype, tolerance, float64):
    gru = random_gru(jax.random.key(3), dtype)
    sequence = jax.random.normal(jax.random.key(4), (30, 5), dtype)
    _, expected = jax.lax.scan(peer(gru), jnp.zeros(7, dtype), sequence)
    _, outputs = jn.run(gru, sequence)
    assert outputs.dtype == dtype
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=tolerance)


def test_with_the_reset_gate_behind_the_product_equals_pytorchs_cell():
    def build(found):
        offsets = found["bias_ih"] + found["bias_hh"]
        return with_weights(
            GRU(INPUTS, UNITS, reset_after=True, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=np.concatenate([offsets[: 2 * UNITS], found["bias_ih"][2 * UNITS :]]),
            recurrent_bias=found["bias_hh"][2 * UNITS :],
        )

    check_against("GRUCell", build, "hidden")


def test_follows_the_equations_of_the_paper():
    def step(m, state, x):
        (h,) = state
        wr, wz, wn = rows(m.input_weights, UNITS)
        ur, uz, un = rows(m.recurrent_weights, UNITS)
        br, bz, bn = rows(m.bias, UNITS)
        r, z = sigmoid(wr @ x + ur @ h + br), sigmoid(wz @ x + uz @ h + bz)
        return [z * h + (1 - z) * np.tanh(wn @ x + un @ (r * h) + bn)]

    check_equations(lambda key: GRU(INPUTS, UNITS, key=key), step, "hidden")


def test_the_place_of_the_reset_gate_is_no_matter_where_neurons_see_only_themselves(key):
    after = random_gru(key)
    gates = after.recurrent_weights[:14]
    diagonal = jnp.concatenate([gates, jnp.diag(jnp.linspace(-1.0, 1.0, 7))])
    after = with_weights(after, recurrent_weights=diagonal, recurrent_bias=jnp.zeros(7))
    before = with_weights(
        GRU(5, 7, key=key), input_weights=after.input_weights, recurrent_weights=diagonal, bias=after.bias
    )
    sequence = jax.random.normal(key, (30, 5))
    np.testing.assert_allclose(jn.run(before, sequence)[1], jn.run(after, sequence)[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (49, 100)])
@pytest.mark.parametrize("reset_after", [False, True])
def test_has_three_gates_of_parameters(inputs, units, reset_after):
    gru = jax.eval_shape(lambda key: GRU(inputs, units, reset_after=reset_after, key=key), jax.random.key(0))
    assert jn.count_parameters(gru) == 3 * units * (inputs + units + 1) + units * reset_after


def test_starts_orthogonal_in_each_gate_and_without_biases(key):
    gru = GRU(3, 40, reset_after=True, key=key)
    for gate in np.split(np.asarray(gru.recurrent_weights), 3):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    assert not np.any(gru.bias)
    assert not np.any(gru.recurrent_bias)
    assert not np.any(gru.init(key).hidden)


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(ValueError, match=f"GRU got inputs={inputs}, units={units}; both must be at least 1"):
        GRU(inputs, units, key=key)
