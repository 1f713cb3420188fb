"""JANET against torchrecurrent's cell and its paper's equations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import check_equations, rows, sigmoid, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against

JANET = jn.gated.JANET


def test_equals_torchrecurrents_cell_with_the_same_weights():
    def build(found):
        return with_weights(
            JANET(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            bias=found["bias_ih"] + found["bias_hh"],
            beta=found["beta"],
        )

    check_against("JANETCell", build, "hidden")


def test_follows_the_equations_of_the_paper():
    def step(m, state, x):
        (h,) = state
        ws, wg = rows(m.input_weights, UNITS)
        us, ug = rows(m.recurrent_weights, UNITS)
        bs, bg = rows(m.bias, UNITS)
        s = ws @ x + us @ h + bs
        return [sigmoid(s) * h + (1 - sigmoid(s - m.beta)) * np.tanh(wg @ x + ug @ h + bg)]

    check_equations(lambda key: JANET(INPUTS, UNITS, key=key), step, "hidden")


def test_with_coupled_gates_is_an_update_gate_neuron(key):
    janet = JANET(3, 4, beta=0.0, key=key)
    swapped = {
        name: jnp.concatenate(jnp.split(getattr(janet, name), 2)[::-1])
        for name in ("input_weights", "recurrent_weights", "bias")
    }
    ugrnn = with_weights(jn.gated.UGRNN(3, 4, key=key), **swapped)
    sequence = jax.random.normal(key, (30, 3))
    np.testing.assert_allclose(jn.run(janet, sequence)[1], jn.run(ugrnn, sequence)[1], rtol=0, atol=1e-6)


def test_remembers_for_up_to_the_longest_time(key):
    forget, candidate = np.split(np.asarray(jax.jit(lambda key: JANET(3, 4000, longest=100.0, key=key).bias)(key)), 2)
    times = np.exp(forget)
    assert times.min() >= 1
    assert times.max() <= 99
    assert times.mean() == pytest.approx(50, abs=4 * 98 / 12**0.5 / 4000**0.5)
    assert not candidate.any()


def test_a_longest_time_that_is_none_is_refused(key):
    with pytest.raises(ValueError, match="longest=2 steps; it must be above 2"):
        JANET(3, 4, longest=2.0, key=key)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (49, 100)])
def test_the_number_of_parameters(inputs, units):
    machine = jax.eval_shape(lambda key: JANET(inputs, units, key=key), jax.random.key(0))
    assert jn.count_parameters(machine) == 2 * units * (inputs + units + 1) + 1


def test_starts_orthogonal_in_each_gate_and_by_remembering(key):
    machine = JANET(3, 40, key=key)
    for gate in np.split(np.asarray(machine.recurrent_weights), 2):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)
    np.testing.assert_array_equal(machine.bias, np.repeat([1.0, 0.0], 40))
    assert float(machine.beta) == 1
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(machine.init(key)))


@pytest.mark.parametrize(("inputs", "units"), [(0, 3), (3, 0)])
def test_bad_sizes_are_refused(inputs, units, key):
    with pytest.raises(ValueError, match=f"JANET got inputs={inputs}, units={units}; both must be at least 1"):
        JANET(inputs, units, key=key)
