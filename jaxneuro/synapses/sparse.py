"""Sparse connections: every presynaptic neuron has a list of targets."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import NoState, StateMachine, parameter


class Sparse(StateMachine[NoState, Float[Array, "inputs"], Float[Array, "outputs"]]):
    """Sparse synapses: `y_j = sum(w_ik x_i)` over all presynaptic i and places k in its list with `target_ik = j`.

    The lists of all neurons have one length, so that arrays do; a short list is padded by the target `outputs`, which
    is no neuron. With `events` a step looks only at the lists of the inputs that are not zero, as long as there are no
    more than so many, and at all lists otherwise: the result is the same. The gradient is that of the sum for silent
    inputs too. It has no state, and still goes one step at a time: what all synapses send in all of time together may
    not fit in memory.

    Made by `fan_out=n`: every neuron has n different targets; or by `probability=p`: every pair is connected with
    probability p, independently. Then a list has room for the mean and six standard deviations of its length, and
    further targets, one list in 10^9, are left out. `as_sparse(matrix)` takes any connections.

    Fields:
        weights: w, `[inputs, places]`, all `weight` at first; of no effect where there is no target.
        targets: `[inputs, places]`, whole numbers.
        outputs: number of postsynaptic neurons.
        events: None, or for how many active inputs the short way has room.

    The units of weights are those of what the synapses feed, or dimensionless. Input `[inputs]`: spikes or any numbers.
    Output `[outputs]`.

    Reference: adjacency lists for spiking networks, Brette et al. 2007, Journal of Computational Neuroscience 23:349.
    """

    targets: Int[Array, "inputs places"]
    outputs: int = eqx.field(static=True)
    events: int | None = eqx.field(static=True)
    weights: Float[Array, "inputs places"] = parameter()

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        fan_out: int | None = None,
        probability: float | None = None,
        weight: float = 1.0,
        events: int | None = None,
        key: PRNGKeyArray,
    ) -> None:
        check_sizes("Sparse", inputs=inputs, outputs=outputs)
        share = 0.0 if probability is None else probability
        if (fan_out is None) == (probability is None):
            raise ValueError(f"Sparse got fan_out={fan_out}, probability={probability}; it takes one of them.")
        if fan_out is not None and not 0 < fan_out <= outputs:
            raise ValueError(f"Sparse got fan_out={fan_out} for {outputs} outputs; it must be 1 to {outputs}.")
        if probability is not None and not 0 < probability <= 1:
            raise ValueError(f"Sparse got probability={probability}; it must be above 0 and at most 1.")
        if events is not None and not 0 < events <= inputs:
            raise ValueError(f"Sparse got events={events} for {inputs} inputs; it must be 1 to {inputs}, or None.")

        def chosen(key: PRNGKeyArray) -> Int[Array, "places"]:
            if fan_out is not None:
                return jax.lax.top_k(jax.random.uniform(key, (outputs,)), fan_out)[1]
            connected = jax.random.bernoulli(key, share, (outputs,))
            return jnp.nonzero(connected, size=_room(outputs, share), fill_value=outputs)[0]

        # One list at a time: together the numbers drawn for them would be as many as the pairs of neurons.
        self.targets = jax.lax.map(chosen, jax.random.split(key, inputs)).astype(jnp.int32)
        self.weights = jnp.full(self.targets.shape, weight, jnp.result_type(float))
        self.outputs, self.events = outputs, events

    def init(self, key: PRNGKeyArray) -> NoState:
        """The empty state."""
        return NoState()

    def step(self, state: NoState, input: Float[Array, "inputs"]) -> tuple[NoState, Float[Array, "outputs"]]:
        """`(state, respond(input))`."""
        return state, self.respond(input)

    def respond(self, input: Float[Array, "inputs"]) -> Float[Array, "outputs"]:
        """The sum, by all lists or by those of active inputs."""
        if self.events is None:
            return _all(self.weights, input, self.targets, self.outputs)
        return _active(self.weights, input, self.targets, self.outputs, self.events)

    def matrix(self) -> Float[Array, "outputs inputs"]:
        """The weights as `Dense` has them."""
        return jax.vmap(self.respond, out_axes=1)(jnp.eye(len(self.targets), dtype=self.weights.dtype))


def as_sparse(matrix: Float[Array, "outputs inputs"], events: int | None = None) -> Sparse:
    """The connections of a matrix that are not zero, as lists.

    Args:
        matrix: weights as `Dense` has them, `[outputs, inputs]`, concrete numbers.
        events: as the field of `Sparse`.

    Returns:
        The same connections.
    """
    dense = np.asarray(matrix).T
    counts = np.count_nonzero(dense, axis=1)
    places = np.arange(max(1, counts.max()))[None] < counts[:, None]
    targets = np.full(places.shape, dense.shape[1], np.int32)
    weights = np.zeros(places.shape, dense.dtype)
    sources, targets[places] = np.nonzero(dense)
    weights[places] = dense[sources, targets[places]]
    made = Sparse(dense.shape[0], dense.shape[1], fan_out=1, events=events, key=jax.random.key(0))
    found = (jnp.asarray(weights), jnp.asarray(targets))
    return eqx.tree_at(lambda sparse: (sparse.weights, sparse.targets), made, found)


def _room(outputs: int, probability: float) -> int:
    mean = outputs * probability
    return max(1, min(outputs, int(np.ceil(mean + 6 * (mean * (1 - probability)) ** 0.5 + 6))))


def _all(weights: Array, input: Array, targets: Array, outputs: int) -> Array:
    sums = jnp.zeros(outputs, weights.dtype)
    return sums.at[targets].add(weights * input[:, None], mode="drop")


@jax.custom_jvp
def _gathered(weights: Array, input: Array, targets: Array, sums: Array, rows: Array) -> Array:
    """The sum over the lists of some inputs; `rows` beyond the last input are no input."""
    heard = jnp.take(targets, rows, axis=0, mode="fill", fill_value=len(sums))
    sent = jnp.take(weights, rows, axis=0, mode="clip") * jnp.take(input, rows, mode="fill", fill_value=0)[:, None]
    return sums.at[heard].add(sent, mode="drop")


@_gathered.defjvp
def _gathered_jvp(primals: tuple[Array, ...], tangents: tuple[Array, ...]) -> tuple[Array, Array]:
    # An input that is silent adds nothing, but would if it changed.
    (weights, input, targets, sums, rows), (weights_dot, input_dot, _, sums_dot, _) = primals, tangents
    change = _all(weights_dot, input, targets, len(sums)) + _all(weights, input_dot, targets, len(sums))
    return _gathered(weights, input, targets, sums, rows), sums_dot + change


def _active(weights: Array, input: Array, targets: Array, outputs: int, events: int) -> Array:
    active = jax.lax.stop_gradient(input) != 0

    def short(weights: Array, input: Array) -> Array:
        rows = jnp.nonzero(active, size=events, fill_value=len(input))[0]
        return _gathered(weights, input, targets, jnp.zeros(outputs, weights.dtype), rows)

    def long(weights: Array, input: Array) -> Array:
        return _all(weights, input, targets, outputs)

    return jax.lax.cond(active.sum() <= events, short, long, weights, input)
