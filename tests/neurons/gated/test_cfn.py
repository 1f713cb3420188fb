"""The chaos-free network against a recorded cell of the same weights; the absence of chaos."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from tests.neurons.gated.by_hand import InputOfOne, with_weights
from tests.neurons.gated.recorded import INPUTS, UNITS, check_against


def test_equals_the_recorded_cell():
    def build(found):
        # The recorded cell has a bias of the candidate too.
        machine = with_weights(
            jn.gated.CFN(INPUTS + 1, UNITS, key=jax.random.key(0)),
            input_weights=np.column_stack([found["weight_ih"], found["bias_ih"]]),
            recurrent_weights=found["weight_hh"],
            bias=found["bias_hh"],
        )
        return InputOfOne(machine)

    check_against("CFNCell", build, "hidden")


def test_without_input_every_neuron_decays(key):
    machine = jn.gated.CFN(INPUTS, 20, key=key)
    machine = with_weights(machine, recurrent_weights=10 * machine.recurrent_weights)
    start = 2 * jax.random.normal(key, (20,))
    state, outputs = jn.run(machine, jnp.zeros((100, INPUTS)), state=type(machine.init(key))(start))
    sizes = np.abs(np.concatenate([start[None], outputs]))
    assert np.all((sizes[1:] < sizes[:-1]) | (sizes[1:] < 1e-30))
    assert np.abs(state.hidden).max() < 0.2


@pytest.mark.parametrize(("inputs", "units"), [(1, 1), (3, 8), (70, 12)])
def test_has_the_parameters_of_the_equations(inputs, units, key):
    machine = jax.eval_shape(lambda key: jn.gated.CFN(inputs, units, key=key), key)
    assert jn.count_parameters(machine) == units * (3 * inputs + 2 * units + 2)


def test_starts_by_keeping_more_than_it_takes(key):
    machine = jn.gated.CFN(5, 40, key=key)
    np.testing.assert_array_equal(machine.bias, np.repeat([1, -1], 40))
    for gate in np.split(np.asarray(machine.recurrent_weights), 2):
        np.testing.assert_allclose(gate @ gate.T, np.eye(40), atol=1e-5)


def test_bad_sizes_are_refused(key):
    with pytest.raises(ValueError, match="CFN got inputs=3, units=0; both must be at least 1"):
        jn.gated.CFN(3, 0, key=key)
