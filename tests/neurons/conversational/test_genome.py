"""The shared genome against plain matrices."""

import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn

talk = jn.conversational


def test_a_packet_is_what_the_two_layers_say(key):
    genome = talk.PacketGenome(3, address=2, hidden=5, key=key)
    condition = talk.Condition(jnp.asarray(0.4), jnp.asarray(-0.7), jnp.asarray(1.6), jnp.asarray([1.0, 2.0, 3.0]))
    packet, query = genome.write(condition, jnp.zeros(()), jnp.zeros(8))
    first, second = np.asarray(genome.inner_weights), np.asarray(genome.outer_weights)
    rows = second @ np.tanh(first @ [0.4, -0.7, 0.8])
    rows[4] += 1
    np.testing.assert_allclose(packet.key, rows[:2], atol=1e-6)
    np.testing.assert_allclose(query, rows[2:4], atol=1e-6)
    np.testing.assert_allclose(packet.opcode, np.exp(rows[4:12]) / np.exp(rows[4:12]).sum(), atol=1e-6)
    np.testing.assert_allclose(packet.payload, rows[12:], atol=1e-6)
    assert packet.program.tolist() == [1.0, 2.0, 3.0]


def test_an_untaught_genome_says_mostly_nothing_and_noise_can_make_it_say_anything(key):
    genome = talk.PacketGenome(1, key=key)
    condition = talk.Condition(*jnp.zeros(3), jnp.ones(1))
    opcode = genome.write(condition, jnp.zeros(()), jnp.zeros(8))[0].opcode
    assert opcode.argmax() == 0
    noise = jax.random.gumbel(key, (4000, 8))
    said = jax.vmap(lambda noise: genome.write(condition, jnp.ones(()), noise)[0].opcode)(noise)
    assert set(np.unique(said)) == {0.0, 1.0}
    # The Gumbel maximum has the probabilities of the softmax; five standard errors.
    np.testing.assert_allclose(said.mean(axis=0), opcode, atol=5 * (0.25 / 4000) ** 0.5)
