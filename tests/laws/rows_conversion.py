"""Rows of the laws for the layers of networks that are converted to spikes."""

import jaxneuro as jn
from jaxneuro import conversion
from tests.laws.row import Row, floats, vectors


def drives(generator, steps):
    return floats(generator.uniform(-0.5, 2.0, size=(steps, 2, 3)))


def distance(machine, state, input):
    return state.membrane + input - machine.threshold


CONVERSION = (
    Row("Rectifier", lambda key: conversion.Rectifier(), vectors(3), smooth=True, quick=False),
    # The gradient of the steps is by declaration that of this ramp; tests/conversion/test_clipped_steps.py.
    Row("ClippedSteps ramp", lambda key: conversion.ClippedSteps(rounding=0.0), vectors(3), smooth=True, quick=False),
    Row("AveragePool", lambda key: conversion.AveragePool(2), vectors(4, 5, 2), smooth=True, quick=False),
    Row("Flat", lambda key: conversion.Flat(), vectors(2, 3), smooth=True, quick=False),
    Row("Residual", lambda key: conversion.Residual(jn.Dense(3, 3, key=key)), vectors(3), smooth=True, quick=False),
    Row(
        "Residual with synapses",
        lambda key: conversion.Residual(jn.Dense(3, 4, key=key), jn.Dense(3, 4, bias=False, key=key)),
        vectors(3),
        smooth=True,
        quick=False,
    ),
    Row("SpikingReLU", lambda key: conversion.SpikingReLU((2, 3), initial_share=0.5), drives, distance=distance),
)
