"""Populations of any neurons, joined by any synapses."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from jaxneuro.machine import StateMachine
from jaxneuro.networks.gather import gather
from jaxneuro.synapses.event import pack

Spikes = Float[Array, "neurons"]


def _names(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


class Projection(eqx.Module):
    """The synapses from one population to another, or to several.

    Fields:
        source: name of the population that spikes.
        target: name of the population that it reaches; of several, the sums are for all their neurons one after the
            other: one set of synapses is then faster than one for each.
        connections: a machine from the spikes `[source neurons]` to their weighted sums `[target neurons]`, such as
            `EventSynapses` or `Dense`.
        kinetics: a machine from the sums to what reaches the neurons, a current, a `VoltageJump` or a `Conductance`.
        delay: from a spike to its arrival, in steps, at least 1.
    """

    source: str = eqx.field(static=True)
    target: tuple[str, ...] = eqx.field(static=True, converter=_names)
    connections: StateMachine
    kinetics: StateMachine
    delay: int = eqx.field(static=True, default=1)

    @property
    def name(self) -> str:
        """`source -> target`."""
        return f"{self.source} -> {', '.join(self.target)}"

    def __check_init__(self) -> None:
        if self.delay < 1:
            raise ValueError(
                f"Projection {self.name!r} got delay={self.delay}; it must be at least 1: a spike of one step arrives "
                "in a later one."
            )


class Sent(eqx.Module):
    """The last spikes of a population, `[longest delay, neurons]`, and the place that is written next."""

    ring: Float[Array, "steps neurons"]
    position: Int[Array, ""]


class NetworkState(eqx.Module):
    """The states of all populations and, by projection, of all synapses; the spikes on their way."""

    populations: tuple[PyTree, ...]
    connections: tuple[PyTree, ...]
    kinetics: tuple[PyTree, ...]
    sent: tuple[Sent | None, ...]


class Network(StateMachine[NetworkState, PyTree, dict[str, Array]]):
    """Populations joined by synapses: what neurons send now, others receive `delay` steps later.

    Of population p, `x_p(t) = input_p(t) + sum over projections of kinetics(connections(y_source(t - delay)))`, and
    `y_p(t) = population_p(x_p(t))`. What reaches a population is added up by type, currents with currents, jumps of
    the voltage with jumps, conductances with conductances, and comes as one thing, or as a `Stimulus` of several.

    Fields:
        names: of the populations.
        populations: in the same order. A machine with a number of neurons, `size`, that takes what reaches them and
            gives one number for each, `[size]`: a `Population`, or a source such as `PoissonSource`.
        projections: what joins them.
        outputs: names of the populations whose spikes are put out; all unless given.
        packed: whether they come as bits (see `jaxneuro.networks.unpack`), which is 32 times less memory.

    Input: by name of the population, a current (or a `Stimulus`, ...) for each neuron, `[size]`, or one for all, a
    scalar. What has no name reaches all: `jnp.zeros(steps)` lets a network alone. Output: by name, `[size]`.

    Reference: Brette et al. 2007, Journal of Computational Neuroscience 23:349, section 2.
    """

    populations: tuple[StateMachine, ...]
    projections: tuple[Projection, ...]
    names: tuple[str, ...] = eqx.field(static=True)
    outputs: tuple[str, ...] = eqx.field(static=True)
    packed: bool = eqx.field(static=True)

    def __init__(
        self,
        populations: Mapping[str, StateMachine] | Iterable[tuple[str, StateMachine]],
        projections: Sequence[Projection] = (),
        *,
        outputs: Iterable[str] | None = None,
        packed: bool = False,
    ) -> None:
        pairs: Iterable[Any] = populations.items() if isinstance(populations, Mapping) else populations
        pairs = tuple(pairs)
        self.names = tuple(name for name, _ in pairs)
        self.populations = tuple(machine for _, machine in pairs)
        self.projections = tuple(projections)
        self.outputs = self.names if outputs is None else _names(outputs)
        self.packed = packed
        if len(set(self.names)) < len(self.names) or not self.names:
            raise ValueError(f"Network got populations named {list(self.names)}; it needs at least one, names differ.")
        for name in self.outputs:
            self._index(name, "Network's outputs")
        for name, population in pairs:
            if not isinstance(getattr(population, "size", None), int):
                raise ValueError(
                    f"Network got the population {name!r}, a {type(population).__name__}, which has no size. For 100 "
                    f"equal neurons write Population({type(population).__name__}(), 100, shared=True)."
                )
        for projection in self.projections:
            self._check(projection)

    def _index(self, name: str, who: str) -> int:
        if name in self.names:
            return self.names.index(name)
        near = difflib.get_close_matches(name, self.names, 1)
        advice = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"{who}: there is no population {name!r}; there is {', '.join(self.names)}.{advice}")

    def size(self, *names: str) -> int:
        """The number of neurons in populations of these names."""
        return sum(getattr(self.populations[self._index(name, "Network")], "size") for name in names)  # noqa: B009

    def _check(self, projection: Projection) -> None:
        who = f"projection {projection.name!r}"
        for name in (projection.source, *projection.target):
            self._index(name, who)
        sources, targets = self.size(projection.source), self.size(*projection.target)
        spikes = jax.ShapeDtypeStruct((sources,), self._dtype(projection.source))
        try:
            sums = _outcome(projection.connections, spikes)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{who}: its connections do not take the {sources} spikes of {projection.source!r}: {error}"
            ) from error
        if getattr(sums, "shape", None) != (targets,):
            raise ValueError(
                f"{who}: its connections give {sums} for {' and '.join(map(repr, projection.target))}, which has "
                f"{targets} neurons."
            )
        try:
            shapes = {leaf.shape for leaf in jax.tree.leaves(_outcome(projection.kinetics, sums))}
        except (TypeError, ValueError) as error:
            raise ValueError(f"{who}: its kinetics do not take the {targets} sums: {error}") from error
        if shapes != {(targets,)}:
            raise ValueError(
                f"{who}: its kinetics give arrays of shapes {shapes}, not of ({targets},). For equal synapses write "
                f"Population({type(projection.kinetics).__name__}(...), {targets}, shared=True)."
            )

    def _dtype(self, name: str) -> Any:
        leaves = jax.tree.leaves(self.populations[self.names.index(name)])
        return next((x.dtype for x in leaves if jnp.issubdtype(x.dtype, jnp.floating)), jnp.result_type(float))

    def init(self, key: PRNGKeyArray) -> NetworkState:
        """Every population and every synapse from its own key; no spikes on their way."""

        def started(machines: Iterable[StateMachine], key: PRNGKeyArray) -> tuple[PyTree, ...]:
            return tuple(machine.init(jax.random.fold_in(key, i)) for i, machine in enumerate(machines))

        keys = jax.random.split(key, 3)
        return NetworkState(
            started(self.populations, keys[0]),
            started((projection.connections for projection in self.projections), keys[1]),
            started((projection.kinetics for projection in self.projections), keys[2]),
            tuple(self._unsent(name) for name in self.names),
        )

    def _unsent(self, name: str) -> Sent | None:
        longest = max((projection.delay for projection in self.projections if projection.source == name), default=0)
        if not longest:
            return None
        return Sent(jnp.zeros((longest, self.size(name)), self._dtype(name)), jnp.zeros((), jnp.int32))

    def step(self, state: NetworkState, input: PyTree) -> tuple[NetworkState, dict[str, Array]]:
        """What was sent arrives, then all populations step."""
        reaching: dict[str, list[Any]] = {name: [] for name in self.names}
        inputs = input if isinstance(input, dict) else dict.fromkeys(self.names, input)
        for name, part in inputs.items():
            self._index(name, "Network's input")
            reaching[name].append(part)
        connections, kinetics = [], []
        for projection, joined, open_ in zip(self.projections, state.connections, state.kinetics, strict=True):
            sent = state.sent[self.names.index(projection.source)]
            joined, sums = projection.connections.step(joined, _arriving(sent, projection.delay))
            open_, reached = projection.kinetics.step(open_, sums)
            connections.append(joined)
            kinetics.append(open_)
            begin = 0
            for name in projection.target:
                end = begin + self.size(name)
                reaching[name].append(jax.tree.map(lambda leaf, a=begin, b=end: leaf[a:b], reached))
                begin = end
        populations, spikes = [], {}
        for name, population, at in zip(self.names, self.populations, state.populations, strict=True):
            at, fired = population.step(at, gather(reaching[name], self.size(name), self._dtype(name)))
            # Who reads the spikes shall not compute them once more.
            spikes[name] = jax.lax.optimization_barrier(fired)
            populations.append(at)
        sent = tuple(_send(sent, spikes[name]) for name, sent in zip(self.names, state.sent, strict=True))
        state = NetworkState(tuple(populations), tuple(connections), tuple(kinetics), sent)
        return state, {name: pack(spikes[name]) if self.packed else spikes[name] for name in self.outputs}


def _outcome(machine: StateMachine, input: Any) -> Any:
    """The shapes of what a machine puts out."""
    return jax.eval_shape(lambda m, x: m.step(m.init(jax.random.key(0)), x)[1], machine, input)


def _arriving(sent: Sent | None, delay: int) -> Spikes:
    assert sent is not None
    at = jnp.mod(sent.position - delay, len(sent.ring))
    return jax.lax.dynamic_index_in_dim(sent.ring, at, keepdims=False)


def _send(sent: Sent | None, spikes: Spikes) -> Sent | None:
    if sent is None:
        return None
    ring = jax.lax.dynamic_update_index_in_dim(sent.ring, spikes, sent.position, 0)
    return Sent(ring, jnp.where(sent.position == len(ring) - 1, 0, sent.position + 1))
