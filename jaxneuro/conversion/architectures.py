"""Networks that can be converted: synapses without biases, neurons, average pooling."""

import functools
import math
from collections.abc import Callable

import jax
from jaxtyping import PRNGKeyArray

from jaxneuro.compose import Chain
from jaxneuro.conversion.layers import AveragePool, Flat
from jaxneuro.conversion.residual import Residual
from jaxneuro.machine import StateMachine
from jaxneuro.synapses.conv import Conv
from jaxneuro.synapses.dense import Dense

Shape = tuple[int, ...]
Neuron = Callable[[], StateMachine]
GAIN = 2**0.5  # keeps the variance before rectifiers (He et al. 2015, arXiv:1502.01852)


def perceptron(shape: Shape, units: int, outputs: int, neuron: Neuron, *, key: PRNGKeyArray) -> Chain:
    """Two hidden layers.

    Args:
        shape: of an image, `[rows, columns, colours]`.
        units: neurons in a hidden layer.
        outputs: size of an output.
        neuron: makes a layer of neurons, such as `Rectifier`.
        key: random key for the weights.

    Returns:
        A machine from images to `[outputs]`, without biases.
    """
    first, second, last = jax.random.split(key, 3)
    pixels = math.prod(shape)
    return Chain(
        Flat(),
        Dense(pixels, units, bias=False, gain=GAIN, key=first),
        neuron(),
        Dense(units, units, bias=False, gain=GAIN, key=second),
        neuron(),
        Dense(units, outputs, bias=False, key=last),
    )


def vgg(shape: Shape, units: int, outputs: int, neuron: Neuron, *, key: PRNGKeyArray) -> Chain:
    """Three layers of 3 x 3 kernels, average pooling after the second and the third, a dense layer.

    Args:
        shape: of an image, `[rows, columns, colours]`, at least 4 x 4.
        units: channels of the first two layers; the third has twice, the dense layer four times as many.
        outputs: size of an output.
        neuron: makes a layer of neurons.
        key: random key for the weights.

    Returns:
        A machine from images to `[outputs]`, without biases.

    Reference: Simonyan and Zisserman 2015, arXiv:1409.1556, in small.
    """
    height, width, colours = shape
    keys = jax.random.split(key, 5)
    kernels = functools.partial(Conv, bias=False, gain=GAIN)
    flat = (height // 4) * (width // 4) * 2 * units
    return Chain(
        kernels(colours, units, key=keys[0]),
        neuron(),
        kernels(units, units, key=keys[1]),
        neuron(),
        AveragePool(2),
        kernels(units, 2 * units, key=keys[2]),
        neuron(),
        AveragePool(2),
        Flat(),
        Dense(flat, 4 * units, bias=False, gain=GAIN, key=keys[3]),
        neuron(),
        Dense(4 * units, outputs, bias=False, key=keys[4]),
    )


def residual(shape: Shape, units: int, outputs: int, neuron: Neuron, *, key: PRNGKeyArray) -> Chain:
    """A convolution and two residual blocks, the second at half the resolution with twice the channels.

    Args:
        shape: of an image, `[rows, columns, colours]`, at least 3 x 3.
        units: channels of the first block.
        outputs: size of an output.
        neuron: makes a layer of neurons.
        key: random key for the weights.

    Returns:
        A machine from images to `[outputs]`, without biases.

    Reference: He et al. 2016, arXiv:1512.03385, in small.
    """
    height, width, colours = shape
    keys = jax.random.split(key, 7)
    kernels = functools.partial(Conv, bias=False)
    first = Chain(kernels(units, units, gain=GAIN, key=keys[1]), neuron(), kernels(units, units, gain=0.5, key=keys[2]))
    second = Chain(
        kernels(units, 2 * units, stride=2, gain=GAIN, key=keys[3]),
        neuron(),
        kernels(2 * units, 2 * units, gain=0.5, key=keys[4]),
    )
    around = kernels(units, 2 * units, size=1, stride=2, key=keys[5])
    return Chain(
        kernels(colours, units, gain=GAIN, key=keys[0]),
        neuron(),
        Residual(first),
        neuron(),
        Residual(second, around),
        neuron(),
        AveragePool(2),
        Flat(),
        Dense((-(-height // 2) // 2) * (-(-width // 2) // 2) * 2 * units, outputs, bias=False, key=keys[6]),
    )
