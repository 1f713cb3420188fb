"""The pyramidal neuron as a network of two layers."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Scalar, Stateless, parameter


class TwoLayer(Stateless[Float[Array, "inputs"], Float[Array, ""]]):
    """Branches that each pass their sum through a nonlinearity, and a soma that does so with theirs.

    `y = g(sum_i alpha_i s(n_i))` with `n = W x + b`, where n_i is the number of synapses that are active on branch i:

        s(n) = 1 / (1 + exp((3.6 - n) / 2)) + 0.30 n + 0.0114 n^2
        g(x) = 0.96 x / (1 + 1509 exp(-0.26 x))

    with the numbers of a pyramidal cell of hippocampus, which its fields hold.

    Fields:
        weights: W, synapses per active input, `[branches, inputs]`.
        bias: b, synapses that are always active, `[branches]`.
        coupling: alpha, how much of a branch reaches the soma, `[branches]` (dimensionless).
        half, slope: the 3.6 and the 2, in synapses.
        linear, quadratic: the 0.30 and the 0.0114, per synapse and per synapse squared.
        gain_hz, suppression, steepness: 0.96 (Hz), 1509 and 0.26.

    Input: `[inputs]`. Output: the firing rate (Hz), a scalar.

    Reference: Poirazi, Brannon and Mel 2003, Neuron 37:989.
    """

    weights: Float[Array, "branches inputs"] = parameter()
    bias: Float[Array, "branches"] = parameter()
    coupling: Float[Array, "branches"] = parameter()
    half: Scalar = parameter(3.6)
    slope: Scalar = parameter(2.0, above=0.0)
    linear: Scalar = parameter(0.30)
    quadratic: Scalar = parameter(0.0114)
    gain_hz: Scalar = parameter(0.96, unit="Hz")
    suppression: Scalar = parameter(1509.0, at_least=0.0)
    steepness: Scalar = parameter(0.26)

    def __init__(self, inputs: int, branches: int, *, key: PRNGKeyArray) -> None:
        check_sizes("TwoLayer", inputs=inputs, branches=branches)
        # Some ten synapses per active input: fewer hardly reach the soma's threshold.
        self.weights = 10 * jax.random.normal(key, (branches, inputs))
        self.bias = jnp.zeros(branches)
        self.coupling = jnp.ones(branches)

    def respond(self, input: Float[Array, "inputs"]) -> Float[Array, ""]:
        """The branches, then the soma."""
        active = self.weights @ input + self.bias
        jump = jax.nn.sigmoid((active - self.half) / self.slope)
        branches = jump + self.linear * active + self.quadratic * active**2
        arrived = self.coupling @ branches
        # 1 / (1 + S exp(-k x)) as a logistic function: no exponential overflows.
        log_suppression = jnp.log(jnp.maximum(self.suppression, jnp.finfo(arrived.dtype).tiny))
        return self.gain_hz * arrived * jax.nn.sigmoid(self.steepness * arrived - log_suppression)
