"""Training by gradient: optax steps in one compiled scan, a pure function of the state and the data.

    batch_t  = sample(data, fold_in(key, t), t)
    g_t      = d loss(machine_t, batch_t) / d (trained fields)
    machine  <- machine + optimizer(clip(g_t))

All of it (seeds, sweep points) may have a leading lanes axis: every lane is trained by the same program on its own key.
"""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from jaxneuro.machine import Tree

Loss = Callable[[Any, Any, PRNGKeyArray], Float[Array, ""]]
Sample = Callable[[Any, PRNGKeyArray, Int[Array, ""]], Any]


class TrainState(eqx.Module):
    """All that is needed to go on training: nothing else enters a step but the data."""

    machine: PyTree
    optimizer_state: PyTree
    step: Int[Array, "..."]
    key: PRNGKeyArray
    finite: Bool[Array, "..."]


def mask(machine: PyTree, trained: tuple[str, ...]) -> PyTree[bool]:
    """Which leaves are trained: the inexact ones below a field of one of these names.

    Args:
        machine: a machine.
        trained: field names, such as `("weights", "bias")`.

    Returns:
        A pytree of booleans with the structure of the machine.

    Raises:
        ValueError: if no leaf has any of the names.
    """
    names = [
        {getattr(entry, "name", None) for entry in path} for path, _ in jax.tree_util.tree_leaves_with_path(machine)
    ]
    chosen = [
        bool(found & set(trained)) and jnp.issubdtype(leaf.dtype, jnp.inexact)
        for found, leaf in zip(names, jax.tree.leaves(machine), strict=True)
    ]
    if not any(chosen):
        known = sorted({name for found in names for name in found if name})
        raise ValueError(f"trained={list(trained)} names no field of the machine; it has {', '.join(known)}.")
    return jax.tree.unflatten(jax.tree.structure(machine), chosen)


def count_trained(machine: PyTree, trained: tuple[str, ...]) -> int:
    """The number of scalars that training may change."""
    flags = jax.tree.leaves(mask(machine, trained))
    return sum(leaf.size for leaf, flag in zip(jax.tree.leaves(machine), flags, strict=True) if flag)


def start(
    machine: PyTree, optimizer: optax.GradientTransformation, key: PRNGKeyArray, trained: tuple[str, ...]
) -> TrainState:
    """The state before the first step; under `jax.vmap` over machines and keys, that of many lanes."""
    # Copies: `advance` gives up the buffers of its state, and the caller may want to keep the machine and the key.
    machine, key = jax.tree.map(jnp.copy, (machine, key))
    changing, _ = eqx.partition(machine, mask(machine, trained))
    return TrainState(machine, optimizer.init(changing), jnp.zeros((), jnp.int32), key, jnp.ones((), bool))


@functools.partial(
    jax.jit, static_argnames=("steps", "loss", "sample", "optimizer", "trained", "lanes"), donate_argnums=0
)
def advance(
    state: TrainState,
    data: PyTree[Array],
    steps: int,
    *,
    loss: Loss,
    sample: Sample,
    optimizer: optax.GradientTransformation,
    trained: tuple[str, ...],
    clip: float | Float[Array, ""] = jnp.inf,
    lanes: bool = False,
) -> tuple[TrainState, dict[str, Array]]:
    """Train for `steps` steps.

    A step whose loss or gradient is not finite changes nothing, and neither does any step after it: `state.finite` of
    that lane stays False, its reported loss is NaN from there on, and the other lanes go on.

    Args:
        state: where to go on from; its buffers are given up.
        data: what `sample` draws from, the same for all lanes.
        steps: how many steps; part of what is compiled.
        loss: `(machine, batch, key) -> scalar`.
        sample: `(data, key, step) -> batch`, with the same key in every step.
        optimizer: an optax transformation.
        trained: names of the fields that are trained.
        clip: largest norm of the gradient over all trained fields; a longer gradient is scaled down to it.
        lanes: whether the state has a leading lanes axis.

    Returns:
        The new state, and `{"loss": ..., "gradient_norm": ...}`, each `[steps]`, or `[steps, lanes]`.
    """

    def one(state: TrainState, clip: Float[Array, ""]) -> tuple[TrainState, dict[str, Array]]:
        return _step(state, data, loss, sample, optimizer, trained, clip)

    each = jax.vmap(one, in_axes=(0, None)) if lanes else one
    limit = jnp.asarray(clip, jnp.result_type(float))
    return jax.lax.scan(lambda state, _: each(state, limit), state, length=steps)


def _step(
    state: TrainState,
    data: PyTree[Array],
    loss: Loss,
    sample: Sample,
    optimizer: optax.GradientTransformation,
    trained: tuple[str, ...],
    clip: Float[Array, ""],
) -> tuple[TrainState, dict[str, Array]]:
    order_key, loss_key = jax.random.split(state.key)
    batch = sample(data, order_key, state.step)
    changing, fixed = eqx.partition(state.machine, mask(state.machine, trained))

    def objective(changing: PyTree) -> Float[Array, ""]:
        return loss(eqx.combine(changing, fixed), batch, jax.random.fold_in(loss_key, state.step))

    value, gradient = jax.value_and_grad(objective)(changing)
    norm = optax.tree.norm(gradient)
    # The norm is not finite if any sample's gradient is not, so that a clipped NaN cannot pass for a number.
    finite = state.finite & jnp.isfinite(value) & jnp.isfinite(norm)
    scale = jnp.minimum(1, clip.astype(norm.dtype) / jnp.maximum(norm, jnp.finfo(norm.dtype).tiny))
    gradient = jax.tree.map(lambda leaf: leaf * scale.astype(leaf.dtype), gradient)
    # Optax raises floats to the power of integer counts, which strict promotion forbids.
    with jax.numpy_dtype_promotion("standard"):
        updates, optimizer_state = optimizer.update(gradient, state.optimizer_state, changing)
    machine = eqx.combine(optax.apply_updates(changing, updates), fixed)
    new = TrainState(
        _keep_if(finite, machine, state.machine),
        _keep_if(finite, optimizer_state, state.optimizer_state),
        state.step + 1,
        state.key,
        finite,
    )
    return new, {"loss": jnp.where(finite, value, jnp.nan), "gradient_norm": norm}


def _keep_if(condition: Bool[Array, ""], new: Tree, old: Tree) -> Tree:
    return jax.tree.map(lambda new, old: jnp.where(condition, new, old), new, old)


def epoch_indices(key: PRNGKeyArray, step: Int[Array, ""], samples: int, batch: int) -> Int[Array, "batch"]:
    """Which samples make the batch of this step: every sample once per epoch, in an order drawn anew for each.

    A pure function of key and step, so that a resumed run sees the same batches. The `samples % batch` last ones of
    each epoch's order are left out.

    Args:
        key: the run's key for the order.
        step: number of the training step, from 0.
        samples: size of the training set.
        batch: size of the batch, at most `samples`.

    Returns:
        Indices into the training set.
    """
    if not 1 <= batch <= samples:
        raise ValueError(f"epoch_indices got batch={batch}; it must be between 1 and the {samples} samples.")
    per_epoch = samples // batch
    order = jax.random.permutation(jax.random.fold_in(key, step // per_epoch), samples)
    return jax.lax.dynamic_slice_in_dim(order, step % per_epoch * batch, batch)
