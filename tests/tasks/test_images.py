import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from jaxneuro.tasks import data
from jaxneuro.tasks.images import ImageSequences
from tests.tasks.rules import certain, check_mean, draw


@pytest.fixture(scope="module")
def digits():
    return data.digits()


def everything(task):
    return task.take(jnp.arange(task.labels.shape[0]))


@pytest.mark.parametrize(("order", "steps", "features"), [("rows", 8, 8), ("pixels", 64, 1), ("permuted", 64, 1)])
def test_knowing_every_image_solves_it(order, steps, features, digits):
    task = ImageSequences(digits.images, digits.labels, order=order)
    batch = draw(task, 50)
    assert batch.inputs.shape == (50, steps, features)
    every = np.asarray(everything(task).inputs)
    known = {image.tobytes(): int(label) for image, label in zip(every, digits.labels, strict=True)}
    assert len(known) == 1797
    answers = np.zeros((50, steps), int)
    answers[:, -1] = [known[np.asarray(image).tobytes()] for image in batch.inputs]
    outputs = certain(answers, 10)
    assert float(task.accuracy(outputs, batch)) == 1
    assert float(task.loss(outputs, batch)) == 0
    assert task.optimum is None


def test_the_class_frequencies_have_the_baseline(digits):
    task = ImageSequences(digits.images, digits.labels, order="rows")
    shares = np.bincount(digits.labels) / len(digits.labels)
    batch = everything(task)
    loss = task.loss(jnp.broadcast_to(jnp.log(jnp.asarray(shares)), (1797, 8, 10)), batch)
    assert float(loss) == pytest.approx(task.baseline, rel=1e-5)
    check_mean(-np.log(shares)[np.asarray(draw(task, 4000).targets)[:, -1]], task.baseline)


def test_rows_and_pixels_are_in_the_order_of_reading(digits):
    rows = ImageSequences(digits.images, digits.labels, order="rows").take(jnp.array([5, 9]))
    pixels = ImageSequences(digits.images, digits.labels).take(jnp.array([5, 9]))
    np.testing.assert_array_equal(rows.inputs, digits.images[[5, 9]])
    for row, column in ((0, 3), (2, 5), (7, 0)):
        np.testing.assert_array_equal(pixels.inputs[:, 8 * row + column, 0], digits.images[[5, 9], row, column])
    np.testing.assert_array_equal(pixels.targets, digits.labels[[5, 9], None].repeat(64, 1))
    np.testing.assert_array_equal(pixels.weights, np.eye(64)[[63, 63]])


def test_one_shuffled_order_serves_all_images_and_depends_on_the_seed_alone(digits):
    def order(seed):
        # Images of which each has another pixel on say where that pixel went.
        images = np.eye(64).reshape(64, 8, 8)
        batch = everything(ImageSequences(images, np.arange(64), order="permuted", seed=seed))
        return np.asarray(batch.inputs)[:, :, 0].argmax(1)

    assert sorted(order(0)) == list(range(64))
    assert (order(0) != np.arange(64)).sum() > 50
    np.testing.assert_array_equal(order(0), order(0))
    assert (order(0) != order(1)).any()


def test_bytes_are_kept_as_bytes_and_read_as_grey_values(digits):
    images = (digits.images * 255).astype(np.uint8)
    task = ImageSequences(images, digits.labels, order="rows")
    assert task.sequences.dtype == jnp.uint8
    np.testing.assert_allclose(task.take(jnp.array([3])).inputs[0], images[3] / 255, rtol=1e-6)


def test_classes_can_be_more_than_these_images_have(digits):
    few = digits.labels < 3
    assert ImageSequences(digits.images[few], digits.labels[few]).outputs == 3
    assert ImageSequences(digits.images[few], digits.labels[few], classes=10).outputs == 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((3, 4))}, r"images of shape \(3, 4\)"),
        ({"labels": np.zeros(2, int)}, r"labels of shape \(2,\)"),
        ({"images": np.zeros((3, 2, 2), int)}, "images of int64"),
        ({"order": "columns"}, "order='columns'; it must be 'rows' or 'pixels' or 'permuted'"),
        ({"labels": np.array([0, -1, 1])}, "labels from -1 to 1; they must be from 0 to 1"),
        ({"classes": 2}, "labels from 0 to 2; they must be from 0 to 1"),
    ],
)
def test_what_is_not_images_with_labels_is_refused(change, message, monkeypatch):
    # The types that only tests check would refuse the order first.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    arguments = {"images": np.zeros((3, 2, 2)), "labels": np.array([0, 1, 2])} | change
    with pytest.raises(ValueError, match=message):
        ImageSequences(arguments.pop("images"), arguments.pop("labels"), **arguments)
