"""Spike trains on both sides of plastic synapses, and rules written spike by spike."""

import jax.numpy as jnp
import numpy as np

from jaxneuro.synapses import Firing

DT = 0.5


def trains(steps=300, inputs=3, outputs=2, share=0.1, seed=0):
    """Random spikes as booleans, `[steps, inputs]` and `[steps, outputs]`."""
    generator = np.random.default_rng(seed)
    return generator.uniform(size=(steps, inputs)) < share, generator.uniform(size=(steps, outputs)) < share


def firing(before, behind):
    """The same as the input of a machine."""
    return Firing(*(jnp.asarray(spikes, jnp.result_type(float)) for spikes in (before, behind)))


def at(steps, *times):
    """One train with spikes at some steps, `[steps, 1]`."""
    train = np.zeros((steps, 1), bool)
    train[list(times)] = True
    return train


def earlier(train, now, tau, pairing, dt=DT):
    """What earlier spikes of a train weigh at a step: all of them, or the last alone."""
    spikes = np.flatnonzero(train[:now])
    spikes = spikes[-1:] if pairing == "nearest" else spikes
    return np.exp(-(now - spikes) * dt / tau).sum()
