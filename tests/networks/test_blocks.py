"""Running a population block by block gives the bits of running it as a whole."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.networks import blocks, run_in_blocks
from tests.laws.compare import assert_same

STEPS = 40


def population(size, shared):
    if shared:
        return jn.Population(jn.LIF(tau_ms=5.0, dt_ms=1.0), size, shared=True)
    return jn.Population(jax.vmap(lambda tau: jn.LIF(tau_ms=tau, dt_ms=1.0))(jnp.linspace(3.0, 9.0, size)), size)


@pytest.mark.parametrize(("shared", "single", "size", "block"), [(True, True, 12, 4), (False, False, 11, 4)])
def test_blocks_give_what_run_gives(shared, single, size, block):
    neurons = population(size, shared)
    drive = jnp.asarray(np.random.default_rng(0).uniform(0, 60, (STEPS, size)).astype(np.float32))
    inputs = drive[:, 0] if single else drive
    every = jnp.broadcast_to(inputs[:, None], drive.shape) if single else drive
    state, spikes = jn.run(neurons, every)
    assert spikes.sum() > STEPS
    assert_same(run_in_blocks(neurons, inputs, block=block, unroll=3), (state, spikes), ulps=2)
    middle, counts = run_in_blocks(neurons, inputs[:15], block=block, counted=True)
    np.testing.assert_array_equal(counts, spikes[:15].sum(0))
    assert_same(run_in_blocks(neurons, inputs[15:], state=middle, block=block), (state, spikes[15:]), ulps=2)


def test_a_block_may_be_larger_than_the_population():
    neurons = population(3, True)
    inputs = jnp.full(STEPS, 30.0)
    expected = jn.run(neurons, jnp.full((STEPS, 3), 30.0))
    assert_same(run_in_blocks(neurons, inputs), expected, ulps=2)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(("size", "threads"), [(13, 3), (8, 2), (5, 64)])
def test_threads_give_the_bits_of_one(size, threads, shared, float64):
    neurons = population(size, shared)
    for inputs in (jnp.full(STEPS, 30.0), jnp.linspace(0.0, 60.0, STEPS * size).reshape(STEPS, size)):
        for counted in (False, True):
            one, several = (
                run_in_blocks(neurons, inputs, block=2, counted=counted, threads=number) for number in (1, threads)
            )
            assert one[1].sum() > 0
            assert one[1].dtype == jnp.float64
            assert one[1].shape == (size,) if counted else (STEPS, size)
            jax.tree.map(np.testing.assert_array_equal, one, several)


@pytest.mark.parametrize(("threads", "shares"), [(1, []), (2, [4, 4]), (3, [2, 3, 3]), (9, [2, 2, 2, 2])])
def test_each_thread_has_neurons_of_its_own(threads, shares, monkeypatch):
    found = []

    def share(population, inputs, state, begin, end):
        found.append(end - begin)
        return own(population, inputs, state, begin, end)

    own = blocks._share
    monkeypatch.setattr(blocks, "_share", share)
    run_in_blocks(population(8, True), jnp.full(STEPS, 30.0), block=2, threads=threads)
    assert found == shares


def test_a_program_that_is_traced_has_one_thread_and_a_gradient():
    neurons, inputs = population(6, True), jnp.full(STEPS, 12.0)

    def voltage(currents, threads):
        return run_in_blocks(neurons, currents, block=2, threads=threads)[0].voltage_mv.sum()

    slopes = [jax.grad(voltage)(inputs, threads) for threads in (1, 2)]
    assert abs(slopes[0]).max() > 0
    np.testing.assert_array_equal(*slopes)
    np.testing.assert_allclose(jax.jit(voltage, static_argnums=1)(inputs, 2), voltage(inputs, 2), rtol=1e-6)


@pytest.mark.slow
def test_several_devices_give_the_bits_of_one():
    code = """
import jax, jax.numpy as jnp, jaxneuro as jn, numpy as np
taus = jnp.linspace(3.0, 9.0, 16)
for shared in (True, False):
    machine = jn.LIF(dt_ms=1.0) if shared else jax.vmap(lambda tau: jn.LIF(tau_ms=tau, dt_ms=1.0))(taus)
    neurons = jn.Population(machine, 16, shared=shared)
    for inputs in (jnp.full(30, 30.0), jnp.linspace(0, 60, 30 * 16).reshape(30, 16)):
        one, two = (jn.networks.run_in_blocks(neurons, inputs, block=4, devices=d) for d in (1, 2))
        assert one[1].sum() > 0
        jax.tree.map(np.testing.assert_array_equal, one, two)
"""
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    ended = subprocess.run([sys.executable, "-c", code], env=flags, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"inputs of shape \(5, 4\); they must be \[time\] or \[time, 3\]"):
        run_in_blocks(population(3, True), jnp.zeros((5, 4)))
    with pytest.raises(ValueError, match="got block=0, unroll=1, devices=1, threads=2; all must be above 0"):
        run_in_blocks(population(3, True), jnp.zeros(5), block=0, threads=2)
    with pytest.raises(ValueError, match=r"got devices=2 of .* for 3 neurons in blocks of 1024"):
        run_in_blocks(population(3, True), jnp.zeros(5), devices=2)
