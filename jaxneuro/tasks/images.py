"""Images read bit by bit: by rows, pixel by pixel, or pixel by pixel in a shuffled order."""

import math
from typing import Literal, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt8

from jaxneuro.initial import check_choice
from jaxneuro.tasks.batch import Batch, Classification

Order = Literal["rows", "pixels", "permuted"]


def entropy(labels: Int[Array, "images"]) -> float:
    """That of the frequencies of classes (nats)."""
    shares = np.bincount(np.asarray(labels)) / len(labels)
    return -sum(share * math.log(share) for share in shares.tolist() if share)


def grey(pixels: Array) -> Float[Array, "*shape"]:
    """Pixels from 0 to 1, of bytes or of such numbers already."""
    floating = jnp.result_type(float)
    return pixels.astype(floating) if jnp.issubdtype(pixels.dtype, jnp.floating) else pixels.astype(floating) / 255


class ImageSequences(Classification):
    """Read an image as a sequence, and name its class at the end.

    `rows` reads a row per step; `pixels` one pixel per step, row after row; `permuted` the same pixels in an order that
    is shuffled once and is the same for all images. Only the last step counts.

    Input lines: the pixels of a row, or one. Grey values are from 0 to 1.

    Baseline: `H(labels)`, the entropy of the class frequencies: that of a rule which sees no image. The optimum is not
    known.

    Reference: Le, Jaitly and Hinton 2015, arXiv:1504.00941, section 4.2 (pixel by pixel, and permuted).
    """

    sequences: Float[Array, "images time features"] | UInt8[Array, "images time features"]
    labels: Int[Array, "images"]
    classes: int = eqx.field(static=True)

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        order: Order = "pixels",
        seed: int = 0,
        classes: int | None = None,
    ) -> None:
        """Put the images in order.

        Args:
            images: `[images, rows, columns]`, floats from 0 to 1, or bytes from 0 to 255, which are kept as such.
            labels: `[images]`, classes from 0.
            order: how they are read.
            seed: of the shuffled order.
            classes: how many there are, if these images need not have all; else one more than the greatest label.
        """
        if images.ndim != 3 or labels.shape != images.shape[:1] or not len(labels):
            raise ValueError(
                f"ImageSequences got images of shape {images.shape} and labels of shape {labels.shape}; they must be "
                "[images, rows, columns] and [images], with at least one image."
            )
        if images.dtype != np.uint8 and images.dtype.kind != "f":
            raise ValueError(f"ImageSequences got images of {images.dtype}; they must be floats or uint8.")
        check_choice("ImageSequences", "order", order, get_args(Order))
        self.classes = int(labels.max()) + 1 if classes is None else classes
        if labels.min() < 0 or labels.max() >= self.classes:
            raise ValueError(
                f"ImageSequences got labels from {labels.min()} to {labels.max()}; they must be from 0 to "
                f"{self.classes - 1}."
            )
        if order != "rows":
            images = images.reshape(len(images), -1, 1)
        if order == "permuted":
            images = images[:, np.random.default_rng(seed).permutation(images.shape[1])]
        self.sequences = jnp.asarray(images)
        self.labels = jnp.asarray(labels, jnp.int32)

    @property
    def inputs(self) -> int:
        """Pixels per step."""
        return self.sequences.shape[2]

    @property
    def outputs(self) -> int:
        """The classes."""
        return self.classes

    @property
    def baseline(self) -> float:
        """Entropy of the class frequencies (nats)."""
        return entropy(self.labels)

    @property
    def optimum(self) -> None:
        """Not known."""
        return

    def batch(self, key: PRNGKeyArray, size: int) -> Batch:
        """`size` images drawn with replacement."""
        return self.take(jax.random.randint(key, (size,), 0, self.labels.shape[0]))

    def take(self, indices: Int[Array, "batch"]) -> Batch:
        """These images."""
        inputs = grey(self.sequences[indices])
        shape = inputs.shape[:2]
        last = (jnp.arange(shape[1]) == shape[1] - 1).astype(inputs.dtype)
        targets = jnp.broadcast_to(self.labels[indices][:, None], shape)
        return Batch(inputs, targets, jnp.broadcast_to(last, shape))
