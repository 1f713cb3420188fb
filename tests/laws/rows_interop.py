"""Rows of the laws for the cells of other libraries."""

import equinox as eqx
import jax
import jax.numpy as jnp
from flax import linen, nnx

from jaxneuro.interop.equinox import EquinoxMachine
from jaxneuro.interop.flax import LinenMachine, NNXMachine
from tests.laws.row import Row, vectors


class Lossy(nnx.RNNCellBase):
    """A GRU of which every other input, at random, is lost: its random numbers are variables and not parameters.

    `nnx.Dropout` draws other numbers in double precision than in single; a bit is a bit.
    """

    num_feature_axes = 1

    def __init__(self, key):
        rngs = nnx.Rngs(key)
        self.cell = nnx.GRUCell(3, 4, param_dtype=jnp.result_type(float), rngs=rngs)
        self.loss = rngs.loss.fork()

    def initialize_carry(self, input_shape, rngs=None, carry_init=None):
        """The GRU's."""
        return self.cell.initialize_carry(input_shape, rngs, carry_init)

    def __call__(self, carry, inputs):
        """The GRU on what is left of the inputs."""
        bits = jax.random.bits(self.loss(), inputs.shape, jnp.uint8)
        return self.cell(carry, jnp.where(bits < 128, inputs, 0))


def nnx_machine(kind, key):
    return NNXMachine(kind(3, 4, param_dtype=jnp.result_type(float), rngs=nnx.Rngs(key)))


def linen_machine(kind, key):
    cell = kind(4, param_dtype=jnp.result_type(float))
    return LinenMachine(cell, cell.init(key, cell.initialize_carry(key, (3,)), jnp.zeros(3)))


def equinox_lstm(key):
    return EquinoxMachine(eqx.nn.LSTMCell(3, 4, key=key), (jnp.zeros(4), jnp.zeros(4)))


def equinox_gru(key):
    first, second = jax.random.split(key)
    return EquinoxMachine(eqx.nn.GRUCell(3, 4, key=first), jax.random.normal(second, (4,)))


INTEROP: tuple[Row, ...] = (
    Row("Equinox LSTM", equinox_lstm, vectors(3), smooth=True, quick=False),
    Row("Equinox GRU", equinox_gru, vectors(3), smooth=True, quick=False),
    Row("NNX LSTM", lambda key: nnx_machine(nnx.LSTMCell, key), vectors(3), smooth=True, quick=False),
    Row("NNX GRU", lambda key: nnx_machine(nnx.GRUCell, key), vectors(3), smooth=True, quick=False),
    Row("NNX lossy", lambda key: NNXMachine(Lossy(key)), vectors(3), smooth=True, quick=False),
    Row("Linen LSTM", lambda key: linen_machine(linen.OptimizedLSTMCell, key), vectors(3), smooth=True, quick=False),
    Row("Linen GRU", lambda key: linen_machine(linen.GRUCell, key), vectors(3), smooth=True, quick=False),
)
