"""The mailbox against a plain list, and its ledger."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

talk = jn.conversational


def post(steps, senders, seed):
    generator = np.random.default_rng(seed)
    weights = np.round(generator.uniform(-0.3, 1, size=(steps, senders)), 1).clip(0)
    return weights.astype(np.float32), generator.normal(size=(steps, senders)).astype(np.float32)


@pytest.mark.parametrize(("capacity", "delay"), [(1, 1), (3, 2), (5, 0), (5, 4)])
def test_the_strongest_of_every_step_are_read_later_and_the_rest_is_lost(capacity, delay):
    weights, packets = post(12, 5, seed=delay)
    inbox = talk.Inbox(jnp.zeros(()), capacity, delay)
    state, read = jn.run(inbox, talk.Mail(jnp.asarray(weights), jnp.asarray(packets)))
    sent = dropped = delivered = 0
    for step in range(12):
        # Sorting is stable: of equal ones the first.
        order = sorted(range(5), key=lambda i: -weights[step, i])
        sent += (weights[step] > 0).sum()
        dropped += sum(weights[step, i] > 0 for i in order[capacity:])
        if step + delay < 12:
            delivered += sum(weights[step, i] > 0 for i in order[:capacity])
            assert read.weights[step + delay].tolist() == [weights[step, i] for i in order[:capacity]]
            assert read.packets[step + delay].tolist() == [packets[step, i] for i in order[:capacity]]
    assert not read.weights[:delay].any()
    assert (int(state.sent), int(state.delivered), int(state.dropped)) == (sent, delivered, dropped)
    assert state.sent == state.delivered + state.dropped + inbox.on_their_way(state)


def test_what_is_on_its_way_arrives_when_nothing_more_is_sent():
    weights, packets = post(9, 6, seed=3)
    weights[6:] = 0
    state, _ = jn.run(talk.Inbox(jnp.zeros(()), 2, 3), talk.Mail(jnp.asarray(weights), jnp.asarray(packets)))
    assert state.sent == state.delivered + state.dropped
    assert state.dropped > 0


def test_too_few_packets_or_no_room_are_refused():
    with pytest.raises(ValueError, match="got 2 packets; write capacity=2"):
        talk.Inbox(jnp.zeros(()), 3).step(
            talk.Inbox(jnp.zeros(()), 3).init(jax.random.key(0)), talk.Mail(jnp.zeros(2), jnp.zeros(2))
        )
    with pytest.raises(ValueError, match="capacity=0"):
        talk.Inbox(jnp.zeros(()), 0)
