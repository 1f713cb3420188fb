import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxneuro.measure.adversarial import fgsm, pgd

# Of a linear unit, the loss -y w.x falls fastest along -y sign(w): both attacks must find the corner of the box.
WEIGHTS = jnp.array([0.5, -2.0, 1.0])
LABELS = jnp.array([1.0, -1.0])
INPUTS = jnp.array([[0.5, 0.5, 0.5], [0.05, 0.5, 0.95]])


def loss(inputs):
    return -(LABELS * (inputs @ WEIGHTS)).sum()


CORNERS = np.clip(np.asarray(INPUTS) - 0.1 * np.asarray(LABELS)[:, None] * np.sign(WEIGHTS), 0, 1)


def test_both_attacks_find_the_worst_corner_of_a_linear_unit(key):
    np.testing.assert_allclose(fgsm(loss, INPUTS, 0.1), CORNERS, rtol=1e-6)
    np.testing.assert_allclose(pgd(loss, INPUTS, 0.1, key), CORNERS, rtol=1e-6)


def test_changes_stay_within_the_box(key):
    def bent(inputs):
        return jnp.sin(9 * inputs).sum()

    for changed in (fgsm(bent, INPUTS, 0.3), pgd(bent, INPUTS, 0.3, key, steps=5)):
        assert (jnp.abs(changed - INPUTS) <= 0.3 + 1e-6).all()
        assert (changed >= 0).all()
        assert (changed <= 1).all()
    wide = pgd(lambda inputs: -inputs.sum(), jnp.zeros((1, 2)), 0.3, key, low=-1.0)
    np.testing.assert_allclose(wide, -0.3, rtol=1e-6)


def test_many_small_steps_find_a_top_that_one_large_step_misses(key):
    # The top is at 0.55; a step of 0.4 from 0.5 goes over it.
    def hill(inputs):
        return -((inputs - 0.55) ** 2).sum()

    start = jnp.full((1, 1), 0.5)
    assert float(jnp.abs(fgsm(hill, start, 0.4) - 0.55)[0, 0]) == pytest.approx(0.35)
    assert float(jnp.abs(pgd(hill, start, 0.4, key) - 0.55)[0, 0]) < 0.06


def test_no_room_no_change(key):
    np.testing.assert_array_equal(fgsm(loss, INPUTS, 0.0), INPUTS)
    np.testing.assert_array_equal(pgd(loss, INPUTS, 0.0, key), INPUTS)
    assert jax.eval_shape(lambda key: pgd(loss, INPUTS, 0.1, key), key).shape == INPUTS.shape
