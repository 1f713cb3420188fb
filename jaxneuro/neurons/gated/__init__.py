"""Gated recurrent neurons."""

from jaxneuro.neurons.gated.lstm import LSTM as LSTM
