"""What else there is to know of a trained network: how it withstands changes of its input, and what it heeds."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxneuro.launch.comparison import answers
from jaxneuro.machine import StateMachine
from jaxneuro.measure.adversarial import fgsm, pgd
from jaxneuro.measure.psychometric import psychometric_slopes
from jaxneuro.surrogate import ArcTangent, FastSigmoid, Surrogate, Triangular
from jaxneuro.tasks.batch import Batch, Classification
from jaxneuro.tasks.context_decision import ContextDecision

Probe = Callable[[StateMachine], dict[str, Array]]

DEVIATIONS = (0.1, 0.2, 0.4, 0.8)  # of Gaussian noise; inputs lie from 0 to 1
SHARES = (0.125, 0.25, 0.5, 0.75)  # of an input's steps that are covered


class Curve(NamedTuple):
    """Right answers over the strength of a disturbance: the key of each point among a probe's numbers."""

    name: str
    points: tuple[float, ...]

    def key(self, point: float) -> str:
        """The key of a point."""
        return f"{self.name} {point:g}"


CURVES = (Curve("Gaussian noise", DEVIATIONS), Curve("covered", SHARES))


def surrogates() -> tuple[Surrogate, ...]:
    """Slopes that spikes pretend to have while they are attacked; one may be the network's own."""
    return FastSigmoid(slope=2.0), Triangular(height=1.0, width=1.0), ArcTangent(slope=2.0)


def spikes_with(machine: StateMachine, spike: Surrogate) -> StateMachine:
    """The machine with another pretended slope of all its spikes."""
    return jax.tree.map(lambda leaf: spike if _is_surrogate(leaf) else leaf, machine, is_leaf=_is_surrogate)


def has_spikes(machine: StateMachine) -> bool:
    """Whether there is any slope to pretend."""
    return any(isinstance(leaf, Surrogate) for leaf in jax.tree.leaves(machine, is_leaf=_is_surrogate))


def _is_surrogate(leaf: object) -> bool:
    return isinstance(leaf, Surrogate)


def withstanding(task: Classification, batch: Batch, epsilon: float) -> Probe:
    """Shares of right answers (%) on inputs that were changed.

    They are: `clean`; `noise`, plus or minus epsilon at random; `fgsm` and `pgd` (20 steps) with the network's own
    gradient; `worst`, the least that PGD leaves with any of three pretended slopes of the spikes, where there are
    spikes (a sample counts as right if all attacks fail on it); and the curves, Gaussian noise and inputs with a
    stretch of their steps covered by zeros.

    Args:
        task: says what is right.
        batch: inputs from 0 to 1.
        epsilon: largest change of a number.
    """
    start, noise_key, gauss_key, cover_key = jax.random.split(jax.random.key(0), 4)
    inputs = batch.inputs

    def measure(machine: StateMachine) -> dict[str, Array]:
        def rightly(inputs: Array) -> Bool[Array, "batch"]:
            said = answers(machine, Batch(inputs, batch.targets, batch.weights))
            wrong = (said.argmax(-1) != batch.targets) & (batch.weights > 0)
            return ~wrong.any(axis=1)

        def share(right: Bool[Array, "batch"]) -> Float[Array, ""]:
            return 100 * right.mean(dtype=jnp.result_type(float))

        def loss_of(machine: StateMachine) -> Callable[[Array], Array]:
            def loss(inputs: Array) -> Array:
                changed = Batch(inputs, batch.targets, batch.weights)
                return task.loss(answers(machine, changed), changed)

            return loss

        own = rightly(pgd(loss_of(machine), inputs, epsilon, start))
        all_fail = own
        for spike in surrogates() if has_spikes(machine) else ():
            all_fail &= rightly(pgd(loss_of(spikes_with(machine, spike)), inputs, epsilon, start))
        shaken = inputs + epsilon * jax.random.rademacher(noise_key, inputs.shape, inputs.dtype)
        found = {
            "clean": share(rightly(inputs)),
            "noise": share(rightly(jnp.clip(shaken, 0, 1))),
            "fgsm": share(rightly(fgsm(loss_of(machine), inputs, epsilon))),
            "pgd": share(own),
            "worst": share(all_fail),
        }
        gauss = jax.random.normal(gauss_key, inputs.shape, inputs.dtype)
        first = jax.random.uniform(cover_key, (len(inputs), 1))
        steps = inputs.shape[1]
        place = jnp.arange(steps, dtype=first.dtype)[None]
        for deviation in DEVIATIONS:
            found[CURVES[0].key(deviation)] = share(rightly(jnp.clip(inputs + deviation * gauss, 0, 1)))
        for part in SHARES:
            length = max(1, round(part * steps))
            begin = jnp.floor(first * (steps - length + 1))
            covered = (place >= begin) & (place < begin + length)
            found[CURVES[1].key(part)] = share(rightly(jnp.where(covered[..., None], 0, inputs)))
        return found

    return measure


def heeding(batch: Batch) -> Probe:
    """How much a network heeds the stream that counts, and the other, in a decision that depends on the context.

    Args:
        batch: of `ContextDecision`; the evidence of a stream is its mean over all steps.
    """
    evidence = batch.inputs[..., :2].mean(axis=1)
    context = batch.inputs[:, 0, 2:].argmax(axis=1)[:, None]
    ordered = jnp.concatenate([jnp.take_along_axis(evidence, place, axis=1) for place in (context, 1 - context)], 1)

    def measure(machine: StateMachine) -> dict[str, Array]:
        chosen = answers(machine, batch)[:, -1].argmax(-1)
        slopes = psychometric_slopes(ordered, chosen.astype(ordered.dtype))
        return {"relevant": slopes[0], "irrelevant": slopes[1]}

    return measure


def probe(task: object, batch: Batch, epsilon: float) -> Probe | None:
    """What else to measure of networks on a task, if anything.

    Args:
        task: that they were trained on.
        batch: of the test.
        epsilon: largest change of an input's numbers in attacks; 0 for no attacks.
    """
    if epsilon and isinstance(task, Classification):
        return withstanding(task, batch, epsilon)
    return heeding(batch) if isinstance(task, ContextDecision) else None
