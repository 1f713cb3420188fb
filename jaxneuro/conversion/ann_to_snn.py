"""A graded network becomes a spiking one with the same weights: its neurons fire at the rate of their activations.

A spike of a layer with threshold theta stands for the activation theta: over T steps the activation is `theta spikes /
T`. The height theta goes into the weights behind the layer, so that spikes stay 0 and 1. What is left to choose is the
thresholds: `qcfs` has them from training, `spike_norm` from the drives that spikes bring about, `highest_activations`
from the graded network.
"""

from collections.abc import Iterator, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from jaxneuro.compose import Chain
from jaxneuro.conversion.clipped_steps import ClippedSteps
from jaxneuro.conversion.layers import AveragePool, Flat
from jaxneuro.conversion.residual import Residual
from jaxneuro.conversion.simulate import encode
from jaxneuro.conversion.spiking_relu import SpikingReLU
from jaxneuro.conversion.walk import NEURONS, SYNAPSES, Visit, plan, walk
from jaxneuro.machine import StateMachine


def with_thresholds(
    network: Chain,
    inputs: tuple[int, ...],
    thresholds: Sequence[Float[Array, ""] | float],
    *,
    initial_share: Float[Array, ""] | float = 0.0,
) -> Chain:
    """The spiking network with these thresholds.

    Args:
        network: a `Chain` of `Dense`, `Conv`, `Rectifier` or `ClippedSteps`, `AveragePool`, `Flat`, and `Residual` of
            the same; it ends in synapses.
        inputs: shape of one input.
        thresholds: of the layers of neurons, in the order in which a signal meets them, in the unit of the graded
            activations.
        initial_share: where membranes start, as a share of the threshold.

    Returns:
        The network; the mean of its outputs over time approaches those of the graded one.

    Raises:
        ValueError: there are not as many thresholds as layers of neurons, or it does not end in synapses.
        TypeError: the network has a machine that cannot be converted.
    """
    layers = [visit for visit in plan(network, inputs) if isinstance(visit.machine, NEURONS)]
    if len(layers) != len(thresholds):
        raise ValueError(f"got {len(thresholds)} thresholds for {len(layers)} layers of neurons; give one for each.")
    neurons = iter(
        [
            SpikingReLU(visit.input.shape, threshold, initial_share)
            for visit, threshold in zip(layers, thresholds, strict=True)
        ]
    )
    converted, height = _convert(network, None, neurons)
    if height is not None:
        raise ValueError("the network ends in neurons or pooling; let it end in synapses, such as Dense.")
    assert isinstance(converted, Chain)
    return converted


def _convert(
    machine: StateMachine, height: Float[Array, ""] | None, neurons: Iterator[SpikingReLU]
) -> tuple[StateMachine, Float[Array, ""] | None]:
    """The machine for spikes that stand for `height` (None: for themselves), and the height of what it puts out."""
    if isinstance(machine, Chain):
        parts = []
        for part in machine.machines:
            part, height = _convert(part, height, neurons)
            parts.append(part)
        return Chain(*parts), height
    if isinstance(machine, Residual):
        body, left = _convert(machine.body, height, neurons)
        shortcut, gain = machine.shortcut, machine.gain
        if shortcut is None:
            gain = gain if height is None else gain * height
        else:
            shortcut, left_around = _convert(shortcut, height, neurons)
            left = left if left_around is None else left_around
        if left is not None:
            raise ValueError("a Residual must end in synapses, such as Conv, both ways; put neurons behind the sum.")
        return Residual(body, shortcut, gain), None
    if isinstance(machine, SYNAPSES):
        scaled = machine.weights if height is None else machine.weights * height
        return eqx.tree_at(lambda m: m.weights, machine, scaled), None
    if isinstance(machine, NEURONS):
        spiking = next(neurons)
        return spiking, spiking.threshold
    assert isinstance(machine, AveragePool | Flat)
    return machine, height


def qcfs(network: Chain, inputs: tuple[int, ...]) -> Chain:
    """The spiking network of one that was trained with `ClippedSteps`: thresholds are their ceilings, `v_0 = theta/2`.

    With a constant input, T steps are to a layer what L = T levels are: the expected error of the conversion is 0.

    Args:
        network: as for `with_thresholds`, all its neurons `ClippedSteps`.
        inputs: shape of one input.

    Returns:
        The network.

    Raises:
        TypeError: there are other neurons.

    Reference: Bu et al. 2022, arXiv:2303.04347, theorem 2.
    """
    layers = [visit.machine for visit in plan(network, inputs) if isinstance(visit.machine, NEURONS)]
    ceilings = [layer.ceiling for layer in layers if isinstance(layer, ClippedSteps)]
    if len(ceilings) != len(layers):
        raise TypeError("qcfs got neurons that are not ClippedSteps; train the network with these, or use spike_norm.")
    return with_thresholds(network, inputs, ceilings, initial_share=0.5)


def spike_norm(network: Chain, images: Float[Array, "images ..."], key: PRNGKeyArray, *, steps: int) -> list[Array]:
    """Thresholds from spikes: each layer's is the highest drive that it gets from the spikes of the layers before.

    Layer after layer, the spiking network with the thresholds found so far runs for `steps` steps on images that are
    coded as Poisson spikes; the highest weighted sum of spikes, over images, neurons and steps, becomes the threshold.
    No step can then bring more than one spike's worth, at the price of long waiting for spikes in deep layers.

    Args:
        network: as for `with_thresholds`; best without biases.
        images: `[images, ...]`, from 0 to 1.
        key: of the spikes.
        steps: how long each layer is watched.

    Returns:
        The thresholds in order, in the unit of the graded activations. Those of the paper, where a spike always stands
        for 1, are each divided by the one before.

    Reference: Sengupta et al. 2019, Frontiers in Neuroscience 13:95 (arXiv:1802.02627), algorithm 1.
    """
    inputs = images.shape[1:]
    count = sum(isinstance(visit.machine, NEURONS) for visit in plan(network, inputs))
    thresholds = [jnp.ones((), images.dtype)] * count
    for layer in range(count):
        # Those not yet found are out of the way: nothing goes back.
        highest = _highest_drives(with_thresholds(network, inputs, thresholds), images, key, steps)
        thresholds[layer] = jnp.maximum(highest[layer], jnp.finfo(images.dtype).tiny)
    return thresholds


@eqx.filter_jit
def _highest_drives(network: Chain, images: Float[Array, "images ..."], key: PRNGKeyArray, steps: int) -> list[Array]:
    def one(state: object, input: Array) -> tuple[object, list[Array]]:
        visits: list[Visit] = []
        state, _, _ = walk(network, state, input, 1.0, visits)
        return state, [visit.input.max() for visit in visits if isinstance(visit.machine, SpikingReLU)]

    def step(states: object, time: Array) -> tuple[object, list[Array]]:
        spikes = encode(images, jax.random.fold_in(key, time))
        states, highest = jax.vmap(one)(states, spikes)
        return states, [layer.max() for layer in highest]

    states = jax.vmap(lambda _: network.init(key))(images)
    _, highest = jax.lax.scan(step, states, jnp.arange(steps))
    return [layer.max() for layer in highest]


@eqx.filter_jit
def highest_activations(network: Chain, images: Float[Array, "images ..."]) -> list[Array]:
    """Thresholds from the graded network: the highest activation of each layer over images and neurons.

    Args:
        network: as for `with_thresholds`.
        images: `[images, ...]`.

    Returns:
        The thresholds in order.

    Reference: Diehl et al. 2015, IJCNN, 10.1109/IJCNN.2015.7280696, data-based normalisation.
    """

    def one(image: Array) -> list[Array]:
        visits: list[Visit] = []
        walk(network, network.init(jax.random.key(0)), image, None, visits)
        return [visit.input.max() for visit in visits if isinstance(visit.machine, NEURONS)]

    return [jnp.maximum(layer.max(), jnp.finfo(layer.dtype).tiny) for layer in jax.vmap(one)(images)]
