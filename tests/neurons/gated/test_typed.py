"""The strongly typed neurons against recorded cells of the same weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import InputOfOne, size, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against


def test_trnn_equals_the_recorded_cell():
    def build(found):
        # The recorded cell has a bias of the feature too: here the weights of an input that is always 1.
        machine = with_weights(
            jn.gated.TRNN(INPUTS + 1, UNITS, key=jax.random.key(0)),
            input_weights=np.column_stack([found["weight_ih"], np.repeat([1, 0], UNITS) * found["bias_ih"]]),
            bias=found["bias_ih"][UNITS:],
        )
        return InputOfOne(machine)

    check_against("TRNNCell", build, "hidden")


@pytest.mark.parametrize(("cell", "kind", "kept"), [("TGRUCell", "TGRU", "hidden"), ("TLSTMCell", "TLSTM", "cell")])
def test_tgru_and_tlstm_equal_the_recorded_cells(cell, kind, kept):
    def build(found):
        return with_weights(
            getattr(jn.gated, kind)(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            previous_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
        )

    check_against(cell, build, kept, "previous")


def test_trnn_is_an_average_of_its_features(key):
    machine = jn.gated.TRNN(3, 4, key=key)
    inputs = jax.random.normal(key, (200, 3))
    features = np.asarray(inputs @ machine.input_weights[:4].T)
    hidden = np.asarray(jn.run(machine, inputs)[1])
    lowest, highest = np.minimum(features.min(axis=0), 0), np.maximum(features.max(axis=0), 0)
    assert np.all((lowest <= hidden) & (hidden <= highest))
    forget = 1 / (1 + np.exp(-np.asarray(inputs @ machine.input_weights[4:].T) - 1))
    weights = (1 - forget) * np.cumprod(np.append(forget, np.ones((1, 4)), axis=0)[::-1], axis=0)[::-1][1:]
    np.testing.assert_allclose(hidden[-1], (weights * features).sum(axis=0), atol=1e-5)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (20, 12)])
def test_have_the_parameters_of_the_equations(inputs, units):
    assert size(lambda key: jn.gated.TRNN(inputs, units, key=key)) == units * (2 * inputs + 1)
    assert size(lambda key: jn.gated.TGRU(inputs, units, key=key)) == 3 * units * (2 * inputs + 1)
    assert size(lambda key: jn.gated.TLSTM(inputs, units, key=key)) == 3 * units * (2 * inputs + 1)


def test_start_by_remembering_and_with_silence_before(key):
    np.testing.assert_array_equal(jn.gated.TRNN(3, 5, key=key).bias, 1)
    for kind in (jn.gated.TGRU, jn.gated.TLSTM):
        machine = kind(3, 5, key=key)
        np.testing.assert_array_equal(machine.bias, np.repeat([0.0, 1.0, 0.0], 5))
        assert not np.any(machine.input_weights == machine.previous_weights)
        assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))
        np.testing.assert_array_equal(jn.run(machine, jnp.zeros((4, 3)))[1], 0)


@pytest.mark.parametrize("kind", ["TRNN", "TGRU", "TLSTM"])
def test_bad_sizes_are_refused(kind, key):
    with pytest.raises(ValueError, match=f"{kind} got inputs=3, units=0; both must be at least 1"):
        getattr(jn.gated, kind)(3, 0, key=key)
