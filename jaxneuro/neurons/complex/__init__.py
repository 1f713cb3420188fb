"""Neurons with complex and hypercomplex states, and unitary recurrence."""

from jaxneuro.neurons.complex.algebra_lstm import AlgebraLSTM as AlgebraLSTM
from jaxneuro.neurons.complex.algebra_rnn import AlgebraRNN as AlgebraRNN
from jaxneuro.neurons.complex.associative_lstm import AssociativeLSTM as AssociativeLSTM
from jaxneuro.neurons.complex.complex_conv import ComplexConv as ComplexConv
from jaxneuro.neurons.complex.complex_dense import ComplexDense as ComplexDense
from jaxneuro.neurons.complex.complex_gru import ComplexGRU as ComplexGRU
from jaxneuro.neurons.complex.complex_rnn import ComplexRNN as ComplexRNN
from jaxneuro.neurons.complex.efficient_unitary import EUNN as EUNN
from jaxneuro.neurons.complex.full_unitary import FullUnitaryRNN as FullUnitaryRNN
from jaxneuro.neurons.complex.goru import GORU as GORU
from jaxneuro.neurons.complex.unitary_rnn import UnitaryRNN as UnitaryRNN
