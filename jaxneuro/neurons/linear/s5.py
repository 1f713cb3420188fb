"""The simplified state space layer."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float, PRNGKeyArray

from jaxneuro.initial import check_sizes
from jaxneuro.machine import Affine, parameter


class S5State(eqx.Module):
    """The complex states of the diagonal system."""

    hidden: Complex[Array, "states"]


class S5(Affine[S5State, Float[Array, "inputs"], Float[Array, "units"]]):
    """A layer of simplified state space neurons: one linear system in continuous time, sampled with an input held.

    `dh/dt = lambda h + B x`, so that `h <- exp(lambda dt) h + (exp(lambda dt) - 1) / lambda (B x)`;
    `y = k Re(C h) + D x`. With `conjugate`, each state stands also for its complex conjugate and k = 2; else k = 1.
    `Re lambda = -exp(nu)`, which is never unstable; the paper learns the real part itself. The layer is linear; in its
    paper a nonlinear layer follows.

    Fields (dt is in units of one step, 1 / lambda in those of dt; all else dimensionless):
        log_decay: nu, `[states]`, `log 1/2`: the real part of all eigenvalues of the normal part of HiPPO-LegS.
        frequency: Im lambda, `[states]`: the imaginary parts of these eigenvalues, those above 0 with `conjugate`; of
            `blocks` equal matrices.
        log_step: log dt, `[states]`, uniform between the logarithms of `step_min` and `step_max`.
        input_weights: B, `[2 states, inputs]`, real above imaginary parts: `V* B0`, V the eigenvectors, B0 real and
            normal of variance `1 / inputs`.
        output_weights: C, `[units, 2 states]`, real beside imaginary parts: `C0 V`, both parts of C0 normal of
            variance one over its columns.
        feedthrough: D, a diagonal `[units]`, normal of variance 1, where there are as many inputs as units; else
            `[units, inputs]`, normal of variance `1 / inputs`.

    Parameters: `2 states (inputs + units) + 3 states + units`, with the full D `units inputs` in place of the last
    `units`; states = units unless given. Input `[inputs]`. Output: y, `[units]`.

    Reference: Smith, Warrington and Linderman 2023, arXiv:2208.04933, section 3.
    """

    conjugate: bool = eqx.field(static=True)
    log_decay: Float[Array, "states"] = parameter()
    frequency: Float[Array, "states"] = parameter()
    log_step: Float[Array, "states"] = parameter()
    input_weights: Float[Array, "parts inputs"] = parameter()
    output_weights: Float[Array, "units parts"] = parameter()
    feedthrough: Float[Array, "units"] | Float[Array, "units inputs"] = parameter()

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        states: int | None = None,
        blocks: int = 1,
        conjugate: bool = True,
        step_min: float = 0.001,
        step_max: float = 0.1,
        key: PRNGKeyArray,
    ) -> None:
        states = units if states is None else states
        check_sizes("S5", inputs=inputs, units=units, states=states, blocks=blocks)
        if states % blocks:
            raise ValueError(f"S5 got states={states}, blocks={blocks}; the states must be a multiple of the blocks.")
        if not 0 < step_min <= step_max:
            raise ValueError(f"S5 got step_min={step_min}, step_max={step_max}; they must be 0 < step_min <= step_max.")
        time, into, out, through = jax.random.split(key, 4)
        frequencies, vectors = _hippo(states // blocks, conjugate)
        vectors = np.kron(np.eye(blocks), vectors)
        real, imaginary = (jnp.asarray(part, jnp.result_type(float)) for part in (vectors.real, vectors.imag))
        wide = vectors.shape[0]
        b = jax.random.normal(into, (wide, inputs)) / inputs**0.5
        c_real, c_imaginary = jax.random.normal(out, (2, units, wide)) / wide**0.5
        self.log_decay = jnp.full(states, math.log(0.5))
        self.frequency = jnp.asarray(np.tile(frequencies, blocks), jnp.result_type(float))
        self.log_step = jax.random.uniform(time, (states,), minval=math.log(step_min), maxval=math.log(step_max))
        self.input_weights = jnp.concatenate([real.T @ b, -imaginary.T @ b])
        self.output_weights = jnp.concatenate(
            [c_real @ real - c_imaginary @ imaginary, c_real @ imaginary + c_imaginary @ real], axis=1
        )
        if inputs == units:
            self.feedthrough = jax.random.normal(through, (units,))
        else:
            self.feedthrough = jax.random.normal(through, (units, inputs)) / inputs**0.5
        self.conjugate = conjugate

    def init(self, key: PRNGKeyArray) -> S5State:
        """Zero."""
        zero = jnp.zeros_like(_wide(self.log_decay))
        return S5State(jax.lax.complex(zero, zero))

    def affine(self, input: Float[Array, "inputs"]) -> tuple[S5State, S5State]:
        """`exp(lambda dt)`, and what the input held over one step adds."""
        step = jnp.exp(_wide(self.log_step))
        decay, frequency = -jnp.exp(_wide(self.log_decay)), _wide(self.frequency)
        growth = jnp.expm1(jax.lax.complex(step * decay, step * frequency))
        drive = jax.lax.complex(*jnp.split(_wide(self.input_weights @ input), 2))
        return S5State(growth + jnp.ones_like(growth)), S5State(growth / jax.lax.complex(decay, frequency) * drive)

    def read(self, state: S5State, input: Float[Array, "inputs"]) -> Float[Array, "units"]:
        """`k Re(C h) + D x`."""
        parts = jnp.concatenate([state.hidden.real, -state.hidden.imag]).astype(self.output_weights.dtype)
        direct = self.feedthrough * input if self.feedthrough.ndim == 1 else self.feedthrough @ input
        return (2 if self.conjugate else 1) * (self.output_weights @ parts) + direct


def _hippo(states: int, conjugate: bool) -> tuple[np.ndarray, np.ndarray]:
    """Imaginary parts of the eigenvalues of the normal part of HiPPO-LegS, and its eigenvectors as columns.

    The matrix plus a term of rank one is -1/2 on its diagonal and antisymmetric beside it.
    """
    size = 2 * states if conjugate else states
    root = np.sqrt(2 * np.arange(size) + 1)
    lower = np.tril(np.outer(root, root), -1)
    frequencies, vectors = np.linalg.eigh(0.5j * (lower - lower.T))
    return frequencies[-states:], vectors[:, -states:]


def _wide(numbers: Float[Array, "..."]) -> Float[Array, "..."]:
    """In single precision at least: there are no complex numbers below."""
    return numbers if numbers.dtype == jnp.float64 else numbers.astype(jnp.float32)
