"""Synapses that look back: convolution over past inputs."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Parallel, parameter


class TemporalConvState(eqx.Module):
    """The inputs of the last steps, the oldest first."""

    past: Float[Array, "before inputs"]


class TemporalConv(Parallel[TemporalConvState, Float[Array, "inputs"], Float[Array, "outputs"]]):
    """Synapses with a weight for each of the last `size` inputs: `y_t = b + sum(W[k] x_{t - size + 1 + k})`.

    Before the first input there was silence. Layers of them, with a nonlinearity between, are a temporal convolutional
    network, which sees `1 + sum(size - 1)` steps.

    Fields:
        weights: W, `[size, inputs, outputs]`, the present input's last; normal of variance `gain^2 / (size inputs)`
            (LeCun et al. 1998, Efficient BackProp, section 4.6).
        bias: b, `[outputs]`, 0.

    The units are those of whatever the synapses feed, or dimensionless. Parameters: `outputs (size inputs + 1)`. Input
    `[inputs]`. Output: y, `[outputs]`.

    Reference: Waibel et al. 1989, IEEE Transactions on Acoustics, Speech and Signal Processing 37:328 (time-delay
    networks); as layers of a network that imitates a cell, Beniaguev, Segev and London 2021, Neuron 109:2727.
    """

    weights: Float[Array, "size inputs outputs"] = parameter()
    bias: Float[Array, "outputs"] = parameter()

    def __init__(self, inputs: int, outputs: int, *, size: int = 3, gain: float = 1.0, key: PRNGKeyArray) -> None:
        check_sizes("TemporalConv", inputs=inputs, outputs=outputs, size=size)
        self.weights = gain / (size * inputs) ** 0.5 * jax.random.normal(key, (size, inputs, outputs))
        self.bias = jnp.zeros(outputs)

    def init(self, key: PRNGKeyArray) -> TemporalConvState:
        """Silence."""
        size, inputs, _ = self.weights.shape
        return TemporalConvState(jnp.zeros((size - 1, inputs), self.weights.dtype))

    def step(
        self, state: TemporalConvState, input: Float[Array, "inputs"]
    ) -> tuple[TemporalConvState, Float[Array, "outputs"]]:
        """The sum over what is remembered and what has come."""
        window = jnp.concatenate([state.past, input[None]])
        return TemporalConvState(window[1:]), jnp.einsum("ki,kio->o", window, self.weights) + self.bias

    def over_time(
        self, state: TemporalConvState, inputs: Float[Array, "time inputs"]
    ) -> tuple[TemporalConvState, Float[Array, "time outputs"]]:
        """One convolution; the states are windows into all that has come."""
        known = jnp.concatenate([state.past, inputs])
        outputs = jax.lax.conv_general_dilated(
            known[None], self.weights, (1,), "VALID", dimension_numbers=("NWC", "WIO", "NWC")
        )[0]

        def past(end: Int[Array, ""]) -> TemporalConvState:
            return TemporalConvState(jax.lax.dynamic_slice_in_dim(known, end, len(state.past)))

        return jax.vmap(past)(1 + jnp.arange(len(inputs))), outputs + jnp.broadcast_to(self.bias, outputs.shape)
