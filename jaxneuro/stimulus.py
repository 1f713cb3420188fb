"""What reaches a membrane in one step: a current, a conductance and a jump of the voltage, told apart by type.

A plain array is a current, in the unit that the neuron's documentation gives (nA with resistances in MOhm, pA with
conductances in nS, uA/cm2 for a patch of membrane). A jump in mV is another thing and has a type of its own, so that
one cannot be taken for the other: they cannot be added, and a neuron says so if it has no use for one.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class VoltageJump(eqx.Module):
    """A sudden change of the membrane voltage at the start of a step (mV): the charge that a delta synapse delivers."""

    mv: Float[Array, "*neurons"]


class Conductance(eqx.Module):
    """Open channels: the current `driving - conductance V` of channels with reversal potentials E_k.

    Attributes:
        conductance: the sum of g_k, in the neuron's unit of current per mV.
        driving: the sum of `g_k E_k`, in the neuron's unit of current.
    """

    conductance: Float[Array, "*neurons"]
    driving: Float[Array, "*neurons"]


class Stimulus(eqx.Module):
    """All that reaches a membrane in one step; None for what does not.

    Attributes:
        current: in the neuron's unit.
        jump: at the start of the step.
        channels: open for the step.
    """

    current: Float[Array, "*neurons"] | None = None
    jump: VoltageJump | None = None
    channels: Conductance | None = None


Reaching = Float[Array, "*neurons"] | VoltageJump | Conductance | Stimulus


def stimulus(input: Reaching) -> Stimulus:
    """Whatever reaches a membrane, as a `Stimulus`.

    Args:
        input: an array (a current), a `VoltageJump`, a `Conductance` or a `Stimulus`.

    Returns:
        The stimulus.
    """
    if isinstance(input, Stimulus):
        return input
    if isinstance(input, VoltageJump):
        return Stimulus(jump=input)
    if isinstance(input, Conductance):
        return Stimulus(channels=input)
    return Stimulus(current=input)


def current_alone(input: Reaching, neuron: str) -> Float[Array, "*neurons"]:
    """The current, for a neuron that has no use for anything else.

    Args:
        input: what reaches it.
        neuron: its name, for the message.

    Returns:
        The current.

    Raises:
        TypeError: if a jump or channels reach it.
    """
    reached = stimulus(input)
    if reached.jump is not None or reached.channels is not None or reached.current is None:
        came = "a jump of the voltage (mV)" if reached.jump is not None else "a conductance"
        raise TypeError(f"{neuron} got {came}; it takes a current, as a plain array.")
    return reached.current


def net_current(reached: Stimulus, voltage_mv: Float[Array, "*neurons"]) -> Float[Array, "*neurons"]:
    """The current that flows in at a voltage: `I + sum(g_k E_k) - V sum(g_k)`.

    Args:
        reached: the stimulus; its jump is not counted.
        voltage_mv: V.

    Returns:
        The current; 0 without current and channels.
    """
    current = jnp.zeros_like(voltage_mv) if reached.current is None else reached.current
    if reached.channels is None:
        return current
    return current + reached.channels.driving - reached.channels.conductance * voltage_mv


def jumped(reached: Stimulus, voltage_mv: Float[Array, "*neurons"]) -> Float[Array, "*neurons"]:
    """The voltage after the jump.

    Args:
        reached: the stimulus.
        voltage_mv: V before.

    Returns:
        V (mV).
    """
    return voltage_mv if reached.jump is None else voltage_mv + reached.jump.mv
