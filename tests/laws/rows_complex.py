"""Rows of the laws for neurons with complex states, and for convolutions."""

import jax
import jax.numpy as jnp

import jaxneuro as jn
from tests.laws.row import Row, vectors


def complexes(*shape):
    def draw(generator, steps):
        parts = generator.normal(size=(2, steps, *shape))
        return jnp.asarray(parts[0] + 1j * parts[1], jnp.result_type(complex))

    return draw


def complex_network(key):
    first, second, third = jax.random.split(key, 3)
    layers = [
        jn.complex.ComplexDense(3, 4, activation="crelu", key=first),
        jn.complex.ComplexDense(4, 2, activation="modrelu", key=second),
    ]
    return jn.Chain(*layers, jn.complex.ComplexDense(2, 1, key=third))


COMPLEX: tuple[Row, ...] = (
    Row("UnitaryRNN", lambda key: jn.complex.UnitaryRNN(3, 4, key=key), vectors(3), smooth=True),
    Row("FullUnitaryRNN", lambda key: jn.complex.FullUnitaryRNN(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row("EUNN", lambda key: jn.complex.EUNN(3, 5, layers=3, key=key), vectors(3), smooth=True, quick=False),
    Row("EUNN fft", lambda key: jn.complex.EUNN(3, 4, style="fft", key=key), vectors(3), smooth=True, quick=False),
    Row("GORU", lambda key: jn.complex.GORU(3, 5, key=key), vectors(3), smooth=True, quick=False),
    Row("GORU fft", lambda key: jn.complex.GORU(3, 4, style="fft", key=key), vectors(3), smooth=True, quick=False),
    Row("ComplexGRU", lambda key: jn.complex.ComplexGRU(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row(
        "ComplexGRU hirose",
        lambda key: jn.complex.ComplexGRU(3, 4, unitary=False, activation="hirose", key=key),
        vectors(3),
        smooth=True,
        quick=False,
    ),
    Row("AssociativeLSTM", lambda key: jn.complex.AssociativeLSTM(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row("ComplexRNN", lambda key: jn.complex.ComplexRNN(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row(
        "ComplexRNN split",
        lambda key: jn.complex.ComplexRNN(3, 4, activation="split", key=key),
        vectors(3),
        smooth=True,
        quick=False,
    ),
    Row(
        "ComplexRNN modrelu",
        lambda key: jn.complex.ComplexRNN(3, 4, activation="modrelu", key=key),
        vectors(3),
        smooth=True,
        quick=False,
    ),
    Row("ComplexDense", lambda key: jn.complex.ComplexDense(3, 4, key=key), complexes(3), smooth=True),
    Row(
        "ComplexDense of reals",
        lambda key: jn.complex.ComplexDense(3, 4, bias=False, activation="zrelu", key=key),
        vectors(3),
        smooth=True,
        quick=False,
    ),
    Row("ComplexDense chain", complex_network, vectors(3), smooth=True, quick=False),
    Row(
        "ComplexConv",
        lambda key: jn.complex.ComplexConv(2, 3, activation="crelu", key=key),
        complexes(4, 3, 2),
        smooth=True,
        quick=False,
    ),
    Row(
        "ComplexConv of reals",
        lambda key: jn.complex.ComplexConv(2, 3, size=2, stride=2, padding="valid", activation="modrelu", key=key),
        vectors(5, 4, 2),
        smooth=True,
        quick=False,
    ),
    Row("Conv", lambda key: jn.Conv(2, 3, key=key), vectors(4, 3, 2), smooth=True, quick=False),
    Row(
        "Conv valid",
        lambda key: jn.Conv(2, 3, size=2, stride=2, padding="valid", bias=False, key=key),
        vectors(5, 4, 2),
        smooth=True,
        quick=False,
    ),
)
