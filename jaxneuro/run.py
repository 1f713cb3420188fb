"""Run a machine over time: one function, several executors, the same answer from all.

| executor | for | what it does |
|---|---|---|
| sequential | any machine | one scan of `step` |
| batched | `Stateless` | one call over all of time, no loop |
| hoisted | `Driven` | all drives in one product, then a scan of `transition` |
| parallel | `Parallel`, such as `Affine` | all steps at once by associative scans, of depth log T |
| recurrent | `Parallel` | all steps at once but for what is linear in the state, which goes step by step |
| layered | `Chain` | each machine over all of time, then the next |
| neurons | `Population` | the executor of the inner machine, vmapped over neurons |

Which of them pays depends on the backend, and is decided here alone, by `choose`.
"""

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray, PyTree

from jaxneuro.compose import Chain, Population
from jaxneuro.machine import Driven, Parallel, Stateless, StateMachine
from jaxneuro.recurrence import stepwise
from jaxneuro.scan import scan

Executor = Literal["sequential", "batched", "hoisted", "parallel", "recurrent", "layered", "neurons"]
Observe = str | Callable[[Any], Any]
Step = Callable[[Any, Any], tuple[Any, Any]]
Loop = Callable[[Step, Any, Any], tuple[Any, Any]]

# Steps of the time loop per iteration of the compiled loop. On an accelerator the number of kernels launched per time
# step decides a scan's speed, and unrolling lets XLA fuse across steps; on a CPU it makes the loop slower and the
# compilation several times longer.
UNROLL = {"cpu": 1}
UNROLL_ACCELERATOR = 20

# Steps of time per product of a weight gradient. On a CPU what the product needs then is still in the cache, and is not
# copied into another order first; an accelerator wants few and large products.
BLOCK = {"cpu": 8}


_target: contextvars.ContextVar[str | None] = contextvars.ContextVar("target", default=None)


@contextlib.contextmanager
def compiling_for(platform: str) -> Iterator[None]:
    """Inside, `run` chooses for a platform that is not this process's own.

    Args:
        platform: "cpu", "cuda" or "tpu".
    """
    token = _target.set(platform)
    try:
        yield
    finally:
        _target.reset(token)


def choose(machine: StateMachine, platform: str) -> Executor:
    """The fastest executor for a machine on a platform ("cpu", "cuda", "gpu", "tpu").

    On a CPU the input product stays inside the time loop and parallel machines run one step after the other: both keep
    the working set in cache and need little memory. For sequences of thousands of steps "recurrent" was measured to
    train all of them faster there but those with a matrix for a state (`configs/benchmark/linear.yaml`).
    """
    accelerator = platform != "cpu"
    if isinstance(machine, Stateless):
        return "batched"
    if isinstance(machine, Chain):
        return "layered"
    if isinstance(machine, Population):
        return "neurons"
    if isinstance(machine, Parallel) and accelerator:
        return "parallel"
    if isinstance(machine, Driven) and accelerator:
        return "hoisted"
    return "sequential"


def run(
    machine: StateMachine,
    inputs: PyTree[Array],
    *,
    key: PRNGKeyArray | None = None,
    state: PyTree | None = None,
    observe: Observe | None = None,
    every: int = 1,
    checkpoint_every: int | None = None,
    executor: Executor | None = None,
    platform: str | None = None,
) -> Any:
    """Drive a machine with a sequence of inputs.

    `run :: (machine, [x_1 .. x_T]) -> (state_T, [y_1 .. y_T])`, the same as

        state, outputs = machine.init(key), []
        for x in inputs:
            state, y = machine.step(state, x)
            outputs.append(y)

    Time is the leading axis of `inputs` and of the outputs; there is no batch axis: `jax.vmap` adds one. The call is
    compiled once per machine structure and shape; new parameter values reuse the program.

    Args:
        machine: any machine.
        inputs: array or pytree of arrays, each `[T, ...]`.
        key: random key for `machine.init`; `jax.random.key(0)` unless given. Not used when `state` is given.
        state: the state to go on from, as an earlier `run` returned it.
        observe: what to record of the state: the dotted name of a field ("voltage_mv", "states.1.voltage_mv") or a
            function of the state. A function is part of what is compiled: define it once, outside of loops.
        every: record after every so many steps (steps `every`, `2 every`, ...).
        checkpoint_every: keep only every so many states for the gradient, and compute the others again: memory
            `T / n + n` instead of `T`. The square root of T is a good choice, and on a CPU costs no time.
        executor: one of the table above; the fastest for the machine and the platform unless given.
        platform: what the program is compiled for ("cpu", "cuda", "tpu"); that of `compiling_for`, or else JAX's
            default backend, unless given.

    Returns:
        `(state, outputs)`; with `observe` `(state, outputs, record)`, the record with leading axis `T // every`.

    Raises:
        ValueError: if the inputs have no common time axis, an option is out of range, or the executor does not fit.
    """
    lengths = {jnp.shape(leaf)[0] if jnp.ndim(leaf) else None for leaf in jax.tree.leaves(inputs)}
    if len(lengths) != 1 or None in lengths:
        shapes = [jnp.shape(leaf) for leaf in jax.tree.leaves(inputs)]
        raise ValueError(
            f"run got inputs of shapes {shapes}; all must be [time, ...] with the same time. "
            "For one constant input write jnp.broadcast_to(x, (steps, *x.shape))."
        )
    for name, number in (("every", every), ("checkpoint_every", checkpoint_every)):
        if number is not None and number < 1:
            raise ValueError(f"run got {name}={number}; it must be a whole number of steps, at least 1.")
    if executor is not None and executor not in get_args(Executor):
        raise ValueError(f"run got executor={executor!r}; it must be one of {', '.join(get_args(Executor))}.")
    platform = platform or _target.get() or jax.default_backend()
    if executor is None:
        executor = choose(machine, platform)
        # A chain run layer by layer, for one, never has the states of all its layers at one time.
        if (observe is not None and executor in UNOBSERVED) or (checkpoint_every is not None and executor in UNBLOCKED):
            executor = "sequential"
    _check_fit(machine, executor, observe, checkpoint_every)
    if state is None:
        state = _initial(machine, jax.random.key(0) if key is None else key)
    return _run(machine, inputs, state, observe, every, checkpoint_every, executor, platform)


# Executors that never have the whole state of one time step, and those that do not go through time in blocks.
UNOBSERVED = ("layered", "neurons")
UNBLOCKED = ("layered", "parallel", "recurrent", "batched")
_FITS: dict[str, type[StateMachine]] = {
    "batched": Stateless,
    "hoisted": Driven,
    "parallel": Parallel,
    "recurrent": Parallel,
    "layered": Chain,
    "neurons": Population,
}


def _check_fit(machine: StateMachine, executor: Executor, observe: Observe | None, checkpoint: int | None) -> None:
    wanted = _FITS.get(executor, StateMachine)
    if not isinstance(machine, wanted):
        raise ValueError(
            f"run got executor={executor!r} for a {type(machine).__name__}, which is not {wanted.__name__}; "
            'executor="sequential" takes any machine.'
        )
    if executor in UNOBSERVED and observe is not None:
        raise ValueError(f'run got observe with executor={executor!r}; it needs executor="sequential" (the default).')
    if executor in UNBLOCKED and checkpoint is not None:
        raise ValueError(
            f'run got checkpoint_every with executor={executor!r}; it needs "sequential", "hoisted" or "neurons".'
        )


@jax.jit
def _initial(machine: StateMachine, key: PRNGKeyArray) -> PyTree:
    return machine.init(key)


@functools.partial(jax.jit, static_argnums=(3, 4, 5, 6, 7))
def _run(
    machine: StateMachine,
    inputs: PyTree[Array],
    state: PyTree,
    observe: Observe | None,
    every: int,
    checkpoint_every: int | None,
    executor: Executor,
    platform: str,
) -> Any:
    options = {"checkpoint_every": checkpoint_every, "platform": platform}
    if executor == "layered" and isinstance(machine, Chain):
        states = []
        for layer, layer_state in zip(machine.machines, state.states, strict=True):
            layer_state, inputs = run(layer, inputs, state=layer_state, platform=platform)
            states.append(layer_state)
        return type(state)(tuple(states)), inputs
    if executor == "neurons" and isinstance(machine, Population):

        def one(neuron: StateMachine, neuron_inputs: PyTree[Array], neuron_state: PyTree) -> Any:
            return run(neuron, neuron_inputs, state=neuron_state, **options)

        axes = (None if machine.shared else 0, 1, 0)
        return jax.vmap(one, in_axes=axes, out_axes=(0, 1))(machine.machine, inputs, state)
    read, length = _reader(observe), jax.tree.leaves(inputs)[0].shape[0]
    if executor == "batched" and isinstance(machine, Stateless):
        outputs = jax.vmap(machine.respond)(inputs)
        if read is None:
            return state, outputs
        recorded = (length // every,)
        return state, outputs, jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, recorded + leaf.shape), read(state))
    if executor in ("parallel", "recurrent") and isinstance(machine, Parallel) and length:
        with stepwise() if executor == "recurrent" else contextlib.nullcontext():
            states, outputs = machine.over_time(state, inputs)
        final = jax.tree.map(lambda leaf: leaf[-1], states)
        if read is None:
            return final, outputs
        return final, outputs, jax.vmap(read)(jax.tree.map(lambda leaf: leaf[every - 1 :: every], states))
    step: Step = machine.step
    if executor == "hoisted" and isinstance(machine, Driven):
        inputs, step = jax.vmap(machine.drive)(inputs), machine.transition
    loop = functools.partial(scan, unroll=UNROLL.get(platform, UNROLL_ACCELERATOR), block=BLOCK.get(platform))
    return _sequential(loop, step, state, inputs, read, every, checkpoint_every)


def _sequential(
    loop: Loop,
    step: Step,
    state: PyTree,
    inputs: PyTree[Array],
    read: Callable[[Any], Any] | None,
    every: int,
    checkpoint_every: int | None,
) -> Any:
    def steps(state: PyTree, inputs: PyTree[Array]) -> tuple[PyTree, tuple[PyTree, Any]]:
        state, outputs = loop(step, state, inputs)
        return state, (outputs, None)

    if read is None:
        advance, stride = steps, 1
    else:
        advance, stride = _recorded(loop, step, steps, read, every), every
    if checkpoint_every is None:
        state, (outputs, record) = advance(state, inputs)
    else:
        # A block holds a whole number of strides, so that the recorded steps stay the same.
        block = stride * max(1, round(checkpoint_every / stride))
        # The barrier against common subexpressions is not needed in a scan's body, and would keep XLA from fusing.
        blockwise = jax.checkpoint(advance, prevent_cse=False)
        state, (outputs, record) = _in_blocks(blockwise, advance, state, inputs, block, joined=True)
    return (state, outputs) if read is None else (state, outputs, record)


def _recorded(
    loop: Loop, step: Step, steps: Callable[[Any, Any], Any], read: Callable[[Any], Any], every: int
) -> Callable[[Any, Any], Any]:
    """`(state, inputs) -> (state, (outputs, record))`, with a record entry for every so many steps."""

    def watched(state: PyTree, input: PyTree) -> tuple[PyTree, tuple[PyTree, Any]]:
        state, output = step(state, input)
        return state, (output, read(state))

    def watched_block(state: PyTree, inputs: PyTree[Array]) -> tuple[PyTree, tuple[PyTree, Any]]:
        state, (outputs, _) = steps(state, inputs)
        return state, (outputs, read(state))

    if every == 1:
        return lambda state, inputs: loop(watched, state, inputs)
    return lambda state, inputs: _in_blocks(watched_block, steps, state, inputs, every)


def _in_blocks(
    whole: Callable[..., Any],
    rest: Callable[..., Any],
    state: PyTree,
    inputs: PyTree[Array],
    block: int,
    joined: bool = False,
) -> tuple[PyTree, tuple[PyTree, Any]]:
    """Scan over blocks of time with `whole`, then what is left over with `rest`.

    Each gives `(state, (outputs, record))` of its block; the record of a block is one entry, or `joined` entries.
    """
    length = jax.tree.leaves(inputs)[0].shape[0]
    count = length // block
    cut = count * block

    def flat(leaf: Array) -> Array:
        return leaf.reshape(leaf.shape[0] * leaf.shape[1], *leaf.shape[2:])

    blocks = jax.tree.map(lambda leaf: leaf[:cut].reshape(count, block, *leaf.shape[1:]), inputs)
    state, (outputs, record) = jax.lax.scan(whole, state, blocks)
    outputs = jax.tree.map(flat, outputs)
    record = jax.tree.map(flat, record) if joined else record
    if cut < length:
        state, (last, last_record) = rest(state, jax.tree.map(lambda leaf: leaf[cut:], inputs))
        outputs = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), outputs, last)
        if joined:
            record = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), record, last_record)
    return state, (outputs, record)


def _reader(observe: Observe | None) -> Callable[[Any], Any] | None:
    if observe is None or callable(observe):
        return observe
    path = observe.split(".")

    def read(state: Any) -> Any:
        for name in path:
            if isinstance(state, tuple) and name.isdigit() and int(name) < len(state):
                state = state[int(name)]
            elif not isinstance(state, tuple) and hasattr(state, name):
                state = getattr(state, name)
            else:
                known = range(len(state)) if isinstance(state, tuple) else getattr(state, "__dataclass_fields__", ())
                allowed = ", ".join(map(str, known))
                raise ValueError(f"observe={observe!r}: {type(state).__name__} has no {name!r}; it has {allowed}.")
        return state

    return read
