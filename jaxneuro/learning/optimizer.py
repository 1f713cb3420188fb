"""The optimiser of the experiments: Adam with a cosine decay, its learning rate a leaf of its state."""

import optax
from jaxtyping import Array, Float


def cosine_adam(
    learning_rate: float | Float[Array, ""], steps: int, weight_decay: float = 0.0
) -> optax.GradientTransformationExtraArgs:
    """Adam whose learning rate falls to zero by `learning_rate (1 + cos(pi t / steps)) / 2`.

    The learning rate is kept in the state of the optimiser, so that lanes of one program may differ in it: initialise
    every lane by its own `cosine_adam(rate, ...)`, update all of them by any.

    Args:
        learning_rate: at the start.
        steps: number of training steps.
        weight_decay: decoupled weight decay: weights shrink by this times the learning rate in every step.

    Returns:
        An optax transformation.

    Reference: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; Loshchilov and Hutter 2019, arXiv:1711.05101.
    """
    return optax.inject_hyperparams(_cosine_adam, static_args=("steps", "weight_decay"))(
        learning_rate=learning_rate, steps=steps, weight_decay=weight_decay
    )


def _cosine_adam(learning_rate: Array, steps: int, weight_decay: float) -> optax.GradientTransformation:
    return optax.chain(
        optax.scale_by_adam(),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_schedule(optax.cosine_decay_schedule(1.0, steps)),
        optax.scale_by_learning_rate(learning_rate),
    )
