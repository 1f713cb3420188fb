"""Leaky integrate-and-fire neurons with branches that remember, each with a time constant of its own."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Driven, Numbers, Scalar, parameter
from jaxneuro.reset import detached
from jaxneuro.surrogate import MultiGaussian, Surrogate


class DHLIFState(eqx.Module):
    """Currents of the branches, potentials of the somata, the spikes of the step before."""

    branches: Float[Array, "units branches"]
    potential: Float[Array, "units"]
    spikes: Float[Array, "units"]


class DHLIF(Driven[DHLIFState, Float[Array, "inputs"], Float[Array, "units"], Float[Array, "units branches"]]):
    """A layer of leaky integrate-and-fire neurons with dendritic heterogeneity: the neuron of DH-SNNs.

    `d_b <- beta_b d_b + (1 - beta_b) (W_b x + c_b)` for each branch b, `m <- alpha m + (1 - alpha) sum(d_b) - theta z`,
    `z <- H(m - theta)`, with the spike z of the step before in the second equation. `beta = sigmoid(branch_logits)`,
    `alpha = sigmoid(soma_logits)`: a time constant is `-1 / log(beta)` steps, and stays one whatever is learnt.

    The inputs of a neuron are dealt out to its branches: each is on one branch. With `shuffled` it is drawn which,
    for every neuron anew; else neighbours stay together. As branch_logits go to minus infinity the branches forget, and
    what is left is the plain neuron `m <- alpha m + (1 - alpha) (W x + c) - theta z`.

    Fields (all dimensionless):
        wiring: whether an input is on a branch, `[units, branches, inputs]`.
        weights: W, `[units, inputs]`, uniform within `1 / sqrt(inputs)`.
        bias: c, `[units, branches]`, uniform likewise.
        branch_logits: `[units, branches]`, uniform in `branch_range`.
        soma_logits: `[units]`, uniform in `soma_range`.
        threshold: theta.
        detach_reset: 1 stops the gradient at the reset, 0 lets it through.
        spike: the threshold's forward and pretended backward, on `m - theta`.

    Trained parameters: `units (inputs + 2 branches + 1)`. Input `[inputs]`. Output: z, `[units]`.

    Reference: Zheng et al. 2024, Nature Communications 15:277, eq. 3 to 5 and Methods; the soft reset comes one step
    after the spike, as in the code that they published.
    """

    wiring: Bool[Array, "units branches inputs"]
    spike: Surrogate
    weights: Float[Array, "units inputs"] = parameter()
    bias: Float[Array, "units branches"] = parameter()
    branch_logits: Float[Array, "units branches"] = parameter()
    soma_logits: Float[Array, "units"] = parameter()
    threshold: Numbers = parameter(above=0.0)
    detach_reset: Scalar = parameter(at_least=0.0, at_most=1.0)

    def __init__(
        self,
        inputs: int,
        units: int,
        branches: int = 2,
        *,
        shuffled: bool = True,
        branch_range: tuple[float, float] = (2.0, 6.0),
        soma_range: tuple[float, float] = (0.0, 4.0),
        threshold: float = 1.0,
        detach_reset: float = 0.0,
        spike: Surrogate | None = None,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("DHLIF", inputs=inputs, units=units, branches=branches)
        if branches > inputs:
            raise ValueError(f"DHLIF got branches={branches}; each needs one of the {inputs} inputs.")
        keys = jax.random.split(key, 5)
        order = jnp.broadcast_to(jnp.arange(inputs), (units, inputs))
        if shuffled:
            order = jax.random.permutation(keys[0], order, axis=1, independent=True)
        # Place p of the order is on branch p * branches // inputs: all sizes are equal, or differ by one.
        self.wiring = (order * branches // inputs)[:, None] == jnp.arange(branches)[None, :, None]
        bound = inputs**-0.5
        self.weights = jax.random.uniform(keys[1], (units, inputs), minval=-bound, maxval=bound)
        self.bias = jax.random.uniform(keys[2], (units, branches), minval=-bound, maxval=bound)
        self.branch_logits = jax.random.uniform(
            keys[3], (units, branches), minval=branch_range[0], maxval=branch_range[1]
        )
        self.soma_logits = jax.random.uniform(keys[4], (units,), minval=soma_range[0], maxval=soma_range[1])
        self.threshold, self.detach_reset = threshold, detach_reset
        self.spike = MultiGaussian() if spike is None else spike

    def init(self, key: PRNGKeyArray) -> DHLIFState:
        """At rest."""
        zero = jnp.zeros_like(self.soma_logits)
        return DHLIFState(jnp.zeros_like(self.bias), zero, zero)

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "units branches"]:
        """`W_b x + c_b`."""
        weights = jnp.where(self.wiring, self.weights[:, None], 0)
        return (weights @ input) + self.bias

    def transition(
        self, state: DHLIFState, drive: Float[Array, "units branches"]
    ) -> tuple[DHLIFState, Float[Array, "units"]]:
        """Branches, somata, spikes."""
        beta, alpha = jax.nn.sigmoid(self.branch_logits), jax.nn.sigmoid(self.soma_logits)
        # 1 - sigmoid(x), where a float knows it best.
        fresh, taken = jax.nn.sigmoid(-self.branch_logits), jax.nn.sigmoid(-self.soma_logits)
        branches = beta * state.branches + fresh * drive
        reset = detached(state.spikes, self.detach_reset)
        potential = alpha * state.potential + taken * branches.sum(axis=1) - self.threshold * reset
        spikes = self.spike(potential - self.threshold)
        return DHLIFState(branches, potential, spikes), spikes
