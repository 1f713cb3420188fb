"""Rows of the laws for smaller gated and physical recurrent neurons."""

import jaxneuro as jn
from tests.laws.row import Row, vectors


def row(name, build, quick=False):
    return Row(name, build, vectors(3), smooth=True, quick=quick)


MINIMAL: tuple[Row, ...] = (
    row("AntisymmetricRNN", lambda key: jn.gated.AntisymmetricRNN(3, 4, key=key)),
    row("GatedAntisymmetricRNN", lambda key: jn.gated.GatedAntisymmetricRNN(3, 4, key=key)),
    row("ATR", lambda key: jn.gated.ATR(3, 4, key=key)),
    row("BRC", lambda key: jn.gated.BRC(3, 4, key=key)),
    row("NBRC", lambda key: jn.gated.NBRC(3, 4, key=key)),
    row("CFN", lambda key: jn.gated.CFN(3, 4, key=key)),
    row("CoRNN", lambda key: jn.gated.CoRNN(3, 4, key=key)),
    row("UnICORNN", lambda key: jn.gated.UnICORNN(3, 4, key=key)),
    row("UnICORNN without a spring", lambda key: jn.gated.UnICORNN(3, 4, alpha=0.0, key=key)),
    row("LEM", lambda key: jn.gated.LEM(3, 4, key=key)),
    row("FastRNN", lambda key: jn.gated.FastRNN(3, 4, key=key)),
    row("FastGRNN", lambda key: jn.gated.FastGRNN(3, 4, key=key)),
    row("IndRNN", lambda key: jn.gated.IndRNN(3, 4, key=key)),
    row("IndRNN tanh", lambda key: jn.gated.IndRNN(3, 4, activation="tanh", key=key)),
    row("MinimalRNN", lambda key: jn.gated.MinimalRNN(3, 4, key=key)),
    row("MiRU1", lambda key: jn.gated.MiRU1(3, 4, key=key)),
    row("MiRU2", lambda key: jn.gated.MiRU2(3, 4, key=key)),
    row("SGRN", lambda key: jn.gated.SGRN(3, 4, key=key)),
    row("SGU", lambda key: jn.gated.SGU(3, 4, key=key)),
    row("DSGU", lambda key: jn.gated.DSGU(3, 4, key=key)),
    row("STAR", lambda key: jn.gated.STAR(3, 4, key=key)),
    row("TauGRU", lambda key: jn.gated.TauGRU(3, 4, delay=3, key=key), quick=True),
)
