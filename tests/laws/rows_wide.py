"""Rows of the laws for wide gated neurons: deep in a step, convolutional, searched, with fast weights, and more."""

import jax

import jaxneuro as jn
from tests.laws.row import Row, vectors


def fast_slow(key):
    keys = jax.random.split(key, 4)
    cells = [jn.LSTM(size, 4, key=key) for size, key in zip((3, 4, 4, 4), keys, strict=True)]
    return jn.gated.FastSlow((cells[0], cells[1], cells[2]), cells[3])


WIDE = (
    Row("RHN", lambda key: jn.gated.RHN(3, 4, depth=3, key=key), vectors(3), smooth=True, quick=False),
    Row("SRU", lambda key: jn.gated.SRU(4, 4, key=key), vectors(4), smooth=True, quick=False),
    Row("SRU projected", lambda key: jn.gated.SRU(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row("QRNN", lambda key: jn.gated.QRNN(3, 4, width=3, key=key), vectors(3), smooth=True),
    Row("QRNN of width 1", lambda key: jn.gated.QRNN(3, 4, width=1, key=key), vectors(3), smooth=True, quick=False),
    Row(
        "GenotypeCell",
        lambda key: jn.gated.GenotypeCell(
            3, 4, genotype=jn.gated.Genotype((("tanh", 0), ("identity", 1), ("sigmoid", 0)), (0, 2, 3)), key=key
        ),
        vectors(3),
        smooth=True,
        quick=False,
    ),
    Row("DARTS", lambda key: jn.gated.DARTS(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row("ENAS", lambda key: jn.gated.ENAS(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row("DeltaRule", lambda key: jn.gated.DeltaRule(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row(
        "DeltaRule negative",
        lambda key: jn.gated.DeltaRule(3, 4, keys="sum", negative=True, key=key),
        vectors(3),
        smooth=True,
        quick=False,
    ),
    Row(
        "FastWeights",
        lambda key: jn.gated.FastWeights(3, 4, inner_steps=2, activation="tanh", key=key),
        vectors(3),
        smooth=True,
        quick=False,
    ),
    Row("FastWeights relu", lambda key: jn.gated.FastWeights(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row(
        "MCLSTM",
        lambda key: jn.gated.MCLSTM(4, 3, masses=2, least=1.0, key=key),
        lambda generator, steps: abs(vectors(4)(generator, steps)),
        smooth=True,
        quick=False,
    ),
    Row("WMCLSTM", lambda key: jn.gated.WMCLSTM(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row("ResidualLSTM", lambda key: jn.gated.ResidualLSTM(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row("ResidualLSTM square", lambda key: jn.gated.ResidualLSTM(4, 4, key=key), vectors(4), smooth=True, quick=False),
    Row("OriginalLSTM", lambda key: jn.gated.OriginalLSTM(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row("IntersectionRNN", lambda key: jn.gated.IntersectionRNN(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row(
        "IntersectionRNN square",
        lambda key: jn.gated.IntersectionRNN(4, 4, key=key),
        vectors(4),
        smooth=True,
        quick=False,
    ),
    Row("SCRN", lambda key: jn.gated.SCRN(3, 5, slow=2, key=key), vectors(3), smooth=True, quick=False),
    Row("LightRU", lambda key: jn.gated.LightRU(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row("FastSlow", fast_slow, vectors(3), smooth=True, quick=False),
    Row("TRNN", lambda key: jn.gated.TRNN(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row("TGRU", lambda key: jn.gated.TGRU(3, 4, key=key), vectors(3), smooth=True, quick=False),
    Row("TLSTM", lambda key: jn.gated.TLSTM(3, 4, key=key), vectors(3), smooth=True, quick=False),
)
