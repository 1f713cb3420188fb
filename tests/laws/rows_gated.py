"""Rows of the laws for gated and nested neurons."""

import equinox as eqx
import jax

import jaxneuro as jn
from tests.laws.row import Row, vectors

gated = jn.gated


def nested(key, depth):
    """A Nested LSTM of LSTMs."""
    outer, inner = jax.random.split(key)
    if depth == 1:
        return gated.LSTM(2, 2, key=key)
    return gated.NestedLSTM(2, 2, nested(inner, depth - 1), key=outer)


def nested_gru(key):
    outer, inner = jax.random.split(key)
    return gated.NestedLSTM(3, 4, gated.GRU(4, 4, key=inner), candidate="tanh", key=outer)


def layer_norm(key):
    """With weak recurrence: the first h is 0, and around 0 layer norm is so curved that finite differences err."""
    lstm = gated.LayerNormLSTM(3, 4, key=key)
    return eqx.tree_at(lambda m: m.recurrent_weights, lstm, 0.1 * lstm.recurrent_weights)


def row(name, build, inputs=3, quick=False):
    return Row(name, build, vectors(inputs), smooth=True, quick=quick)


GATED: tuple[Row, ...] = (
    row("RNN", lambda key: gated.RNN(3, 4, key=key), quick=True),
    row("RNN relu", lambda key: gated.RNN(3, 4, activation="relu", key=key)),
    row("LSTM chrono", lambda key: gated.LSTM(3, 4, longest=20.0, key=key)),
    row("PeepholeLSTM", lambda key: gated.PeepholeLSTM(3, 4, key=key)),
    row("CoupledLSTM", lambda key: gated.CoupledLSTM(3, 4, key=key)),
    row("LayerNormLSTM", layer_norm),
    row("GRU", lambda key: gated.GRU(3, 4, key=key), quick=True),
    row("GRU reset after", lambda key: gated.GRU(3, 4, reset_after=True, key=key)),
    row("MUT1", lambda key: gated.MUT1(3, 3, key=key)),
    row("MUT2", lambda key: gated.MUT2(3, 3, key=key)),
    row("MUT3", lambda key: gated.MUT3(3, 4, key=key)),
    row("MGU", lambda key: gated.MGU(3, 4, key=key)),
    row("MGU reset after", lambda key: gated.MGU(3, 4, reset_after=True, key=key)),
    row("JANET", lambda key: gated.JANET(3, 4, key=key)),
    row("LiGRU", lambda key: gated.LiGRU(3, 4, key=key)),
    row("UGRNN", lambda key: gated.UGRNN(3, 4, key=key)),
    row("RAN", lambda key: gated.RAN(3, 4, key=key)),
    row("RAN identity", lambda key: gated.RAN(3, 4, activation="identity", key=key)),
    row("NAS", lambda key: gated.NAS(3, 4, key=key)),
    row("MultiplicativeLSTM", lambda key: gated.MultiplicativeLSTM(3, 4, key=key)),
    row("NestedLSTM", lambda key: nested(key, 2), inputs=2, quick=True),
    row("NestedLSTM of depth 3", lambda key: nested(key, 3), inputs=2),
    row("NestedLSTM around GRU", nested_gru),
    row("SLSTM", lambda key: gated.SLSTM(3, 4, heads=2, key=key), quick=True),
    row("MLSTM", lambda key: gated.MLSTM(3, 4, heads=2, key=key)),
    row("MLSTM single head", lambda key: gated.MLSTM(3, 2, key=key)),
)
