"""What packets can do to their receiver: eight pure functions on its program and its synapses.

| opcode | change of the program θ | change of the late weights z |
|---|---|---|
| NOP | | |
| ADD | `v` | |
| SCALE | `v θ` | |
| SET | `v - θ` | |
| ROTATE | `r(v) θ - θ` | |
| COPY_FROM_SENDER | `θ_sender - θ` | |
| CONSOLIDATE | | `v_1 tag h` |
| DEPRESS_INACTIVE | | `-v_1 (1 - tag) z` |

Changes are added by their shares, so that instructions can be mixed while a network learns which of them to send.
"""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxneuro.neurons.conversational.packet import Packet

LEAST_SQUARE = 1e-6  # of the length of a rotor, so that one without length has a gradient


class Receiver(eqx.Module):
    """What instructions can read and write: the program θ, and late weights z, early weights h and tags of synapses.

    Early weights are what differs from rest, `h - h0`. Neurons without synapses of their own have `[0]` of them.
    """

    program: Float[Array, "program"]
    late: Float[Array, "synapses"]
    early: Float[Array, "synapses"]
    tag: Float[Array, "synapses"]


class Change(eqx.Module):
    """What is added to the program and to the late weights; None where nothing is."""

    program: Float[Array, "program"] | None
    late: Float[Array, "synapses"] | None


Instruction = Callable[[Receiver, Packet], Change]


def nothing(receiver: Receiver, packet: Packet) -> Change:
    """No change."""
    return Change(None, None)


def add(receiver: Receiver, packet: Packet) -> Change:
    """`θ <- θ + v`."""
    return Change(packet.payload, None)


def scale(receiver: Receiver, packet: Packet) -> Change:
    """`θ <- (1 + v) θ`."""
    return Change(packet.payload * receiver.program, None)


def set_to(receiver: Receiver, packet: Packet) -> Change:
    """`θ <- v`."""
    return Change(packet.payload - receiver.program, None)


def rotate(receiver: Receiver, packet: Packet) -> Change:
    """`θ <- r θ` with `r = (1 + v) / |1 + v|`: numbers of the program, four at a time, as quaternions.

    Where their number is no multiple of four they are complex numbers, two at a time, and a last one alone stays. A
    payload of zeros is no rotation, and no payload changes a length.
    """
    numbers = receiver.program.shape[0]
    width = 2 if numbers % 4 else 4
    turning = numbers - numbers % width
    turned = _turned(packet.payload[:turning].reshape(-1, width), receiver.program[:turning].reshape(-1, width))
    return Change(jnp.pad(turned.reshape(-1) - receiver.program[:turning], (0, numbers - turning)), None)


def copy_from_sender(receiver: Receiver, packet: Packet) -> Change:
    """`θ <- θ_sender`."""
    return Change(packet.program - receiver.program, None)


def consolidate(receiver: Receiver, packet: Packet) -> Change:
    """`z <- z + v_1 tag h`: tagged synapses keep what they have learnt."""
    return Change(None, packet.payload[0] * receiver.tag * receiver.early)


def depress_inactive(receiver: Receiver, packet: Packet) -> Change:
    """`z <- z - v_1 (1 - tag) z`: synapses without a tag lose what they had kept."""
    return Change(None, -packet.payload[0] * (1 - receiver.tag) * receiver.late)


INSTRUCTIONS: dict[str, Instruction] = {
    "NOP": nothing,
    "ADD": add,
    "SCALE": scale,
    "SET": set_to,
    "ROTATE": rotate,
    "COPY_FROM_SENDER": copy_from_sender,
    "CONSOLIDATE": consolidate,
    "DEPRESS_INACTIVE": depress_inactive,
}


def execute(receiver: Receiver, packet: Packet) -> Change:
    """The changes of all instructions, by their shares: `sum_k o_k F_k(θ, v)`.

    Args:
        receiver: whom the packet has reached.
        packet: what it says.

    Returns:
        What is added to the receiver's program and late weights.

    Reference: instructions as a mixture that gradients can weigh, Graves, Wayne and Danihelka 2014, arXiv:1410.5401;
        tagging and capture, Frey and Morris 1997, Nature 385:533; weakening of inactive synapses by Arc, Okuno et al.
        2012, Cell 149:886.
    """
    changes = [instruction(receiver, packet) for instruction in INSTRUCTIONS.values()]
    program, late = jnp.zeros_like(receiver.program), jnp.zeros_like(receiver.late)
    for share, change in zip(packet.opcode, changes, strict=True):
        program = program if change.program is None else program + share * change.program
        late = late if change.late is None else late + share * change.late
    return Change(program, late)


def quaternion_product(p: Float[Array, "*many 4"], q: Float[Array, "*many 4"]) -> Float[Array, "*many 4"]:
    """Hamilton's product, real part first."""
    a, b, c, d = jnp.moveaxis(p, -1, 0)
    w, x, y, z = jnp.moveaxis(q, -1, 0)
    real = a * w - b * x - c * y - d * z
    i = a * x + b * w + c * z - d * y
    j = a * y - b * z + c * w + d * x
    k = a * z + b * y - c * x + d * w
    return jnp.stack([real, i, j, k], axis=-1)


def complex_product(p: Float[Array, "*many 2"], q: Float[Array, "*many 2"]) -> Float[Array, "*many 2"]:
    """Of complex numbers as pairs."""
    (a, b), (c, d) = jnp.moveaxis(p, -1, 0), jnp.moveaxis(q, -1, 0)
    return jnp.stack([a * c - b * d, a * d + b * c], axis=-1)


def _turned(operand: Float[Array, "groups width"], value: Float[Array, "groups width"]) -> Float[Array, "groups width"]:
    rotor = operand.at[:, 0].add(1)
    length = jnp.sqrt(jnp.maximum((rotor * rotor).sum(axis=1, keepdims=True), LEAST_SQUARE))
    product = quaternion_product if rotor.shape[1] == 4 else complex_product
    return product(rotor / length, value)
