"""A neuron whose dendrites know the context and scale what it says of its input."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

from jaxneuro.initial import check_choice, check_sizes
from jaxneuro.machine import StateMachine, parameter

# How the segment that speaks for a neuron is chosen: `absolute` by |u . c|, `largest` by u . c.
GATES = ("absolute", "largest")


class Contextual(eqx.Module):
    """What drives a neuron, and the context that its dendrites see; of one step, or of all of time."""

    input: Float[Array, "*time inputs"]
    context: Float[Array, "*time context"]


class ActiveDendrites(StateMachine[PyTree[Array], Contextual, Float[Array, "units"]]):
    """Neurons with active dendrites: `h = A((W x + b) sigmoid(u_j . c))`, where j is the largest in |u_j . c|.

    Every neuron has a few dendritic segments u_j that see the context c; the one that is most sure, of either sign,
    scales the response to the input x. W has a fixed share of connections that are missing from the start.

    Fields:
        weights: W, `[units, inputs]`, 0 where there is no connection; drawn so that outputs have a third of the
            variance of inputs, whatever is missing.
        bias: b, `[units]`, zero at first.
        dendrites: u, `[units, segments, context]`, drawn likewise; None without segments, where the sigmoid is left
            out.
        connected: which connections there are, `[units, inputs]`; every neuron has as many.
        activation: A, a machine from `[units]` to `[units]`, such as `KWinners`; the state is its state.
        gate: "absolute" as above; "largest" for the segment with the largest u_j . c.

    Input: `Contextual`, x `[inputs]` and c `[context]`. Output: h, `[units]`. All quantities dimensionless.

    Reference: Iyer et al. 2022, Frontiers in Neurorobotics 16:846219; Grewal, Forest, Cohen and Ahmad
    2021, Going Beyond the Point Neuron, bioRxiv 2021.10.25.465651.
    """

    connected: Bool[Array, "units inputs"]
    activation: StateMachine
    gate: str = eqx.field(static=True)
    weights: Float[Array, "units inputs"] = parameter()
    bias: Float[Array, "units"] = parameter()
    dendrites: Float[Array, "units segments context"] | None = parameter()

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        context: int,
        segments: int,
        activation: StateMachine,
        weight_sparsity: float = 0.5,
        input_density: float = 1.0,
        gate: str = "absolute",
        key: PRNGKeyArray,
    ) -> None:
        """Draw the connections and the weights.

        Args:
            inputs: size of the input.
            units: how many neurons.
            context: size of the context.
            segments: per neuron; 0 for neurons without dendrites.
            activation: what becomes of the scaled responses.
            weight_sparsity: share of the connections that are missing; every neuron has at least one.
            input_density: share of the inputs that are not 0, by which weights are the larger.
            gate: how the segment is chosen.
            key: random key.

        Raises:
            ValueError: a size is below 1, or a share is out of range.
        """
        check_sizes("ActiveDendrites", inputs=inputs, units=units, context=context)
        check_choice("ActiveDendrites", "gate", gate, GATES)
        if segments < 0 or not 0 <= weight_sparsity < 1 or not 0 < input_density <= 1:
            raise ValueError(
                f"ActiveDendrites got segments={segments}, weight_sparsity={weight_sparsity:g}, "
                f"input_density={input_density:g}; they must be at least 0, from 0 to below 1, and above 0 to 1."
            )
        weight_key, place_key, segment_key = jax.random.split(key, 3)
        kept = max(1, round((1 - weight_sparsity) * inputs))
        order = jax.vmap(lambda key: jax.random.permutation(key, inputs))(jax.random.split(place_key, units))
        bound = (kept * input_density) ** -0.5
        drawn = jax.random.uniform(weight_key, (units, inputs), minval=-bound, maxval=bound)
        self.connected = order < kept
        self.weights = jnp.where(self.connected, drawn, 0)
        self.bias = jnp.zeros(units)
        bound = context**-0.5
        shape = (units, segments, context)
        self.dendrites = jax.random.uniform(segment_key, shape, minval=-bound, maxval=bound) if segments else None
        self.activation = activation
        self.gate = gate

    def init(self, key: PRNGKeyArray) -> PyTree[Array]:
        """That of the activation."""
        return self.activation.init(key)

    def step(self, state: PyTree[Array], input: Contextual) -> tuple[PyTree[Array], Float[Array, "units"]]:
        """Responses to the input, scaled by the dendrites, then the activation."""
        responses = input.input @ jnp.where(self.connected, self.weights, 0).T + self.bias
        return self.activation.step(state, responses * self.scale(input.context))

    def scale(self, context: Float[Array, "context"]) -> Float[Array, "units"]:
        """What a context multiplies the response of each neuron by: the sigmoid of its chosen segment, or 1."""
        if self.dendrites is None:
            return jnp.ones_like(self.bias)
        activity = self.dendrites @ context
        judged = jnp.abs(activity) if self.gate == "absolute" else activity
        chosen = jnp.argmax(judged, axis=1, keepdims=True)
        return jax.nn.sigmoid(jnp.take_along_axis(activity, chosen, axis=1)[:, 0])
