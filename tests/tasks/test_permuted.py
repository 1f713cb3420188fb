import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from jaxneuro.tasks import data
from jaxneuro.tasks.permuted import PermutedImages
from tests.tasks.rules import certain, check_mean, draw


@pytest.fixture(scope="module")
def digits():
    return data.digits()


@pytest.fixture(scope="module")
def task(digits):
    return PermutedImages(digits.images, digits.labels, tasks=4, seed=3)


def test_every_task_has_all_pixels_in_an_order_of_its_own(task, digits):
    orders = np.asarray(task.orders)
    assert orders.shape == (4, 64)
    np.testing.assert_array_equal(np.sort(orders, axis=1), np.tile(np.arange(64), (4, 1)))
    assert len(np.unique(orders, axis=0)) == 4
    for number in range(4):
        shown = np.asarray(task.take(jnp.array([5, 900]), jnp.asarray(number)).inputs)
        assert shown.shape == (2, 1, 64)
        for place, image in enumerate((5, 900)):
            for pixel in (0, 17, 63):
                row, column = divmod(int(orders[number, pixel]), 8)
                assert shown[place, 0, pixel] == digits.images[image, row, column]


def test_orders_are_fixed_by_the_seed_and_do_not_depend_on_how_many_tasks_there_are(digits):
    def orders(tasks, seed):
        return np.asarray(PermutedImages(digits.images, digits.labels, tasks=tasks, seed=seed).orders)

    np.testing.assert_array_equal(orders(6, 1)[:2], orders(2, 1))
    assert (orders(2, 1) != orders(2, 2)).any(axis=1).all()


def test_a_mixed_batch_shows_every_image_as_its_own_task_does(task):
    images, tasks = jnp.array([3, 3, 8, 20]), jnp.array([0, 2, 2, 1])
    mixed = task.take(images, tasks)
    for place in range(4):
        alone = task.take(images[place : place + 1], tasks[place])
        np.testing.assert_array_equal(mixed.inputs[place], alone.inputs[0])
        np.testing.assert_array_equal(mixed.targets[place], alone.targets[0])


def test_knowing_every_image_solves_it_and_batches_show_all_tasks(task, digits):
    known = {}
    for number in range(4):
        every = np.asarray(task.take(jnp.arange(1797), jnp.asarray(number)).inputs)
        known |= {image.tobytes(): (int(label), number) for image, label in zip(every, digits.labels, strict=True)}
    batch = draw(task, 400)
    found = [known[np.asarray(image).tobytes()] for image in batch.inputs]
    outputs = certain(np.array([[label] for label, _ in found]), 10)
    assert float(task.accuracy(outputs, batch)) == 1
    counts = np.bincount([number for _, number in found], minlength=4)
    assert (counts > 60).all()


def test_the_class_frequencies_have_the_baseline(task, digits):
    shares = np.bincount(digits.labels) / len(digits.labels)
    check_mean(-np.log(shares)[np.asarray(draw(task, 4000).targets)[:, 0]], task.baseline)


def test_the_nearest_prototype_is_nearly_always_that_of_the_task(task):
    prototypes = np.asarray(task.prototypes)
    for number in range(4):
        images = np.asarray(task.take(jnp.arange(1797), jnp.asarray(number)).inputs)[:, 0]
        np.testing.assert_allclose(prototypes[number], images.mean(axis=0), atol=1e-5)
        distances = ((images[:, None] - prototypes) ** 2).sum(axis=2)
        assert (distances.argmin(axis=1) == number).mean() > 0.99


def test_bytes_are_kept_as_bytes_and_read_as_grey_values(digits):
    images = (digits.images * 255).astype(np.uint8)
    task = PermutedImages(images, digits.labels, tasks=1)
    assert task.pixels.dtype == jnp.uint8
    shown = task.take(jnp.array([3]), jnp.asarray(0)).inputs[0, 0]
    np.testing.assert_allclose(shown, images[3].reshape(-1)[np.asarray(task.orders[0])] / 255, rtol=1e-6)
    np.testing.assert_allclose(task.prototypes[0], images.mean(axis=0).reshape(-1)[task.orders[0]] / 255, rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((3, 4))}, r"images of shape \(3, 4\)"),
        ({"labels": np.zeros(2, int)}, r"labels of shape \(2,\)"),
        ({"images": np.zeros((3, 2, 2), int)}, "images of int64"),
        ({"tasks": 0}, "tasks=0; it must be at least 1"),
        ({"labels": np.array([0, -1, 1])}, "labels from -1 to 1; they must be from 0 to 1"),
        ({"classes": 2}, "labels from 0 to 2; they must be from 0 to 1"),
    ],
)
def test_what_is_not_images_with_labels_is_refused(change, message, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    arguments = {"images": np.zeros((3, 2, 2)), "labels": np.array([0, 1, 2])} | change
    with pytest.raises(ValueError, match=message):
        PermutedImages(arguments.pop("images"), arguments.pop("labels"), **arguments)


def test_it_runs_under_jit_with_the_task_as_a_number_that_changes(task):
    taken = jax.jit(lambda number: task.take(jnp.arange(5), number).inputs)
    for number in range(4):
        np.testing.assert_array_equal(taken(jnp.asarray(number)), task.take(jnp.arange(5), jnp.asarray(number)).inputs)
