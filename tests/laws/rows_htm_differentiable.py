"""Rows of the laws for the differentiable neurons of hierarchical temporal memory."""

import jax

import jaxneuro as jn
from tests.laws.row import Row, floats, vectors


def contextual(generator, steps):
    return jn.htm.Contextual(floats(generator.normal(size=(steps, 6))), floats(generator.normal(size=(steps, 3))))


def winners(boost=1.5):
    return jn.htm.KWinners(5, 2, boost=boost, period_steps=7.0)


def dendrites(key, activation=None, **changes):
    activation = winners() if activation is None else activation
    return jn.htm.ActiveDendrites(6, 5, context=3, **{"segments": 3, **changes}, activation=activation, key=key)


HTM_DIFFERENTIABLE: tuple[Row, ...] = (
    Row("KWinners", lambda key: winners(), vectors(5), smooth=True, quick=False),
    Row("ActiveDendrites", dendrites, contextual, smooth=True, quick=False),
    Row(
        "ActiveDendrites without dendrites",
        lambda key: dendrites(key, jn.Population(jn.Rate(), 5, shared=True), segments=0),
        contextual,
        smooth=True,
        quick=False,
    ),
    Row(
        "ActiveDendrites by the largest",
        lambda key: dendrites(jax.random.fold_in(key, 1), gate="largest", weight_sparsity=0.2),
        contextual,
        smooth=True,
        quick=False,
    ),
)
