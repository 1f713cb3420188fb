import jax
import jax.numpy as jnp
import pytest

import jaxneuro as jn
from jaxneuro.conversion import ClippedSteps, Rectifier, architectures, qcfs


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (32, 32, 3)])
@pytest.mark.parametrize("name", ["perceptron", "vgg", "residual"])
def test_networks_fit_images_of_every_set_and_can_be_converted(name, shape, key):
    build = getattr(architectures, name)

    def answer(key):
        network = build(shape, 4, 10, ClippedSteps, key=key)
        converted = qcfs(network, shape)
        return converted.step(converted.init(key), jnp.zeros(shape))[1]

    assert jax.eval_shape(answer, key).shape == (10,)


def test_parameters_are_those_counted_by_hand(key):
    counts = {
        name: jn.count_parameters(jax.eval_shape(lambda k, n=name: build(n, k), key))
        for name in ("perceptron", "vgg", "residual")
    }
    assert counts["perceptron"] == 64 * 4 + 4 * 4 + 4 * 10
    assert counts["vgg"] == 9 * (4 + 16 + 32) + 2 * 2 * 8 * 16 + 16 * 10
    # The gains of two shortcuts are numbers too.
    assert counts["residual"] == 9 * (4 + 16 + 16 + 32 + 64) + 32 + 2 * 2 * 8 * 10 + 2


def build(name, key):
    return getattr(architectures, name)((8, 8, 1), 4, 10, Rectifier, key=key)
