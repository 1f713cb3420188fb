"""The Expressive Leaky Memory neuron: synapses on branches, leaky memories, a small network that updates them."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Driven, Scalar, parameter


class ELMState(eqx.Module):
    """The synaptic traces, of synapses or of branches, and the memories."""

    trace: Float[Array, "traces"]
    memory: Float[Array, "memories"]


class ELM(Driven[ELMState, Float[Array, "inputs"], Float[Array, "outputs"], Float[Array, "traces"]]):
    """The Expressive Leaky Memory neuron, in both versions; with `branches`, the Branch-ELM neuron.

    First version: `s <- kappa_s s + relu(w_s) x`, `b = sums of s over the synapses of each branch`, `dm = 1.7159
    tanh(2/3 MLP([b; kappa_m m]))`, `m <- kappa_m m + lambda (1 - kappa_m) dm`, `y = W_y m + b_y`, with `kappa = exp(-dt
    / tau)`. The MLP has one hidden layer of rectified units. Without `branches` each input has a branch of its own.

    Second version: branches have the traces, and the update cannot overshoot: `b <- kappa_b b + sums of relu(w_s) x`,
    `m <- kappa_m m + (1 - exp(-lambda dt / tau_m)) dm`. With lambda = 1 and one time constant for all synapses of a
    branch both versions are the same.

    Fields (dimensionless but for times in ms):
        sources: which input a synapse gets, `[synapses]`; one beyond the last input gets nothing. Branches take
            neighbouring inputs, from `ceil(inputs / branches)` apart; where they have more synapses than that they
            overlap.
        branches: number of branches.
        version: 1 or 2.
        synapse_weights: w_s, `[synapses]`, 0.5.
        hidden_weights, hidden_bias, memory_weights, memory_bias: of the MLP, `[hidden, branches + memories]`,
            `[hidden]`, `[memories, hidden]`, `[memories]`.
        output_weights, output_bias: W_y, `[outputs, memories]`, b_y. All matrices and their biases are uniform within
            `1 / sqrt(columns)`.
        tau_trace_ms: of every synapse (ms), `[synapses]`; in the second version of every branch, `[branches]`.
        tau_memory_ms: of every memory (ms), evenly spaced in logarithm from `shortest_ms` to `longest_ms`.
        strength: lambda.
        dt_ms: step size (ms).

    `interleaved` first puts the inputs of the second half between those of the first: excitatory and inhibitory inputs
    of one place come together.

    Trained parameters with h hidden units: `synapses + h (branches + memories + 1) + memories (h + 1) + outputs
    (memories + 1)`; by default `h = 2 memories`. Input `[inputs]`. Output: y, `[outputs]`.

    Reference: Spieler et al. 2023, arXiv:2306.16922, section 3; lambda 5 and tau_s 5 ms are theirs, and so is the
    second version, of 2024; the tanh: LeCun et al. 1998, Efficient BackProp, section 4.4.
    """

    sources: Int[Array, "synapses"]
    branches: int = eqx.field(static=True)
    version: Literal[1, 2] = eqx.field(static=True)
    synapse_weights: Float[Array, "synapses"] = parameter()
    hidden_weights: Float[Array, "hidden features"] = parameter()
    hidden_bias: Float[Array, "hidden"] = parameter()
    memory_weights: Float[Array, "memories hidden"] = parameter()
    memory_bias: Float[Array, "memories"] = parameter()
    output_weights: Float[Array, "outputs memories"] = parameter()
    output_bias: Float[Array, "outputs"] = parameter()
    tau_trace_ms: Float[Array, "traces"] = parameter(above=0.0, unit="ms")
    tau_memory_ms: Float[Array, "memories"] = parameter(above=0.0, unit="ms")
    strength: Scalar = parameter(above=0.0)
    dt_ms: Scalar = parameter(above=0.0, unit="ms")

    def __init__(
        self,
        inputs: int,
        outputs: int,
        memories: int = 20,
        *,
        version: Literal[1, 2] = 1,
        branches: int | None = None,
        synapses_per_branch: int | None = None,
        interleaved: bool = False,
        hidden: int | None = None,
        tau_synapse_ms: float = 5.0,
        shortest_ms: float = 1.0,
        longest_ms: float = 150.0,
        strength: float = 5.0,
        dt_ms: float = 1.0,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("ELM", inputs=inputs, outputs=outputs, memories=memories)
        self.version, self.branches = version, inputs if branches is None else branches
        each = -(-inputs // max(self.branches, 1)) if synapses_per_branch is None else synapses_per_branch
        check_sizes("ELM", branches=self.branches, synapses_per_branch=each)
        width = 2 * memories if hidden is None else hidden
        check_sizes("ELM", hidden=width)
        if not 0 < shortest_ms <= longest_ms:
            raise ValueError(
                f"ELM got shortest_ms={shortest_ms:g}, longest_ms={longest_ms:g}; the first must be above 0 and no "
                "longer than the second."
            )
        self.sources = wiring(inputs, self.branches, each, interleaved)
        self.synapse_weights = jnp.full(len(self.sources), 0.5)
        first, second, third = jax.random.split(key, 3)
        self.hidden_weights, self.hidden_bias = _linear(first, width, self.branches + memories)
        self.memory_weights, self.memory_bias = _linear(second, memories, width)
        self.output_weights, self.output_bias = _linear(third, outputs, memories)
        self.tau_trace_ms = jnp.full(len(self.sources) if version == 1 else self.branches, tau_synapse_ms)
        self.tau_memory_ms = shortest_ms * (longest_ms / shortest_ms) ** jnp.linspace(0.0, 1.0, memories)
        self.strength, self.dt_ms = strength, dt_ms

    @property
    def memories(self) -> int:
        """Number of memory units."""
        return self.output_weights.shape[-1]

    def init(self, key: PRNGKeyArray) -> ELMState:
        """Zero."""
        dtype = self.output_bias.dtype
        return ELMState(jnp.zeros(self.tau_trace_ms.shape, dtype), jnp.zeros(self.memories, dtype))

    def drive(self, input: Float[Array, "inputs"]) -> Float[Array, "traces"]:
        """`relu(w_s) x` of every synapse, or their sums in every branch."""
        arriving = jax.nn.relu(self.synapse_weights) * input.at[self.sources].get(mode="fill", fill_value=0)
        return arriving if self.version == 1 else self._per_branch(arriving)

    def transition(self, state: ELMState, drive: Float[Array, "traces"]) -> tuple[ELMState, Float[Array, "outputs"]]:
        """Traces, branches, memories, outputs."""
        trace = jnp.exp(-self.dt_ms / self.tau_trace_ms) * state.trace + drive
        branch = trace if self.version == 2 else self._per_branch(trace)
        rate = -self.dt_ms / self.tau_memory_ms
        kept = jnp.exp(rate) * state.memory
        hidden = jax.nn.relu(self.hidden_weights @ jnp.concatenate([branch, kept]) + self.hidden_bias)
        change = 1.7159 * jnp.tanh(2 / 3 * (self.memory_weights @ hidden + self.memory_bias))
        taken = jnp.expm1(self.strength * rate) if self.version == 2 else self.strength * jnp.expm1(rate)
        memory = kept - taken * change
        return ELMState(trace, memory), self.output_weights @ memory + self.output_bias

    def _per_branch(self, values: Float[Array, "synapses"]) -> Float[Array, "branches"]:
        return values.reshape(self.branches, -1).sum(axis=1)


def wiring(inputs: int, branches: int, synapses: int, interleaved: bool) -> Int[Array, "all_synapses"]:
    """Which input each synapse gets.

    Args:
        inputs: how many there are.
        branches: number of branches; branch k starts at input `k ceil(inputs / branches)`.
        synapses: on each branch, for as many neighbouring inputs; enough that no input is left out.
        interleaved: whether the neighbours are counted in the order 0, h, 1, h + 1, ..., h being half of the inputs.

    Returns:
        `[branches * synapses]`; `inputs`, which is none of them, for a synapse beyond the last one.

    Raises:
        ValueError: some inputs would have no synapse.
    """
    stride = -(-inputs // branches)
    if synapses < stride:
        raise ValueError(
            f"{branches} branches with synapses_per_branch={synapses} leave some of {inputs} inputs out; it must be at "
            f"least {stride}."
        )
    place = (jnp.arange(branches)[:, None] * stride + jnp.arange(synapses)[None]).reshape(-1)
    order = jnp.arange(inputs)
    if interleaved:
        order = order // 2 + order % 2 * -(-inputs // 2)
    return order.at[place].get(mode="fill", fill_value=inputs).astype(jnp.int32)


def _linear(key: PRNGKeyArray, rows: int, columns: int) -> tuple[Float[Array, "rows columns"], Float[Array, "rows"]]:
    """Weights and biases, uniform within `1 / sqrt(columns)`."""
    first, second = jax.random.split(key)
    bound = columns**-0.5
    weights = jax.random.uniform(first, (rows, columns), minval=-bound, maxval=bound)
    return weights, jax.random.uniform(second, (rows,), minval=-bound, maxval=bound)
