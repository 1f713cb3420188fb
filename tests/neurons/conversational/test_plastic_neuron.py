"""The plastic neuron against closed forms: one-shot learning, forgetting by hours, keeping."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

talk = jn.conversational


def lived(neuron, keys, teachers, hours, drives=0.0):
    steps = len(keys)
    told = [jnp.broadcast_to(jnp.asarray(each, jnp.float32), (steps,)) for each in (teachers, drives, hours)]
    return jn.run(neuron, talk.Experience(jnp.asarray(keys, jnp.float32), *told))


def test_orthogonal_keys_of_signs_are_learnt_in_one_shot(key):
    keys = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1]])
    teachers = [1.0, -1.0, 1.0]
    state, _ = lived(talk.PlasticNeuron(late=jnp.zeros(4)), keys, teachers, 0.0)
    np.testing.assert_allclose(keys @ np.asarray(state.early), teachers, atol=1e-6)


def test_the_last_teacher_of_a_key_is_the_one_that_counts():
    keys = np.ones((2, 4))
    state, _ = lived(talk.PlasticNeuron(late=jnp.zeros(4)), keys, [1.0, -1.0], 0.0)
    assert float(state.early.sum()) == pytest.approx(-1.0)


@pytest.mark.parametrize("autonomy", [0.0, 0.4, 1.0])
def test_early_weights_fade_in_hours_and_a_share_of_what_is_lost_is_kept(autonomy):
    neuron = talk.PlasticNeuron(late=jnp.zeros(4), autonomy=autonomy)
    silent = np.zeros((3, 4))
    state, _ = lived(neuron, np.concatenate([np.ones((1, 4)), silent]), [1.0, 0, 0, 0], [0.0, 1.0, 3.0, 20.0])
    left = np.exp(-24 / 1.9)
    np.testing.assert_allclose(state.early, 0.25 * left, rtol=1e-4)
    np.testing.assert_allclose(state.kept, 0.25 * autonomy * (1 - left), rtol=1e-5)
    np.testing.assert_allclose(state.tag, left, rtol=5e-3)  # 1 but for the tail of the logistic


def test_the_answer_is_the_squashed_sum_of_all_ages_of_weights_and_of_fading_activity():
    neuron = talk.PlasticNeuron(late=jnp.asarray([0.5, 0.0]), gain=1.5, bias=-0.2, persistence_h=2.0)
    _, answers = lived(neuron, [[1.0, 1.0], [1.0, 0.0]], 0.0, [0.0, 1.0], drives=0.3)
    first = 0.5 + 0.3
    second = np.exp(-0.5) * first + 0.5 + 0.3
    np.testing.assert_allclose(answers, np.tanh([1.5 * first - 0.2, 1.5 * second - 0.2]), rtol=1e-6)


def test_only_synapses_that_were_moved_are_tagged():
    state, _ = lived(talk.PlasticNeuron(late=jnp.zeros(4)), [[1.0, 1.0, 0.0, 0.0]], 1.0, 0.0)
    assert state.tag[:2].min() > 0.99
    assert state.tag[2:].max() < 0.05


def test_what_it_learns_reaches_its_gradient():
    def answer(rate):
        neuron = talk.PlasticNeuron(late=jnp.zeros(2), rate=rate)
        return lived(neuron, jnp.ones((2, 2)), [1.0, 0.0], [0.0, 1.9])[1][-1]

    # The recall is rate / e of the teacher, the activity of the lesson has faded.
    slope = (1 - np.tanh(1 / np.e) ** 2) / np.e
    assert float(jax.grad(answer)(jnp.asarray(1.0))) == pytest.approx(slope, rel=1e-4)
