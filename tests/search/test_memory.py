"""The memory of a program beyond what it takes and gives does not grow with the number of lanes."""

import jax
import jax.numpy as jnp
import pytest

from jaxneuro.search.canonical import canonical
from jaxneuro.search.genome import Space
from jaxneuro.search.named import named
from jaxneuro.search.training import Trainer, _scores, _train
from jaxneuro.tasks import Adding

SPACE = Space(stages=1, slots=4, nodes=5, states=2)
CHUNK = 2
FEW, MANY = 8 * CHUNK, 80 * CHUNK


@pytest.fixture(scope="module")
def trainer():
    task = Adding(steps=16)
    validation = jax.jit(lambda key: task.batch(key, 8))(jax.random.key(8))
    return Trainer(task, validation, SPACE, width=8, batch=8, chunk=CHUNK)


def memory(trainer, room, program, spiking):
    """What the compiler sets aside for a program of so many lanes."""
    genomes, key = [canonical(named("LSTM", SPACE)).genome], jax.eval_shape(lambda: jax.random.key(0))
    keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), room))
    lanes = jax.eval_shape(lambda keys: trainer.lanes(genomes, [8], [1e-2], keys, room=room), keys)
    number, chunks = jax.ShapeDtypeStruct((), jnp.int32), jax.ShapeDtypeStruct((1,), jnp.int32)
    if program == "train":
        lowered = _train.lower(trainer, lanes, key, number, number, chunks, spiking=spiking)
    else:
        lowered = _scores.lower(trainer, lanes, chunks, spiking=spiking)
    return lowered.compile().memory_analysis()


@pytest.mark.parametrize(
    ("program", "spiking"), [("train", False), pytest.param("train", True, marks=pytest.mark.slow), ("scores", False)]
)
def test_only_what_lanes_are_made_of_grows_with_their_number(trainer, program, spiking):
    few, many = (memory(trainer, room, program, spiking) for room in (FEW, MANY))
    assert many.argument_size_in_bytes > 9 * few.argument_size_in_bytes
    per_lane = few.argument_size_in_bytes / FEW
    assert few.temp_size_in_bytes > 0
    assert abs(many.temp_size_in_bytes - few.temp_size_in_bytes) < per_lane
