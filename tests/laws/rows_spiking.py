"""Rows of the laws for spiking neurons, membranes and synapses."""

from tests.laws.row import Row

SPIKING: tuple[Row, ...] = ()
