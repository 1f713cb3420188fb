"""Running graded and spiking networks on images, with what it costs."""

import math
from collections.abc import Iterable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from jaxneuro.compose import Chain
from jaxneuro.conversion.residual import Residual
from jaxneuro.conversion.spiking_relu import SpikingReLU
from jaxneuro.conversion.walk import NEURONS, SYNAPSES, Visit, plan, walk
from jaxneuro.measure.energy import WORD, Work, dense_step, event_steps
from jaxneuro.measure.synaptic import fan_out


class Simulation(eqx.Module):
    """What a spiking network did; counts are means over images.

    Attributes:
        outputs: what it put out, summed up to each step.
        events: spikes that arrived at synapses in each step: accumulates.
        spikes: spikes of all neurons in each step.
        macs: multiply-adds for the drive of the first layer, once for all steps; 0 if images are coded as spikes.
        neurons: how many neurons there are.
        driven: how many of them get a constant drive.
    """

    outputs: Float[Array, "steps images outputs"]
    events: Float[Array, "steps"]
    spikes: Float[Array, "steps"]
    macs: Float[Array, ""]
    neurons: int = eqx.field(static=True)
    driven: int = eqx.field(static=True)

    def work(self, steps: int) -> Work:
        """What the first steps took, per image.

        Args:
            steps: how many, at least 1.
        """
        events, spikes = (float(counts[:steps].sum()) for counts in (self.events, self.spikes))
        macs = float(self.macs)
        once = Work(macs=macs, traffic_bytes=WORD * (2 * macs + self.driven))
        # In each step the constant drive is read, and added to a membrane.
        held = Work(additions=self.driven, traffic_bytes=2 * WORD * self.driven)
        return once + held * steps + event_steps(events, steps * self.neurons, spikes)


def encode(images: Float[Array, "images ..."], key: PRNGKeyArray) -> Float[Array, "images ..."]:
    """Spikes of one step: each pixel fires with the probability of its grey value.

    Args:
        images: from 0 to 1.
        key: of this step.

    Returns:
        0 or 1, in the shape of the images.
    """
    return (jax.random.uniform(key, images.shape, images.dtype) < images).astype(images.dtype)


@eqx.filter_jit
def simulate(
    network: Chain, images: Float[Array, "images ..."], steps: int, *, key: PRNGKeyArray | None = None
) -> Simulation:
    """Show images to a spiking network.

    Args:
        network: as `with_thresholds` makes it.
        images: `[images, ...]`, from 0 to 1 where they are coded as spikes.
        steps: of time.
        key: images are coded as Poisson spikes by it; without it each is a constant drive.

    Returns:
        The outputs and what they cost.
    """
    quantum = 0.0 if key is None else 1.0
    layers = plan(network, images.shape[1:], quantum)
    fans = _fan_outs(layers)

    def one(state: PyTree, input: Array) -> tuple[PyTree, Array, tuple[Array, Array], Array]:
        visits: list[Visit] = []
        state, output, _ = walk(network, state, input, quantum, visits)
        events = macs = jnp.zeros((), input.dtype)
        for visit, fan in zip(visits, fans, strict=True):
            if fan is not None:
                if visit.quantum:
                    events = events + (jnp.abs(visit.input) / visit.quantum * fan).sum()
                else:
                    macs = macs + ((visit.input != 0).astype(fan.dtype) * fan).sum()
        spikes = [visit.output.sum() for visit in visits if isinstance(visit.machine, SpikingReLU)]
        return state, output, (events, macs), sum(spikes, jnp.zeros((), input.dtype))

    def step(carry: tuple[PyTree, Array], time: Array) -> tuple[tuple[PyTree, Array], PyTree]:
        states, total = carry
        inputs = images if key is None else encode(images, jax.random.fold_in(key, time))
        states, outputs, (events, macs), spikes = jax.vmap(one)(states, inputs)
        total = total + outputs
        return (states, total), (total, events.mean(), spikes.mean(), macs.mean())

    states = jax.vmap(lambda _: network.init(jax.random.key(0)))(images)
    outputs = jax.eval_shape(lambda: jax.vmap(one)(states, images)[1])
    start = states, jnp.zeros(outputs.shape, outputs.dtype)
    _, (totals, events, spikes, macs) = jax.lax.scan(step, start, jnp.arange(steps))
    neurons = [layer for layer in layers if isinstance(layer.machine, SpikingReLU)]
    driven = [layer for layer in neurons if layer.quantum == 0]
    return Simulation(totals, events, spikes, macs[0], _size(neurons), _size(driven))


@eqx.filter_jit
def _graded(network: Chain, images: Float[Array, "images ..."]) -> tuple[Array, Array]:
    fans = _fan_outs(plan(network, images.shape[1:]))

    def one(image: Array) -> tuple[Array, Array]:
        visits: list[Visit] = []
        _, output, _ = walk(network, network.init(jax.random.key(0)), image, None, visits)
        active = [(v.input != 0).astype(f.dtype) * f for v, f in zip(visits, fans, strict=True) if f is not None]
        return output, sum((part.sum() for part in active), jnp.zeros((), image.dtype))

    outputs, effective = jax.vmap(one)(images)
    return outputs, effective.mean()


def graded_work(network: Chain, images: Float[Array, "images ..."]) -> tuple[Array, Work, Work]:
    """Show images to a graded network.

    Args:
        network: as `with_thresholds` takes it.
        images: `[images, ...]`.

    Returns:
        Its outputs; what they take per image if all connections are gone through; and if those with a weight or an
        input of 0 are skipped, on the mean.
    """
    layers = plan(network, images.shape[1:])
    outputs, effective = _graded(network, images)
    dense = sum(float(fan.sum()) for fan in _fan_outs(layers, zeros=True) if fan is not None)
    neurons = _size(layer for layer in layers if isinstance(layer.machine, NEURONS))
    return outputs, dense_step(dense, neurons), dense_step(float(effective), neurons)


def _fan_outs(layers: list[Visit], *, zeros: bool = False) -> list[Array | None]:
    """How many connections leave each input of a layer; None for neurons."""
    found = []
    for layer in layers:
        shape = layer.input.shape
        if isinstance(layer.machine, SYNAPSES):
            found.append(fan_out(layer.machine, shape, zeros=zeros))
        else:
            # A shortcut without synapses is one connection from each input.
            found.append(jnp.ones(shape) if isinstance(layer.machine, Residual) else None)
    return found


def _size(layers: Iterable[Visit]) -> int:
    return sum(math.prod(layer.input.shape) for layer in layers)
