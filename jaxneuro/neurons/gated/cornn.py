"""The coupled oscillatory recurrent network."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Driven, Scalar, parameter


class CoRNNState(eqx.Module):
    """Where the oscillators are (`hidden`) and how fast they move."""

    hidden: Float[Array, "units"]
    velocity: Float[Array, "units"]


class CoRNN(Driven[CoRNNState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "units"]]):
    """A layer of damped oscillators that drive each other.

    `v <- v + dt (tanh(W x + U [h, v] + b) - gamma h - epsilon v)`, `h <- h + dt v`, with the new v in the second.

    Fields (all quantities dimensionless):
        input_weights: W, `[units, inputs]`.
        recurrent_weights: U, `[units, 2 units]`, first the columns of h, then those of v.
        bias: b, `[units]`. All three uniform within `1 / sqrt(inputs + 2 units)`, as in the authors' code.
        dt: step of time; 0.042, and the next two, are the paper's for images read pixel by pixel.
        gamma: square of the oscillators' frequency.
        epsilon: damping.

    Parameters: `units (inputs + 2 units + 1)`, and three numbers. Input `[inputs]`. Output: h, `[units]`.

    Reference: Rusch and Mishra 2021, ICLR, arXiv:2010.00951, eq. 3 with explicit damping.
    """

    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "units states"] = parameter()
    bias: Float[Array, "units"] = parameter()
    dt: Scalar = parameter(above=0.0)
    gamma: Scalar = parameter(at_least=0.0)
    epsilon: Scalar = parameter(at_least=0.0)

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        dt: float | Scalar = 0.042,
        gamma: float | Scalar = 2.7,
        epsilon: float | Scalar = 4.7,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("CoRNN", inputs=inputs, units=units)
        bound = (inputs + 2 * units) ** -0.5
        drawn = jax.random.uniform(key, (units, inputs + 2 * units + 1), minval=-bound, maxval=bound)
        self.input_weights, self.recurrent_weights = drawn[:, :inputs], drawn[:, inputs:-1]
        self.bias = drawn[:, -1]
        self.dt, self.gamma, self.epsilon = dt, gamma, epsilon

    def init(self, key: PRNGKeyArray) -> CoRNNState:
        """At rest."""
        return CoRNNState(jnp.zeros_like(self.bias), jnp.zeros_like(self.bias))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(self, state: CoRNNState, drive: Float[Array, "units"]) -> tuple[CoRNNState, Float[Array, "units"]]:
        """One step of time."""
        force = jnp.tanh(drive + self.recurrent_weights @ jnp.concatenate([state.hidden, state.velocity]))
        force = force - self.gamma * state.hidden - self.epsilon * state.velocity
        velocity = state.velocity + self.dt * force
        hidden = state.hidden + self.dt * velocity
        return CoRNNState(hidden, velocity), hidden
