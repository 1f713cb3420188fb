"""Networks of neurons that take their inputs in different ways."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.launch.contender import Contender


def drawn(neuron, units=4, **more):
    contender = Contender.model_validate({"name": "it", "neuron": neuron, **more})
    return contender.draw(3, units, 2, key=jax.random.key(0))


@pytest.mark.parametrize(
    ("neuron", "parts"),
    [
        ({"kind": "LSTM"}, ["LSTM", "Dense"]),
        ({"kind": "Rate"}, ["Dense", "Feedback", "Dense"]),
        ({"kind": "DCaAP"}, ["Dense", "Feedback", "Dense"]),
        ({"kind": "MultiThreshold"}, ["Dense", "Feedback", "Dense"]),
    ],
)
def test_every_way_to_take_inputs_gives_a_network(neuron, parts):
    network = drawn(neuron)
    assert [type(part).__name__ for part in network.machines] == parts
    _, outputs = jn.run(network, jnp.ones((5, 3)), key=jax.random.key(1))
    assert outputs.shape == (5, 2)
    assert np.isfinite(outputs).all()


def test_one_neuron_with_memories_is_a_network():
    network = drawn({"kind": "ELM"}, units=6)
    assert isinstance(network, jn.dendritic.ELM)
    assert network.memories == 6
    assert Contender.model_validate({"name": "it", "neuron": {"kind": "ELM"}}).alone


def test_neurons_need_not_be_joined_and_may_have_a_readout():
    network = drawn({"kind": "LIF"}, recurrent=False, readout={"kind": "LeakyReadout"})
    assert [type(part).__name__ for part in network.machines] == ["Dense", "Population", "Dense", "Population"]
    # What such a network says of the last step does not depend on what came before, if its neurons forget at once.
    rate = drawn({"kind": "Rate"}, recurrent=False)
    both = [jn.run(rate, jnp.asarray([[first] * 3, [1.0] * 3]), key=jax.random.key(1))[1][1] for first in (0.0, 5.0)]
    np.testing.assert_array_equal(*both)
