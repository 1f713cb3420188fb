"""The pyramidal cell's answers: where its synapses are, what arrives at them, and that it spikes as told."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.networks import pyramidal_cell, pyramidal_morphology
from jaxneuro.tasks.neuron_io import dendrites, neuron_io, synaptic_rates


def test_every_compartment_of_a_dendrite_has_its_synapses():
    places, owners = dendrites()
    lengths = np.asarray(pyramidal_morphology().lengths_um)
    np.testing.assert_array_equal(places, np.flatnonzero(lengths > 0)[1:])
    assert len(places) == 44
    parents = np.asarray(pyramidal_morphology().parents)
    same = [
        owner == owners[list(places).index(parents[place])]
        for place, owner in zip(places, owners, strict=True)
        if parents[place] in places and lengths[place] == lengths[parents[place]]
    ]
    assert np.mean(same) > 0.8


def test_rates_have_their_means_and_vary_by_branches(key):
    rates = np.asarray(synaptic_rates(key, 40_000, 3.0, 6.0, 0.7))
    assert rates.shape == (40_000, 88)
    np.testing.assert_allclose(rates.mean(), 4.5, rtol=0.05)
    np.testing.assert_allclose(rates[:, 44:].mean() / rates[:, :44].mean(), 2, rtol=0.1)
    np.testing.assert_allclose(np.log(rates).std(0).mean(), 0.7, rtol=0.05)
    np.testing.assert_array_equal(rates[:, 0], rates[:, 2])
    assert 0.05 < np.corrcoef(np.log(rates[:, 0]), np.log(rates[:, 3]))[0, 1] < 0.35


@pytest.mark.slow
@pytest.mark.computing
def test_the_cell_spikes_a_few_times_a_second_with_nmda_and_without():
    keys = jax.random.split(jax.random.key(3), 24)
    make = jax.jit(lambda cell: jax.vmap(lambda key: neuron_io(cell, key, 600))(keys))
    for nmda in (True, False):
        answer = make(pyramidal_cell(nmda))
        assert answer.spikes.shape == (24, 600, 88)
        rate_hz = 1000 * float(answer.output[:, 100:].mean())
        assert 1 < rate_hz < 6
        assert set(np.unique(answer.output)) == {0.0, 1.0}
        assert -85 < float(answer.voltage_mv.min()) < -65
        assert bool(jnp.isfinite(answer.voltage_mv).all())


def test_without_input_the_cell_rests(key):
    answer = neuron_io(pyramidal_cell(steps_per_ms=2), key, 5, steps_per_ms=2, excitatory_hz=0.0, inhibitory_hz=0.0)
    assert float(answer.spikes.sum()) == float(answer.output.sum()) == 0
    np.testing.assert_allclose(answer.voltage_mv, -70, atol=0.5)
    np.testing.assert_allclose(answer.voltage_mv, answer.voltage_mv[0], atol=1e-3)
