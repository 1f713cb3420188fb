"""The linear recurrent unit."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Affine, parameter


class LRUState(eqx.Module):
    """The complex states: each turns by its phase and shrinks by its decay in every step."""

    hidden: Complex[Array, "states"]


class LRU(Affine[LRUState, Float[Array, "inputs"], Float[Array, "units"]]):
    """A layer of linear recurrent units: complex exponentials of the input's past, mixed.

    `h <- lambda h + exp(gamma) (B x)`, `lambda = exp(-exp(nu) + i exp(theta))`, `y = Re(C h) + D x`. All of |lambda| is
    below 1 for any parameters. The layer is linear; in its paper a nonlinear layer follows.

    Fields (all quantities dimensionless):
        log_decay: nu, `[states]`: |lambda| starts uniform in area on the ring from `r_min` to `r_max`.
        log_phase: theta, `[states]`: the angle of lambda starts uniform between 0 and `max_phase`.
        log_gain: gamma, `[states]`, `log sqrt(1 - |lambda|^2)`: all states start with the variance of B x.
        input_weights: B, `[2 states, inputs]`, real above imaginary parts, normal of variance `1 / (2 inputs)`.
        output_weights: C, `[units, 2 states]`, real beside imaginary parts, normal of variance `1 / states`.
        feedthrough: D, a diagonal `[units]`, normal of variance 1, where there are as many inputs as units; else
            `[units, inputs]`, normal of variance `1 / inputs`.

    Parameters: `2 states (inputs + units) + 3 states + units`, with the full D `units inputs` in place of the last
    `units`; states = units unless given. Input `[inputs]`. Output: y, `[units]`.

    Reference: Orvieto et al. 2023, arXiv:2303.06349, section 3 and appendix A.
    """

    log_decay: Float[Array, "states"] = parameter()
    log_phase: Float[Array, "states"] = parameter()
    log_gain: Float[Array, "states"] = parameter()
    input_weights: Float[Array, "parts inputs"] = parameter()
    output_weights: Float[Array, "units parts"] = parameter()
    feedthrough: Float[Array, "units"] | Float[Array, "units inputs"] = parameter()

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        states: int | None = None,
        r_min: float = 0.0,
        r_max: float = 1.0,
        max_phase: float = 2 * math.pi,
        key: PRNGKeyArray,
    ) -> None:
        states = units if states is None else states
        check_sizes("LRU", inputs=inputs, units=units, states=states)
        if not 0 <= r_min < r_max <= 1:
            raise ValueError(f"LRU got r_min={r_min}, r_max={r_max}; they must be 0 <= r_min < r_max <= 1.")
        if not 0 < max_phase <= 2 * math.pi:
            raise ValueError(f"LRU got max_phase={max_phase}; it must be above 0 and at most 2 pi.")
        ring, angle, into, out, through = jax.random.split(key, 5)
        # The logarithms of 0 are kept out.
        area = jax.random.uniform(ring, (states,), minval=1e-6)
        decay = -0.5 * jnp.log(area * (r_max**2 - r_min**2) + r_min**2)
        self.log_decay = jnp.log(decay)
        self.log_phase = jnp.log(max_phase * jax.random.uniform(angle, (states,), minval=1e-6))
        self.log_gain = 0.5 * jnp.log(-jnp.expm1(-2 * decay))
        self.input_weights = jax.random.normal(into, (2 * states, inputs)) / (2 * inputs) ** 0.5
        self.output_weights = jax.random.normal(out, (units, 2 * states)) / states**0.5
        if inputs == units:
            self.feedthrough = jax.random.normal(through, (units,))
        else:
            self.feedthrough = jax.random.normal(through, (units, inputs)) / inputs**0.5

    def init(self, key: PRNGKeyArray) -> LRUState:
        """Zero."""
        zero = jnp.zeros_like(_wide(self.log_decay))
        return LRUState(jax.lax.complex(zero, zero))

    def affine(self, input: Float[Array, "inputs"]) -> tuple[LRUState, LRUState]:
        """`(lambda, exp(gamma) B x)`."""
        decay, phase = jnp.exp(-jnp.exp(_wide(self.log_decay))), jnp.exp(_wide(self.log_phase))
        real, imaginary = jnp.split(_wide(self.input_weights @ input), 2)
        gain = jnp.exp(_wide(self.log_gain))
        return (
            LRUState(jax.lax.complex(decay * jnp.cos(phase), decay * jnp.sin(phase))),
            LRUState(jax.lax.complex(gain * real, gain * imaginary)),
        )

    def read(self, state: LRUState, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`Re(C h) + D x`."""
        parts = jnp.concatenate([state.hidden.real, -state.hidden.imag]).astype(self.output_weights.dtype)
        direct = self.feedthrough * input if self.feedthrough.ndim == 1 else self.feedthrough @ input
        return self.output_weights @ parts + direct


def _wide(numbers: Float[Array, "..."]) -> Float[Array, "..."]:
    """In single precision at least: there are no complex numbers below."""
    return numbers if numbers.dtype == jnp.float64 else numbers.astype(jnp.float32)
