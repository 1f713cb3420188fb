"""The MinimalRNN against a recorded cell of the same weights; that it only mixes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against


def test_equals_the_recorded_cell():
    def build(found):
        return with_weights(
            jn.gated.MinimalRNN(INPUTS, UNITS, key=jax.random.key(0)),
            input_weights=found["weight_ih"],
            recurrent_weights=found["weight_hh"],
            code_weights=found["weight_mm"],
            bias=np.concatenate([found["bias_ih"], found["bias_hh"]]),
        )

    check_against("MinimalRNNCell", build, "hidden")


def test_the_state_goes_to_the_code_of_a_constant_input_and_never_past_it(key):
    machine = jn.gated.MinimalRNN(INPUTS, UNITS, key=key)
    code = np.tanh(machine.input_weights @ jnp.ones(INPUTS))
    _, outputs = jn.run(machine, jnp.ones((60, INPUTS)))
    distances = np.abs(np.concatenate([np.zeros((1, UNITS)), outputs]) - code)
    assert np.all(np.diff(distances, axis=0) < 1e-6)
    np.testing.assert_allclose(outputs[-1], code, atol=1e-5)


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_the_parameters_of_the_equations(inputs, units, key):
    machine = jax.eval_shape(lambda key: jn.gated.MinimalRNN(inputs, units, key=key), key)
    assert jn.count_parameters(machine) == units * (inputs + 2 * units + 2)


def test_starts_orthogonal_and_without_bias(key):
    machine = jn.gated.MinimalRNN(5, 40, key=key)
    np.testing.assert_allclose(machine.recurrent_weights @ machine.recurrent_weights.T, np.eye(40), atol=1e-5)
    assert 0.95 * (3 / 40) ** 0.5 < np.abs(machine.code_weights).max() <= (3 / 40) ** 0.5
    assert not np.any(machine.bias)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="MinimalRNN got inputs=3, units=0; both must be at least 1"):
        jn.gated.MinimalRNN(3, 0, key=key)
