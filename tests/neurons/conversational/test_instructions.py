"""What each instruction does, against plain arithmetic."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.neurons.conversational.instructions import quaternion_product

talk = jn.conversational
THETA, V, SENDER = np.array([0.5, -1.0, 2.0, 0.25]), np.array([0.3, 0.7, -1.5, 0.2]), np.array([1.0, 2.0, 3.0, 4.0])
LATE, EARLY, TAG = np.array([0.4, -0.2, 0.1]), np.array([0.6, 0.3, -0.5]), np.array([1.0, 0.0, 0.5])


def change(opcode, theta=THETA, payload=V, sender=SENDER):
    order = list(talk.INSTRUCTIONS)
    shares = jnp.zeros(8).at[order.index(opcode)].set(1.0) if isinstance(opcode, str) else jnp.asarray(opcode)
    as_arrays = [jnp.asarray(part, jnp.float32) for part in (theta, LATE, EARLY, TAG, payload, sender)]
    packet = talk.Packet(jnp.zeros(2), shares, *as_arrays[4:])
    found = talk.execute(talk.Receiver(*as_arrays[:4]), packet)
    return np.asarray(found.program), np.asarray(found.late)


@pytest.mark.parametrize(
    ("opcode", "program", "late"),
    [
        ("NOP", THETA, LATE),
        ("ADD", THETA + V, LATE),
        ("SCALE", THETA * (1 + V), LATE),
        ("SET", V, LATE),
        ("COPY_FROM_SENDER", SENDER, LATE),
        ("CONSOLIDATE", THETA, LATE + 0.3 * np.array([0.6, 0.0, -0.25])),
        ("DEPRESS_INACTIVE", THETA, np.array([0.4, -0.2 * 0.7, 0.1 * 0.85])),
    ],
)
def test_an_instruction_does_what_it_says(opcode, program, late):
    found = change(opcode)
    np.testing.assert_allclose(THETA + found[0], program, atol=1e-6)
    np.testing.assert_allclose(LATE + found[1], late, atol=1e-6)


def test_there_are_eight_and_no_operation_is_the_first():
    assert len(talk.INSTRUCTIONS) == 8
    assert next(iter(talk.INSTRUCTIONS)) == "NOP"


def test_rotation_turns_pairs_as_complex_numbers_and_fours_as_quaternions():
    pair = change("ROTATE", THETA[:2], V[:2], SENDER[:2])[0] + THETA[:2]
    turned = (0.5 - 1.0j) * (1.3 + 0.7j) / abs(1.3 + 0.7j)
    np.testing.assert_allclose(pair, [turned.real, turned.imag], atol=1e-6)

    # Quaternions as 2 x 2 complex matrices: an independent form of the same product.
    def matrix(q):
        return np.array([[q[0] + 1j * q[1], q[2] + 1j * q[3]], [-q[2] + 1j * q[3], q[0] - 1j * q[1]]])

    rotor = V + np.array([1.0, 0, 0, 0])
    product = matrix(rotor / np.linalg.norm(rotor)) @ matrix(THETA)
    four = change("ROTATE")[0] + THETA
    np.testing.assert_allclose(
        four, [product[0, 0].real, product[0, 0].imag, product[0, 1].real, product[0, 1].imag], atol=1e-6
    )


@pytest.mark.parametrize("numbers", [1, 2, 3, 4, 7, 8])
def test_rotation_keeps_lengths_and_a_payload_of_zeros_keeps_all(numbers):
    generator = np.random.default_rng(numbers)
    theta, payload = generator.normal(size=(2, numbers))
    turned = change("ROTATE", theta, payload, theta)[0] + theta
    assert np.linalg.norm(turned) == pytest.approx(np.linalg.norm(theta), rel=1e-5)
    assert not change("ROTATE", theta, np.zeros(numbers), theta)[0].any()


def test_quaternions_of_unit_axes_multiply_as_hamilton_cut_in_stone():
    one, i, j, k = jnp.eye(4)
    assert (quaternion_product(i, i) == -one).all()
    assert (quaternion_product(i, j) == k).all()
    assert (quaternion_product(j, i) == -k).all()
    assert (quaternion_product(quaternion_product(i, j), k) == -one).all()


def test_shares_mix_the_changes():
    shares = np.array([0.25, 0.5, 0, 0, 0, 0, 0.25, 0], np.float32)
    program, late = change(shares)
    np.testing.assert_allclose(program, 0.5 * V, atol=1e-6)
    np.testing.assert_allclose(late, 0.25 * 0.3 * TAG * EARLY, atol=1e-6)


def test_gradients_are_finite_where_a_rotor_has_no_length():
    def length(payload):
        packet = talk.Packet(jnp.zeros(2), jnp.eye(8)[4], payload, jnp.zeros(4))
        receiver = talk.Receiver(jnp.ones(4), *jnp.zeros((3, 0)))
        return talk.execute(receiver, packet).program.sum()

    assert np.isfinite(jax.grad(length)(jnp.asarray([-1.0, 0.0, 0.0, 0.0]))).all()
