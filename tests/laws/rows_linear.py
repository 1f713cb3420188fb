"""Rows of the laws for neurons that are linear in their state."""

import jaxneuro as jn
from tests.laws.row import Row, vectors

linear = jn.linear

LINEAR: tuple[Row, ...] = (
    Row("MinGRU", lambda key: linear.MinGRU(3, 4, key=key), vectors(3), smooth=True),
    Row(
        "MinGRU negative",
        lambda key: linear.MinGRU(3, 4, positive=False, negative=True, key=key),
        vectors(3),
        smooth=True,
        quick=False,
    ),
    Row(
        "MinGRU rotating", lambda key: linear.MinGRU(3, 4, rotating=True, key=key), vectors(3), smooth=True, quick=False
    ),
    Row("MinLSTM", lambda key: linear.MinLSTM(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row(
        "MinLSTM negative",
        lambda key: linear.MinLSTM(3, 4, positive=False, negative=True, key=key),
        vectors(3),
        smooth=True,
        quick=False,
    ),
    Row("LRU", lambda key: linear.LRU(3, 4, states=2, key=key), vectors(3), smooth=True, quick=False),
    Row("LRU square", lambda key: linear.LRU(3, 3, key=key), vectors(3), smooth=True, quick=False),
    Row("S5", lambda key: linear.S5(3, 4, states=2, key=key), vectors(3), smooth=True, quick=False),
    Row(
        "S5 of both signs", lambda key: linear.S5(3, 3, conjugate=False, key=key), vectors(3), smooth=True, quick=False
    ),
    Row("RGLRU", lambda key: linear.RGLRU(4, 4, blocks=2, key=key), vectors(4), smooth=True, quick=False),
    Row("RGLRU negative", lambda key: linear.RGLRU(3, 4, negative=True, key=key), vectors(3), smooth=True, quick=False),
    Row("Selective", lambda key: linear.Selective(3, 3, states=2, key=key), vectors(3), smooth=True, quick=False),
    Row(
        "Selective negative",
        lambda key: linear.Selective(2, 3, states=2, negative=True, key=key),
        vectors(2),
        smooth=True,
        quick=False,
    ),
)
