"""The form of a batch, its losses, and what holds for every task."""

import dataclasses
import importlib
import inspect
import pkgutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxneuro.tasks
from jaxneuro.tasks.adding import Adding
from jaxneuro.tasks.batch import Batch, Task, accuracy, cross_entropy, frame_cross_entropy, squared_error
from jaxneuro.tasks.card_sorting import CardSorting
from jaxneuro.tasks.change_points import ChangePoints
from jaxneuro.tasks.characters import NextCharacter
from jaxneuro.tasks.context_decision import ContextDecision
from jaxneuro.tasks.copying import Copy
from jaxneuro.tasks.delayed_xor import DelayedXOR, MultiTimescaleXOR
from jaxneuro.tasks.denoise import Denoise
from jaxneuro.tasks.dyck import Dyck, LongerDyck
from jaxneuro.tasks.evidence import Evidence
from jaxneuro.tasks.flip_flop import FlipFlop
from jaxneuro.tasks.images import ImageSequences
from jaxneuro.tasks.modular import Modular
from jaxneuro.tasks.music import NextChord
from jaxneuro.tasks.n_back import NBack
from jaxneuro.tasks.overwrite import Overwrite
from jaxneuro.tasks.permuted import PermutedImages
from jaxneuro.tasks.recall import Recall
from jaxneuro.tasks.reversal import Reversal
from jaxneuro.tasks.rotations import Orientation, RotatedPoints
from jaxneuro.tasks.same_different import SameDifferent
from jaxneuro.tasks.selective import SelectiveCopy
from jaxneuro.tasks.sequences import HighOrder
from jaxneuro.tasks.words import Words

SIZE = 16
RANDOM = np.random.default_rng(0)
# Every task at a small size, its steps, and whether its targets are classes.
TASKS = [
    (Adding(steps=10), 10, False),
    (CardSorting(steps=6, values=3), 6, True),
    (ChangePoints(steps=9, window=3), 9, True),
    (ContextDecision(steps=5), 5, True),
    (Copy(delay=5, symbols=3, length=2), 9, True),
    (DelayedXOR(channels=3, code=2, steps=7), 7, True),
    (Denoise(noise=5, symbols=3, length=2), 9, True),
    (Dyck(steps=12), 12, True),
    (Evidence(cues=3, cue_ms=3, gap_ms=1, shortest_ms=1, longest_ms=3, question_ms=2, rate_hz=300.0), 17, True),
    (FlipFlop(steps=8), 8, True),
    (HighOrder(np.array([[0, 2, 3, 0], [1, 2, 3, 1]]), noise=3, steps=10), 10, True),
    (ImageSequences(RANDOM.random((5, 2, 3)), np.array([0, 1, 2, 0, 1]), order="permuted"), 6, True),
    (LongerDyck(steps=12), 12, True),
    (Modular(modulus=3, steps=7), 7, True),
    (MultiTimescaleXOR(channels=2, code=2, pause=1, codes=2), 8, True),
    (NBack(steps=7), 7, True),
    (NextCharacter(RANDOM.integers(0, 4, 50), 4, steps=8), 8, True),
    (NextChord([RANDOM.integers(0, 2, (frames, 5)) for frames in (3, 6)]), 5, False),
    (Overwrite(keys=2, values=3, writes=2), 6, True),
    (PermutedImages(RANDOM.random((5, 2, 3)), np.array([0, 1, 2, 0, 1]), tasks=3), 1, True),
    (Recall(pairs=2, vocabulary=12, steps=10), 10, True),
    (Reversal(steps=6), 6, True),
    (SameDifferent(pause=2), 4, True),
    (Orientation(steps=6), 6, False),
    (RotatedPoints(points=2), 1, False),
    (SelectiveCopy(noise=5, symbols=3, length=2), 9, True),
    (Words("A5", steps=6), 6, True),
]
every_task = pytest.mark.parametrize(("task", "steps", "classes"), TASKS, ids=lambda value: type(value).__name__)


def test_every_task_is_here():
    modules = [
        importlib.import_module(f"jaxneuro.tasks.{found.name}")
        for found in pkgutil.iter_modules(jaxneuro.tasks.__path__)
    ]
    kinds = {kind for module in modules for _, kind in inspect.getmembers(module, inspect.isclass)}
    tasks = {kind for kind in kinds if issubclass(kind, Task) and not inspect.isabstract(kind)}
    assert tasks == {type(task) for task, _, _ in TASKS}


compiled = jax.jit(lambda task, key: task.batch(key, SIZE))


@every_task
def test_batches_have_the_common_form(task, steps, classes, key):
    batch = compiled(task, key)
    assert batch.inputs.shape == (SIZE, steps, task.inputs)
    assert batch.targets.shape == ((SIZE, steps) if classes else (SIZE, steps, task.outputs))
    assert batch.weights.shape == (SIZE, steps)
    assert batch.inputs.dtype == batch.weights.dtype == jnp.float32
    assert batch.targets.dtype == (jnp.int32 if classes else jnp.float32)
    assert np.isin(batch.weights, (0, 1)).all()
    if classes:
        assert (batch.targets >= 0).all()
        assert (batch.targets < task.outputs).all()


@every_task
def test_batches_are_a_pure_function_of_the_key_compiled_or_not(task, steps, classes, key):
    first = compiled(task, key)
    for again in (compiled(task, key), task.batch(key, SIZE)):
        for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(again), strict=True):
            np.testing.assert_array_equal(a, b)
    other = compiled(task, jax.random.key(1))
    assert (np.asarray(first.inputs) != np.asarray(other.inputs)).any()


@every_task
def test_the_loss_is_a_finite_number_with_a_gradient(task, steps, classes, key):
    batch = compiled(task, key)
    outputs = jnp.asarray(np.random.default_rng(1).normal(size=(SIZE, steps, task.outputs)))
    loss, gradient = jax.jit(jax.value_and_grad(lambda outputs: task.loss(outputs, batch)))(outputs)
    assert loss.shape == ()
    assert np.isfinite(gradient).all()
    # What does not count has no influence.
    assert not np.asarray(gradient)[np.asarray(batch.weights) == 0].any()
    assert np.asarray(gradient).any()
    assert task.baseline > (task.optimum or 0)


@every_task
def test_in_double_precision_everything_is_double(task, steps, classes, key, float64):
    def judged(key):
        batch = task.batch(key, SIZE)
        return batch, task.loss(jnp.zeros((SIZE, steps, task.outputs)), batch)

    batch, loss = jax.eval_shape(judged, key)
    assert batch.inputs.dtype == batch.weights.dtype == loss.dtype == jnp.float64


def small_batch(targets):
    return Batch(jnp.zeros((1, 3, 1)), jnp.asarray(targets), jnp.array([[1.0, 0.0, 1.0]]))


def test_cross_entropy_and_accuracy_are_means_over_what_counts():
    shares = np.array([[[0.5, 0.25, 0.25], [1.0, 1e-9, 1e-9], [0.1, 0.7, 0.2]]])
    batch = small_batch([[1, 2, 1]])
    assert float(cross_entropy(jnp.log(shares), batch)) == pytest.approx(-(np.log(0.25) + np.log(0.7)) / 2)
    assert float(accuracy(jnp.log(shares), batch)) == 0.5


def test_squared_errors_of_several_outputs_are_summed():
    batch = small_batch([[[1.0, 2.0], [9.0, 9.0], [0.0, 0.0]]])
    outputs = jnp.array([[[2.0, 4.0], [0.0, 0.0], [0.0, 3.0]]])
    assert float(squared_error(outputs, batch)) == (1 + 4 + 9) / 2


def test_frames_are_as_likely_as_the_product_of_their_notes():
    likely = np.array([[[0.9, 0.2], [0.5, 0.5], [0.6, 0.7]]])
    batch = small_batch([[[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]])
    found = float(frame_cross_entropy(jnp.log(likely / (1 - likely)), batch))
    assert found == pytest.approx(-(np.log(0.9 * 0.8) + np.log(0.4 * 0.7)) / 2, rel=1e-6)


def test_a_batch_in_which_nothing_counts_has_no_loss_and_no_gradient():
    batch = dataclasses.replace(small_batch([[1, 2, 1]]), weights=jnp.zeros((1, 3)))
    loss, gradient = jax.value_and_grad(cross_entropy)(jnp.ones((1, 3, 3)), batch)
    assert float(loss) == 0
    assert not np.asarray(gradient).any()


def test_outputs_of_low_precision_are_judged_in_that_of_the_batch():
    outputs = jnp.zeros((1, 3, 3), jnp.bfloat16)
    loss = cross_entropy(outputs, small_batch([[1, 2, 1]]))
    assert loss.dtype == jnp.float32
    assert float(loss) == pytest.approx(np.log(3))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Adding(steps=2), "Adding got steps=2; it must be at least 3"),
        (lambda: ChangePoints(steps=10, window=10), "ChangePoints got steps=10; it must be at least 11"),
        (lambda: Copy(delay=0), "Copy got delay=0; it must be at least 1"),
        (lambda: Denoise(symbols=1), "Denoise got symbols=1; it must be at least 2"),
        (lambda: Dyck(depth=1), "Dyck got depth=1; it must be at least 2"),
        (lambda: HighOrder(np.array([[0, 1], [2, -1]])), "HighOrder got a sequence of 1 elements; it must have"),
        (lambda: HighOrder(np.array([[0, 1]]), noise=0), "HighOrder got noise=0; it must be at least 1"),
        (lambda: Modular(modulus=1), "Modular got modulus=1; it must be at least 2"),
        (lambda: NextCharacter(np.zeros(9, int), 2, steps=9), "NextCharacter got steps=9; it must be below the 9"),
        (lambda: NextChord([np.zeros((1, 5))]), "NextChord got pieces"),
        (lambda: NextChord([]), "NextChord got pieces"),
        (lambda: NextChord([np.zeros((3, 5)), np.zeros((3, 4))]), "NextChord got pieces"),
        (lambda: Recall(pairs=4, steps=14), "Recall got steps=14; it must be at least 16"),
        (lambda: Recall(vocabulary=255), "Recall got vocabulary=255; it must be even"),
        (lambda: SelectiveCopy(length=0), "SelectiveCopy got length=0; it must be at least 1"),
        (lambda: Words(steps=1), "Words got steps=1; it must be at least 2"),
    ],
)
def test_bad_sizes_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
