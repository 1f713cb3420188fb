"""Large populations without connections, fast on a CPU: all of time for some neurons, then for the next."""

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from jaxneuro.compose import Population
from jaxneuro.machine import StateMachine
from jaxneuro.processes import usable_cores


def run_in_blocks(
    population: Population,
    inputs: Float[Array, "time"] | Float[Array, "time neurons"],
    *,
    key: PRNGKeyArray | None = None,
    state: PyTree | None = None,
    block: int = 1024,
    unroll: int = 1,
    counted: bool = False,
    devices: int = 1,
    threads: int | None = None,
) -> tuple[PyTree, PyTree]:
    """What `jn.run(population, inputs)` gives, computed block by block of neurons.

    The state of a block stays in the cache for all of time, where that of a whole population would go through memory at
    every step; and where XLA would cut each step of a large population in parts and hand them from thread to thread,
    which takes longer than a part, each thread has neurons of its own for all of time. With several devices each has
    its share of the blocks. Inside of `jit`, `vmap` or `grad` one thread does all.

    Args:
        population: neurons of one kind.
        inputs: one current for all neurons, `[time]`, or one for each, `[time, neurons]`.
        key: random key for the start; `jax.random.key(0)` unless given. Not used when `state` is given.
        state: the state to go on from.
        block: neurons in a block. XLA cuts blocks that are too large in parts, which makes them several times slower;
            1,250 LIF neurons were the most.
        unroll: steps of time in one round of the compiled loop; more than one was measured to be slower for a LIF.
        counted: whether to give the sums of the outputs over time, `[neurons]`, instead of all of them.
        devices: how many to use; their number times `block` must divide the population, if there are several.
        threads: how many share the neurons on one device; unless given, as many as this process has cores on a
            CPU, and one else.

    Returns:
        The final state, and the outputs `[time, neurons]` or their sums.

    Raises:
        ValueError: if the inputs fit no population of this size, or a number is out of range.
    """
    if inputs.ndim not in (1, 2) or (inputs.ndim == 2 and inputs.shape[1] != population.size):
        raise ValueError(
            f"run_in_blocks got inputs of shape {inputs.shape}; they must be [time] or [time, {population.size}]."
        )
    if threads is None:
        threads = usable_cores() if jax.default_backend() == "cpu" else 1
    if min(block, unroll, devices, threads) < 1:
        raise ValueError(
            f"run_in_blocks got block={block}, unroll={unroll}, devices={devices}, threads={threads}; "
            "all must be above 0."
        )
    if devices > 1 and (devices > len(jax.devices()) or population.size % (devices * block)):
        raise ValueError(
            f"run_in_blocks got devices={devices} of {len(jax.devices())} for {population.size} neurons in blocks of "
            f"{block}; there must be so many, and their number times the block must divide the population."
        )
    if state is None:
        state = jax.jit(lambda population, key: population.init(key))(
            population, jax.random.key(0) if key is None else key
        )
    options = (unroll, counted, devices)
    traced = any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((population, inputs, state)))
    threads = min(threads, -(-population.size // block))
    if traced or devices > 1 or threads == 1:
        return _run(population, inputs, state, min(block, population.size), *options)
    ends = [population.size * (thread + 1) // threads for thread in range(threads)]
    shares = [_share(population, inputs, state, *span) for span in zip([0, *ends], ends, strict=False)]
    # Compiled here, because how JAX computes is set by thread.
    programs = [_run.lower(*share, min(block, share[0].size), *options).compile() for share in shares]
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda program, share: jax.block_until_ready(program(*share)), programs, shares))
    axes = (0, 0 if counted else 1)
    return tuple(
        jax.tree.map(lambda *leaves, axis=axis: jnp.concatenate(leaves, axis), *parts)
        for axis, parts in zip(axes, zip(*found, strict=True), strict=True)
    )


def _share(
    population: Population, inputs: Array, state: PyTree, begin: int, end: int
) -> tuple[Population, Array, PyTree]:
    """Some of the neurons, what they get, and where they start."""

    def part(tree: PyTree) -> PyTree:
        return jax.tree.map(lambda leaf: leaf[begin:end], tree)

    machine = population.machine if population.shared else part(population.machine)
    some = Population(machine, end - begin, shared=population.shared)
    return some, inputs if inputs.ndim == 1 else inputs[:, begin:end], part(state)


@functools.partial(jax.jit, static_argnums=(3, 4, 5, 6))
def _run(
    population: Population, inputs: Array, state: PyTree, block: int, unroll: int, counted: bool, devices: int
) -> tuple[PyTree, PyTree]:
    single = inputs.ndim == 1
    by_neuron = inputs if single else inputs.T
    many = functools.partial(_neurons, shared=population.shared, single=single, block=block, unroll=unroll)
    many = functools.partial(many, counted=counted)
    if devices > 1:
        each, whole = PartitionSpec("neurons"), PartitionSpec()
        kinds = (whole if population.shared else each, whole if single else each, each)
        mesh = Mesh(np.asarray(jax.devices()[:devices]), ("neurons",))
        many = jax.shard_map(many, mesh=mesh, in_specs=kinds, out_specs=each, check_vma=False)
    state, outputs = many(population.machine, by_neuron, state)
    return state, outputs if counted else jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, 1), outputs)


def _neurons(
    machine: StateMachine,
    inputs: Array,
    state: PyTree,
    *,
    shared: bool,
    single: bool,
    block: int,
    unroll: int,
    counted: bool,
) -> tuple[PyTree, PyTree]:
    """All neurons of a device, whose number is the leading axis of all that is theirs."""
    size = jax.tree.leaves(state)[0].shape[0]
    axes = (None if shared else 0, 0, None if single else 0)

    def some(machine: StateMachine, inputs: Array, state: PyTree) -> tuple[PyTree, PyTree]:
        step = jax.vmap(lambda machine, state, input: machine.step(state, input), in_axes=axes)

        def one(carry: tuple[PyTree, Any], input: Array) -> tuple[tuple[PyTree, Any], Any]:
            state, total = carry
            state, output = step(machine, state, input)
            return (state, jax.tree.map(jnp.add, total, output)) if counted else (state, total), (
                None if counted else output
            )

        over_time = inputs if single else inputs.T
        shapes = jax.eval_shape(step, machine, state, jax.tree.map(lambda leaf: leaf[0], over_time))[1]
        total = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes) if counted else None
        (state, total), outputs = jax.lax.scan(one, (state, total), over_time, unroll=unroll)
        return state, total if counted else jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, 1), outputs)

    def part(tree: PyTree, begin: int, end: int) -> PyTree:
        return jax.tree.map(lambda leaf: leaf[begin:end], tree)

    def pick(begin: int, end: int) -> tuple[StateMachine, Array, PyTree]:
        return (
            machine if shared else part(machine, begin, end),
            inputs if single else part(inputs, begin, end),
            part(state, begin, end),
        )

    count = size // block

    def folded(tree: PyTree) -> PyTree:
        return jax.tree.map(lambda leaf: leaf.reshape(count, block, *leaf.shape[1:]), tree)

    def chosen(index: Array) -> tuple[PyTree, PyTree]:
        machines, drive, states = pick(0, count * block)
        return some(
            machines if shared else _at(folded(machines), index),
            drive if single else _at(folded(drive), index),
            _at(folded(states), index),
        )

    outcome = jax.lax.map(chosen, jnp.arange(count))
    outcome = jax.tree.map(lambda leaf: leaf.reshape(count * block, *leaf.shape[2:]), outcome)
    if count * block < size:
        rest = some(*pick(count * block, size))
        outcome = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), outcome, rest)
    return outcome


def _at(tree: Any, index: Array) -> Any:
    return jax.tree.map(lambda leaf: jax.lax.dynamic_index_in_dim(leaf, index, keepdims=False), tree)
