"""E-prop: the gradient of a recurrent network of spiking neurons from what each synapse can know at the time.

For a neuron j with state `s_j`, output `z_j` and input current `I_j = sum_i W_ji x_i`, every synapse keeps

    epsilon_ji^t = (d s_j^t / d s_j^{t-1}) epsilon_ji^{t-1} + (d s_j^t / d I_j^t) x_i^t        eligibility vector
    e_ji^t       = (d z_j^t / d s_j^{t-1}) epsilon_ji^{t-1} + (d z_j^t / d I_j^t) x_i^t        eligibility trace

forward in time, with nothing that comes from other neurons. With leaky outputs `y_k = kappa y_k + (1 - kappa) o_k`,
where `o = W^out z + b^out`, and a loss that is a sum over time,

    dE/dW_ji ~ sum_t L_j^t F(e_ji)^t,      L_j^t = sum_k B_jk dE/dy_k^t,      F: filtered by the leak of the outputs.

It is the gradient but for one thing: that a spike reaches the loss through other neurons is left out. With the total
`dE/dz_j^t` in the place of L and e itself the sum is the gradient of backpropagation through time, exactly.

Source: Bellec et al. 2020, Nature Communications 11:3625, eqs. 3, 4, 13 and 14. Local derivatives come from automatic
differentiation of `machine.step`: any neuron will do.
"""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from jaxneuro.compose import Chain, Feedback, Population
from jaxneuro.machine import StateMachine
from jaxneuro.neurons.spiking.leaky_readout import LeakyReadout
from jaxneuro.synapses.dense import Dense

Loss = Callable[[Float[Array, "outputs"], Any], Float[Array, ""]]


class Parts(eqx.Module):
    """A network that e-prop can train, by its parts."""

    incoming: Dense
    neurons: Population
    recurrent: Dense
    initial: Float[Array, "units"]
    outgoing: Dense
    leak: LeakyReadout | None


class Eligibility(eqx.Module):
    """The states of the neurons, their last outputs, and the eligibility vectors of all synapses onto them."""

    neurons: PyTree
    output: Float[Array, "units"]
    vectors: Float[Array, "variables units sources"]


class Filtered(eqx.Module):
    """What the leak of the outputs makes of the eligibility traces, the spikes, and the outputs before it."""

    traces: Float[Array, "units sources"]
    spikes: Float[Array, "units"]
    outputs: Float[Array, "outputs"]
    one: Float[Array, ""]


class Gradient(eqx.Module):
    """The sums so far: the loss, and the gradient by all synapses onto the neurons and those of the readout."""

    loss: Float[Array, ""]
    synapses: Float[Array, "units sources"]
    readout: Float[Array, "outputs units"]
    bias: Float[Array, "outputs"]


def parts(network: StateMachine) -> Parts:
    """The parts of a network of one recurrent layer of scalar neurons, as `recurrent_network` makes it.

    Args:
        network: `Chain(Dense, Feedback(Population, Dense), Dense)`, a `Population(LeakyReadout)` at its end or not.

    Returns:
        The parts.

    Raises:
        TypeError: if it has another form.
    """
    machines = list(network.machines) if isinstance(network, Chain) else []
    told = " -> ".join(type(machine).__name__ for machine in machines) or type(network).__name__
    wrong = TypeError(
        f"E-prop got {told}; it trains Chain(Dense, Feedback(Population, Dense), Dense, Population(LeakyReadout)), "
        "the last part shared or not there."
    )
    if len(machines) not in (3, 4):
        raise wrong
    incoming, layer, outgoing, *tail = machines
    leak = tail[0].machine if tail and isinstance(tail[0], Population) and tail[0].shared else None
    if not (isinstance(incoming, Dense) and isinstance(outgoing, Dense)) or bool(tail) != isinstance(
        leak, LeakyReadout
    ):
        raise wrong
    if not (isinstance(layer, Feedback) and isinstance(layer.machine, Population) and isinstance(layer.path, Dense)):
        raise wrong
    if layer.path.bias is not None:
        raise TypeError("E-prop got recurrent synapses with a bias; the incoming ones have it, these take none.")
    return Parts(
        incoming, layer.machine, layer.path, layer.initial, outgoing, leak if isinstance(leak, LeakyReadout) else None
    )


def begin(network: Parts, key: PRNGKeyArray) -> Eligibility:
    """Before the first step: neurons and outputs at their starts, eligibilities at zero.

    Args:
        network: the parts.
        key: random key of the neurons.

    Returns:
        The eligibilities. Sources are the inputs, the neurons themselves, and the bias if there is one.
    """
    states = network.neurons.init(key)
    units, inputs = network.incoming.weights.shape
    sources = inputs + units + (network.incoming.bias is not None)
    variables = sum(leaf[0].size for leaf in jax.tree.leaves(eqx.filter(states, eqx.is_inexact_array)))
    dtype = network.incoming.weights.dtype
    return Eligibility(states, network.initial, jnp.zeros((variables, units, sources), dtype))


def advance(
    network: Parts, state: Eligibility, input: Float[Array, "inputs"]
) -> tuple[Eligibility, Float[Array, "units sources"]]:
    """One step of the neurons and of the eligibilities of all synapses onto them.

    Args:
        network: the parts.
        state: before the step.
        input: of the step.

    Returns:
        The state after it, and the eligibility traces `e_ji`.
    """
    one = jnp.ones(int(network.incoming.bias is not None), input.dtype)
    sources = jnp.concatenate([input, state.output, one])
    currents = network.incoming.respond(input) + network.recurrent.respond(state.output)

    def local(neuron: StateMachine, before: PyTree, current: Float[Array, ""]) -> Any:
        moving, rest = eqx.partition(before, eqx.is_inexact_array)
        values, restore = ravel_pytree(moving)

        def step(values: Float[Array, "d"], current: Float[Array, ""]) -> Any:
            after, output = neuron.step(eqx.combine(restore(values), rest), current)
            return (ravel_pytree(eqx.filter(after, eqx.is_inexact_array))[0], output), (after, output)

        return jax.jacfwd(step, argnums=(0, 1), has_aux=True)(values, current)

    neurons = network.neurons
    over = jax.vmap(local, in_axes=(None if neurons.shared else 0, 0, 0))
    slopes, (states, output) = over(neurons.machine, state.neurons, currents)
    (state_by_state, state_by_current), (output_by_state, output_by_current) = slopes

    # Variable by variable, so that all of it is one pass over the synapses: products of small matrices are slow.
    def along(by: Float[Array, "units d"], by_current: Float[Array, "units"]) -> Float[Array, "units sources"]:
        total = by_current[:, None] * sources[None]
        for variable, vector in enumerate(state.vectors):
            total = total + by[:, variable, None] * vector
        return total

    each = range(len(state.vectors))
    vectors = jnp.stack([along(state_by_state[:, to], state_by_current[:, to]) for to in each])
    return Eligibility(states, output, vectors), along(output_by_state, output_by_current)


def eligibility_traces(
    network: StateMachine, inputs: Float[Array, "time inputs"], *, key: PRNGKeyArray
) -> Float[Array, "time units sources"]:
    """The traces `e_ji` of all synapses at all steps, not filtered: to look at, or to sum with another signal.

    Args:
        network: as `parts` wants it.
        inputs: one sequence.
        key: random key of the neurons' starts.

    Returns:
        The traces. Sources are the inputs, the neurons, and the bias if there is one.

    Raises:
        TypeError: if the network has another form.
    """
    known = parts(network)
    return jax.lax.scan(lambda state, input: advance(known, state, input), begin(known, key), inputs)[1]


def eprop(
    network: StateMachine,
    inputs: Float[Array, "time inputs"],
    targets: PyTree,
    loss: Loss,
    *,
    key: PRNGKeyArray,
    feedback: Float[Array, "units outputs"] | None = None,
) -> tuple[Float[Array, ""], StateMachine]:
    """The loss of a network on one sequence, and its gradient by e-prop; `jax.vmap` makes many sequences.

    Memory does not grow with time: all is summed forward. The synapses of the readout get their true gradient, the
    parameters of the neurons and of the leak get none (zeros).

    Args:
        network: `Chain(Dense, Feedback(Population, Dense), Dense, Population(LeakyReadout))`, the last part or not, as
            `recurrent_network` makes it of scalar neurons.
        inputs: one sequence.
        targets: what `loss` compares each output with, along a leading axis of time.
        loss: `(outputs, target)` of one step to a number; the sum over steps is what is to be small.
        key: random key of the neurons' starts.
        feedback: B, `[units, outputs]`, by which errors reach the neurons: random numbers for random e-prop; None for
            the transposed readout (symmetric e-prop).

    Returns:
        The loss, and a gradient with the structure of the network.

    Raises:
        TypeError: if the network has another form.
    """
    known = parts(network)
    outgoing, zero = known.outgoing, jnp.zeros((), known.outgoing.weights.dtype)
    kept = zero if known.leak is None else jnp.exp(-known.leak.dt_ms / known.leak.tau_ms)
    back = outgoing.weights.T if feedback is None else feedback

    def leak(before: Array, now: Array) -> Array:
        return kept * before + (1 - kept) * now

    def step(carry: tuple[Eligibility, Filtered, Gradient], at: tuple[Array, PyTree]) -> Any:
        (state, filtered, gradient), (input, target) = carry, at
        state, traces = advance(known, state, input)
        now = Filtered(traces, state.output, outgoing.respond(state.output), jnp.ones_like(zero))
        filtered = jax.tree.map(leak, filtered, now)
        value, error = jax.value_and_grad(loss)(filtered.outputs, target)
        change = Gradient(
            value,
            (back @ error)[:, None] * filtered.traces,
            error[:, None] * filtered.spikes[None],
            error * filtered.one,
        )
        return (state, filtered, jax.tree.map(jnp.add, gradient, change)), None

    state = begin(known, key)
    start = Filtered(
        jnp.zeros(state.vectors.shape[1:], zero.dtype), jnp.zeros_like(state.output), outgoing.weights[:, 0] * 0, zero
    )
    none = Gradient(zero, jnp.zeros_like(start.traces), jnp.zeros_like(outgoing.weights), jnp.zeros_like(start.outputs))
    (_, _, total), _ = jax.lax.scan(step, (state, start, none), (inputs, targets))
    return total.loss, _placed(network, known, total)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _loss(
    loss: Loss, network: StateMachine, inputs: Array, targets: PyTree, key: PRNGKeyArray, feedback: Array | None
) -> Float[Array, ""]:
    return eprop(network, inputs, targets, loss, key=key, feedback=feedback)[0]


def _forward(
    loss: Loss, network: StateMachine, inputs: Array, targets: PyTree, key: PRNGKeyArray, feedback: Array | None
) -> tuple[Float[Array, ""], StateMachine]:
    return eprop(network, inputs, targets, loss, key=key, feedback=feedback)


def _backward(loss: Loss, gradient: StateMachine, change: Float[Array, ""]) -> tuple[StateMachine | None, ...]:
    return jax.tree.map(lambda leaf: change * leaf, gradient), None, None, None, None


_loss.defvjp(_forward, _backward)


def eprop_loss(
    network: StateMachine,
    inputs: Float[Array, "time inputs"],
    targets: PyTree,
    loss: Loss,
    *,
    key: PRNGKeyArray,
    feedback: Float[Array, "units outputs"] | None = None,
) -> Float[Array, ""]:
    """The loss of a network on one sequence, whose gradient by the network is that of e-prop: for any trainer.

    Args:
        network: see `eprop`.
        inputs: see `eprop`.
        targets: see `eprop`.
        loss: see `eprop`.
        key: see `eprop`.
        feedback: see `eprop`.

    Returns:
        The loss; it has no gradient by anything but the network.

    Raises:
        TypeError: if the network has another form.
    """
    return _loss(loss, network, inputs, targets, key, feedback)


def _placed(network: StateMachine, known: Parts, gradient: Gradient) -> StateMachine:
    """The sums in the places of the synapses they belong to, zeros elsewhere."""
    inputs = known.incoming.weights.shape[1]
    units = known.recurrent.weights.shape[1]
    zeros = jax.tree.map(jnp.zeros_like, network)
    incoming, recurrent, bias = jnp.split(gradient.synapses, [inputs, inputs + units], axis=1)
    where = [
        (lambda chain: chain.machines[0].weights, incoming),
        (lambda chain: chain.machines[1].path.weights, recurrent),
        (lambda chain: chain.machines[2].weights, gradient.readout),
    ]
    if known.incoming.bias is not None:
        where.append((lambda chain: chain.machines[0].bias, bias[:, 0]))
    if known.outgoing.bias is not None:
        where.append((lambda chain: chain.machines[2].bias, gradient.bias))
    return eqx.tree_at(lambda chain: [at(chain) for at, _ in where], zeros, [value for _, value in where])
