"""Unitary and orthogonal matrices as products of layers of rotations of pairs.

One rotation takes two numbers, `(a, b) -> (cos(theta) a' - sin(theta) b, sin(theta) a' + cos(theta) b)` with
`a' = exp(i phi) a`. A layer rotates many disjoint pairs: pairs of numbers `stride` apart, from number `offset` on.

With the phase before the rotation, and a diagonal of phases behind the last layer, as many layers as numbers reach
every unitary matrix; phases behind the rotations of the last layers would do what that diagonal does.

Reference: Jing et al. 2017, arXiv:1612.05231, sections 3.1 to 3.3.
"""

from typing import Literal

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, Inexact

from jaxneuro.initial import check_choice

Style = Literal["tunable", "fft"]
Pairing = tuple[int, int]


def pairings(layer: str, units: int, layers: int, style: Style) -> tuple[Pairing, ...]:
    """The stride and offset of each layer, in the order in which they act.

    Args:
        layer: name of the class, for the message.
        units: size of the matrix.
        layers: how many layers the tunable style has; `units` of them reach every unitary matrix.
        style: "tunable" pairs neighbours, (0, 1), (2, 3), ... and (1, 2), (3, 4), ... in turn; "fft" pairs at strides
            `units / 2, units / 4, ..., 1`, so that `log2(units)` layers join every number with every other.

    Returns:
        `(stride, offset)` for each layer.

    Raises:
        ValueError: if there is no layer, or the sizes do not fit the style.
    """
    check_choice(layer, "style", style, ("tunable", "fft"))
    if style == "fft":
        if units < 2 or units & (units - 1):
            raise ValueError(f'{layer} got units={units} with style="fft"; it must be a power of 2, at least 2.')
        return tuple((units >> level, 0) for level in range(1, units.bit_length()))
    if layers < 1 or units < 2:
        raise ValueError(f"{layer} got units={units}, layers={layers}; there must be at least 2 units and 1 layer.")
    return tuple((1, level % 2) for level in range(layers))


def rotations(units: int, layers: tuple[Pairing, ...]) -> int:
    """How many pairs all layers rotate."""
    return sum(_pairs(units, *layer) for layer in layers)


def rotate(
    state: Inexact[Array, "units"],
    angles: Float[Array, "rotations"],
    turns: Complex[Array, "rotations"] | None,
    layers: tuple[Pairing, ...],
) -> Inexact[Array, "units"]:
    """The product of all layers with a vector.

    Args:
        state: real or complex.
        angles: theta of all rotations, layer by layer, in the order of the pairs.
        turns: `exp(i phi)` of all rotations; None for real rotations, where phi is 0.
        layers: as `pairings` gives them.

    Returns:
        A vector of the same length (its sum of squares too) and type.
    """
    cos, sin = (part.astype(state.dtype) for part in (jnp.cos(angles), jnp.sin(angles)))
    units, done = state.shape[0], 0
    for stride, offset in layers:
        count = _pairs(units, stride, offset)
        here, shape = slice(done, done + count), (count // stride, stride)
        pairs = state[offset : offset + 2 * count].reshape(count // stride, 2, stride)
        c, s, a, b = cos[here].reshape(shape), sin[here].reshape(shape), pairs[:, 0], pairs[:, 1]
        a = a if turns is None else turns[here].reshape(shape) * a
        turned = jnp.stack([c * a - s * b, s * a + c * b], axis=1).reshape(2 * count)
        state = jnp.concatenate([state[:offset], turned, state[offset + 2 * count :]])
        done += count
    return state


def _pairs(units: int, stride: int, offset: int) -> int:
    return (units - offset) // (2 * stride) * stride
