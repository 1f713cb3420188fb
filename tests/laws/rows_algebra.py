"""Rows of the laws for weights of higher dimension."""

import jaxneuro as jn
from tests.laws.row import Row, vectors

ALGEBRA: tuple[Row, ...] = (
    Row("AlgebraDense", lambda key: jn.synapses.AlgebraDense(2, 3, key=key), vectors(8), smooth=True, quick=False),
    Row(
        "AlgebraDense matrices",
        lambda key: jn.synapses.AlgebraDense(2, 1, algebra="M2", bias=False, key=key),
        vectors(8),
        smooth=True,
        quick=False,
    ),
    Row("AlgebraRNN", lambda key: jn.complex.AlgebraRNN(1, 2, key=key), vectors(4), smooth=True, quick=False),
    Row("AlgebraLSTM", lambda key: jn.complex.AlgebraLSTM(1, 2, key=key), vectors(4), smooth=True, quick=False),
)
