"""The choice of an instruction: shares, one of them, and the derivative of the shares either way."""

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

talk = jn.conversational
LOGITS = jnp.asarray([0.3, -1.0, 1.2, 0.0])


def test_shares_are_the_softmax_and_the_hard_choice_is_exactly_one_of_them():
    shares = np.exp(np.asarray(LOGITS)) / np.exp(np.asarray(LOGITS)).sum()
    np.testing.assert_allclose(talk.choose(LOGITS, jnp.zeros(())), shares, rtol=1e-6)
    assert talk.choose(LOGITS, jnp.ones(())).tolist() == [0.0, 0.0, 1.0, 0.0]


def test_the_derivative_is_that_of_the_softmax_whatever_the_hardness():
    p = np.exp(np.asarray(LOGITS)) / np.exp(np.asarray(LOGITS)).sum()
    for hardness in (0.0, 0.3, 1.0):
        slopes = jax.jacobian(talk.choose)(LOGITS, jnp.asarray(hardness))
        np.testing.assert_allclose(slopes, np.diag(p) - np.outer(p, p), atol=1e-6)
