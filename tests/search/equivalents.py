"""The machines that the known cells must equal, and how their parameters become the weights of an `EvolvedCell`.

Each `slots_*` gives, stage by stage in the order of the cell's text, what its slots are: `(W, U, b)`, None where there
is no such term. All is differentiable in the machine's parameters.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import jaxneuro as jn
from jaxneuro.search.cell import EvolvedCell
from jaxneuro.search.genome import Space
from jaxneuro.search.named import named

UNITS = 4
ROOM = Space(stages=3, slots=9, nodes=16, states=3)  # holds all of them, so that all are one program


def rows(array, gates):
    return jnp.split(array, gates)


def slots_rnn(m):
    return [[(m.input_weights, m.recurrent_weights, m.bias)]]


def outer(m, gates=4):
    parts = rows(m.input_weights, gates), rows(m.recurrent_weights, gates), rows(m.bias, gates)
    return list(zip(*parts, strict=True))


def slots_lstm(m):
    i, f, g, o = outer(m)
    return [[i, f, g, o]]


def slots_gru(m):
    r, z, n = outer(m, 3)
    return [[r, z], [n]]


def slots_mgu(m):
    f, n = outer(m, 2)
    return [[f], [n]]


def slots_mut1(m):
    (wz, wr), (ur, un), (bz, br, bn) = rows(m.input_weights, 2), rows(m.recurrent_weights, 2), rows(m.bias, 3)
    return [[(wz, None, bz), (wr, ur, br), (jnp.eye(UNITS, dtype=wz.dtype), None, None)], [(None, un, bn)]]


def slots_mut2(m):
    (wz, wn), (uz, ur, un), (bz, br, bn) = rows(m.input_weights, 2), rows(m.recurrent_weights, 3), rows(m.bias, 3)
    return [[(wz, uz, bz), (jnp.eye(UNITS, dtype=wz.dtype), ur, br)], [(wn, un, bn)]]


def slots_mut3(m):
    z, r, n = outer(m, 3)
    return [[r], [z], [n]]


def slots_nested(m):
    i, f, g, o = outer(m.inner)
    seen = [(None, w, b) for w, _, b in (i, f, o, g)]
    kept = [(None, u, None) for _, u, _ in (i, f, o, g)]
    return [*slots_lstm(m), seen, kept]


def slots_nas(m):
    a1, a2, a3, (w4, u4, b4), a5, a6, a7, a8 = outer(m, 8)
    return [[a1, a2, a3, (w4, None, b4), (None, u4, None), a5, a6, a7, a8]]


def slots_min_gru(m):
    (wz, wg), (bz, bg) = rows(m.input_weights, 2), rows(m.bias, 2)
    return [[(wz, None, bz), (wg, None, bg)]]


def slots_lif(m):
    dense, feedback = m.machines
    lif, path = feedback.machine.machine, feedback.path
    decay = jnp.exp(-lif.dt_ms / lif.tau_ms)
    gain = -jnp.expm1(-lif.dt_ms / lif.tau_ms) * lif.resistance_mohm
    # sigmoid(-log(exp(dt / tau) - 1)) = exp(-dt / tau)
    start = -jnp.log(jnp.expm1(lif.dt_ms / lif.tau_ms)) * jnp.ones(UNITS, decay.dtype)
    return [[(gain * dense.weights, gain * path.weights, gain * dense.bias), (None, None, start)]]


def slots_lru(m):
    modulus, phase, gain = jnp.exp(-jnp.exp(m.log_decay)), jnp.exp(m.log_phase), jnp.exp(m.log_gain)[:, None]
    (b_re, b_im), (c_re, c_im) = rows(m.input_weights, 2), jnp.split(m.output_weights, 2, axis=1)
    re, im = modulus * jnp.cos(phase), modulus * jnp.sin(phase)
    into = [(gain * b_re, None, None), (gain * b_im, None, None), (jnp.diag(m.feedthrough), None, None)]
    lambdas = [(None, None, jax.scipy.special.logit(re)), (None, None, jnp.arctanh(im))]
    return [[*lambdas, *into], [(None, c_re, None)], [(None, -c_im, None)]]


def nested_lstm(key):
    return jn.gated.NestedLSTM(UNITS, UNITS, jn.LSTM(UNITS, UNITS, key=key), key=key)


def spiking(key):
    lif = jn.LIF()
    path = jn.Dense(UNITS, UNITS, bias=False, key=key)
    feedback = jn.Feedback(jn.Population(lif, UNITS, shared=True), path, jnp.zeros(UNITS))
    return jn.Chain(jn.Dense(UNITS, UNITS, key=key), feedback)


def everything(machine):
    """All numbers of a machine."""
    return jax.tree.leaves(machine)


def of_lif(machine):
    """The numbers of which there are some in a genome's weights: the threshold is 1 there, and the reset 0."""
    dense, feedback = machine.machines
    lif = feedback.machine.machine
    return [dense.weights, dense.bias, feedback.path.weights, lif.tau_ms, lif.resistance_mohm, lif.dt_ms]


def any_numbers(shapes, generator):
    """Normal ones."""
    return jax.tree.map(lambda leaf: generator.normal(size=leaf.shape) / 2, shapes)


def turning(shapes, generator):
    """Those of an LRU whose lambda has a positive real part, which is a sigmoid in the cell."""
    drawn, size = any_numbers(shapes, generator), UNITS
    modulus, phase = generator.uniform(0.3, 0.95, size), generator.uniform(0.1, 1.4, size)
    leaves = np.log(-np.log(modulus)), np.log(phase)
    return eqx.tree_at(lambda m: (m.log_decay, m.log_phase), drawn, leaves)


def leaking(shapes, generator):
    """Those of spiking neurons with a threshold of 1 and a reset to 0."""
    drawn = any_numbers(shapes, generator)
    lif = jax.tree.map(np.asarray, jn.LIF(tau_ms=4.0, resistance_mohm=6.0, threshold_mv=1.0, dt_ms=1.0))
    lif = dataclasses.replace(lif, refractory_ms=0.0, detach_reset=0.0)
    at = lambda m: (m.machines[1].machine.machine, m.machines[1].initial)  # noqa: E731
    return eqx.tree_at(at, drawn, (lif, np.zeros(UNITS)))


class Equal(NamedTuple):
    """A machine that equals a known cell.

    Attributes:
        build: from a key to the machine.
        slots: its parameters as slots.
        drawn: from the machine's shapes and a generator to its parameters.
        compared: those in which gradients are compared.
    """

    build: Callable[[Any], jn.StateMachine]
    slots: Callable[[Any], list]
    drawn: Callable[[Any, Any], Any] = any_numbers
    compared: Callable[[Any], list] = everything


def layer(kind, **options):
    return lambda key: kind(UNITS, UNITS, key=key, **options)


EQUAL = {
    "RNN": Equal(layer(jn.gated.RNN), slots_rnn),
    "LSTM": Equal(layer(jn.LSTM), slots_lstm),
    "GRU": Equal(layer(jn.gated.GRU), slots_gru),
    "MGU": Equal(layer(jn.gated.MGU), slots_mgu),
    "MUT1": Equal(layer(jn.gated.MUT1), slots_mut1),
    "MUT2": Equal(layer(jn.gated.MUT2), slots_mut2),
    "MUT3": Equal(layer(jn.gated.MUT3), slots_mut3),
    "NestedLSTM": Equal(nested_lstm, slots_nested),
    "NAS": Equal(layer(jn.gated.NAS), slots_nas),
    "MinGRU": Equal(layer(jn.linear.MinGRU, positive=False), slots_min_gru),
    "LIF": Equal(spiking, slots_lif, drawn=leaking, compared=of_lif),
    "ComplexLinear": Equal(layer(jn.linear.LRU), slots_lru, drawn=turning),
}


# Where the spiking neurons meet no threshold so closely that their steep surrogate makes much of rounding.
SEED = 2


def machine_of(name, dtype="float32"):
    """The machine, with random parameters."""
    case = EQUAL[name]
    shapes = jax.eval_shape(case.build, jax.random.key(0))
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), case.drawn(shapes, np.random.default_rng(SEED)))


def weights_of(name, machine):
    """W, U and b of the cell with this machine's parameters; what it does not use is 0."""
    stages, dtype = EQUAL[name].slots(machine), jax.tree.leaves(machine)[0].dtype
    weights = []
    for term, shape in enumerate(((UNITS, UNITS), (UNITS, UNITS), (UNITS,))):
        room = jnp.zeros((ROOM.stages, ROOM.slots, *shape), dtype)
        for stage, slots in enumerate(stages):
            for place, slot in enumerate(slots):
                room = room if slot[term] is None else room.at[stage, place].set(slot[term])
        weights.append(room)
    return weights


def cell_of(name, weights):
    """A cell with these weights."""
    shell = jax.eval_shape(lambda key: EvolvedCell(UNITS, UNITS, named("RNN", ROOM), key=key), jax.random.key(0))
    genome = jax.tree.map(jnp.asarray, named(name, ROOM))
    at = lambda m: (m.genome, m.input_weights, m.recurrent_weights, m.bias)  # noqa: E731
    return eqx.tree_at(at, shell, (genome, *weights))
