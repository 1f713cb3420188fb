"""The ELM neuron: the published numbers of parameters, the equations in plain NumPy, and what joins its versions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.learning.train import count_trained
from jaxneuro.neurons.dendritic.elm import wiring
from tests.neurons.gated.by_hand import with_weights

ELM = jn.dendritic.ELM
TRAINED = ("synapse_weights", "hidden_weights", "hidden_bias", "memory_weights", "memory_bias")
TRAINED = (*TRAINED, "output_weights", "output_bias")
# Of the checkpoints that the authors published: memories, parameters.
PUBLISHED = [(1, 4601), (10, 5852), (15, 6827), (20, 8002), (100, 54_002)]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("memories", "parameters"), PUBLISHED)
def test_the_number_of_parameters_is_the_published_one(version, memories, parameters):
    def make(key):
        sizes = {"branches": 45, "synapses_per_branch": 100, "interleaved": True}
        return ELM(1278, 2, memories, version=version, **sizes, key=key)

    assert count_trained(jax.eval_shape(make, jax.random.key(0)), TRAINED) == parameters


def by_hand(machine, inputs, second):
    """Outputs and memories, one synapse and one time step after the other."""
    p = {name: np.asarray(value, float) for name, value in vars(machine).items() if hasattr(value, "dtype")}
    sources, count = p["sources"].astype(int), machine.branches
    each = len(sources) // count
    trace, memory, outputs = np.zeros(len(p["tau_trace_ms"])), np.zeros(machine.memories), []
    for x in inputs:
        x = np.append(x, 0.0)
        branch = np.zeros(count)
        for j, source in enumerate(sources):
            arriving, b = max(p["synapse_weights"][j], 0) * x[source], j // each
            if second:
                branch[b] += arriving
            else:
                trace[j] = trace[j] * np.exp(-p["dt_ms"] / p["tau_trace_ms"][j]) + arriving
                branch[b] += trace[j]
        if second:
            trace = trace * np.exp(-p["dt_ms"] / p["tau_trace_ms"]) + branch
            branch = trace
        decay = np.exp(-p["dt_ms"] / p["tau_memory_ms"])
        hidden = np.maximum(p["hidden_weights"] @ np.concatenate([branch, decay * memory]) + p["hidden_bias"], 0)
        change = 1.7159 * np.tanh((p["memory_weights"] @ hidden + p["memory_bias"]) * 2 / 3)
        taken = 1 - decay ** p["strength"] if second else p["strength"] * (1 - decay)
        memory = decay * memory + taken * change
        outputs.append(p["output_weights"] @ memory + p["output_bias"])
    return np.stack(outputs), memory


@pytest.mark.parametrize("version", [1, 2])
def test_follows_the_equations(version, key, float64):
    machine = ELM(
        7,
        2,
        4,
        version=version,
        branches=3,
        synapses_per_branch=4,
        interleaved=True,
        longest_ms=30.0,
        hidden=5,
        key=key,
    )
    signs = jnp.asarray(np.random.default_rng(0).normal(0.3, 1, 12))
    times = jnp.asarray(np.random.default_rng(1).uniform(2, 9, machine.tau_trace_ms.shape))
    machine = with_weights(machine, synapse_weights=signs, tau_trace_ms=times)
    inputs = jnp.asarray(np.random.default_rng(2).random((40, 7)) < 0.3, float)
    state, outputs = jn.run(machine, inputs)
    expected, memory = by_hand(machine, np.asarray(inputs), version == 2)
    assert np.abs(expected).max() > 0.3
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(state.memory, memory, rtol=0, atol=1e-12)


def test_with_one_synaptic_time_constant_and_lambda_one_both_versions_are_the_same(key, float64):
    sizes = {"branches": 2, "synapses_per_branch": 4, "strength": 1.0, "key": key}
    inputs = jnp.asarray(np.random.default_rng(3).random((60, 6)) < 0.3, float)
    first, second = (jn.run(ELM(6, 2, 5, version=each, **sizes), inputs)[1] for each in (1, 2))
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-12)
    other = jn.run(ELM(6, 2, 5, **(sizes | {"strength": 5.0})), inputs)[1]
    assert np.abs(np.asarray(other - first)).max() > 0.1


def test_without_branches_every_input_has_its_own_trace(key):
    machine = ELM(5, 1, 2, key=key)
    assert machine.branches == 5
    np.testing.assert_array_equal(machine.sources, np.arange(5))
    spike = jnp.zeros((3, 5)).at[0, 2].set(1.0)
    state, _ = jn.run(machine, spike)
    np.testing.assert_allclose(state.trace, [0, 0, 0.5 * np.exp(-2 / 5), 0, 0], rtol=1e-6)


def test_branches_take_neighbours_and_overlap():
    np.testing.assert_array_equal(wiring(7, 3, 4, False).reshape(3, 4), [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 7, 7]])
    # The halves interleaved: 0 4 1 5 2 6 3.
    np.testing.assert_array_equal(wiring(7, 3, 3, True).reshape(3, 3), [[0, 4, 1], [5, 2, 6], [3, 7, 7]])
    places = np.asarray(wiring(1278, 45, 100, True))
    assert len(places) == 4500
    assert set(places) == set(range(1279))


def test_memories_keep_for_times_evenly_spaced_in_logarithm(key):
    times = np.asarray(ELM(3, 1, 5, shortest_ms=1.0, longest_ms=81.0, key=key).tau_memory_ms)
    np.testing.assert_allclose(times, [1, 3, 9, 27, 81], rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"memories": 0}, "ELM got inputs=4, outputs=1, memories=0; all must be at least 1"),
        ({"branches": 0}, "ELM got branches=0, synapses_per_branch=4; both must"),
        ({"branches": 2, "synapses_per_branch": 1}, "leave some of 4 inputs out; it must be at least 2"),
        ({"hidden": 0}, "ELM got hidden=0; it must"),
        ({"shortest_ms": 9.0, "longest_ms": 3.0}, "ELM got shortest_ms=9, longest_ms=3"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, message, key):
    with pytest.raises(ValueError, match=message):
        ELM(4, 1, **changes, key=key)
