"""Neurons that start in different states."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray, PyTree

from jaxneuro.machine import Scalar, StateMachine, parameter


class RandomStart(StateMachine[PyTree, PyTree, PyTree]):
    """A machine one of whose state variables starts at random: `s_0 = center + spread u`.

    Fields:
        machine: any machine of one neuron; a `Population` of these starts each of them elsewhere.
        variable: name of the field of its state, such as "voltage_mv".
        center, spread: in the unit of the variable, or dimensionless.
        normal: whether u is normal, of variance 1; else it is uniform between -1 and 1.

    Input, output and state are those of the machine.

    Reference: initial voltages between reset and threshold: Brette et al. 2007, Journal of Computational Neuroscience
    23:349, appendix 2.
    """

    machine: StateMachine[Any, Any, Any]
    variable: str = eqx.field(static=True)
    center: Scalar = parameter()
    spread: Scalar = parameter(at_least=0.0)
    normal: bool = eqx.field(static=True, default=False)

    def init(self, key: PRNGKeyArray) -> PyTree:
        """The machine's own start, but for the variable."""
        own, key = jax.random.split(key)
        state = self.machine.init(own)
        value = getattr(state, self.variable, None)
        if value is None:
            raise ValueError(
                f"RandomStart got variable={self.variable!r}; the state of {type(self.machine).__name__} has "
                f"{', '.join(state.__dataclass_fields__)}."
            )
        # In single precision always: a key gives the same start whatever the precision of the machine.
        if self.normal:
            unit = jax.random.normal(key, value.shape, jnp.float32)
        else:
            unit = jax.random.uniform(key, value.shape, jnp.float32, -1, 1)
        drawn = self.center + self.spread * unit.astype(self.spread.dtype)
        return eqx.tree_at(lambda state: getattr(state, self.variable), state, drawn.astype(value.dtype))

    def step(self, state: PyTree, input: PyTree) -> tuple[PyTree, PyTree]:
        """The machine's own step."""
        return self.machine.step(state, input)
