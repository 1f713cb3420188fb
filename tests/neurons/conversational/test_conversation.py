"""What a conversation must keep: silence changes nothing, code is not data, order does not count, nothing is lost."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn

talk = jn.conversational
NAMES = ("gain", "bias", "rate", "persistence_h")
LOWEST, HIGHEST = jnp.asarray([-3.0, -3.0, -3.0, 0.01]), 3.0


def traces(state):
    return state.early, state.tag


def conversation(key, size=5, links=None, loud=True, **options):
    """Plastic neurons that differ in their gains, with a genome that has much to say."""
    genome = talk.PacketGenome(4, address=3, hidden=6, key=key)
    if loud:
        loud_layer = (5 * genome.outer_weights, jnp.full_like(genome.outer_bias, 0.3))
        genome = eqx.tree_at(lambda g: (g.outer_weights, g.outer_bias), genome, loud_layer)
    gains = jnp.linspace(0.7, 1.4, size)
    neurons = jax.vmap(lambda gain: talk.PlasticNeuron(late=jnp.full(3, 0.1), gain=gain))(gains)
    links = 1 - jnp.eye(size) if links is None else jnp.asarray(links, jnp.float32)
    defaults = {"export_threshold": 0.05, "names": NAMES, "late": "late", "traces": traces, "capacity": size}
    return talk.Conversation(neurons, genome, links, LOWEST, HIGHEST, **{**defaults, **options})


def told(steps, size, seed=0, knocked_out=0.0, scale=1.5):
    generator = np.random.default_rng(seed)
    hours = jnp.full((steps,), 0.3)
    taught = generator.choice([-1.0, 0.0, 1.0], size=(steps, size))
    parts = (generator.normal(size=(steps, size, 3)), taught, scale * generator.normal(size=(steps, size)))
    experience = talk.Experience(*(jnp.asarray(part, jnp.float32) for part in parts), jnp.full((steps, size), 0.3))
    lacking = jnp.broadcast_to(jnp.asarray(knocked_out, jnp.float32), (steps, size))
    return talk.Heard(experience, lacking, hours)


def alone(machine, heard):
    """The same neurons without any Arc."""
    return jn.run(jn.Population(machine.machine, machine.size), heard.input)


@pytest.mark.parametrize("how", ["knocked out", "no neighbours"])
def test_without_packets_no_bit_differs_from_the_same_neurons_without_arc(key, how):
    links = np.zeros((5, 5)) if how == "no neighbours" else None
    machine = conversation(key, links=links)
    heard = told(40, 5, knocked_out=1.0 if how == "knocked out" else 0.0)
    state, answers = jn.run(machine, heard)
    plain, expected = alone(machine, heard)
    assert (answers == expected).all()
    assert all(
        (a == b).all() for a, b in zip(jax.tree.leaves(state.neurons.machine), jax.tree.leaves(plain), strict=True)
    )
    assert not state.inboxes.sent.any()
    # And packets do make a difference.
    assert jnp.abs(jn.run(conversation(key), told(40, 5))[1] - expected).max() > 0.01


def test_renamed_neurons_behave_as_before(key, float64):
    size, order = 6, np.array([3, 0, 5, 1, 4, 2])
    links = np.random.default_rng(1).integers(0, 2, (size, size))
    machine, heard = conversation(key, size, links, capacity=4), told(25, size, knocked_out=[0, 0, 1, 0, 0, 0])
    machine, heard = jn.cast((machine, heard), jnp.float64)
    renamed = eqx.tree_at(
        lambda m: (m.machine, m.links),
        machine,
        (jax.tree.map(lambda leaf: leaf[order], machine.machine), machine.links[order][:, order]),
    )
    mixed = talk.Heard(jax.tree.map(lambda leaf: leaf[:, order], heard.input), heard.knocked_out[:, order], heard.hours)
    state, answers = jn.run(machine, heard)
    other, again = jn.run(renamed, mixed)
    np.testing.assert_allclose(again, answers[:, order], atol=1e-10)
    np.testing.assert_allclose(jnp.stack(other.programs[:4]), jnp.stack(state.programs[:4])[:, order], atol=1e-10)
    assert (other.inboxes.dropped == state.inboxes.dropped[order]).all()


@pytest.mark.parametrize(("capacity", "delay"), [(2, 1), (5, 3), (1, 0)])
def test_every_packet_is_delivered_or_dropped_or_on_its_way(key, capacity, delay):
    machine = conversation(key, capacity=capacity, delay=delay)
    state, _ = jn.run(machine, told(30, 5))
    counts = state.inboxes
    on_their_way = jax.vmap(machine._inbox().on_their_way)(counts)
    assert counts.sent.tolist() == [4 * 30] * 5
    assert (counts.sent == counts.delivered + counts.dropped + on_their_way).all()
    assert (counts.dropped == max(4 - capacity, 0) * 30).all()
    state, _ = jn.run(machine, told(delay + 1, 5, knocked_out=1.0), state=state)
    assert (state.inboxes.sent == state.inboxes.delivered + state.inboxes.dropped).all()


def saying(key, opcode, payload):
    """A pair of neurons, of which the first has just been told to say one thing, and both act strongly."""
    genome = talk.PacketGenome(4, address=2, hidden=2, key=key)
    place = list(talk.INSTRUCTIONS).index(opcode)
    bias = jnp.concatenate([jnp.zeros(4), 50 * jax.nn.one_hot(place, 8), jnp.asarray(payload)])
    genome = eqx.tree_at(lambda g: (g.outer_weights, g.outer_bias), genome, (0 * genome.outer_weights, bias))
    machine = conversation(key, 2, [[0, 0], [1, 0]], delay=0)
    return eqx.tree_at(lambda m: m.genome, machine, genome)


@jax.jit
def told_and_probed(machine, heard, drives):
    """What the receiver answers while it reads its first packet, and to many drives from then on."""
    state, _ = jax.lax.scan(machine.step, machine.init(jax.random.key(0)), jax.tree.map(lambda x: x[:3], heard))
    state = eqx.tree_at(lambda s: s.programs, state, machine.init(jax.random.key(0)).programs)
    state, present = machine.step(state, jax.tree.map(lambda leaf: leaf[3], heard))

    def answer(drive):
        nothing = jnp.zeros(2)
        experience = talk.Experience(jnp.ones((2, 3)), nothing, jnp.full(2, drive), nothing)
        return machine.step(state, talk.Heard(experience, jnp.ones(2), jnp.zeros(())))[1][1]

    return present[1], jax.vmap(answer)(drives)


def test_the_same_payload_is_another_function_by_another_opcode_and_leaves_the_present_answer_alone(key):
    payload, drives, heard = [0.4, -0.3, 0.2, 0.5], jnp.linspace(-2, 2, 21), told(4, 2, seed=3)
    # In the first three steps nobody has Arc: what is said in the fourth is the first that is said.
    heard = eqx.tree_at(lambda h: h.knocked_out, heard, heard.knocked_out.at[:3].set(1.0))
    found = {opcode: told_and_probed(saying(key, opcode, payload), heard, drives) for opcode in talk.INSTRUCTIONS}
    present, functions = ({opcode: np.asarray(each[part]) for opcode, each in found.items()} for part in (0, 1))
    for opcode, function in functions.items():
        assert present[opcode] == present["NOP"]
        distance = np.abs(function - functions["NOP"]).max()
        assert distance > 1e-3 or opcode == "NOP", f"{opcode} changed the function by {distance}"
    assert np.abs(functions["ADD"] - functions["SET"]).max() > 1e-3
    assert np.abs(functions["SCALE"] - functions["ROTATE"]).max() > 1e-3


def test_data_reach_the_activity_and_no_program(key):
    def hear(input, numbers):
        return eqx.tree_at(lambda e: e.drive, input, input.drive + numbers[0])

    machine, heard = conversation(key, hear=hear), told(20, 5)
    state, answers = jn.run(machine, heard)
    assert jnp.abs(answers - alone(machine, heard)[1]).max() > 0.01
    start = machine.init(key)
    assert all((a == b).all() for a, b in zip(state.programs, start.programs, strict=True))
    assert state.data.any()


def chain_of_four(key):
    """Each neuron hears the one before alone, and what it hears turns its gain."""
    return conversation(key, 4, np.eye(4, k=-1), delay=0)


def test_what_the_first_is_told_reaches_the_programs_of_the_others_hop_by_hop(key):
    machine, heard = chain_of_four(key), told(3, 4)

    def gains(drive):
        changed = eqx.tree_at(lambda h: h.input.drive, heard, heard.input.drive.at[0, 0].set(drive))
        return jn.run(machine, changed, observe=lambda state: state.programs[0])[2]

    slopes = jax.jacfwd(gains)(jnp.asarray(0.5))
    # A packet changes its receiver's next step, in which it writes another one: a hop takes a step.
    for step in range(3):
        assert np.flatnonzero(slopes[step]).tolist() == list(range(1, step + 2))


def test_the_genome_has_a_gradient_from_three_hops_away(key):
    machine, heard = chain_of_four(key), told(8, 4)

    @jax.jit
    @jax.value_and_grad
    def last(genome, knocked_out):
        silenced = eqx.tree_at(lambda h: h.knocked_out, heard, jnp.broadcast_to(knocked_out, (8, 4)))
        changed = eqx.tree_at(lambda m: m.genome, machine, genome)
        return jn.run(changed, silenced)[1][-1, 3]

    answer, slopes = last(machine.genome, jnp.zeros(4))
    assert all(jnp.isfinite(leaf).all() and leaf.any() for leaf in jax.tree.leaves(slopes))
    # With the neuron before it silenced, nothing that the genome says reaches the last.
    _, none = last(machine.genome, jnp.asarray([0.0, 0.0, 1.0, 0.0]))
    assert not any(leaf.any() for leaf in jax.tree.leaves(none))
    # Silencing the first matters to the fourth: a message of three hops.
    assert last(machine.genome, jnp.asarray([1.0, 0.0, 0.0, 0.0]))[0] != answer


def test_any_neuron_can_be_rewritten_such_as_a_spiking_one(key):
    genome = talk.PacketGenome(1, key=key)
    bias = jnp.zeros_like(genome.outer_bias).at[8 + 1].set(20.0).at[-1].set(3.0)  # always ADD 3 ms
    genome = eqx.tree_at(lambda g: (g.outer_weights, g.outer_bias), genome, (0 * genome.outer_weights, bias))
    options = {"names": ("tau_ms",), "shared": True, "capacity": 1, "translation_threshold": -1.0}
    machine = talk.Conversation(jn.LIF(), genome, 1 - jnp.eye(2), 5.0, 90.0, **options)
    heard = talk.Heard(jnp.full((600, 2), 40.0), jnp.zeros((600, 2)), jnp.full(600, 0.05))
    state, spikes = jn.run(machine, heard)
    assert spikes.sum() > 0
    assert (state.programs[0] > 21).all()
    assert (jn.run(machine, heard)[0].programs[0] <= 90).all()


@pytest.mark.slow
def test_programs_stay_within_their_limits_for_a_hundred_thousand_steps(key):
    machine = conversation(key, 3, delay=1)

    def one(state, number):
        draw = jax.random.fold_in(key, number)
        drive, teacher = jax.random.normal(draw, (2, 3)) * 3
        experience = talk.Experience(jax.random.normal(draw, (3, 3)), jnp.sign(teacher), drive, jnp.full(3, 0.3))
        state, answer = machine.step(state, talk.Heard(experience, jnp.zeros(3), jnp.asarray(0.3)))
        program = jnp.stack(state.programs[:4], axis=1)
        return state, (
            program.min(axis=0),
            program.max(axis=0),
            jnp.abs(state.programs[4]).max(),
            jnp.isfinite(answer).all(),
        )

    state, (low, high, late, finite) = jax.jit(lambda s: jax.lax.scan(one, s, jnp.arange(100_000)))(machine.init(key))
    assert (low.min(axis=0) >= LOWEST).all()
    assert high.max() <= HIGHEST
    assert late.max() <= 1
    assert finite.all()
    assert (state.inboxes.sent == 200_000).all()


def test_mistakes_get_advice(key):
    with pytest.raises(ValueError, match="one of late and traces"):
        conversation(key, traces=None)
    with pytest.raises(ValueError, match="no names"):
        conversation(key, names=())
