"""The parallel cell against the straight cell: outputs, states and gradients, one step after the other and at once."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro as jn
from jaxneuro.launch.kinds import Kind, build
from jaxneuro.launch.kinds import parse as parse_spec
from jaxneuro.search.genome import empty
from jaxneuro.search.named import named
from jaxneuro.search.parallel import parallel_class
from jaxneuro.search.parallel_cell import ParallelCell, parallel
from jaxneuro.search.program import program
from jaxneuro.search.straight import StraightCell, StraightState
from jaxneuro.search.text import parse
from tests.laws import gradient
from tests.search.drawn import one_of
from tests.search.evolved import one_cell
from tests.search.linear_cells import CASCADE, PARALLEL, SEQUENTIAL, mutants
from tests.search.mutants import SPACE

INPUTS, UNITS, STEPS = 3, 4, 13
CELLS = {name: parse(text) for name, text in PARALLEL.items()} | {
    name: named(name) for name in ("MinGRU", "ComplexLinear")
}
QUICK = ("CASCADE",)
every_cell = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in CELLS]
)


def case(genome, seed=3):
    """A straight cell with random weights, a state to start at, and inputs."""
    generator = np.random.default_rng(seed)
    like = jax.eval_shape(lambda key: StraightCell(INPUTS, UNITS, genome, key=key), jax.random.key(0))
    leaves, structure = jax.tree.flatten(like)
    machine = jax.tree.unflatten(structure, [jnp.asarray(generator.normal(size=leaf.shape)) / 2 for leaf in leaves])
    start = StraightState(tuple(jnp.asarray(generator.normal(size=UNITS)) for _ in machine.program.next))
    return machine, start, jnp.asarray(generator.normal(size=(STEPS, INPUTS)))


def loss(machine, start, inputs, executor):
    state, outputs = jn.run(machine, inputs, state=start, executor=executor)
    total = sum(jnp.sum(jnp.sin(leaf)) for leaf in [*state.values, outputs])
    return total, (state.values, outputs)


@functools.partial(jax.jit, static_argnums=3, compiler_options=gradient.QUICK)
def everything(machine, start, inputs, executor):
    """Final states, outputs, and the gradients by weights, start and inputs."""
    gradients, outcome = jax.grad(loss, argnums=(0, 1, 2), has_aux=True)(machine, start, inputs, executor)
    return outcome, (gradients[0].weights, gradients[1].values, gradients[2])


def check_equal(genome, executors, seed=3, most=1e3):
    """These executors give what the straight cell gives; False if the cell grows so much that rounding decides."""
    machine, start, inputs = case(genome, seed)
    expected = everything(machine, start, inputs, "sequential")
    size = max(np.abs(leaf).max(initial=0) for leaf in jax.tree.leaves(expected))
    if not size < most:
        return False
    for executor in executors:
        found = everything(parallel(machine), start, inputs, executor)
        for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-10 * max(1, np.abs(other).max(initial=0)))
    return True


@every_cell
def test_outputs_and_gradients_are_those_of_the_straight_cell(name, float64):
    assert check_equal(CELLS[name], ["parallel"])


@pytest.mark.slow
def test_all_executors_give_what_the_straight_cell_gives(float64):
    assert check_equal(CELLS["DELAYS"], ["sequential", "hoisted", "parallel"])


@pytest.mark.slow
def test_outputs_and_gradients_of_random_cells_are_those_of_the_straight_cells(float64):
    genomes, compared = mutants(10, 5), 0
    for i in range(len(genomes.output)):
        genome = one_of(genomes, i)
        if parallel_class(genome) == "parallel" and program(genome).next:
            compared += check_equal(genome, ["parallel"], seed=i)
    assert compared >= 10


def test_a_wrong_scan_is_noticed(float64, monkeypatch):
    machine, start, inputs = case(parse(CASCADE))
    right = parallel(machine).over_time(start, inputs)[1]
    scan = jax.lax.associative_scan
    monkeypatch.setattr(jax.lax, "associative_scan", lambda f, elements: scan(lambda a, b: f(b, a), elements))
    wrong = parallel(machine).over_time(start, inputs)[1]
    assert not np.allclose(wrong, right, atol=1e-3)


def test_the_depth_of_the_program_grows_with_the_logarithm_of_time():
    machine, start, _ = case(parse(CASCADE))
    machine = parallel(machine)

    def operations(steps):
        inputs = jnp.zeros((steps, INPUTS))
        jaxpr = str(jax.make_jaxpr(lambda machine: machine.over_time(start, inputs))(machine))
        assert " scan[" not in jaxpr
        assert " while[" not in jaxpr
        return jaxpr.count(" mul ")

    assert operations(1024) - operations(512) == operations(4096) - operations(2048) > 0


def test_it_goes_on_from_a_saved_state(float64):
    machine, start, inputs = case(parse(CASCADE))
    machine = parallel(machine)
    run = functools.partial(jn.run, machine, executor="parallel")
    whole, outputs = run(inputs, state=start)
    middle, first = run(inputs[:5], state=start)
    end, rest = run(inputs[5:], state=middle)
    np.testing.assert_allclose(jnp.concatenate([first, rest]), outputs, rtol=0, atol=1e-12)
    for one, other in zip(end.values, whole.values, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def test_on_an_accelerator_it_is_parallel_and_on_a_cpu_it_is_not():
    machine, start, inputs = case(parse(CASCADE))

    def loops(platform):
        return " scan[" in str(
            jax.make_jaxpr(lambda x: jn.run(parallel(machine), x, state=start, platform=platform))(inputs)
        )

    assert not loops("cuda")
    assert loops("cpu")


def test_a_fresh_cell_is_the_straight_cell_with_the_same_key(key):
    one, other = (kind(INPUTS, UNITS, parse(CASCADE), key=key) for kind in (ParallelCell, StraightCell))
    assert one.program == other.program
    for field in ("input_weights", "recurrent_weights", "bias"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(one.init(key)))
    assert jn.count_parameters(one) == jn.count_parameters(other) > 0


def test_a_trained_cell_that_interprets_its_genome_is_carried_over(float64):
    cell = one_cell(named("MinGRU"), dtype="float64")
    inputs = jnp.asarray(np.random.default_rng(1).normal(size=(9, 3)))
    outputs = jn.run(parallel(cell), inputs, executor="parallel")[1]
    np.testing.assert_allclose(outputs, jn.run(cell, inputs)[1], rtol=0, atol=1e-12)


def test_a_config_names_it(key):
    spec = parse_spec({"kind": "ParallelCell", "genome": "MinGRU"}, Kind(supplied=("inputs", "units")))
    assert build(spec, key=key, inputs=3, units=4).program == ParallelCell(3, 4, "MinGRU", key=key).program
    with pytest.raises(ValueError, match="state h1 is not linear in itself"):
        parse_spec({"kind": "ParallelCell", "genome": "RNN"}, Kind(supplied=("inputs", "units")))


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_a_cell_that_is_not_linear_is_refused_with_its_reason(name, key):
    text, line = SEQUENTIAL[name]
    with pytest.raises(ValueError, match=r"ParallelCell got another kind of cell: state.* not linear in ") as error:
        ParallelCell(3, 4, parse(text), key=key)
    assert line in str(error.value)
    assert "StraightCell" in str(error.value)
    straight = jax.eval_shape(lambda key: StraightCell(3, 4, parse(text), key=key), key)
    with pytest.raises(ValueError, match="not linear"):
        parallel(straight)


def test_bad_arguments_are_refused(key):
    with pytest.raises(ValueError, match="ParallelCell got inputs=0, units=3; both must be at least 1"):
        ParallelCell(0, 3, named("MinGRU"), key=key)
    bad = dataclasses.replace(empty(SPACE), output=np.asarray(999, np.int32))
    with pytest.raises(ValueError, match=r"Genome\.output is 999"):
        ParallelCell(3, 4, bad, key=key)
    with pytest.raises(ValueError, match="Did you mean MinGRU"):
        ParallelCell(3, 4, "MinGRUU", key=key)
