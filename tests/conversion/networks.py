"""Small networks to convert, of every family, without training."""

import jax

import jaxneuro as jn
from jaxneuro import conversion


def perceptron(neuron, key, inputs=6):
    keys = jax.random.split(key, 3)
    return jn.Chain(
        jn.Dense(inputs, 9, bias=False, gain=1.5, key=keys[0]),
        neuron(),
        jn.Dense(9, 7, bias=False, gain=1.5, key=keys[1]),
        neuron(),
        jn.Dense(7, 4, bias=False, key=keys[2]),
    )


def vgg(neuron, key):
    keys = jax.random.split(key, 3)
    return jn.Chain(
        jn.Conv(1, 4, bias=False, gain=1.5, key=keys[0]),
        neuron(),
        conversion.AveragePool(2),
        jn.Conv(4, 6, bias=False, gain=1.5, key=keys[1]),
        neuron(),
        conversion.Flat(),
        jn.Dense(54, 4, bias=False, key=keys[2]),
    )


def residual(neuron, key):
    keys = jax.random.split(key, 6)

    def block(inputs, outputs, stride, first, second, around):
        body = jn.Chain(
            jn.Conv(inputs, outputs, stride=stride, bias=False, gain=1.4, key=first),
            neuron(),
            jn.Conv(outputs, outputs, bias=False, gain=1.4, key=second),
        )
        shortcut = jn.Conv(inputs, outputs, size=1, stride=stride, bias=False, key=around) if stride > 1 else None
        return conversion.Residual(body, shortcut)

    return jn.Chain(
        jn.Conv(1, 4, bias=False, gain=1.5, key=keys[0]),
        neuron(),
        block(4, 4, 1, keys[1], keys[2], None),
        neuron(),
        block(4, 6, 2, keys[3], keys[4], keys[0]),
        neuron(),
        conversion.Flat(),
        jn.Dense(54, 4, bias=False, key=keys[5]),
    )


FAMILIES = {"perceptron": (perceptron, (6,)), "vgg": (vgg, (6, 6, 1)), "residual": (residual, (6, 6, 1))}
