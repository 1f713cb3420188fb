"""Synaptic intelligence: parameters that did much for earlier tasks are held where they are.

w_k     <- w_k - g_k dtheta_k                                    in every step of a task (g of the task's own loss)
Omega_k <- Omega_k + max(0, w_k) / ((theta_k - anchor_k)^2 + xi)        at the end of a task
loss of the next tasks + c sum_k Omega_k (theta_k - anchor_k)^2
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from jaxneuro.machine import Tree


class Intelligence(eqx.Module):
    """What parameters have done: each part has the structure of the parameters.

    Attributes:
        importance: Omega, how much earlier tasks need a parameter to stay.
        path: w, by how much its moves have lowered the loss of the present task so far.
        anchor: where the parameters were at the end of the last task.

    Reference: Zenke, Poole and Ganguli 2017, Continual Learning Through Synaptic Intelligence, arXiv:1703.04200, eqs. 1
    to 5; that a parameter whose moves raised the loss is of no importance, not of a negative one, is ours.
    """

    importance: PyTree[Array]
    path: PyTree[Array]
    anchor: PyTree[Array]


def begin(parameters: PyTree[Array]) -> Intelligence:
    """Before the first task: nothing is important.

    Args:
        parameters: those that are trained, where training starts.
    """
    nothing = jax.tree.map(jnp.zeros_like, parameters)
    return Intelligence(nothing, nothing, parameters)


def pull(known: Intelligence, parameters: Tree, strength: Float[Array, ""]) -> Tree:
    """The gradient of `c sum_k Omega_k (theta_k - anchor_k)^2`, to add to that of the task's loss.

    Args:
        known: of the tasks before.
        parameters: theta.
        strength: c.

    Returns:
        `2 c Omega (theta - anchor)`.
    """

    def one(importance: Array, place: Array, anchor: Array) -> Array:
        return 2 * strength * importance * (place - anchor)

    return jax.tree.map(one, known.importance, parameters, known.anchor)


def follow(known: Intelligence, gradient: PyTree[Array], change: PyTree[Array]) -> Intelligence:
    """After a step of training.

    Args:
        known: before the step.
        gradient: of the task's own loss, without the pull.
        change: of the parameters.
    """
    path = jax.tree.map(lambda path, slope, change: path - slope * change, known.path, gradient, change)
    return Intelligence(known.importance, path, known.anchor)


def consolidate(known: Intelligence, parameters: PyTree[Array], damping: Float[Array, ""]) -> Intelligence:
    """At the end of a task.

    Args:
        known: with the path of the task.
        parameters: where the task has led.
        damping: xi, above 0, which bounds the importance of parameters that hardly moved.
    """

    def one(importance: Array, path: Array, place: Array, anchor: Array) -> Array:
        return importance + jnp.maximum(path, 0) / ((place - anchor) ** 2 + damping)

    importance = jax.tree.map(one, known.importance, known.path, parameters, known.anchor)
    return Intelligence(importance, jax.tree.map(jnp.zeros_like, known.path), parameters)
