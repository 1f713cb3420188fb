"""The same images in many shuffled orders of their pixels: tasks for a network that learns one after the other."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt8

from jaxneuro.tasks.batch import Batch, Classification
from jaxneuro.tasks.images import entropy, grey


class PermutedImages(Classification):
    """Name the class of an image whose pixels are in an order that belongs to the task.

    Every task has a fixed order, drawn once; all tasks have the same images and classes. `take(images, task)` are
    images of one task, for training on task after task; `batch` draws images and tasks, all equally likely. One step
    of time shows the whole image.

    Input lines: the pixels, grey values from 0 to 1.

    Baseline: `H(labels)`, the entropy of the class frequencies: that of a rule which sees no image. The optimum is not
    known.

    Reference: Goodfellow et al. 2013, arXiv:1312.6211; Kirkpatrick et al. 2017, PNAS 114:3521.
    """

    pixels: Float[Array, "images pixels"] | UInt8[Array, "images pixels"]
    labels: Int[Array, "images"]
    orders: Int[Array, "tasks pixels"]
    classes: int = eqx.field(static=True)

    def __init__(
        self, images: np.ndarray, labels: np.ndarray, *, tasks: int = 10, seed: int = 0, classes: int | None = None
    ) -> None:
        """Draw the orders.

        Args:
            images: `[images, rows, columns]`, floats, or bytes from 0 to 255, shown from 0 to 1.
            labels: `[images]`, classes from 0.
            tasks: how many orders.
            seed: of the orders.
            classes: how many there are, if these images need not have all; else one more than the greatest label.
        """
        if images.ndim != 3 or labels.shape != images.shape[:1] or not len(labels):
            raise ValueError(
                f"PermutedImages got images of shape {images.shape} and labels of shape {labels.shape}; they must be "
                "[images, rows, columns] and [images], with at least one image."
            )
        if images.dtype != np.uint8 and images.dtype.kind != "f":
            raise ValueError(f"PermutedImages got images of {images.dtype}; they must be floats or uint8.")
        if tasks < 1:
            raise ValueError(f"PermutedImages got tasks={tasks}; it must be at least 1.")
        self.classes = int(labels.max()) + 1 if classes is None else classes
        if labels.min() < 0 or labels.max() >= self.classes:
            raise ValueError(
                f"PermutedImages got labels from {labels.min()} to {labels.max()}; they must be from 0 to "
                f"{self.classes - 1}."
            )
        self.pixels = jnp.asarray(images.reshape(len(images), -1))
        self.labels = jnp.asarray(labels, jnp.int32)
        draw, count = np.random.default_rng(seed), self.pixels.shape[1]
        self.orders = jnp.asarray(np.stack([draw.permutation(count) for _ in range(tasks)]), jnp.int32)

    @property
    def tasks(self) -> int:
        """How many there are."""
        return self.orders.shape[0]

    @property
    def inputs(self) -> int:
        """The pixels."""
        return self.pixels.shape[1]

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
        """`size` images and as many tasks, drawn with replacement."""
        image_key, task_key = jax.random.split(key)
        images = jax.random.randint(image_key, (size,), 0, self.labels.shape[0])
        return self.take(images, jax.random.randint(task_key, (size,), 0, self.tasks))

    def take(self, images: Int[Array, "batch"], task: Int[Array, ""] | Int[Array, "batch"]) -> Batch:
        """These images as a task, or each image as a task of its own, shows them."""
        orders = self.orders[jnp.broadcast_to(task, images.shape)]
        shown = grey(jnp.take_along_axis(self.pixels[images], orders, axis=1))
        return Batch(shown[:, None], self.labels[images][:, None], jnp.ones((len(images), 1), shown.dtype))

    @property
    def prototypes(self) -> Float[Array, "tasks pixels"]:
        """The mean image of every task: what may tell a network which task it is shown."""
        return grey(self.pixels).mean(axis=0)[self.orders]
