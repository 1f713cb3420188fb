"""Every cell that torchrecurrent and PyTorch have is here too."""

import inspect

import pytest

import jaxneuro as jn
from tests.neurons.gated.recorded import arrays

# Of every recorded cell the class that does what it does.
HERE = {
    "ATRCell": "ATR",
    "AntisymmetricRNNCell": "AntisymmetricRNN",
    "BRCell": "BRC",
    "CFNCell": "CFN",
    "DSGUCell": "DSGU",
    "FastGRNNCell": "FastGRNN",
    "FastRNNCell": "FastRNN",
    "GRUCell": "GRU",
    "GatedAntisymmetricRNNCell": "GatedAntisymmetricRNN",
    "IndRNNCell": "IndRNN",
    "IntersectionRNNCell": "IntersectionRNN",
    "JANETCell": "JANET",
    "LEMCell": "LEM",
    "LSTMCell": "LSTM",
    "LiGRUCell": "LiGRU",
    "LightRUCell": "LightRU",
    "MCLSTMCell": "MCLSTM",
    "MGUCell": "MGU",
    "MUT1Cell": "MUT1",
    "MUT2Cell": "MUT2",
    "MUT3Cell": "MUT3",
    "MiRU1Cell": "MiRU1",
    "MiRU2Cell": "MiRU2",
    "MinimalRNNCell": "MinimalRNN",
    "MultiplicativeLSTMCell": "MultiplicativeLSTM",
    "NASCell": "NAS",
    "NBRCell": "NBRC",
    "OriginalLSTMCell": "OriginalLSTM",
    "PeepholeLSTMCell": "PeepholeLSTM",
    "RANCell": "RAN",
    "RNNCell": "RNN",
    "ResLSTMCell": "ResidualLSTM",
    "SCRNCell": "SCRN",
    "SGRNCell": "SGRN",
    "SGUCell": "SGU",
    "STARCell": "STAR",
    "TGRUCell": "TGRU",
    "TLSTMCell": "TLSTM",
    "TRNNCell": "TRNN",
    "UGRNNCell": "UGRNN",
    "UnICORNNCell": "UnICORNN",
    "WMCLSTMCell": "WMCLSTM",
    "coRNNCell": "CoRNN",
    "tauGRUCell": "TauGRU",
}


def test_every_recorded_cell_is_named():
    recorded = {name.split("/")[0] for name in arrays() if "/" in name}
    assert recorded == set(HERE)


def test_no_two_cells_share_a_class():
    assert len(set(HERE.values())) == len(HERE)


@pytest.mark.parametrize("name", HERE.values())
def test_every_cell_is_a_machine_of_the_wing(name):
    kind = getattr(jn.gated, name)
    assert issubclass(kind, jn.StateMachine)
    assert not inspect.isabstract(kind)
