"""The simple recurrent unit against its equations, and its initial variances against the paper."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_by_hand, sigmoid, size, with_weights


def equations(m, sequence):
    units = 4
    w, w_f, w_r, *w_x = (m.input_weights[k : k + units] for k in range(0, len(m.input_weights), units))
    v_f, v_r = m.cell_weights[:units], m.cell_weights[units:]
    b_f, b_r = m.bias[:units], m.bias[units:]
    c = np.zeros(units)
    for x in sequence:
        f = sigmoid(w_f @ x + v_f * c + b_f)
        r = sigmoid(w_r @ x + v_r * c + b_r)
        c = f * c + (1 - f) * (w @ x)
        yield r * c + (1 - r) * (w_x[0] @ x if w_x else x) * m.scale, c


@pytest.mark.parametrize("inputs", [3, 4])
def test_follows_the_equations(inputs):
    check_by_hand(lambda key: jn.gated.SRU(inputs, 4, highway_bias=-1.0, key=key), equations, "cell", inputs=inputs)


def test_a_closed_reset_gate_lets_the_scaled_input_past(key):
    machine = jn.gated.SRU(4, 4, key=key)
    machine = with_weights(machine, bias=np.repeat([0.0, -100.0], 4))
    inputs = jax.random.normal(key, (9, 4))
    np.testing.assert_allclose(jn.run(machine, inputs)[1], 3**0.5 * inputs, rtol=1e-6)


@pytest.mark.parametrize("bias", [0.0, -2.0])
def test_starts_with_outputs_of_the_variance_of_the_inputs(bias, key):
    machine = jn.gated.SRU(200, 200, highway_bias=bias, key=key)
    assert machine.scale == pytest.approx((1 + 2 * np.exp(bias)) ** 0.5, rel=1e-6)
    inputs = jax.random.normal(key, (200, 200))
    assert np.var(np.asarray(jn.run(machine, inputs)[1][20:])) == pytest.approx(1, abs=0.1)
    unscaled = jn.gated.SRU(200, 200, highway_bias=bias, rescale=False, key=key)
    assert unscaled.scale == 1
    assert np.var(np.asarray(jn.run(unscaled, inputs)[1][20:])) < 0.8


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (8, 8), (3, 8), (20, 12)])
def test_has_three_products_and_a_fourth_to_change_the_size(inputs, units):
    parameters = size(lambda key: jn.gated.SRU(inputs, units, key=key))
    scale = 1
    assert parameters == (3 if inputs == units else 4) * inputs * units + 4 * units + scale


def test_starts_with_the_variances_of_the_authors(key):
    machine = jn.gated.SRU(300, 300, highway_bias=-1.0, key=key)
    for rows, variance in zip(np.split(np.asarray(machine.input_weights), 3), (1, 1 / 2, 1 / 2), strict=True):
        assert rows.var() * 300 == pytest.approx(variance, rel=0.02)
    assert np.var(np.asarray(machine.cell_weights)) == pytest.approx(1 / 2, rel=0.15)
    np.testing.assert_array_equal(machine.bias, np.repeat([0.0, -1.0], 300))
    assert not np.any(machine.init(key).cell)


def test_without_cell_weights_no_step_sees_the_state_but_the_sum(key):
    machine = with_weights(jn.gated.SRU(4, 4, key=key), cell_weights=np.zeros(8))
    inputs = jax.random.normal(key, (30, 4))
    zero = machine.init(key)
    one = jax.tree.map(jnp.ones_like, zero)
    two = jax.tree.map(lambda leaf: 2 * leaf, one)
    zero, one, two = (jn.run(machine, inputs, state=start)[0].cell for start in (zero, one, two))
    np.testing.assert_allclose(two - one, one - zero, atol=1e-6)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="SRU got inputs=0, units=4; both must be at least 1"):
        jn.gated.SRU(0, 4, key=key)
