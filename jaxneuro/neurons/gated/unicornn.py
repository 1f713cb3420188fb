"""The undamped independent controlled oscillatory recurrent network."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Driven, Scalar, parameter


class UnICORNNState(eqx.Module):
    """Where the oscillators are (`hidden`) and how fast they move."""

    hidden: Float[Array, "units"]
    velocity: Float[Array, "units"]


class UnICORNN(Driven[UnICORNNState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "units"]]):
    """A layer of undamped oscillators, each on its own and with a step of time of its own.

    `d = dt sigmoid(c)`, `v <- v - d (tanh(W x + u h + b) + alpha h)`, `h <- h + d v`, with the new v in the last. The
    step is symplectic and can be undone exactly: nothing is ever lost.

    Fields (all quantities dimensionless; the first values as in the authors' code):
        input_weights: W, `[units, inputs]`, uniform within `sqrt(6 / (65 inputs))`.
        recurrent_weights: u, `[units]`, uniform from 0 to 1.
        bias: b, `[units]`, 0.
        speed_logits: c, `[units]`, uniform from -0.1 to 0.1.
        dt: longest step of time; 0.19, and the next, are the authors' for images read pixel by pixel.
        alpha: square of the oscillators' frequency.

    Parameters: `units (inputs + 3)`, and two numbers. Input `[inputs]`. Output: h, `[units]`.

    Reference: Rusch and Mishra 2021, ICML, PMLR 139:9168, arXiv:2103.05487.
    """

    input_weights: Float[Array, "units inputs"] = parameter()
    recurrent_weights: Float[Array, "units"] = parameter()
    bias: Float[Array, "units"] = parameter()
    speed_logits: Float[Array, "units"] = parameter()
    dt: Scalar = parameter(above=0.0)
    alpha: Scalar = parameter(at_least=0.0)

    def __init__(
        self, inputs: int, units: int, *, dt: float | Scalar = 0.19, alpha: float | Scalar = 30.65, key: PRNGKeyArray
    ) -> None:
        check_sizes("UnICORNN", inputs=inputs, units=units)
        input_key, recurrent_key, speed_key = jax.random.split(key, 3)
        bound = (6 / (65 * inputs)) ** 0.5
        self.input_weights = jax.random.uniform(input_key, (units, inputs), minval=-bound, maxval=bound)
        self.recurrent_weights = jax.random.uniform(recurrent_key, (units,))
        self.bias = jnp.zeros(units)
        self.speed_logits = jax.random.uniform(speed_key, (units,), minval=-0.1, maxval=0.1)
        self.dt, self.alpha = dt, alpha

    def init(self, key: PRNGKeyArray) -> UnICORNNState:
        """At rest."""
        return UnICORNNState(jnp.zeros_like(self.bias), jnp.zeros_like(self.bias))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`W x + b`."""
        return self.input_weights @ input + self.bias

    def transition(
        self, state: UnICORNNState, drive: Float[Array, "units"]
    ) -> tuple[UnICORNNState, Float[Array, "units"]]:
        """One step of time."""
        d = self.dt * jax.nn.sigmoid(self.speed_logits)
        pull = jnp.tanh(drive + self.recurrent_weights * state.hidden) + self.alpha * state.hidden
        velocity = state.velocity - d * pull
        hidden = state.hidden + d * velocity
        return UnICORNNState(hidden, velocity), hidden
