"""Outputs and gradients of a run, compiled once per kind of machine and shared by the laws that look at them."""

import functools

import equinox as eqx
import jax

import jaxneuro as jn
from tests.laws.compare import weighted_sum

# Unoptimised programs compute the same and compile in two thirds of the time.
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


def scanned(machine, state, inputs):
    """What `run` must equal."""
    return jax.lax.scan(machine.step, state, inputs)


def run(machine, state, inputs):
    """`run` as it comes."""
    return jn.run(machine, inputs, state=state)


@functools.partial(jax.jit, static_argnums=0, compiler_options=QUICK)
def outcome_and_gradient(program, machine, state, inputs):
    """What a program gives, and how a weighted sum of the state and the outputs changes with every number put in."""
    varied, fixed = eqx.partition((machine, state, inputs), eqx.is_inexact_array)

    def total(varied):
        outcome = program(*eqx.combine(varied, fixed))
        return weighted_sum(outcome[:2]), outcome

    gradient, outcome = jax.grad(total, has_aux=True)(varied)
    return outcome, gradient
