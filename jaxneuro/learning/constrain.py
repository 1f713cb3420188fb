"""Steps of training that keep a matrix unitary.

Matrices are real arrays `[2, units, units]`, real and imaginary part, and so are gradients: the real part of G is the
derivative by the real part of W, the imaginary part that by the imaginary part.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Complex, Float, PyTree

from jaxneuro.neurons.complex.activations import as_complex

Parts = Float[Array, "2 units units"]


def cayley(weights: Parts, gradient: Parts, rate: float | Float[Array, ""]) -> Parts:
    """One step of descent along the unitary matrices.

    `W <- (I + rate/2 A)^-1 (I - rate/2 A) W` with `A = G W^H - W G^H`, which is skew-Hermitian, so that the factor in
    front of W is unitary whatever the rate.

    Args:
        weights: W, unitary.
        gradient: G.
        rate: learning rate.

    Returns:
        The new W, unitary but for rounding.

    Reference: Wisdom et al. 2016, arXiv:1611.00035, section 4; Tagare 2011, Notes on optimization on Stiefel manifolds.
    """
    w, g = as_complex(weights), as_complex(gradient)
    product = _times(g, w.conj().T)
    half = 0.5 * jnp.asarray(rate, w.real.dtype)
    a = jax.lax.complex(half, jnp.zeros_like(half)) * (product - product.conj().T)
    return _parts(jnp.linalg.solve(jnp.eye(len(w), dtype=w.dtype) + a, w - _times(a, w)), weights)


def retract(weights: Parts, iterations: int = 2) -> Parts:
    """The unitary matrix nearest to one that is almost unitary: the polar factor, by `W <- W (3 I - W^H W) / 2`.

    Each iteration squares the error `W^H W - I`, whose norm must be below 1; two of them bring whatever rounding may
    have left down to that of one rounding. Without them the roundings of many steps add up.

    Args:
        weights: W.
        iterations: how many.

    Returns:
        W, unitary but for rounding.

    Reference: Björck and Bowie 1971, SIAM Journal on Numerical Analysis 8:358 (Newton and Schulz's iteration).
    """
    w = as_complex(weights)
    for _ in range(iterations):
        # The error first: 3 I - W^H W would round it away.
        error = jnp.eye(len(w), dtype=w.dtype) - _times(w.conj().T, w)
        w = w + 0.5 * _times(w, error)
    return _parts(w, weights)


def unitary(learning_rate: float | Float[Array, ""]) -> optax.GradientTransformation:
    """Descent that keeps every matrix of a pytree unitary: `retract(cayley(W, G, learning_rate))`.

    For the rest of a machine use another optimiser beside it:

        optax.multi_transform({"unitary": unitary(1e-2), "free": optax.adam(1e-3)}, labels)

    where `labels` has the structure of the machine and "unitary" at matrices `[2, units, units]` alone.

    Args:
        learning_rate: the rate.

    Returns:
        An optax transformation; its `update` needs `params`.
    """

    def update(updates: PyTree, state: Any, params: PyTree | None = None) -> tuple[PyTree, Any]:
        if params is None:
            raise ValueError("unitary needs the parameters: optimizer.update(gradient, state, parameters).")

        def change(gradient: Parts, weights: Parts) -> Parts:
            return retract(cayley(weights, gradient, learning_rate)) - weights

        return jax.tree.map(change, updates, params), state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)


def _times(a: Complex[Array, "rows n"], b: Complex[Array, "n columns"]) -> Complex[Array, "rows columns"]:
    # Accelerators round the factors of a product to half size by default, which no iteration could repair.
    return jnp.matmul(a, b, precision="highest")


def _parts(w: Complex[Array, "units units"], like: Parts) -> Parts:
    return jnp.stack([w.real, w.imag]).astype(like.dtype)
