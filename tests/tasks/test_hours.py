"""Days of memory and of behaviour: what is shown when, who hears what, and what is right."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxneuro.tasks.hours import Hours

DAY = Hours(neurons=16, associations=3, bit_noise=0.25)


def test_a_day_of_memory_shows_the_lesson_between_other_answers_to_the_same_keys(key):
    day = DAY.memory(key)
    early, lesson, late = (slice(start, start + 3) for start in (0, 5, 14))
    assert (day.teacher[lesson] == day.answers).all()
    assert (day.teacher[early] == day.teacher[late]).all()
    assert (day.teacher[early] == jnp.roll(day.answers, 1, axis=0)).all()
    assert (day.presynaptic[early] == day.presynaptic[lesson]).all()
    assert day.drive[lesson, :4].min() == day.drive[lesson, :4].max() == 3
    assert not day.drive[lesson, 4:].any()
    assert np.allclose(day.clock[np.array([0, 5, 9, 14, 19])], [-3, 0, 1, 4, 24])
    assert np.allclose(np.cumsum(day.hours) + day.clock[0], day.clock, atol=1e-5)
    assert [(part.start, part.stop) for part in DAY.tests] == [(9, 12), (19, 22)]
    assert not day.teacher[DAY.tests[0]].any()
    assert not day.teacher[DAY.tests[1]].any()


def test_keys_of_tests_are_wrong_in_as_many_signs_as_said():
    days = jax.vmap(DAY.memory)(jax.random.split(jax.random.key(1), 200))
    lesson = days.presynaptic[:, 5:8]
    for part in DAY.tests:
        wrong = (days.presynaptic[:, part] != lesson).mean()
        # Five standard errors.
        assert abs(wrong - 0.25) < 5 * (0.25 * 0.75 / lesson.size) ** 0.5


def test_half_of_all_days_reverse_behaviour_and_commanders_alone_hear_it():
    days, commands = jax.vmap(DAY.behaviour)(jax.random.split(jax.random.key(2), 400))
    assert abs((commands < 0).mean() - 0.5) < 0.125
    for command in (-1, 1):
        heard = days.drive[commands == command][:, :4]
        assert (jnp.abs(heard[:, :, :4] - 3 * command) < 2).all()
        assert jnp.abs(heard[:, :, 4:].mean()) < 0.1
    probes = jnp.concatenate([days.drive[:, part] for part in DAY.probes], axis=1)
    agreement = (probes * days.answers).mean(axis=(1, 2))
    assert (jnp.sign(agreement) == jnp.where(commands < 0, -1, 1)).all()
