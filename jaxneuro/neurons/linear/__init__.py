"""Neurons that are linear in their own state: run one step after the other, or all of time by a parallel scan."""

from jaxneuro.neurons.linear.lru import LRU as LRU
from jaxneuro.neurons.linear.min_gru import MinGRU as MinGRU
from jaxneuro.neurons.linear.min_lstm import MinLSTM as MinLSTM
from jaxneuro.neurons.linear.rg_lru import RGLRU as RGLRU
from jaxneuro.neurons.linear.s5 import S5 as S5
from jaxneuro.neurons.linear.selective import Selective as Selective
