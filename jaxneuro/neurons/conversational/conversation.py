"""Neurons that rewrite each other: packets of code, packed by active neurons, executed by their receivers."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from jaxneuro.compose import Population, Rewritable, RewritableState, Rewrite
from jaxneuro.machine import Numbers, Scalar, StateMachine, parameter
from jaxneuro.neurons.conversational.genome import Condition, PacketGenome
from jaxneuro.neurons.conversational.inbox import Inbox, InboxState, Mail
from jaxneuro.neurons.conversational.instructions import INSTRUCTIONS, Receiver, execute
from jaxneuro.neurons.conversational.packet import Packet

Traces = Callable[[Any], tuple[Array, Array]]
Hear = Callable[[Any, Array], Any]
MASKED = -1e4  # the score of a neuron that is no neighbour, small in every precision


class Heard(eqx.Module):
    """The inputs of all neurons, which of them lack Arc (0 has it, 1 lacks it), and the hours since the last step."""

    input: PyTree[Array]
    knocked_out: Float[Array, "*time neurons"]
    hours: Float[Array, "*time"]


class ConversationState(eqx.Module):
    """All neurons and their programs, the programs of the next step, Arc, calcium, data, mail, and the random key."""

    neurons: RewritableState
    programs: tuple[Array, ...]
    data: Float[Array, "neurons program"]
    calcium: Float[Array, "neurons"]
    arc: Float[Array, "neurons"]
    inboxes: InboxState
    key: PRNGKeyArray


class Conversation(StateMachine[ConversationState, Heard, Float[Array, "neurons"]]):
    """A population of any neuron whose chosen parameters, its program θ, are rewritten by packets of its neighbours.

    Every step, with y what the neurons put out and d the hours that it took:

    1. expression: `A <- e^(-d/tau_A) A + (1 - e^(-d/tau_A)) sigma(s_A (Ca^2 - theta_A))`, with calcium
       `Ca <- e^(-d/tau_Ca) Ca + y^3`;
    2. packing: the genome writes a packet from (A, y, Ca), and the query by which the neuron is addressed;
    3. export: `e = sigma(s_E (A - theta_E)) (1 - KO)`;
    4. addressing: `u_ij = links_ij softmax_j(q_i . k_j / sqrt(address))`, i hears j; then `delay` steps in an `Inbox`;
    5. translation: `g = sigma(s_T (y^2 - theta_T))` of the receiver, when the packet has come;
    6. execution: `θ <- clip(θ + g sum e u sum_k o_k F_k(θ, v))`, with which the neuron makes its next step.

    Where nothing is sent, no bit of any neuron differs from the same neurons without Arc. `Rewritable` holds the
    programs; nothing else does what a packet says.

    Fields:
        machine: the neuron, with a leading axis of `size` on every leaf, or without any if `shared`; its output is a
            scalar.
        genome: of all neurons; it writes as many numbers as `names`.
        links: who may hear whom, `[neurons, neurons]`, row i from column j, 0 or 1.
        lowest, highest: limits of the program, scalar or `[program]`; the neuron's own values must keep them.
        late_limit: largest late weight.
        tau_calcium_h, tau_arc_h: time constants (h).
        expression_threshold, expression_slope: theta_A, s_A; export_threshold, export_slope: theta_E, s_E;
        translation_threshold, translation_slope: theta_T, s_T. All dimensionless, as is all that has no unit here.
        hardness: 0 mixes instructions by their shares, 1 executes the one with the largest.
        gumbel: size of the Gumbel noise on the opcodes' logits.
        names: the parameters of `machine` that make the program, each a scalar per neuron.
        late: the parameter of `machine` that holds late weights, a vector per neuron; None if it has no synapses.
        traces: from the state of `machine` to its early weights and its tags; given if `late` is.
        hear: None if packets are instructions. Else they are data: `hear(input, numbers)` gives what a neuron gets
            instead of its input, and no program is changed.
        size, capacity, delay: neurons, packets that a neuron reads in a step, steps that a packet travels.

    Input: `Heard`. Output: y, `[neurons]`.

    Reference: Pastuzyn et al. 2018, Cell 172:275; Ashley et al. 2018, Cell 172:262 (Arc capsids carry Arc's own RNA;
        that they carry programs is the reading of Perez 2018); Schmidhuber 1992, Neural Computation 4:131 (fast
        weights).
    """

    machine: StateMachine
    genome: PacketGenome
    links: Float[Array, "neurons neurons"] = parameter(at_least=0.0, at_most=1.0)
    lowest: Numbers = parameter(-4.0)
    highest: Numbers = parameter(4.0)
    late_limit: Scalar = parameter(1.0, above=0.0)
    tau_calcium_h: Scalar = parameter(1.0, above=0.0, unit="h")
    tau_arc_h: Scalar = parameter(1.0, above=0.0, unit="h")
    expression_threshold: Scalar = parameter(2.0)
    expression_slope: Scalar = parameter(1.0, above=0.0)
    export_threshold: Scalar = parameter(0.3)
    export_slope: Scalar = parameter(10.0, above=0.0)
    translation_threshold: Scalar = parameter(0.1)
    translation_slope: Scalar = parameter(10.0, above=0.0)
    hardness: Scalar = parameter(0.0, at_least=0.0, at_most=1.0)
    gumbel: Scalar = parameter(0.0, at_least=0.0)
    names: tuple[str, ...] = eqx.field(static=True, kw_only=True)
    late: str | None = eqx.field(static=True, default=None, kw_only=True)
    traces: Traces | None = eqx.field(static=True, default=None, kw_only=True)
    hear: Hear | None = eqx.field(static=True, default=None, kw_only=True)
    shared: bool = eqx.field(static=True, default=False, kw_only=True)
    capacity: int = eqx.field(static=True, default=4, kw_only=True)
    delay: int = eqx.field(static=True, default=1, kw_only=True)

    def __check_init__(self) -> None:
        if not self.names:
            raise ValueError('Conversation got no names; write names=("gain",) to make the gain the program.')
        if (self.late is None) != (self.traces is None):
            raise ValueError("Conversation got one of late and traces; neurons with synapses need both.")

    @property
    def size(self) -> int:
        """How many neurons there are."""
        return self.links.shape[0]

    def init(self, key: PRNGKeyArray) -> ConversationState:
        """Neurons as their machine starts them, with its programs; no Arc, no mail."""
        neuron_key, inbox_key, key = jax.random.split(key, 3)
        neurons: RewritableState = self._population().init(neuron_key)
        program = self._program(neurons.parameters)
        none = jnp.zeros_like(program[:, 0])
        inboxes = jax.vmap(self._inbox().init)(jax.random.split(inbox_key, self.size))
        return ConversationState(neurons, neurons.parameters, jnp.zeros_like(program), none, none, inboxes, key)

    def step(self, state: ConversationState, input: Heard) -> tuple[ConversationState, Float[Array, "neurons"]]:
        """The neurons step, then they write, and read."""
        # A gradient that keeps states alone and computes steps again takes half as long: what a step makes is a hundred
        # small arrays, which cost more to store than to make.
        return jax.checkpoint(Conversation._stepped, prevent_cse=False)(self, state, input)

    def _stepped(self, state: ConversationState, input: Heard) -> tuple[ConversationState, Float[Array, "neurons"]]:
        heard = input.input if self.hear is None else jax.vmap(self.hear)(input.input, state.data)
        neurons, activity = self._population().step(state.neurons, Rewrite(heard, state.programs))
        program = self._program(neurons.parameters)

        decay = jnp.exp(-input.hours / self.tau_arc_h)
        expressed = jax.nn.sigmoid(self.expression_slope * (state.calcium**2 - self.expression_threshold))
        arc = decay * state.arc + (1 - decay) * expressed
        calcium = jnp.exp(-input.hours / self.tau_calcium_h) * state.calcium + activity**3

        key, draw = jax.random.split(state.key)
        # Of single precision whatever the machine's: another precision would draw other numbers.
        noise = jax.random.gumbel(draw, (self.size, len(INSTRUCTIONS)), jnp.float32).astype(activity.dtype)
        packets, queries = jax.vmap(self.genome.write, in_axes=(0, None, 0))(
            Condition(arc, activity, calcium, program), self.hardness, self.gumbel * noise
        )
        export = jax.nn.sigmoid(self.export_slope * (arc - self.export_threshold)) * (1 - input.knocked_out)
        heard_from = export[None] * self.addressed(queries, packets.key)
        inbox = self._inbox()
        inboxes, read = jax.vmap(lambda state, weights: inbox.step(state, Mail(weights, packets)))(
            state.inboxes, heard_from
        )
        translated = jax.nn.sigmoid(self.translation_slope * (activity**2 - self.translation_threshold))
        weights = translated[:, None] * read.weights
        if self.hear is None:
            data, programs = state.data, jax.vmap(self._executed)(neurons, Mail(weights, read.packets))
        else:
            data, programs = jnp.einsum("nm,nmp->np", weights, read.packets.payload), neurons.parameters
        return ConversationState(neurons, programs, data, calcium, arc, inboxes, key), activity

    def addressed(
        self, queries: Float[Array, "neurons address"], keys: Float[Array, "neurons address"]
    ) -> Float[Array, "neurons neurons"]:
        """How strongly receivers (rows) hear senders (columns): shares of 1 among neighbours."""
        scores = queries @ keys.T / self.genome.address**0.5
        return self.links * jax.nn.softmax(jnp.where(self.links > 0, scores, MASKED), axis=1)

    def _executed(self, neuron: RewritableState, mail: Mail) -> tuple[Array, ...]:
        """The parameters of one neuron after all that it has read."""
        program = jnp.stack(neuron.parameters[: len(self.names)])
        late, early, tag = jnp.zeros((3, 0), program.dtype)
        if self.traces is not None:
            late, (early, tag) = neuron.parameters[-1], self.traces(neuron.machine)
        receiver = Receiver(program, late, early, tag)
        changes = jax.vmap(execute, in_axes=(None, 0))(receiver, mail.packets)
        change = jax.tree.map(lambda part: mail.weights @ part, changes)
        program = jnp.clip(program + change.program, self.lowest, self.highest)
        written = tuple(program)
        if self.late is None:
            return written
        return *written, jnp.clip(late + change.late, -self.late_limit, self.late_limit)

    def _program(self, parameters: tuple[Array, ...]) -> Float[Array, "neurons program"]:
        return jnp.stack(parameters[: len(self.names)], axis=1)

    def _population(self) -> Population:
        chosen = self.names if self.late is None else (*self.names, self.late)
        return Population(Rewritable(self.machine, chosen, apply=replace), self.size, self.shared)

    def _inbox(self) -> Inbox:
        numbers = jnp.zeros(len(self.names), self.links.dtype)
        key, opcode = (jnp.zeros(n, self.links.dtype) for n in (self.genome.address, len(INSTRUCTIONS)))
        return Inbox(Packet(key, opcode, numbers, numbers), self.capacity, self.delay)


def replace(parameters: tuple[Array, ...], edit: tuple[Array, ...]) -> tuple[Array, ...]:
    """The edit itself: it was computed from the parameters when the packets were read."""
    return edit
