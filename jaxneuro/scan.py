"""The time loop."""

import jax


def scan(step, state, inputs, *, unroll=1):
    """`jax.lax.scan`."""
    return jax.lax.scan(step, state, inputs, unroll=unroll)
